# Shared by setup, up and down; not run by itself.
# shellcheck shell=bash

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$lab_dir/../.." && pwd)
# Where the state of this checkout's labs is kept, one directory a lab.
state=${RPLAY_LAB_STATE:-$repo/.lab}
# Two checkouts on one machine may both have a lab called "lab".
checkout=$(printf %s "$state" | sha256sum | cut -c1-6)
suite=bookworm
python_packages=(python3 python3-apt acl)

say() { printf 'lab: %s\n' "$*" >&2; }
die() {
    printf 'lab: error: %s\n' "$*" >&2
    exit 1
}

# lock NAME FD: take a lock that all labs of this machine share, until FD is closed.
lock() {
    local dir=/run/lock
    [ -w "$dir" ] || dir=${TMPDIR:-/tmp}
    eval "exec $2>>'$dir/rplay-lab-$1.lock'"
    flock --nonblock "$2" && return
    [ "$1" != setup ] || say "waiting for another setup"
    flock "$2"
}

# The entries of this machine's package sources that serve the suite, so that
# hosts fetch packages from where the machine does. Empty on another system.
lab_sources() {
    # shellcheck disable=SC2016 # apt expands these
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 2>/dev/null |
        awk -v suite="$suite" '$2 !~ /^file:/ && ($3 == suite || index($3, suite "-") == 1) && !seen[$0]++' |
        grep -E ' (main|contrib|non-free|non-free-firmware)$' || true
}

# This machine's way through proxies and past its clock, as apt settings.
lab_apt_conf() {
    apt-config dump 2>/dev/null |
        grep -E '^Acquire::(.*::)?(Proxy|Check-Valid-Until|Check-Date|Verify-Peer|Verify-Host)[: ]' |
        grep -v ' "";$' || true
    [ -z "${http_proxy:-}" ] || printf 'Acquire::http::Proxy "%s";\n' "$http_proxy"
    [ -z "${https_proxy:-}" ] || printf 'Acquire::https::Proxy "%s";\n' "$https_proxy"
}

# lab_image base|python: the image's name; its tag is a hash of all that goes into it.
lab_image() {
    local hash
    hash=$({
        cat "$lab_dir/image" "$lab_dir/init"
        # What lab_sources makes of these takes too long to ask each time.
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null || true
        lab_apt_conf
        [ "$1" = base ] || printf '%s\n' "${python_packages[@]}"
    } | sha256sum | cut -c1-12)
    printf 'rplay-lab-%s:%s\n' "$1" "$hash"
}

have_image() { docker image inspect "$1" >/dev/null 2>&1; }

# Names of the containers of one lab of this checkout, or of all.
lab_containers() {
    local filter=(--filter "label=rplay.lab.checkout=$checkout")
    [ $# -eq 0 ] || filter+=(--filter "label=rplay.lab=$1")
    docker ps --all --format '{{.Names}}' "${filter[@]}"
}
