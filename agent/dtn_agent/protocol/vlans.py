"""VLAN sub-interfaces: which are made and removed, and what the ledger has of that."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from dtn_agent.protocol.base import HeldEntry, InterfaceName, Name, Requested


class MakeVlan(Requested):
    """Make the sub-interface PARENT.VLAN (802.1Q), up; one that is there and not ours is used as it is and never removed."""

    do: Literal["make-vlan"] = "make-vlan"
    site: Name
    parent: InterfaceName
    vlan: Annotated[int, Field(ge=1, le=4094)]
    mtu: Annotated[int, Field(ge=68, le=65535)] | None = None


class RemoveVlan(Requested):
    """Remove it if we made it."""

    do: Literal["remove-vlan"] = "remove-vlan"
    site: Name
    parent: InterfaceName
    vlan: Annotated[int, Field(ge=1, le=4094)]


class HeldVlan(HeldEntry):
    """A VLAN sub-interface that the agent made."""

    name: str
    parent: str
    vlan: int
    mtu: int | None
    site: str

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def rank(self) -> tuple[str | int, ...]:
        return (self.name,)


VlanRequest: TypeAlias = MakeVlan | RemoveVlan
