#!/bin/sh
# Records what ansible-inventory makes of the cases: ./record.sh [NAME…]
#
# Needs ansible-core 2.19 and, for TOML, tomli-w; ORACLE names the program. Each case's
# standard output and exit code go to expected/NAME.
set -eu
cd "$(dirname "$0")"
oracle=${ORACLE:-ansible-inventory}
mkdir -p expected
grep -v '^#' cases | while IFS=: read -r name line; do
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "*) ;; *) continue ;; esac
    fi
    status=0
    set -f
    env -u ANSIBLE_CONFIG ANSIBLE_NOCOLOR=1 \
        sh -c 'while case $1 in [A-Z]*=*) true ;; *) false ;; esac; do export "$1"; shift; done
               exec "$0" "$@"' "$oracle" $line >expected/"$name".new 2>/dev/null </dev/null || status=$?
    set +f
    {
        cat expected/"$name".new
        echo "---- exit $status"
    } >expected/"$name"
    rm expected/"$name".new
done
