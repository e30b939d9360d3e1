"""`dtnctl inventory`: what endpoints have, written into the repository; and plans from that where no endpoint can be reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import observers, open_workplace
from dtnctl.client.workplace import Workplace, refuse_ssh_mistakes
from dtnctl.errors import UnreachableError

if TYPE_CHECKING:
    from datetime import datetime

    from dtnctl.model.inventory import Age
    from dtnctl.model.plan import Plan
    from dtnctl.model.resources import EndpointSeen
    from dtnctl.planning.planner import Scope
    from dtnctl.repository.inventory import Inventory

EndpointsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ENDPOINT]...", help="Only these; all if none is named.", autocompletion=names.endpoints)
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(help="What endpoints have, in the repository: refresh, show.", no_args_is_help=True, rich_markup_mode=None)
    below.command("refresh")(inventory_refresh)
    below.command("show")(inventory_show)
    app.add_typer(below, name="inventory")


def inventory_refresh(endpoints: EndpointsArgument = None, timeout: opt.TimeoutOption = 10.0) -> int:
    """Write .dtnctl/inventory/ENDPOINT.json for each endpoint that answers: no secrets, for `plan --offline`. Changes nothing there."""
    from dtnctl.cli.look import one_of
    from dtnctl.planning.declared_texts import declared_texts
    from dtnctl.planning.offline import everything_wanted
    from dtnctl.repository.inventory import write_inventory
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.observe import observe_all

    workplace, now = open_workplace(), SystemClock().now()
    site = workplace.site
    chosen = {one_of("endpoint", name, dict.fromkeys(site.endpoints, name)) for name in endpoints or site.endpoints}
    asked = everything_wanted(site, now)
    with observers(workplace, timeout) as clients:
        snapshot = observe_all({name: client for name, client in clients.items() if name in chosen}, asked)
    refuse_ssh_mistakes(workplace, snapshot)
    known = declared_texts(site, snapshot, now)
    left = []
    for name, seen in snapshot.endpoints.items():
        if reason := _why_not(seen):
            left.append(name)
            say(f"note: {name} keeps the inventory that it has: {reason}")
        else:
            typer.echo(str(write_inventory(workplace.root, site, seen, asked[name], known, now).relative_to(workplace.root)))
    if left:
        raise UnreachableError(f"no inventory was taken of {', '.join(left)}")
    return 0


def _why_not(seen: EndpointSeen) -> str:
    """Why what was seen is no inventory: a part of it would be unknown, and look like none."""
    return seen.silence or (f"its agent does not answer ({seen.agent_silence})" if seen.agent_silence else "")


def inventory_show() -> int:
    """The inventory's files: when each was taken, and its fingerprint, which two refreshes share if nothing moved between them."""
    from dtnctl.planning.offline import age_text
    from dtnctl.repository.inventory import WITHOUT, read_inventory
    from dtnctl.runtime.clock import SystemClock

    workplace = open_workplace()
    inventory = read_inventory(workplace.root, workplace.site)
    ages = {age.endpoint: age for age in ages_of(inventory, SystemClock().now())}
    for name in sorted(workplace.site.endpoints):
        age = ages.get(name)
        typer.echo(f"{name}  {age.taken_at}  {age_text(age.seconds)} old  {age.fingerprint}" if age else f"{name}  {WITHOUT}")
    return 0


def plan_offline(workplace: Workplace, scope: Scope) -> tuple[Plan, tuple[Age, ...]]:
    """The plan from the committed inventory, with what it cannot know as notes; no endpoint is asked."""
    from dtnctl.planning.offline import offline_notes
    from dtnctl.repository.inventory import read_inventory
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.reconcile import plan_from

    now, site = SystemClock().now(), workplace.site
    inventory = read_inventory(workplace.root, workplace.asked)
    ages = ages_of(inventory, now)
    plan = plan_from(site, inventory.snapshot(site), now, scope)
    asked = {name: item.asked for name, item in inventory.taken.items()}
    return replace(plan, notes=tuple(sorted({*plan.notes, *offline_notes(workplace.asked, asked, ages, now)}))), ages


def ages_of(inventory: Inventory, now: datetime) -> tuple[Age, ...]:
    """How old each file is; one from the future is new."""
    from dtnctl.model.inventory import Age

    return tuple(
        Age(name, item.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ"), max(0, int((now - item.taken_at).total_seconds())), item.fingerprint)
        for name, item in inventory.taken.items()
    )
