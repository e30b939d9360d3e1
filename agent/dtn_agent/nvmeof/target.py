"""One exported volume as the kernel has it: a subsystem with one namespace, a port, and the hosts that may connect."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.configfs import Configfs
from dtn_agent.nvmeof.keys import Keys
from dtn_agent.protocol.volumes import HeldExport, Portal

OUR_PORTS = range(30000, 31000)  # of nvmet's 1-65535: people and nvmetcli count from 1
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # read, not bound
UNSET = ("", "(null)")  # of a path that was never written
Place: TypeAlias = tuple[str, str, str]  # of a port: transport, address, service
KEY_FILES = ("dhchap_key", "dhchap_ctrl_key")


@dataclass(frozen=True, slots=True)
class Target:
    """The kernel's targets. What is made here is found and completed after a crash at any point."""

    tree: Configfs = field(default_factory=Configfs)

    # --- what is there ---

    def exports(self, nqn: str) -> bool:
        return self.tree.exists(_subsystem(nqn))

    def is_enabled(self, nqn: str) -> bool:
        return self.tree.read(f"{_namespace(nqn)}/enable") == "1"

    def backings(self) -> Iterator[tuple[str, str]]:
        """NQN and path of everything that any subsystem exports or is set to export."""
        for nqn in self.tree.names("subsystems"):
            for number in self.tree.names(f"{_subsystem(nqn)}/namespaces"):
                path = self.tree.read(f"{_subsystem(nqn)}/namespaces/{number}/device_path")
                if path not in UNSET:
                    yield nqn, path

    def port_for(self, portal: Portal, ours: dict[int, Portal]) -> int:
        """The number of the kernel's port: ours of the same portal, else a new one. Refused where another's listens there."""
        for number in sorted(ours):
            is_idle = not self.tree.names(f"ports/{number}/subsystems")
            if ours[number] == portal and (is_idle or self._place(number) == _place(portal)):
                return number
        for number in map(int, self.tree.names("ports")):
            if number not in ours and self._clashes(number, portal):
                text = f"port {number} of the kernel's targets listens there already, and is not this agent's"
                raise RefusedError("conflict", f"{_words(portal)}: {text}; choose another port, or remove it")
        return next(number for number in OUR_PORTS if number not in ours and not self.tree.exists(f"ports/{number}"))

    def fault(self, wanted: HeldExport, keys: Keys) -> str:
        """Why the kernel has it otherwise than it was asked for; empty if it has not."""
        return next(self._faults(wanted, keys), "")

    def _faults(self, wanted: HeldExport, keys: Keys) -> Iterator[str]:
        nqn, tree = wanted.nqn, self.tree
        if not tree.exists(_subsystem(nqn)):
            yield "it is not exported"
        if not self.is_enabled(nqn):
            yield "its namespace is not enabled"
        if tree.read(f"{_subsystem(nqn)}/attr_allow_any_host") != "0":
            yield "any host may connect"
        if tree.names(f"{_subsystem(nqn)}/allowed_hosts") != tuple(sorted(wanted.hosts)):
            yield "other hosts may connect than those that were asked for"
        if not all(self._has_keys(host, keys) for host in wanted.hosts):
            yield "its hosts have other keys than those that were asked for"
        if self._settings(nqn) != (wanted.serial, path_of(wanted), wanted.uuid):
            yield "its serial number, backing or UUID is not the one that was asked for"
        if self._place(wanted.kernel_port) != _place(wanted.portal):
            yield f"port {wanted.kernel_port} of the kernel's targets is not {_words(wanted.portal)}"
        if not tree.exists(_link(wanted)):
            yield f"it is not offered at {_words(wanted.portal)}"

    def _settings(self, nqn: str) -> tuple[str, str, str]:
        folder = _namespace(nqn)
        read = self.tree.read
        return read(f"{_subsystem(nqn)}/attr_serial"), read(f"{folder}/device_path"), read(f"{folder}/device_uuid")

    # --- making it so ---

    def make(self, wanted: HeldExport, keys: Keys, ours: frozenset[str] = frozenset()) -> bool:
        """Export it; whether anything had to be made. Where more changes than hosts that are added, connections end and come back.

        `ours` are all NQNs that we export. Other volumes of its hosts get the keys, too, once all else is made.
        """
        tree, nqn = self.tree, wanted.nqn
        for host in wanted.hosts:
            self._check_keys(nqn, host, keys, ours)
        changed = tree.have(_subsystem(nqn))
        if not changed and self._must_begin_again(wanted, keys):
            self._take_down(nqn)
            changed = tree.have(_subsystem(nqn))
        changed |= tree.set(f"{_subsystem(nqn)}/attr_allow_any_host", "0")
        changed |= tree.set(f"{_subsystem(nqn)}/attr_serial", wanted.serial)
        shared = [host for host in wanted.hosts if self._others(nqn, host) and not self._has_keys(host, keys)]
        for host in wanted.hosts:
            if host not in shared:
                changed |= self._allow(nqn, host, keys)
        changed |= self._have_namespace(wanted)
        changed |= self._have_port(wanted)
        self._change_keys(shared, keys)
        for host in shared:
            changed |= self._allow(nqn, host, keys)
        self._forget_hosts(wanted.former_hosts)
        return changed

    def remove(self, wanted: HeldExport) -> bool:
        """Export it no more, in the order that the kernel wants: port, namespace, hosts, subsystem. Whether anything of it was there."""
        changed = self._take_down(wanted.nqn)
        self.remove_idle_port(wanted.kernel_port)
        self._forget_hosts((*wanted.hosts, *wanted.former_hosts))
        return changed

    def _take_down(self, nqn: str) -> bool:
        """What is connected is cut off. Whether there was a subsystem."""
        tree = self.tree
        for port in tree.names("ports"):
            if tree.have_no_link(f"ports/{port}/subsystems/{nqn}"):
                self.remove_idle_port(int(port))
        if self.is_enabled(nqn):
            tree.write(f"{_namespace(nqn)}/enable", "0")
        tree.have_none(_namespace(nqn))
        hosts = tree.names(f"{_subsystem(nqn)}/allowed_hosts")
        for host in hosts:
            tree.unlink(f"{_subsystem(nqn)}/allowed_hosts/{host}")
        self._forget_hosts(hosts)
        return tree.have_none(_subsystem(nqn))

    def remove_idle_port(self, number: int) -> None:
        """Remove it if it is ours and offers nothing."""
        folder = f"ports/{number}"
        if number in OUR_PORTS and self.tree.exists(folder) and not self.tree.names(f"{folder}/subsystems"):
            self.tree.remove(folder)

    def _forget_hosts(self, hosts: tuple[str, ...]) -> None:
        """Remove those that no subsystem allows any more."""
        for host in hosts:
            if self.tree.exists(f"hosts/{host}") and not self._allowing(host):
                self.tree.remove(f"hosts/{host}")

    def _must_begin_again(self, wanted: HeldExport, keys: Keys) -> bool:
        """The kernel keeps connections of hosts that are allowed no more, and changes nothing that a host has seen.

        Keys that were changed with those of another volume cut nothing off: its hosts were not asked to let go of this one.
        """
        allowed = self.tree.names(f"{_subsystem(wanted.nqn)}/allowed_hosts")
        is_other = self._settings(wanted.nqn) != (wanted.serial, path_of(wanted), wanted.uuid)
        are_its_own = wanted.key_print == keys.print
        has_other_keys = are_its_own and any(not self._has_keys(host, keys) for host in allowed)
        return is_other or has_other_keys or bool(set(allowed) - set(wanted.hosts)) or bool(self._other_ports(wanted))

    def _other_ports(self, wanted: HeldExport) -> list[str]:
        ports = self.tree.names("ports")
        return [port for port in ports if port != str(wanted.kernel_port) and self.tree.exists(f"ports/{port}/subsystems/{wanted.nqn}")]

    # --- its parts ---

    def _allow(self, nqn: str, host: str, keys: Keys) -> bool:
        changed = self.tree.have(f"hosts/{host}")
        if not self._has_keys(host, keys):
            if _is_unset(self._keys(host), keys):
                self.tree.have_no_link(f"{_subsystem(nqn)}/allowed_hosts/{host}")
                self.tree.remove(f"hosts/{host}")
                self.tree.make(f"hosts/{host}")
            self._set_keys(host, keys)
            changed = True
        return self.tree.have_link(f"{_subsystem(nqn)}/allowed_hosts/{host}", f"hosts/{host}") or changed

    def _keys(self, host: str) -> Keys:
        return Keys(*(self.tree.read(f"hosts/{host}/{name}") or None for name in KEY_FILES))

    def _has_keys(self, host: str, keys: Keys) -> bool:
        return self._keys(host) == keys

    def _check_keys(self, nqn: str, host: str, keys: Keys, ours: frozenset[str]) -> None:
        """The kernel has one pair of keys for each host, not for each volume. Each can be set to another, and never be unset."""
        others, there = self._others(nqn, host), self._keys(host)
        if others and there != keys and (_is_unset(there, keys) or not ours.issuperset(others)):
            raise RefusedError("conflict", _why_keys_stay(host, others, are_ours=ours.issuperset(others)))

    def _change_keys(self, hosts: Sequence[str], keys: Keys) -> None:
        """Of all these hosts, or of none."""
        former = {host: self._keys(host) for host in hosts}
        try:
            for host in hosts:
                self._set_keys(host, keys)
        except RefusedError:
            for host, before in former.items():
                self._set_keys(host, before)
            raise

    def _set_keys(self, host: str, keys: Keys) -> None:
        for name, key in zip(KEY_FILES, (keys.host, keys.controller), strict=True):
            if key is not None:
                self._set_key(host, name, key)

    def _set_key(self, host: str, name: str, key: str) -> None:
        try:
            self.tree.hide(f"hosts/{host}/{name}")
            self.tree.write(f"hosts/{host}/{name}", key)
        except FileNotFoundError:
            raise RefusedError("unsupported", "this kernel's targets have no in-band authentication (CONFIG_NVME_TARGET_AUTH)") from None
        except OSError as error:
            if not self._allowing(host):
                self.tree.remove(f"hosts/{host}")
            raise RefusedError("bad-request", f"{name}: the kernel does not take this key: {error.strerror}") from None

    def _others(self, nqn: str, host: str) -> list[str]:
        """What else the host may connect to here."""
        return [other for other in self._allowing(host) if other != nqn]

    def _allowing(self, host: str) -> list[str]:
        return [nqn for nqn in self.tree.names("subsystems") if self.tree.exists(f"{_subsystem(nqn)}/allowed_hosts/{host}")]

    def _have_namespace(self, wanted: HeldExport) -> bool:
        tree, folder = self.tree, _namespace(wanted.nqn)
        changed = tree.have(folder)
        if self.is_enabled(wanted.nqn):
            return changed
        tree.set(f"{folder}/device_path", path_of(wanted))
        tree.set(f"{folder}/device_uuid", wanted.uuid)
        tree.write(f"{folder}/enable", "1")
        return True

    def _have_port(self, wanted: HeldExport) -> bool:
        tree, folder = self.tree, f"ports/{wanted.kernel_port}"
        changed = tree.have(folder)
        family = f"ipv{ipaddress.ip_address(wanted.portal.address).version}"
        if not tree.names(f"{folder}/subsystems"):
            tree.set(f"{folder}/addr_trtype", wanted.portal.transport)
            tree.set(f"{folder}/addr_adrfam", family)
            tree.set(f"{folder}/addr_traddr", wanted.portal.address)
            tree.set(f"{folder}/addr_trsvcid", str(wanted.portal.port))
        return tree.have_link(_link(wanted), _subsystem(wanted.nqn)) or changed

    def _place(self, number: int) -> Place:
        transport, address, port = (self.tree.read(f"ports/{number}/addr_{name}") for name in ("trtype", "traddr", "trsvcid"))
        return transport, address, port

    def _clashes(self, number: int, portal: Portal) -> bool:
        transport, address, port = self._place(number)
        return (transport, port) == (portal.transport, str(portal.port)) and address in (portal.address, *ANY_ADDRESS)


def path_of(wanted: HeldExport) -> str:
    return wanted.backing.device or wanted.backing.file or ""


def _is_unset(there: Keys, keys: Keys) -> bool:
    """Whether a key would have to be taken away, for which the kernel has no way."""
    return (there.host is not None and keys.host is None) or (there.controller is not None and keys.controller is None)


def _subsystem(nqn: str) -> str:
    return f"subsystems/{nqn}"


def _namespace(nqn: str) -> str:
    return f"subsystems/{nqn}/namespaces/1"


def _link(wanted: HeldExport) -> str:
    return f"ports/{wanted.kernel_port}/subsystems/{wanted.nqn}"


def _why_keys_stay(host: str, others: list[str], *, are_ours: bool) -> str:
    of = ", ".join(others)
    if are_ours:
        return (
            f"{host} has keys here for {of}, too, and the kernel takes no key away from a host that may connect; stop what uses {of} first"
        )
    return f"{host} has other keys here, for {of}, which this agent did not make; a target has one pair of keys for each host"


def _place(portal: Portal) -> Place:
    return portal.transport, portal.address, str(portal.port)


def _words(portal: Portal) -> str:
    address = f"[{portal.address}]" if ":" in portal.address else portal.address
    return f"{portal.transport} {address}:{portal.port}"
