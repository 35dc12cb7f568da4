#!/bin/sh
echo "a note" >&2
if [ "$1" = --list ]; then echo '{"g": ["h1","h2"], "k": {"children":["g","undefd"],"vars":{"v":1}}, "all": {"vars": {"z": [1,2,{"a":"{{x}}"}]}, "hosts":["lone"]},"ungrouped":{"hosts":["u"]},"e":{}}'; else echo "{\"me\": \"$2\"}"; fi
