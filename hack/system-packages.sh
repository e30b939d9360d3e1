#!/bin/bash
# Installs the system packages that the lab, the demo and the tests need, and only those that are missing.
# usage: hack/system-packages.sh [--bench|--hardware|--browser]      as root, on Debian 12 or Ubuntu 22.04/24.04
# A command that is already there, from whatever package, is left alone. No service is started, and none of
# those that come with the packages is left to start at the next boot: the lab starts its own.
set -euo pipefail

# what must be there (a command, or a file when it begins with /) and the package that brings it
NEEDS="
dockerd                                         docker.io
docker                                          docker.io
ip                                              iproute2
iptables                                        iptables
nsenter                                         util-linux
mmdebstrap                                      mmdebstrap
/usr/share/keyrings/debian-archive-keyring.gpg  debian-archive-keyring
sshd                                            openssh-server
ssh                                             openssh-client
openssl                                         openssl
tini-static                                     tini
jq                                              jq
git                                             git
make                                            make
/usr/share/doc/busybox-static                   busybox-static
docker-registry                                 docker-registry
htpasswd                                        apache2-utils
etcd                                            etcd-server
iperf3                                          iperf3
"
BENCH_NEEDS="
docker-compose                                  docker-compose
"
HARDWARE_NEEDS="
mke2fs                                          e2fsprogs
qemu-img                                        qemu-utils
"
# what emulates a NIC with virtual functions; Debian 12's own is too old for it, its backports' is not
EMULATOR="qemu-system-x86 qemu-utils"
BACKPORTS=bookworm-backports
# units of the packages above; they must not run because of us
UNITS="docker.service docker.socket containerd.service docker-registry.service etcd.service ssh.service ssh.socket"

say() { echo "system-packages: $*" >&2; }

is_there() {
    case $1 in
        /*) [ -e "$1" ] ;;
        *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
    esac
}

missing_packages() {
    local need package
    while read -r need package; do
        [ -z "$need" ] || is_there "$need" || echo "$package"
    done <<<"$NEEDS$1"
    missing_python
}

# dtnctl wants Python 3.11 with venv; Ubuntu 22.04's python3 is older, but has python3.11 beside it
missing_python() {
    local python
    for python in python3 python3.11; do
        "$python" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
    done
    if grep -q '^VERSION_ID="22.04"' /etc/os-release; then echo python3.11-venv; else echo python3-venv; fi
}

# a policy-rc.d forbids maintainer scripts to start services; one that is there already is put back afterwards
POLICY=/usr/sbin/policy-rc.d
MARK="for hack/system-packages.sh only"
forbid_service_starts() {
    [ ! -e "$POLICY" ] || grep -qF "$MARK" "$POLICY" || mv "$POLICY" "$POLICY.kept"
    printf '#!/bin/sh\n# %s\nexit 101\n' "$MARK" >"$POLICY"
    chmod 755 "$POLICY"
}
allow_service_starts() {
    rm -f "$POLICY"
    [ ! -e "$POLICY.kept" ] || mv "$POLICY.kept" "$POLICY"
}

# units that were not known before the installation came with it: leave them off
known_units() {
    local unit
    for unit in $UNITS; do
        if [ -e "/lib/systemd/system/$unit" ] || [ -e "/etc/systemd/system/$unit" ]; then echo "$unit"; fi
    done
}
disable_new_units() {
    local unit
    command -v systemctl >/dev/null || return 0
    for unit in $(known_units); do
        grep -qx "$unit" <<<"$1" || systemctl --quiet disable "$unit" 2>/dev/null || true
    done
}

has_emulated_sriov() {
    command -v qemu-system-x86_64 >/dev/null && grep -q '^name "igb"' <<<"$(qemu-system-x86_64 -device help 2>/dev/null)"
}

# Debian 12's backports are read for this one installation only: the sources and lists of this machine are not touched,
# so nothing has to be put back, whenever this ends, and no other package will ever come from there.
APT=""
leave() {
    allow_service_starts
    [ -z "$APT" ] || rm -rf "$APT"
}
install_emulator() {
    has_emulated_sriov && return
    [ "$(id -u)" = 0 ] || { say "missing: $EMULATOR, with the emulated NIC igb; run me as root to install them"; exit 1; }
    forbid_service_starts
    trap leave EXIT
    if grep -q '^VERSION_ID="12"' /etc/os-release; then
        install_from_backports
    else
        apt_get update || true
        # shellcheck disable=SC2086  # a list of words is meant
        apt_get install --no-install-recommends -y $EMULATOR >&2
    fi
    has_emulated_sriov || { say "the QEMU that was found cannot emulate igb: version 8.0 or newer is needed"; exit 1; }
    say "installed: $EMULATOR"
}

install_from_backports() {
    local mirror own
    # shellcheck disable=SC2016  # apt replaces these names
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' "Created-By: Packages" |
        awk '$1 == "Debian" && $2 == "bookworm" && !found {print $3; found = 1}')
    [ -n "$mirror" ] || { say "apt knows no mirror of Debian bookworm; run apt-get update first"; exit 1; }
    say "installing $EMULATOR from $BACKPORTS, which this machine's own sources do not get to know"
    APT=$(mktemp -d)
    mkdir -p "$APT/sources" "$APT/lists/partial"
    cp -a /etc/apt/sources.list.d/. "$APT/sources/"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $BACKPORTS main" >"$APT/sources/backports.list"
    own=(-o "Dir::Etc::sourceparts=$APT/sources" -o "Dir::State::lists=$APT/lists" -o APT::Sandbox::User=root)
    apt_get "${own[@]}" update
    # shellcheck disable=SC2086  # a list of words is meant
    apt_get "${own[@]}" -t "$BACKPORTS" install --no-install-recommends -y $EMULATOR >&2
}

# Ubuntu has Chromium as a snap only, which is no package of this kind: the tests that need a browser are skipped there.
install_browser() {
    ! is_there chromium || return 0
    [ "$(id -u)" = 0 ] || { say "missing: chromium; the tests in a browser are skipped; run me as root to install it"; return 0; }
    forbid_service_starts
    trap leave EXIT
    apt_get update || say "apt-get update failed for some source; going on with what is known"
    if ! apt-cache policy chromium | grep -q 'Candidate: [0-9]'; then
        say "this system has no package chromium; the tests in a browser are skipped"
        return
    fi
    say "installing chromium, for the tests of dtnctl web"
    apt_get install --no-install-recommends -y chromium >&2
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o DPkg::Lock::Timeout=600 "$@"; }

main() {
    local more="" packages units
    case ${1:-} in
        --bench) more=$BENCH_NEEDS ;;
        --hardware)
            install_emulator
            more=$HARDWARE_NEEDS
            ;;
        --browser)
            install_browser
            return
            ;;
    esac
    packages=$(missing_packages "$more" | sort -u | tr '\n' ' ')
    if [ -z "${packages// /}" ]; then
        say "nothing is missing"
        return
    fi
    say "missing: $packages"
    [ "$(id -u)" = 0 ] || { say "run me as root to install them"; exit 1; }
    units=$(known_units)
    trap leave EXIT
    forbid_service_starts
    say "apt-get update"
    apt_get update || say "apt-get update failed for some source; going on with what is known"
    say "apt-get install"
    # shellcheck disable=SC2086  # a list of words is meant
    apt_get install --no-install-recommends -y $packages >&2
    disable_new_units "$units"
    say "installed: $packages"
}

main "$@"
