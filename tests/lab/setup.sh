#!/usr/bin/env bash
# Makes ready what the lab needs: Debian packages (packages.txt) and its own virtual environment
# (requirements.txt) in .cache/lab/venv. Does nothing, quickly, when all of it is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
cache=$checkout/.cache/lab
venv=$cache/venv
log=$cache/log/setup.log
# Debian's own before any other in PATH: it is built with all optimisations, and the cloud starts a third faster.
python=${LAB_PYTHON:-$(PATH=/usr/bin:$PATH command -v python3.11 || echo python3.11)}
# What apt would start: the lab runs all three in namespaces of its own, never on the machine itself.
services=(ssh strongswan strongswan-starter)

say() { printf 'lab setup: %s\n' "$*" >&2; }

fail() {
    say "$*"
    if [[ -s $log ]]; then
        say "the end of $log:"
        tail -n 15 "$log" >&2
    fi
    exit 1
}

missing_packages() {
    local package
    while read -r package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done <"$here/packages.txt"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

has_service() { [[ -e /lib/systemd/system/$1.service || -e /etc/init.d/$1 ]]; }

# A service that came with the packages must neither run now nor at the next boot.
silence_service() {
    if [[ -d /run/systemd/system ]]; then
        systemctl disable --now "$1" || true
    elif [[ -x /etc/init.d/$1 ]]; then
        "/etc/init.d/$1" stop || true
    fi
}

install_packages() {
    local service new=()
    for service in "${services[@]}"; do
        has_service "$service" || new+=("$service")
    done
    export DEBIAN_FRONTEND=noninteractive
    apt-get update || return
    apt-get install -y --no-install-recommends "$@" || return
    for service in "${new[@]}"; do
        silence_service "$service"
    done
}

mkdir -p "$cache/log"
mapfile -t missing < <(missing_packages)
if ((${#missing[@]})); then
    if ((EUID != 0)); then
        fail "these Debian packages are missing, and only root can install them: ${missing[*]}"
    fi
    say "installing Debian packages: ${missing[*]}"
    install_packages "${missing[@]}" >"$log" 2>&1 </dev/null || fail "the Debian packages could not be installed"
fi

stamp=$venv/requirements.sha256
wanted=$({ "$python" -VV && cat "$here/requirements.txt"; } | sha256sum)
if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
    say "building the virtual environment $venv (1 to 3 minutes)"
    rm -rf "$venv"
    {
        "$python" -m venv "$venv" &&
            "$venv/bin/python" -m pip install --no-deps --requirement "$here/requirements.txt"
    } >"$log" 2>&1 </dev/null || fail "the virtual environment could not be built"
    printf '%s\n' "$wanted" >"$stamp"
fi
