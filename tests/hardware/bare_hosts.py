"""Both guests without anything of dtnctl: what is on them, and `dtnctl doctor`, which comes in by nothing but their logins."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.hardware import FAR_NIC, NEAR_NIC, Guests
from lab.hardware.places import ADDRESS
from tests.e2e.playground import Ran
from tests.hardware.scene import BOTH, ENVIRONMENT, both, path_with_ssh
from tests.site_folder import SiteFolder

LONG = 300.0
DISK, DATA = "nvme1n1", "/nvme"  # on the node of the data NIC
ADDRESSES = {"dtn1": "10.88.0.1/24", "dtn2": "10.88.0.2/24"}
SERVICES = "docker.service docker.socket containerd.service"
UNIT = "/etc/systemd/system/dtn-agent.service"
FOLDERS = "/opt/dtn-agent /etc/dtn-agent /var/lib/dtn-agent"
OURS = "find / /run -xdev -not -type d '(' -path '*dtn[-_]agent*' -o -path '*dtnctl*' ')'"
# Under an empty file system no program of ours can be run or read.
HIDE = f"systemctl disable --now --quiet dtn-agent.service; rm {UNIT}; systemctl daemon-reload"
HIDE += f"; for folder in {FOLDERS}; do mkdir -p $folder; mount -t tmpfs hidden $folder; done; rm -rf /run/dtnctl"
SHOW = f"for folder in {FOLDERS}; do umount $folder; done"
# a card that is given another MTU has no link for a moment
WAIT = f"until [ $(cat /sys/class/net/{NEAR_NIC}/carrier) = 1 ]; do sleep 1; done"
UP = f"ip link set {FAR_NIC} down; ip link set {NEAR_NIC} up; {WAIT}; ip address replace %s dev {NEAR_NIC}"
DOWN = f"ip address flush dev {NEAR_NIC}; ip link set {NEAR_NIC} down"
# All files but logs, with their times of change. A login of its own shows which others sshd and PAM write for any login.
LOGS = "-path /var/log -o -path /run/log"
LOOKS: Mapping[str, str] = {
    "files": f"find / /run /dev/shm {DATA} -xdev '(' {LOGS} ')' -prune -o -printf '%p|%T@|%C@|%s|%m\\n'",
    # without the kernel's own, and without those of this look
    "processes": "own=$(ps -o sid= -p $$ | tr -d ' '); ps -N -p 2 --ppid 2 -o sid=,pid=,args= | awk -v own=$own '$1 != own'",
    "packages": "dpkg-query --show",
    "modules": "cut -d' ' -f1 /proc/modules",
    "sockets": "ss --no-header --listening --tcp --udp --raw --numeric | awk '{print $1, $2, $5}'",
    "settings": "sysctl -a 2>/dev/null | grep -E '^(net|vm|kernel.numa)' | grep -v -E '_count |nr_|stat_'; ip -o link; tc qdisc"
    f"; ethtool -k {NEAR_NIC}; grep -r . /sys/block/{DISK}/queue 2>/dev/null",
}
# what ended with a connection may still be seen for a moment
ALONE = "until [ $(pgrep -f -c '^sshd: root') = 1 ]; do sleep 1; done"


@dataclass(frozen=True, slots=True)
class BareHosts:
    """The guests, and a folder on this machine that is no state repository."""

    guests: Guests
    folder: SiteFolder

    @classmethod
    def make(cls, guests: Guests, root: Path) -> BareHosts:
        """Agents are taken away, engines are off; a data NIC with an address on each, and a file system on a disk of each."""
        path = path_with_ssh(guests, root / "bin")
        (root / "empty").mkdir()
        hosts = cls(guests, SiteFolder(root / "empty", {**os.environ, **ENVIRONMENT, "PATH": path}, LONG))
        mount = f"mkfs.ext4 -q -F /dev/{DISK}; mkdir -p {DATA}; mount -o noatime /dev/{DISK} {DATA}"
        both(lambda name: hosts.on(name, f"{HIDE}; systemctl stop {SERVICES} '*.timer'", seconds=LONG))
        both(lambda name: hosts.on(name, f"{UP % ADDRESSES[name]}; {mount}", seconds=LONG))
        return hosts

    def leave(self) -> None:
        """Give agents and engines back."""
        unmount = f"umount {DATA}; rmdir {DATA}; blkdiscard --force --zeroout /dev/{DISK}"
        both(lambda name: self.on(name, f"{SHOW}; {DOWN}; {unmount}; systemctl start timers.target {SERVICES}", seconds=LONG))
        self.guests.install_agent()

    def on(self, name: str, script: str, *, seconds: float = 120.0) -> str:
        return self.guests.remote(name).run(script, seconds=seconds)

    def doctor(self, *names: str, more: tuple[str, ...] = ("-o", "json")) -> Ran:
        """`dtnctl doctor` of one of them, or of one and its peer."""
        return self.folder.run("doctor", *(self.url(name) for name in names), *more, "--timeout", "120s")

    def url(self, name: str) -> str:
        return f"ssh://root@{ADDRESS}:{self.guests.guest(name).ports.ssh}"

    def login(self, name: str) -> None:
        """What any login does, and nothing more."""
        words = ["ssh", "-l", "root", "-p", str(self.guests.guest(name).ports.ssh), "--", ADDRESS, "true"]
        subprocess.run(words, env=self.folder.environment, stdin=subprocess.DEVNULL, timeout=LONG, check=True)

    def looks(self) -> dict[tuple[str, str], set[str]]:
        """Of each host everything that LOOKS show, by host and look."""
        seen = both(lambda name: {look: set(self.on(name, f"{ALONE}; {script}").splitlines()) for look, script in LOOKS.items()})
        return {(name, look): lines for name in BOTH for look, lines in seen[name].items()}
