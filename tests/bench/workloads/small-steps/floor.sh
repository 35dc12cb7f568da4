# The floor: what playbook.yml says, as someone would write it who knows these hosts
# and needs no more than this. Run with the host's name as $1; ends with the number of
# things that it had to change.
# shellcheck shell=sh
umask 022
changed=0

# attributes PATH MODE: root's, with this mode.
attributes() {
    [ "$(stat -c '%a %u %g' "$1")" = "$2 0 0" ] && return
    chown 0:0 "$1" && chmod "$2" "$1"
    changed=$((changed + 1))
}

# content PATH: what comes on standard input.
content() {
    text=$(cat)
    printf '%s\n' "$text" | cmp -s - "$1" && return
    printf '%s\n' "$text" >"$1.new" && mv "$1.new" "$1"
    changed=$((changed + 1))
}

for i in 1 2 3 4 5; do
    dir=/opt/small-steps/$i
    [ -d "$dir" ] || mkdir -p "$dir"
    attributes "$dir" 755

    content "$dir/small.txt" <<'END'
A file as configuration management mostly handles them: small, and the same on every host.
It is compared on each run and, once it is there, left alone.
END
    attributes "$dir/small.txt" 644

    content "$dir/small.conf" <<END
# $1
listen = 8080
listen = 8081
listen = 8082
workers = 8
END
    attributes "$dir/small.conf" 640

    if ! grep -qx "setting = $i" "$dir/lines"; then
        sed -i '/^setting =/d' "$dir/lines"
        echo "setting = $i" >>"$dir/lines"
        changed=$((changed + 1))
    fi
    attributes "$dir/lines" 644

    if [ -e "$dir/small.conf" ]; then
        /usr/bin/test -s "$dir/small.conf" || exit 1
    fi
done
echo "changed=$changed"
