"""A card with SR-IOV, played by veth pairs: where there is no such card, everything but the card itself is real.

The PF and each VF are one end of a veth pair, whose other end (the "wire", `pf0r…`) stays where it was made. Which function
an interface belongs to is written in its alias, which follows it through renames and namespaces like the kernel's own mark does;
with the card's folder, for there may be other such cards on this machine.
`VethTree` answers writes to sysfs as the kernel does (pci-sysfs.c, iov.c), `VethLinks` keeps the PF's table, which veth has not, in
a file of the tree. What differs from a card: a veth pair vanishes with the namespace of either end. A card's interface comes back
to the first namespace instead, where `bring_back` puts a new pair.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dtn_agent.kernel_links import KernelLinks, Link
from dtn_agent.protocol.vfs import VfSettings
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.sriov_tree import SriovTree
from pyroute2 import IPRoute

PF_PCI = "0000:41:00.0"
FRESH = VfSettings(mac="00:00:00:00:00:00", vlan=0, vlan_priority=0, spoofchk=True, trust=False, min_rate=0, max_rate=0)


def vf_pci(index: int) -> str:
    """The address of the card's VF."""
    return f"0000:41:10.{index}"


def alias(root: Path, pci: str) -> str:
    """What marks an interface of this card's function."""
    return f"{root}#{pci}"


def hardware(root: Path, seconds: float = 1) -> VfHardware:
    """The card below this folder, as the agent's parts take it; `seconds`: how long an interface is waited for."""
    return VfHardware(VethTree(root), VethLinks(root), udev=root / "no-udev", start_seconds=seconds, return_seconds=seconds)


def insert_card(root: Path, pf: str = "pf0", most: int = 4) -> VfHardware:
    """A new card without VFs below this folder, its PF up; the interface is made in the caller's network namespace."""
    function = root / "devices" / PF_PCI
    function.mkdir(parents=True)
    for name, text in {"sriov_totalvfs": f"{most}\n", "sriov_numvfs": "0\n", "sriov_drivers_autoprobe": "1\n"}.items():
        (function / name).write_text(text)
    for link in (root / "bus/pci/devices" / PF_PCI, root / "class/net" / pf / "device"):
        link.parent.mkdir(parents=True)
        link.symlink_to(function)
    (root / "bus/pci/drivers/veth_vf").mkdir(parents=True)
    (root / "table.json").write_text("{}")
    with IPRoute() as route:
        route.link("add", ifname=pf, kind="veth", peer=f"{pf}r")
        for name in (f"{pf}r", pf):
            route.link("set", index=route.link_lookup(ifname=name)[0], state="up")
        route.link("set", index=route.link_lookup(ifname=pf)[0], ifalias=alias(root, PF_PCI))
    return hardware(root)


class VethLinks(KernelLinks):
    """Interfaces that belong to devices by their alias, and a PF's table in a file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "table.json"

    def device_of(self, link: Link) -> str:
        card, _, pci = link.alias.rpartition("#")
        return pci if card == str(self.root) else ""

    def vf_table(self, pf: str) -> dict[int, VfSettings]:
        assert self.find(pf) is not None, f"{pf} is gone"
        return {int(index): VfSettings.model_validate(row) for index, row in json.loads(self.file.read_text()).items()}

    def set_vf(self, pf: str, index: int, change: VfSettings) -> None:
        """Refused: settings that a file `refused` names, as a driver that does not know them does."""
        refused = self.file.with_name("refused")
        for setting, value in change.model_dump(exclude_none=True).items():
            if refused.exists() and setting in refused.read_text():
                raise OSError(errno.EOPNOTSUPP, f"{pf}: VF {index}: {setting} {value}: {os.strerror(errno.EOPNOTSUPP)}")
            row = self.vf_table(pf)[index].model_copy(update={setting: value})
            self.keep({**self.vf_table(pf), index: row})

    def set_mac(self, link: Link, mac: str) -> None:
        """A card with a file `takes-macs` takes the MAC of a VF's interface into its table, as igb does while the PF is up."""
        super().set_mac(link, mac)
        index = int(self.device_of(link)[-1])
        if self.file.with_name("takes-macs").exists() and any(each.name == "pf0" and each.is_up for each in self.all()):
            self.keep({**self.vf_table("pf0"), index: self.vf_table("pf0")[index].model_copy(update={"mac": mac})})

    def keep(self, table: dict[int, VfSettings]) -> None:
        text = json.dumps({str(index): row.model_dump() for index, row in sorted(table.items())}, indent=1)
        draft = self.file.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(self.file)


class VethTree(SriovTree):
    """A sysfs that acts on what is written to it."""

    def interfaces(self, pci: str) -> tuple[str, ...]:
        return tuple(sorted(link.name for link in KernelLinks().all() if link.alias == alias(self.sys, pci)))

    def write(self, path: Path, text: str) -> None:
        match path.name:
            case "sriov_numvfs":
                self._resize(path, int(text))
            case "unbind":
                self._unbind(text)
            case "drivers_probe":
                self._bind(text)

    def _resize(self, path: Path, count: int) -> None:
        now = int(path.read_text())
        if count > int((path.parent / "sriov_totalvfs").read_text()):
            raise OSError(errno.ERANGE, os.strerror(errno.ERANGE))
        if now and count:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        for index in range(now):
            self._unbind(vf_pci(index))
            (path.parent / f"virtfn{index}").unlink()
            self.function(vf_pci(index)).unlink()
        VethLinks(self.sys).keep(dict.fromkeys(range(count), FRESH))
        path.write_text(f"{count}\n")
        for index in range(count):
            self._plug(path.parent, index)

    def _plug(self, pf: Path, index: int) -> None:
        function = self.sys / "devices" / vf_pci(index)
        function.mkdir(exist_ok=True)
        self.function(vf_pci(index)).symlink_to(function)
        (pf / f"virtfn{index}").symlink_to(function)
        if (pf / "sriov_drivers_autoprobe").read_text().strip() == "1":
            self._bind(vf_pci(index))

    def _unbind(self, pci: str) -> None:
        with _device_lock(self.sys):
            (self.function(pci) / "driver").unlink(missing_ok=True)
            for link in KernelLinks().all():
                if link.alias == alias(self.sys, pci):
                    KernelLinks().remove(link)

    def _bind(self, pci: str) -> None:
        """The driver starts: a new interface, with the MAC of the PF's table or else a random one."""
        mac = VethLinks(self.sys).vf_table("pf0")[int(pci[-1])].mac
        if mac == FRESH.mac:
            mac = "02:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(5))
        (self.function(pci) / "mac").write_text(str(mac))
        with _device_lock(self.sys):
            add_vf_interface(self.sys, pci, f"pf0v{pci[-1]}")
            (self.function(pci) / "driver").symlink_to(self.sys / "bus/pci/drivers/veth_vf")


@contextmanager
def _device_lock(root: Path) -> Iterator[None]:
    """The kernel's lock of a device: a driver that starts or stops, and an interface that comes back, exclude each other."""
    with (root / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def bring_back(root: Path) -> None:
    """As long as this runs: a VF whose interface vanished with its namespace has one here again, called `dev…` (dev.c)."""
    while True:
        KernelLinks().wait_until(lambda: bool(_vanished(root)), 3600)
        with _device_lock(root):
            for pci in _vanished(root):
                add_vf_interface(root, pci, f"dev{pci[-1]}")


def _vanished(root: Path) -> list[str]:
    """VFs that a driver has and that have no wire."""
    wires = {link.name for link in KernelLinks().all()}
    driven = [path.parent.name for path in root.glob("devices/*/driver")]
    return sorted(pci for pci in driven if f"pf0r{pci[-1]}" not in wires)


def add_vf_interface(root: Path, pci: str, name: str) -> None:
    """The veth pair of this name and `pf0r…`; the wire's end is up, in the bridge `wire` if there is one."""
    wire_name, mac = f"pf0r{pci[-1]}", (root / "devices" / pci / "mac").read_text()
    with IPRoute() as route:
        route.link("add", ifname=name, kind="veth", address=mac, peer=wire_name)
        vf, wire = (route.link_lookup(ifname=each)[0] for each in (name, wire_name))
        route.link("set", index=vf, ifalias=alias(root, pci))
        bridge = route.link_lookup(ifname="wire")
        if bridge:
            route.link("set", index=wire, master=bridge[0])
        route.link("set", index=wire, state="up")
