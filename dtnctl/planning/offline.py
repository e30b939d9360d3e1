"""What a plan from an inventory cannot know, as notes: the plan itself and its hash are those that the endpoints would have given. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from dtnctl.model.inventory import Age
from dtnctl.model.resources import Wanted
from dtnctl.model.site import Site
from dtnctl.planning.resolve import wanted_by_endpoint
from dtnctl.printable import plural

GENERAL = "planned offline from the inventory: leases, and what moved on an endpoint since it was taken, are not known"
UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


def everything_wanted(site: Site, now: datetime) -> Mapping[str, Wanted]:
    """What an inventory asks each endpoint for: all that any session needs, so that changes of the state can be planned."""
    wanted = wanted_by_endpoint(site, now)
    images, remote, volumes, readings = (
        frozenset(name for item in wanted.values() for name in getattr(item, kind))
        for kind in ("images", "remote_images", "volumes", "readings")
    )
    return {name: Wanted(images, remote, ledger=True, readings=readings, cpus=True, volumes=volumes) for name in wanted}


def offline_notes(site: Site, asked: Mapping[str, Wanted], ages: Iterable[Age], now: datetime) -> tuple[str, ...]:
    """What is not known, and how old the rest is; `asked` are what the inventories were taken with."""
    notes = [GENERAL, *(f"the inventory of {age.endpoint} is {age_text(age.seconds)} old" for age in ages)]
    for name, wanted in wanted_by_endpoint(site, now).items():
        if name in asked:
            notes += _not_asked(name, wanted, asked[name])
    return tuple(sorted(notes))


def _not_asked(endpoint: str, wanted: Wanted, asked: Wanted) -> list[str]:
    """What the state asks for that was not looked at when the inventory was taken."""
    pairs = (
        ("whether the image {} is there", "it is planned as if it were not", wanted.images - asked.images),
        ("what the registry says of {}", "the image is planned as it is there", wanted.remote_images - asked.remote_images),
        ("whether there is a volume {}", "it is planned as if there were none", wanted.volumes - asked.volumes),
        ("the host's setting {}", "it is planned as if it differed", wanted.readings - asked.readings),
    )
    return [f"{what.format(name)} on {endpoint} is not known: {then}" for what, then, names in pairs for name in sorted(names)]


def age_text(seconds: int) -> str:
    """`41 minutes`, `2 hours`, `less than a minute`."""
    for length, unit in UNITS:
        if seconds >= length:
            return plural(seconds // length, unit)
    return "less than a minute"
