#!/bin/sh
echo '{"g": {"hosts":["h1","h2:2222","h[1:2]"]}, "_meta": {"hostvars": {"h1": {"a": 1}, "h9": {"b": 2}}}}'
