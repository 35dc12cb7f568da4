#!/bin/sh
[ "$1" = --list ] && echo '{"g": {"hosts":["h1","h2"]}}'
[ "$1" = --host ] && echo '[1]'
true
