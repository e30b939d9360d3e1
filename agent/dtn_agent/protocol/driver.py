"""The agent's network driver: its name and its options, which the container engine passes on, and what the ledger has of its networks."""

from __future__ import annotations

from dtn_agent.protocol.base import HeldEntry

NETWORK_DRIVER = "dtnctl"  # the driver's name at the container engine
PF_OPTION = "dtnctl.pf"  # of a network: the interface of the physical function
MTU_OPTION = "dtnctl.mtu"  # of a network: a number; the agent takes it, dtnctl sets the MTU with ConfigureVf
DEFAULT_ROUTE_OPTION = "dtnctl.default_route"  # of a network: `yes` or `no`
VF_OPTION = "dtnctl.vf"  # of a container's endpoint on such a network: the PCI address of the virtual function that it gets
NETWORK_OPTIONS = (PF_OPTION, MTU_OPTION, DEFAULT_ROUTE_OPTION)


class HeldNetwork(HeldEntry):
    """A network of our driver at the container engine, which reports its options once, when the network is created.

    `gateways` are those that containers get (IPv4, IPv6; empty: none).
    """

    id: str
    pf: str
    mtu: int | None = None
    gateways: tuple[str, str] = ("", "")

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.id,)


class HeldEndpoint(HeldEntry):
    """A container's place on such a network, by the engine's ids, and the VF that it was made for."""

    id: str
    network: str
    vf: str

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.id,)
