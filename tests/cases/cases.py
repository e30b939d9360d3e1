"""The cases of this folder: each is a state, what was seen, and the plan's text."""

from __future__ import annotations

from pathlib import Path

from dtnctl.planning.planner import make_plan
from dtnctl.render.context import RenderContext
from dtnctl.render.terminal import render_plan
from dtnctl.repository.load import load_site
from tests.cases.seen import NOW, read_seen, scope_of, snapshot_of

FOLDER = Path(__file__).parent
WIDTH = 120


def folders() -> list[Path]:
    """Every case, in name order."""
    return sorted(path.parent for path in FOLDER.glob("*/seen.yaml"))


def plan_text(folder: Path) -> str:
    """What a person reads about the case."""
    site = load_site(folder, "state", NOW)
    seen = read_seen(folder / "seen.yaml")
    plan = make_plan(site, snapshot_of(site, seen), now=NOW, scope=scope_of(seen))
    return render_plan(plan, RenderContext(width=WIDTH, show_all=True))
