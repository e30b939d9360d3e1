"""Where the kernel puts virtual functions on the PCI bus."""

from __future__ import annotations

from collections.abc import Callable

from dtn_agent.protocol import Interface
from dtn_agent.protocol.vfs import ConfigureVf

from dtnctl.model.actions import HostRequest


def address_of(pf: Interface, index: int) -> str:
    """The PCI address of a function, by the rule of the standard: that of the PF plus offset and stride, counted in functions."""
    assert pf.sriov is not None
    assert pf.sriov.offset is not None
    assert pf.sriov.stride is not None
    domain, bus, place = pf.pci.split(":")
    device, function = place.split(".")
    number = int(bus + f"{int(device, 16) * 8 + int(function):02x}", 16) + pf.sriov.offset + pf.sriov.stride * index
    return f"{domain}:{number // 256:02x}:{number % 256 // 8:02x}.{number % 8}"


def check_subject(action: HostRequest, interface: Callable[[str], Interface]) -> None:
    """What a plan shows of a virtual function that it takes is the address of the one that it asks for."""
    request = action.request
    if isinstance(request, ConfigureVf):
        meant = address_of(interface(request.pf), request.index)
        assert action.subject.endswith(meant), f"the plan takes {meant} for {action.subject}"
