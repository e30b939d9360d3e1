#!/bin/bash
# Makes the guests' root file system, kernel and initial RAM disk, in a memory file system that vanishes with this script.
# usage: build-image.sh OUT WHEELS     as root in a mount namespace of its own; OUT gets root.ext4, vmlinuz and initrd.img
#   WHEELS: a folder with the agent's packages as wheels, and requirements.txt
set -euo pipefail
unset PYTHONPYCACHEPREFIX # else what Python compiles in the guest lies in a folder of this machine's name
here=$(dirname "$(readlink -f "$0")")
out=$1 wheels=$2
SUITE=bookworm
SIZE=3G
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# what is on by default, takes time at each boot, and is of no use here
UNITS_OFF="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
iwpmd.service logrotate.timer man-db.timer nvmefc-boot-connections.service nvmf-autoconnect.service systemd-pstore.service
systemd-timesyncd.service iperf3.service"

install_kernel() {
    # the kernel of the backports: the mirror is the one that mmdebstrap chose
    sed -nE "s/^(deb .*) $SUITE main.*/\1 $SUITE-backports main/p" "$1/etc/apt/sources.list" >"$1/etc/apt/sources.list.d/backports.list"
    # apt-get of the guest, not of this machine: that one would install here, whatever APT_CONFIG says
    chroot "$1" apt-get -q=2 update
    chroot "$1" apt-get -q=2 -y -t $SUITE-backports --no-install-recommends install linux-image-amd64
}
install_agent_packages() {
    mkdir "$1/tmp/wheels"
    cp -r "$wheels/." "$1/tmp/wheels/"
    chroot "$1" python3 -m venv /opt/dtn-agent
    chroot "$1" /opt/dtn-agent/bin/pip install -q --no-index --no-deps --require-hashes --find-links=/tmp/wheels -r /tmp/wheels/requirements.txt
    rm -r "$1/tmp/wheels"
}
configure() {
    local unit
    cp -r "$here/guest/etc" "$1/"
    mkdir "$1/seed"
    : >"$1/etc/machine-id" # the lab gives one on the kernel's command line
    rm -f "$1"/etc/ssh/ssh_host_*
    rm -f "$1"/etc/nvme/hostnqn "$1"/etc/nvme/hostid # one name for all guests; without it the agent gives each its own
    chroot "$1" systemctl --quiet enable management-net.service docker.service ssh.service
    for unit in $UNITS_OFF; do chroot "$1" systemctl --quiet disable "$unit" 2>/dev/null || true; done
    chroot "$1" systemctl --quiet mask getty@tty1.service systemd-networkd-wait-online.service
}
# run by mmdebstrap when the packages are there, with the new root as its argument
hook() {
    configure "$1"
    install_kernel "$1"
    install_agent_packages "$1"
    rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*
}

main() {
    local root
    root=$(mktemp -d)
    mount -t tmpfs -o "size=$SIZE,mode=755" tmpfs "$root"
    mmdebstrap --quiet --mode=root --variant=apt --keyring=$KEYRING --skip=check/empty,cleanup/apt/lists \
        --aptopt='APT::Install-Recommends "0"' --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "5"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --include="$(paste -sd, "$here/packages.txt")" \
        --customize-hook="bash '$here/build-image.sh' '$out' '$wheels' \"\$1\"" \
        $SUITE "$root"
    cp -L "$root/vmlinuz" "$root/initrd.img" "$out/"
    truncate -s $SIZE "$out/root.ext4"
    mke2fs -q -F -t ext4 -L root -E lazy_itable_init=1,root_owner=0:0 -d "$root" "$out/root.ext4"
}

if [ $# = 3 ]; then hook "$3"; else main; fi
