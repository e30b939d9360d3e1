#!/bin/sh
# Run as root on a host, in a folder with what is to be installed. Does what is missing or different, and says so; doing it twice is
# the same as doing it once.
# usage: install-agent.sh PYTHON
#   dtnctl-*.whl requirements.txt [wheelhouse/]    into a virtual environment of the agent's own
#   [client-ca.pem [server.pem server.key]]        its certificates, for an agent on a port
#   [listen]                                       where it answers, for an agent on a unix socket
#   [options]                                      further options of `dtn-agent serve`
set -eu

HOME_FOLDER=/opt/dtn-agent
SETTINGS=/etc/dtn-agent
UNIT=/etc/systemd/system/dtn-agent.service
changed=no

say() { echo "$1"; }

# put MODE FILE TARGET: the file is there with this content and mode; atomically, since the agent may be starting
put() {
    if cmp -s "$2" "$3" && [ "$(stat -c %a "$3")" = "$1" ]; then return 0; fi
    install -m "0$1" "$2" "$3.new"
    mv -f "$3.new" "$3"
    changed=yes
    say "wrote $3"
}

# take TARGET: the file is not there
take() {
    if [ ! -e "$1" ]; then return 0; fi
    rm -f "$1"
    changed=yes
    say "removed $1"
}

make_environment() {
    if [ "$("$HOME_FOLDER/bin/python" --version 2>/dev/null)" = "$("$1" --version)" ]; then return 0; fi
    "$1" -m venv --clear "$HOME_FOLDER"
    say "made the virtual environment $HOME_FOLDER"
}

install_packages() {
    wanted=$(cat ./*.whl requirements.txt | sha256sum | cut -d' ' -f1)
    if [ "$(cat "$HOME_FOLDER/installed" 2>/dev/null)" = "$wanted" ]; then return 0; fi
    rm -f "$HOME_FOLDER/installed"
    pip="$HOME_FOLDER/bin/python -m pip --disable-pip-version-check --no-input --quiet install"
    if [ -d wheelhouse ]; then pip="$pip --no-index --find-links wheelhouse"; fi
    $pip --requirement requirements.txt
    $pip --no-deps --force-reinstall ./*.whl
    echo "$wanted" >"$HOME_FOLDER/installed"
    changed=yes
    say "installed the agent into $HOME_FOLDER"
}

write_settings() {
    install -d -m 0755 "$SETTINGS"
    if [ -e client-ca.pem ]; then put 644 client-ca.pem "$SETTINGS/client-ca.pem"; fi
    if [ -e server.pem ]; then
        put 600 server.key "$SETTINGS/server.key"
        put 644 server.pem "$SETTINGS/server.pem"
    fi
    if [ -e listen ]; then put 644 listen "$SETTINGS/listen"; else take "$SETTINGS/listen"; fi
    if [ -e options ]; then put 644 options "$SETTINGS/options"; fi
    "$HOME_FOLDER/bin/dtn-agent" unit >dtn-agent.service
    put 644 dtn-agent.service "$UNIT"
}

start() {
    if [ ! -d /run/systemd/system ]; then
        say "this host is not run by systemd: start the agent as $UNIT says"
        return 0
    fi
    systemctl daemon-reload
    systemctl --quiet enable dtn-agent.service
    if [ "$changed" = yes ]; then action=restart; else action=start; fi
    if ! systemctl "$action" dtn-agent.service; then
        say "the agent did not start; its last words:"
        journalctl --unit dtn-agent.service --lines 15 --no-pager --output cat || true
        exit 1
    fi
    if [ "$changed" = yes ]; then say "started dtn-agent.service"; else say "dtn-agent.service runs, nothing had to be changed"; fi
}

umask 022
make_environment "$1"
install_packages
write_settings
start
