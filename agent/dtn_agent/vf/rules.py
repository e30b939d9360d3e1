"""What the settings of a VF have to become, and which writes that takes. Pure."""

from __future__ import annotations

from dtn_agent.protocol import Owner
from dtn_agent.protocol.vfs import ConfigureVf, HeldVf, VfSettings

PAIRS = (("vlan", "vlan_priority"), ("min_rate", "max_rate"))  # the kernel takes these only together
TABLE = ("mac", "vlan", "vlan_priority", "spoofchk", "trust", "min_rate", "max_rate")
NO_MAC = "00:00:00:00:00:00"


def asked(request: ConfigureVf) -> VfSettings:
    """The settings that a request names."""
    return VfSettings.model_validate({name: getattr(request, name) for name in VfSettings.model_fields})


def target(found: VfSettings, wanted: VfSettings, written: tuple[str, ...]) -> VfSettings:
    """What the settings have to be: as wanted; as found where we wrote them before; None where we never did: not touched."""
    goal = {name: value for name in written if (value := getattr(found, name)) is not None}
    return VfSettings.model_validate(goal | wanted.model_dump(exclude_none=True))


def names(settings: VfSettings) -> tuple[str, ...]:
    """The settings that are not None."""
    return tuple(settings.model_dump(exclude_none=True))


def change(now: VfSettings, goal: VfSettings) -> VfSettings:
    """What is to be written into the PF's table: settings that differ, those that go in pairs with the other one as it is.

    A setting that is right already is not written again: `vlan 0` written to a VF that has none takes a trunk away on some cards.
    """
    wrong = {name: value for name in TABLE if (value := getattr(goal, name)) is not None and value != getattr(now, name)}
    for pair in PAIRS:
        if any(name in wrong for name in pair):
            for name in pair:
                wrong.setdefault(name, _first_set(getattr(goal, name), getattr(now, name), 0))
    return VfSettings.model_validate(wrong)


def _first_set(*values: object) -> object:
    return next(value for value in values if value is not None)


def holder(owner: Owner) -> str:
    """Who has something, as people read it."""
    who = f"{owner.site}/{owner.session}" if owner.session else owner.site
    return f"{who} (network {owner.network})" if owner.network else who


def same_owner(one: Owner, other: Owner) -> bool:
    """Whether it is the same session; it may use a VF for another of its networks."""
    return (one.site, one.session) == (other.site, other.session)


def holders(held: tuple[HeldVf, ...], pf_pci: str) -> str:
    """Who has which VF of a PF, in one line; empty if none is held."""
    mine = sorted((vf for vf in held if vf.pf_pci == pf_pci), key=lambda vf: vf.index)
    return ", ".join(f"VF {vf.index} ({vf.pci}): {holder(vf.owner)}" for vf in mine)


def named(vf: HeldVf) -> str:
    """The VF in a message."""
    return f"{vf.pf}: VF {vf.index} ({vf.pci})"
