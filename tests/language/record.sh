#!/bin/sh
# Records what Ansible makes of the cases: ./record.sh [NAME…]
#
# Needs ansible-core 2.19; ORACLE names its ansible-playbook. Each case's output, exit
# code and the files that it left go to expected/NAME.
set -eu
cd "$(dirname "$0")"
oracle=${ORACLE:-ansible-playbook}
mkdir -p expected
grep -v '^#' cases | while IFS=: read -r name line; do
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "*) ;; *) continue ;; esac
    fi
    out=$(mktemp -d)
    set -f
    # In words, \u0020 is a space.
    words=
    for word in $line; do
        words="$words '$(printf %s "$word" | sed 's/\\u0020/ /g')'"
    done
    set +f
    status=0
    eval "env -u ANSIBLE_CONFIG ANSIBLE_NOCOLOR=1 ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3 \
        ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_SSH_ARGS='-o ConnectTimeout=3' \
        sh -c 'while case \$1 in [A-Z]*=*) true ;; *) false ;; esac; do export \"\$1\"; shift; done
               exec \"\$0\" -i inventory/hosts -e out=$out \"\$@\"' $oracle $words" \
        >"$out.stdout" 2>"$out.stderr" </dev/null || status=$?
    {
        sed "s#$out#OUT#g; s#$PWD#PROJECT#g; s#jid=j[0-9.]*#jid=JOB#" "$out.stdout"
        echo "---- exit $status"
        (cd "$out" && find . ! -name . | LC_ALL=C sort | while read -r path; do
            if [ -L "$path" ]; then echo "---- $path -> $(readlink "$path")"
            elif [ -d "$path" ]; then echo "---- $path/ $(stat -c %a "$path")"
            else echo "---- $path $(stat -c %a "$path")"; sed "s#$out#OUT#g" "$path"; fi
        done)
    } >"expected/$name"
    cp "$out.stderr" "${STDERR:-/dev/null}" 2>/dev/null || true
    rm -rf "$out" "$out.stdout" "$out.stderr"
done
