"""`dtnctl sessions compare`: what a session would change in the place of a container that another program made. Changes nothing."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.look import OneEndpointOption, SessionArgument, one_of
from dtnctl.cli.workplace import list_context, observers, open_workplace
from dtnctl.errors import NotFoundError, UnreachableError, UsageError

ContainerArgument = Annotated[str, typer.Argument(metavar="CONTAINER", help="Name or id of the container that runs.")]


def sessions_compare(
    context: typer.Context,
    name: SessionArgument,
    container: ContainerArgument,
    endpoint: OneEndpointOption = "",
    output: opt.ListOutputOption = opt.ListOutput.text,
    timeout: opt.TimeoutOption = 10.0,
) -> None:
    """Show each field in which another program's container differs from what the session would have in its place. Changes nothing."""
    from dtnctl.planning.planner import Scope
    from dtnctl.planning.take_over import compare_take_over
    from dtnctl.render.comparison import comparison_document, render_comparison
    from dtnctl.render.json import render_json
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.reconcile import look_and_plan

    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.ListOutput.json
    workplace = open_workplace()
    session = one_of("session", name, workplace.site.sessions)
    place = _place(endpoint, session.value.endpoints)
    now = SystemClock().now()
    with observers(workplace, timeout) as clients:
        _, snapshot = look_and_plan(workplace.site, clients, now, Scope())
        if snapshot.endpoints[place].is_silent:
            raise UnreachableError(f"no answer from {place}: {snapshot.endpoints[place].silence}")
        try:
            other = clients[place].inspect(container)
        except NotFoundError as error:
            raise UsageError(f"there is no container {container} on {place}") from error
    found = compare_take_over(workplace.site, snapshot, name, place, other, now)
    style = list_context(invocation, wide=output is opt.ListOutput.wide)
    as_json = output is opt.ListOutput.json
    sys.stdout.write(render_json(comparison_document(found)) if as_json else render_comparison(found, style))
    invocation.json = False  # the one document that is owed has been written


def _place(endpoint: str, endpoints: tuple[str, ...]) -> str:
    """The endpoint that is meant: the one that is named, or the session's only one."""
    if endpoint:
        return str(one_of("endpoint of this session", endpoint, dict.fromkeys(endpoints, endpoint)))
    if len(endpoints) > 1:
        raise UsageError(f"the session is on several endpoints; name one by --endpoint: {', '.join(endpoints)}")
    return endpoints[0]
