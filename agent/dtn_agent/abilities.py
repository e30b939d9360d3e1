"""What the agent can do on this host, or why it cannot: said before somebody's plan relies on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from dtn_agent.protocol import Ability, Facts


class Abilities:
    """The kernel is tried once, when somebody first asks: what it lacks does not change while it runs, and a try takes a while."""

    def __init__(self, try_kernel: Callable[[], tuple[Ability, ...]], driver_runs: Callable[[], bool]) -> None:
        self._try_kernel = try_kernel
        self._driver_runs = driver_runs

    @cached_property
    def _of_kernel(self) -> tuple[Ability, ...]:
        return self._try_kernel()

    def __call__(self, facts: Facts) -> tuple[Ability, ...]:
        """All of them, by name."""
        found = (*self._of_kernel, Ability(name="tune"), _driver(self._driver_runs()), _virtual_functions(facts))
        return tuple(sorted(found, key=lambda ability: ability.name))


def _driver(runs: bool) -> Ability:
    return Ability(name="driver", lacks="" if runs else "the agent's network driver does not run; the agent's log says why")


def _virtual_functions(facts: Facts) -> Ability:
    can = any(interface.sriov is not None and interface.sriov.total > 0 for interface in facts.interfaces)
    return Ability(
        name="vf", lacks="" if can else "no network interface of this host has virtual functions (SR-IOV), or it is switched off"
    )


def try_this_kernel() -> tuple[Ability, ...]:
    """Queueing disciplines and VLAN interfaces, tried in a network namespace that is gone afterwards."""
    from dtn_agent.queueing.abilities import queueing_abilities
    from dtn_agent.queueing.namespace import in_a_new_one

    try:
        lacks = in_a_new_one(what_vlans_lack)
    except OSError:  # it cannot be tried here; whoever asks for one will be told
        lacks = ""
    return (*queueing_abilities(), Ability(name="vlan", lacks=lacks))


def what_vlans_lack() -> str:
    """Why no VLAN interface can be made in the network namespace that we are in; empty if one can, and then it is there."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    with IPRoute() as netlink:
        netlink.link("add", ifname="trial0", kind="veth", peer={"ifname": "trial1"})  # loopback takes no VLANs
        (parent,) = netlink.link_lookup(ifname="trial0")
        try:
            netlink.link("add", ifname="trial0.2", kind="vlan", link=parent, vlan_id=2)
        except NetlinkError as error:
            return f"this kernel makes no 802.1Q interfaces (module 8021q): {error.args[1]}"
    return ""
