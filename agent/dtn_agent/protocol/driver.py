"""The words between dtnctl and the agent's network driver, which the container engine passes on: the driver's name and its options."""

from __future__ import annotations

NETWORK_DRIVER = "dtnctl"  # the driver's name at the container engine
PF_OPTION = "dtnctl.pf"  # of a network: the interface of the physical function
MTU_OPTION = "dtnctl.mtu"  # of a network: a number; the agent takes it, dtnctl sets the MTU with ConfigureVf
DEFAULT_ROUTE_OPTION = "dtnctl.default_route"  # of a network: `yes` or `no`
VF_OPTION = "dtnctl.vf"  # of a container's endpoint on such a network: the PCI address of the virtual function that it gets
NETWORK_OPTIONS = (PF_OPTION, MTU_OPTION, DEFAULT_ROUTE_OPTION)
