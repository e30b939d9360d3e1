"""VLAN sub-interfaces (802.1Q): made for networks that ask for one, removed if we made them, and restored after a reboot."""

from __future__ import annotations

import errno
import logging
import threading
from functools import cached_property
from typing import assert_never, get_args

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from dtn_agent.audit import SILENT, Audit
from dtn_agent.errors import RefusedError
from dtn_agent.host_resource import HostResource
from dtn_agent.kernel_links import KernelLinks, Link, reason
from dtn_agent.ledger import Ledger
from dtn_agent.namespaces import in_a_new_one
from dtn_agent.protocol import Ability, Done, Facts
from dtn_agent.protocol.vlans import HeldVlan, MakeVlan, RemoveVlan, VlanRequest

LONGEST_NAME = 15  # IFNAMSIZ without its final NUL
PARENT_SECONDS = 10.0  # for all cards' interfaces together to appear while the host starts
log = logging.getLogger(__name__)


class VlanInterfaces(HostResource[VlanRequest]):
    """The VLAN sub-interfaces of one host. One that is there and is not ours is used as it is, and never removed."""

    name = "VLANs"
    requests = get_args(VlanRequest)
    entry = HeldVlan

    def __init__(
        self, ledger: Ledger, links: KernelLinks | None = None, parent_seconds: float = PARENT_SECONDS, audit: Audit = SILENT
    ) -> None:
        self.entries = ledger.section(HeldVlan)
        self.links = links or KernelLinks()
        self.parent_seconds = parent_seconds
        self.audit = audit
        self.lock = threading.Lock()

    def perform(self, request: VlanRequest) -> Done:
        match request:
            case MakeVlan():
                return self.make(request)
            case RemoveVlan():
                return self.remove(request)
            case _:
                assert_never(request)

    def held(self) -> tuple[HeldVlan, ...]:
        """As the ledger has them: what the kernel has is among the facts."""
        return self.entries.all()

    def abilities(self, facts: Facts) -> tuple[Ability, ...]:
        """`vlan`, tried once: what the kernel lacks does not change while it runs."""
        del facts
        return (Ability(name="vlan", lacks=self._lacks),)

    @cached_property
    def _lacks(self) -> str:
        try:
            return in_a_new_one(what_vlans_lack)
        except OSError:  # it cannot be tried here; a request will show
            return ""

    def make(self, request: MakeVlan) -> Done:
        """Have the sub-interface PARENT.VLAN, up and with this MTU."""
        name = _name(request.parent, request.vlan)
        with self.lock:
            parent = self._parent(request.parent)
            existing = self._existing(name, parent, request.vlan)
            held = self.entries.get(name)
            if existing is not None and held is None:
                return Done(changed=False, detail=f"{name} is there and not ours; it is used as it is")
            if held is not None and held.site != request.site:
                raise RefusedError("conflict", f"{name} was made for the site {held.site}")
            _check_mtu(name, parent, request.mtu)
            wanted = HeldVlan(name=name, parent=parent.name, vlan=request.vlan, mtu=request.mtu, site=request.site)
            self.entries.put(wanted)
            return Done(changed=self._make(wanted, parent, existing, is_new=held is None) or held != wanted)

    def remove(self, request: RemoveVlan) -> Done:
        """Remove it if we made it for this site. Refused while an interface uses it."""
        name = _name(request.parent, request.vlan)
        with self.lock:
            held = self.entries.get(name)
            if held is None or held.site != request.site:
                return Done(changed=False)
            link = self.links.find(name)
            if link is not None and link.vlan == held.vlan:
                self._remove(link)
            self.entries.drop(name)
            return Done(changed=True)

    def restore(self) -> None:
        """Recreate what a reboot took; what cannot be is logged and left."""
        with self.lock:
            vlans = self.entries.all()
            parents = {held.parent for held in vlans}
            self.links.wait_until(lambda: all(self.links.find(parent) for parent in parents), self.parent_seconds)
            for held in vlans:
                asked = {"do": "make-vlan", **held.model_dump(include={"site", "parent", "vlan", "mtu"}, exclude_none=True)}
                try:
                    if self._restore(held):
                        self.audit.done(asked, f"{held.name} is there again")
                except (RefusedError, OSError) as error:
                    log.warning("not restored: %s: %s", held.name, error)
                    self.audit.refused(asked, error)

    def _restore(self, held: HeldVlan) -> bool:
        parent = self._parent(held.parent)
        return self._make(held, parent, self._existing(held.name, parent, held.vlan), is_new=False)

    def _parent(self, name: str) -> Link:
        parent = self.links.find(name)
        if parent is None:
            raise RefusedError("not-found", f"{name}: there is no such interface on this host")
        return parent

    def _existing(self, name: str, parent: Link, vlan: int) -> Link | None:
        """The sub-interface, if it is there. Refused if its name, or its VLAN on the parent, is taken by another."""
        links = self.links.all()
        same_vlan = next((link for link in links if (link.parent, link.vlan) == (parent.index, vlan)), None)
        if same_vlan is not None and same_vlan.name != name:
            raise RefusedError("conflict", f"VLAN {vlan} of {parent.name} is there under the name {same_vlan.name}; rename that to {name}")
        if same_vlan is None and (other := next((link for link in links if link.name == name), None)):
            raise RefusedError("conflict", f"{name} is there and is not VLAN {vlan} of {parent.name}, but {_what(other, links)}")
        return same_vlan

    def _make(self, wanted: HeldVlan, parent: Link, existing: Link | None, *, is_new: bool) -> bool:
        try:
            if existing is None:
                self.links.add_vlan(parent, wanted.vlan, wanted.name)
            return self._adjust(wanted) or existing is None
        except OSError as error:
            if is_new and self.links.find(wanted.name) is None:
                self.entries.drop(wanted.name)
            raise _refusal(wanted.name, error) from error

    def _adjust(self, wanted: HeldVlan) -> bool:
        link = self.links.find(wanted.name)
        if link is None:
            raise RefusedError("failed", f"{wanted.name} was made and is gone again; does another program manage it?")
        if wanted.mtu is not None and link.mtu != wanted.mtu:
            self.links.set_mtu(link, wanted.mtu)
        if not link.is_up:
            self.links.set_up(link, up=True)
        return self.links.find(wanted.name) != link

    def _remove(self, link: Link) -> None:
        above = [other.name for other in self.links.all() if other.parent == link.index]
        if above:
            raise RefusedError("conflict", f"{link.name} cannot be removed: {', '.join(above)} uses it")
        try:
            self.links.remove(link)
        except OSError as error:
            raise _refusal(link.name, error) from error


def what_vlans_lack() -> str:
    """Why no VLAN interface can be made in the network namespace that we are in; empty if one can, and then it is there."""
    with IPRoute() as netlink:
        netlink.link("add", ifname="trial0", kind="veth", peer={"ifname": "trial1"})  # loopback takes no VLANs
        (parent,) = netlink.link_lookup(ifname="trial0")
        try:
            netlink.link("add", ifname="trial0.2", kind="vlan", link=parent, vlan_id=2)
        except NetlinkError as error:
            return f"this kernel makes no 802.1Q interfaces (module 8021q): {error.args[1]}"
    return ""


def _name(parent: str, vlan: int) -> str:
    name = f"{parent}.{vlan}"
    if len(name) > LONGEST_NAME:
        raise RefusedError(
            "unsupported", f"{name} is longer than the {LONGEST_NAME} characters that an interface's name may have (IFNAMSIZ)"
        )
    return name


def _check_mtu(name: str, parent: Link, mtu: int | None) -> None:
    if mtu is not None and mtu > parent.mtu:
        text = f"{name} cannot have the MTU {mtu}: {parent.name} has {parent.mtu}; set interface/{parent.name}/mtu first"
        raise RefusedError("conflict", text)


def _what(link: Link, links: tuple[Link, ...]) -> str:
    below = next((other.name for other in links if other.index == link.parent), "")
    if link.vlan is not None:
        return f"VLAN {link.vlan} of {below or 'another interface'}"
    return f"a {link.kind}" if link.kind else "an interface of a device"


def _refusal(name: str, error: OSError) -> RefusedError:
    if error.errno == errno.EOPNOTSUPP:
        return RefusedError("unsupported", f"{name}: this kernel has no 802.1Q VLANs (module 8021q)")
    return RefusedError("failed", f"{name}: the kernel refuses: {reason(error)}")
