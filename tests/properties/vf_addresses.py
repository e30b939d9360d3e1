"""Where the kernel puts virtual functions on the PCI bus."""

from __future__ import annotations

from dtn_agent.protocol import Interface


def address_of(pf: Interface, index: int) -> str:
    """The PCI address of a function, by the rule of the standard: that of the PF plus offset and stride, counted in functions."""
    assert pf.sriov is not None
    assert pf.sriov.offset is not None
    assert pf.sriov.stride is not None
    domain, bus, place = pf.pci.split(":")
    device, function = place.split(".")
    number = int(bus + f"{int(device, 16) * 8 + int(function):02x}", 16) + pf.sriov.offset + pf.sriov.stride * index
    return f"{domain}:{number // 256:02x}:{number % 256 // 8:02x}.{number % 8}"
