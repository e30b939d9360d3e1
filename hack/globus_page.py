"""Writes the plan of docs/globus, on hosts without a container, into docs/globus.md: `python -m hack.globus_page`. `--check` compares."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from dtnctl.model.resources import EndpointSeen, ImageSeen, Snapshot
from dtnctl.planning.planner import make_plan
from dtnctl.render.context import RenderContext
from dtnctl.render.terminal import render_plan
from dtnctl.repository.load import load_site
from hack.page_tables import TablesOf

DOCS = Path(__file__).parents[1] / "docs"
PAGE, REPOSITORY = DOCS / "globus.md", DOCS / "globus"
TABLES = TablesOf("plan", "globus_page")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
WIDTH = 120


def render_example() -> str:
    """What `dtnctl plan` shows where the image is on the hosts, and none of the secrets was looked at."""
    site = load_site(REPOSITORY, "state", NOW)
    images = {profile.value.image: ImageSeen("sha256:1") for profile in site.profiles.values() if profile.value.image}
    snapshot = Snapshot({name: EndpointSeen(name, images=images) for name in sorted(site.endpoints)})
    plan = make_plan(site, snapshot, now=NOW)
    return f"```\n{render_plan(plan, RenderContext(width=WIDTH, show_all=True))}```\n"


def main(arguments: list[str]) -> int:
    """Write the plan into the page, or with `--check` report whether it is up to date."""
    return TABLES.write(PAGE, render_example(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
