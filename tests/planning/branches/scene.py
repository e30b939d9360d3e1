"""A base and its open branches from inline YAML, and what check says of them as short lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dtnctl.model.branches import Branch, ClaimsReport, Declared, OpenBranch
from dtnctl.model.site import Site
from dtnctl.planning.branches.collisions import find_collisions
from tests.planning.building import NOW, site


def declared(found: Site) -> Declared:
    """What claims need of a site."""
    return Declared(endpoints=found.endpoints, networks=found.networks, profiles=found.profiles, sessions=found.sessions)


def with_session(base: Declared, text: str) -> Declared:
    """The base with the sessions of another text; all its other files are the very same."""
    return replace(base, sessions={**base.sessions, **site(text).sessions})


def check(base: Declared, branches: Mapping[str, Declared], subject: str = "") -> ClaimsReport:
    """The branches in the order in which they began."""
    opened = [OpenBranch(Branch(name, since=number), item) for number, (name, item) in enumerate(branches.items(), start=1)]
    return find_collisions(Branch("main"), base, opened, subject, NOW)


def lines(report: ClaimsReport) -> list[str]:
    """`✖ BRANCH: WHAT; WHY; try FIX` of each collision."""
    return [f"{'✖' if item.is_blocking else '!'} {item.branch}: {item.what}; {item.why}; try {item.fix}" for item in report.collisions]
