#!/bin/sh
# Run on a host that an agent shall be installed on, as the user who logs in. Changes nothing; prints NAME=VALUE lines.
set -eu

find_python() {
    for python in python3 python3.11 python3.12 python3.13 python3.14; do
        if "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
}

find_root() {
    if [ "$(id -u)" = 0 ]; then
        echo root
    elif sudo -n true 2>/dev/null; then
        echo sudo
    fi
}

echo "root=$(find_root)"
echo "python=$(find_python)"
if [ -d /run/systemd/system ]; then echo "systemd=yes"; fi
echo "name=$(hostname)"
echo "name=$(hostname -f 2>/dev/null || true)"
if [ -r /etc/dtn-agent/server.pem ]; then echo "certificate=$(base64 -w 0 /etc/dtn-agent/server.pem)"; fi
