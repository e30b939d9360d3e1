"""Virtual functions: how many a PF has, what each is set to, and what the ledger has of that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from dtn_agent.protocol.base import ANY_MAC, HeldEntry, InterfaceName, Name, Owner, Reported, Requested

Index: TypeAlias = Annotated[int, Field(ge=0, le=4095)]


class SetVfCount(Requested):
    """Set the number of VFs on this PF. Only from 0, or from a number that we set while none of them is in use; else it is refused.

    `count` 0 restores the PF as it was found.
    """

    do: Literal["set-vf-count"] = "set-vf-count"
    site: Name
    pf: InterfaceName
    count: Index


class ConfigureVf(Requested):
    """Take the VF for this owner and give it these settings; what it was like is remembered. Refused if another owner has it."""

    do: Literal["configure-vf"] = "configure-vf"
    site: Name
    session: Name
    network: Name
    pf: InterfaceName
    index: Index
    mac: Annotated[str, Field(pattern=ANY_MAC)] | None = None
    vlan: Annotated[int, Field(ge=0, le=4094)] | None = None
    vlan_priority: Annotated[int, Field(ge=0, le=7)] | None = None
    spoofchk: bool | None = None
    trust: bool | None = None
    min_rate: Annotated[int, Field(ge=0)] | None = None
    max_rate: Annotated[int, Field(ge=0)] | None = None
    mtu: Annotated[int, Field(ge=68, le=65535)] | None = None


class ReleaseVf(Requested):
    """Release the VF and restore it as it was found. Not ours (any more) is success; refused while its interface is in a container."""

    do: Literal["release-vf"] = "release-vf"
    site: Name
    pf: InterfaceName
    index: Index


def with_new_names(stored: Any, names: Mapping[str, str]) -> Any:
    """An entry of a ledger as it is called now. `names`: old to new; a value that has its new name already wins."""
    if not isinstance(stored, Mapping):
        return stored
    return {new: stored[old] for old, new in names.items() if old in stored} | {key: stored[key] for key in stored if key not in names}


class VfSettings(Reported):
    """The settings of a virtual function in its PF's table, and its interface's MTU. None: left as it is."""

    mac: str | None = None
    vlan: int | None = None
    vlan_priority: int | None = None
    spoofchk: bool | None = None
    trust: bool | None = None
    min_rate: int | None = None
    max_rate: int | None = None
    mtu: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_version_2(cls, stored: Any) -> Any:
        return with_new_names(stored, {"qos": "vlan_priority"})


class HeldPf(HeldEntry):
    """A PF whose number of VFs we changed. `found` is what it was before."""

    pf: str
    pci: str
    found: int
    wanted: int
    site: str

    @model_validator(mode="before")
    @classmethod
    def _read_version_2(cls, stored: Any) -> Any:
        return with_new_names(stored, {"interface": "pf"})

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.pci,)


class FoundInterface(Reported):
    """A VF's interface on the host as it was found. `mac` is its own, not the one in the PF's table. `boot`: when it had this name."""

    name: str
    mac: str
    is_up: bool
    boot: str = ""


class HeldVf(HeldEntry):
    """A VF that is in use. `found` is how it was, `wanted` how it was asked for; `now` what the kernel reports of the same settings.

    `written` are the settings that we ever wrote: what is not among them is not restored either. `raised_pf`: the PF was down, and
    goes down again with the last VF in use.
    """

    pf: str
    pf_pci: str
    index: int
    pci: str
    owner: Owner
    found: VfSettings
    wanted: VfSettings
    now: VfSettings | None = None
    interface: FoundInterface | None = None
    written: tuple[str, ...] = ()
    raised_pf: bool = False

    @field_validator("written")
    @classmethod
    def _written_version_2(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        return tuple("vlan_priority" if name == "qos" else name for name in written)

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.pci,)

    @property
    def rank(self) -> tuple[str | int, ...]:
        return (self.pf_pci, self.index)


VfRequest: TypeAlias = SetVfCount | ConfigureVf | ReleaseVf
