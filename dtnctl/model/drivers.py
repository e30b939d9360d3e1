"""What is known of network drivers, a row each. Whoever asks what a driver does reads its row; no other file names one.

A further driver is a word of DriverName, a row here, and the engine's words for it where networks are translated for that engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DriverName = Literal["bridge", "macvlan", "ipvlan", "sriov", "host-device"]
ModeName = Literal["bridge", "passthru", "l2", "l3"]

# Networks that every engine has without a file.
OWN_VLAN = " VLAN "  # between an interface and the VLAN of it that one container gets; that of several is `INTERFACE.ID`
ENGINE_BRIDGE, HOST_NETWORK, NO_NETWORK = "bridge", "host", "none"


@dataclass(frozen=True, slots=True)
class Mode:
    """`routes_alone`: a default route needs no gateway. `takes_interface`: one container gets the whole interface."""

    name: ModeName
    routes_alone: bool = False
    takes_interface: bool = False


@dataclass(frozen=True, slots=True)
class Driver:
    """How containers are attached by it.

    `is_inside_host`: the host routes to the network itself; other hosts reach nothing in it but published ports.
    `publishes`: ports of containers can be published as ports of the host.
    `needs_interface`: the endpoint's `interfaces` must say which one carries the network.
    `is_parent_exclusive`: an engine gives an interface (or VLAN of it) to one such network.
    `tags_vlan`: who adds the VLAN tag: a sub-interface of the parent that several share, one that is the container's, the card, or none.
    `moves_interface`: a container gets the interface itself, and the host has it no more while that runs.
    `gives_functions`: each container gets a virtual function of the interface, which the endpoint's agent makes and moves.
    `addresses`: who chooses where none is fixed: we do, of the subnet that must be declared, or the engine without a declared pool.
    `has_default_route`: without being declared and without a gateway; others have one with a gateway.
    `engine_macs`: frames leave the host with MAC addresses that the engine makes for its containers.
    `modes`: the first one is meant where none is declared.
    """

    is_inside_host: bool = False
    publishes: bool = False
    needs_interface: bool = True
    is_parent_exclusive: bool = False
    tags_vlan: Literal["parent", "container", "card", "none"] = "none"
    moves_interface: bool = False
    gives_functions: bool = False
    addresses: Literal["ours", "engine"] = "ours"
    has_default_route: bool = False
    engine_macs: bool = False
    modes: tuple[Mode, ...] = ()

    @property
    def needs_agent(self) -> bool:
        return self.gives_functions

    def gives_all(self, mode: str | None) -> bool:
        """Whether one container gets the whole interface, or a VLAN of it."""
        found = self.mode(mode)
        return self.moves_interface or (found is not None and found.takes_interface)

    def mode(self, name: str | None) -> Mode | None:
        """The mode of that name, else the one that is meant without a name; None if it has no modes."""
        return next((mode for mode in self.modes if mode.name == name), next(iter(self.modes), None))


DRIVERS: Mapping[str, Driver] = {
    "bridge": Driver(is_inside_host=True, publishes=True, needs_interface=False, addresses="engine", has_default_route=True),
    "macvlan": Driver(
        is_parent_exclusive=True, tags_vlan="parent", engine_macs=True, modes=(Mode("bridge"), Mode("passthru", takes_interface=True))
    ),
    "ipvlan": Driver(is_parent_exclusive=True, tags_vlan="parent", modes=(Mode("l2"), Mode("l3", routes_alone=True))),
    "sriov": Driver(tags_vlan="card", gives_functions=True),
    "host-device": Driver(is_parent_exclusive=True, tags_vlan="container", moves_interface=True),
}
OTHER_DRIVER = Driver(needs_interface=False, addresses="engine")  # nothing is known of it, or nothing is attached by it
BUILT_IN: Mapping[str, Driver] = {ENGINE_BRIDGE: DRIVERS["bridge"], HOST_NETWORK: OTHER_DRIVER, NO_NETWORK: OTHER_DRIVER}


def modes_text() -> str:
    """Which modes there are, for the description of the field: "macvlan: `bridge` (default) or `passthru`; …"."""
    texts = ((name, [f"`{mode.name}`" for mode in row.modes]) for name, row in DRIVERS.items() if row.modes)
    return "; ".join(f"{name}: {' or '.join([f'{modes[0]} (default)', *modes[1:]])}" for name, modes in texts)
