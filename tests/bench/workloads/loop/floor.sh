# The floor of playbook.yml. Run with the host's name as $1.
# shellcheck shell=sh
set -e
umask 022
mkdir -p /opt/loop
item=0
while [ $item -lt 100 ]; do
    echo "item $item of $1" >/opt/loop/$item.new
    mv /opt/loop/$item.new /opt/loop/$item
    item=$((item + 1))
done
echo "done"
