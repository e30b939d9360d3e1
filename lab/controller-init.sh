#!/bin/bash
# Runs a command as the lab's controller, in its network namespace and a mount namespace of its own.
# usage: controller-init.sh FOLDER COMMAND...
set -eu
folder=$1
shift
for file in hosts resolv.conf; do
    if [ -e "/etc/$file" ]; then mount --bind "$folder/ctl/$file" "/etc/$file"; fi
done
# the ssh command does not look at HOME: give it our configuration as the system's, and as the user's where there is one
mount --bind "$folder/ctl/ssh" /etc/ssh
user_home=$(getent passwd "$(id -u)" | cut -d: -f6)
if [ -d "$user_home/.ssh" ]; then mount --bind "$folder/home/.ssh" "$user_home/.ssh"; fi
HOME=$folder/home exec "$@"
