#!/bin/bash
# PID 1 of a lab, in mount, network, process and IPC namespaces of its own. Everything else of the lab lives below it,
# so killing this one process ends all of it. Says "ready" on its output when others may enter.
# usage: anchor-init.sh FOLDER DISK_SIZE HOLD ENDPOINT...     HOLD: "owner" lives as long as its input stays open
set -eu
folder=$1 size=$2 hold=$3
shift 3

# a root folder of the lab's own, with the machine's folders bound into it: /data and /run can then be private
# without leaving a mount point on the machine
new=/run
mount -t tmpfs -o mode=755 tmpfs $new
for entry in /*; do
    case $entry in
        /run | /data) continue ;;
    esac
    if [ -L "$entry" ]; then
        cp -P "$entry" "$new$entry"
    elif [ -d "$entry" ]; then
        mkdir "$new$entry"
        mount --rbind "$entry" "$new$entry"
    fi
done
mkdir $new/run $new/data $new/.old
cd $new
pivot_root . .old
cd /
umount --lazy /.old
rmdir /.old
mount -t tmpfs -o mode=755 tmpfs /run

# what an endpoint keeps while its engine is off: the engine's data and /data
for name in "$@"; do
    mount -t tmpfs -o "mode=755,$size" tmpfs "$folder/$name/disk"
    mount -t tmpfs -o "mode=1777,$size" tmpfs "$folder/$name/data"
done

echo ready
exec >/dev/null
if [ "$hold" = owner ]; then
    exec tini-static -- cat
else
    exec tini-static -- sleep infinity </dev/null
fi
