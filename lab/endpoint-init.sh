#!/bin/bash
# PID 1 of one endpoint, in mount, UTS, IPC and process namespaces of its own and its network namespace:
# gives it its own /run, /etc, /data and /sys, then runs sshd and the engine.
# Says "ready" on its output when sshd runs and the engine is about to start; it does not start as long as there is a
# file `engine-waits` in FOLDER.
# usage: endpoint-init.sh NAME FOLDER GOLDEN SYSTEM RUNTIME_FOLDER ENGINE OPTION...
#   GOLDEN: a folder with image layers to start with, or ""; SYSTEM: a folder with another system, for its programs, or "";
#   RUNTIME_FOLDER: goes first in the engine's PATH, or ""; ENGINE: dockerd or podman
set -eu
name=$1 folder=$2 golden=$3 system=$4 runtime=$5
shift 5
hostname "$name"

mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/sshd /run/lab /run/groups
mount --rbind "$folder" /run/lab # short paths: a socket's path has 107 bytes at most

# a /sys that shows this network namespace, with the control groups kept (ip netns exec would hide them)
mount --rbind /sys/fs/cgroup /run/groups
mount -t sysfs sysfs /sys
mount --rbind /sys/fs/cgroup /sys/fs/cgroup
mount --rbind /run/groups /sys/fs/cgroup
umount --lazy /run/groups

disk=/run/lab/disk
mkdir -p $disk/etc-upper $disk/etc-work $disk/engine
mount -t overlay -o lowerdir=/etc,upperdir=$disk/etc-upper,workdir=$disk/etc-work overlay /etc
# what is kept on the host itself, such as dtnctl's record of transfers, stays on this endpoint
mkdir -p $disk/state-upper $disk/state-work
mount -t overlay -o lowerdir=/var/lib,upperdir=$disk/state-upper,workdir=$disk/state-work overlay /var/lib
rm -rf /etc/docker /etc/resolv.conf
mkdir -p $disk/etc-docker /etc/docker
mount --bind $disk/etc-docker /etc/docker # the engine's identity
cp /run/lab/daemon.json /etc/docker/
cp /run/lab/hosts /etc/hosts
cp /run/lab/resolv.conf /etc/resolv.conf
echo "$name" >/etc/hostname
mount --bind /run/lab/data /data
mount --make-rshared / # as systemd leaves it on a real host

# Image layers are shared with all endpoints: their content is bound read-only from the golden copy, the rest is
# copied. Not the whole layer folder: the engine writes beside diff/. Layers that were deleted stay deleted.
if [ -n "$golden" ]; then
    if [ ! -e $disk/engine/image ]; then
        cp -a "$golden/image" $disk/engine/
        (cd "$golden" && find overlay2 -mindepth 1 -maxdepth 2 ! -name diff -print0) |
            tar -C "$golden" --null --no-recursion -T - -c | tar -C $disk/engine -x
    fi
    for layer in "$golden"/overlay2/*/; do
        own=$disk/engine/overlay2/$(basename "$layer")
        [ -e "$own/link" ] || continue
        mkdir -p "$own/diff"
        mount --bind -o ro "$layer/diff" "$own/diff"
    done
fi

# Another system's programs, with the configuration that they need, over this machine's; all else stays.
if [ -n "$system" ]; then
    rm -f /etc/ld.so.cache # it names this machine's libraries
    for part in alternatives containers ssl ssh; do
        rm -rf "/etc/${part:?}"
        if [ -e "$system/etc/$part" ]; then cp -a "$system/etc/$part" /etc/; fi
    done
    mount --rbind "$system/usr" /usr
    hash -r
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
fi

# connections that begin here take none of the ports that services are given: one in use cannot be published
echo "61000 65535" >/proc/sys/net/ipv4/ip_local_port_range

# bash runs it for every command over ssh: what the owner of this machine has there is not the endpoint's, and may cost more than the command
[ ! -e /root/.bashrc ] || mount --bind /dev/null /root/.bashrc
/usr/sbin/sshd -f /run/lab/sshd_config -E /run/lab/sshd.log
echo ready
exec >>/run/lab/engine.log 2>&1
while [ -e /run/lab/engine-waits ]; do sleep 0.05; done
if [ "$1" = podman ]; then
    rm -f /run/lab/docker.sock
    ln -sf /run/lab/docker.sock /run/docker.sock
    printf '[containers]\ninit_path = "%s"\n' "$(command -v tini-static)" >/etc/containers/containers.conf
    printf '\n[[registry]]\nlocation = "%s"\ninsecure = true\n' 10.10.0.254:5000 10.10.0.254:5001 >>/etc/containers/registries.conf
    export PODMAN_IGNORE_CGROUPSV1_WARNING=1
    # as podman-restart.service does on a real host; the options before `system service`
    podman "${@:2:5}" start --all --filter restart-policy=always || true
fi
PATH=${runtime:+$runtime:}$PATH exec tini-static -- "$@"
