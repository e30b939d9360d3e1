#!/bin/bash
# PID 1 of the engine that builds the lab's images: in mount, IPC and process namespaces of its own, but on the machine's
# network, which it uses and never changes (no bridge, no firewall rule, no forwarding).
# usage: builder-init.sh FOLDER RUNTIME_FOLDER ENGINE_OPTION...
set -eu
folder=$1 runtime=$2
shift 2
mkdir -p "$folder/run"
mount --rbind /run "$folder/run"
mount -t tmpfs -o mode=755 tmpfs /run
if [ -d "$folder/run/systemd/resolve" ]; then # /etc/resolv.conf may be a link to it
    mkdir -p /run/systemd/resolve
    mount --bind "$folder/run/systemd/resolve" /run/systemd/resolve
fi
mkdir -p /run/lab /run/etc/upper /run/etc/work
mount --rbind "$folder" /run/lab
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work overlay /etc
rm -rf /etc/docker
mkdir /etc/docker
cp /run/lab/daemon.json /etc/docker/
exec >/run/lab/engine.log 2>&1
PATH=${runtime:+$runtime:}$PATH exec tini-static -- dockerd "$@"
