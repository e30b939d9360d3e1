"""`dtnctl paths check`: whether a path carries what it is declared to carry, looked at from inside the services on it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.paths import PathArgument
from dtnctl.cli.workplace import list_context, open_workplace
from dtnctl.client.paths import with_paths
from dtnctl.client.workplace import engines
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.client.workplace import Workplace
    from dtnctl.model.path_checks import PathFinding

SessionOption = Annotated[str, typer.Option("--session", help="Session whose services send. Missing: the one at most of its ends.")]
RateOption = Annotated[
    bool, typer.Option("--rate", help="Also measure rate and loss with iperf3, for 5 s in each direction; it takes all that there is.")
]


def paths_check(
    context: typer.Context,
    name: PathArgument,
    session: SessionOption = "",
    rate: RateOption = False,
    output: opt.ListOutputOption = opt.ListOutput.text,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Send packets over a path from inside the services on it: does the far side answer, how large may packets be, is the VLAN there."""
    from dtnctl.render.json import path_check_document, render_json
    from dtnctl.render.paths import render_check

    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.ListOutput.json
    findings = _findings(open_workplace(), name, session, timeout, rate=rate)
    if output is opt.ListOutput.json:
        sys.stdout.write(render_json(path_check_document(name, findings)))
    else:
        sys.stdout.write(render_check(name, findings, list_context(invocation, show_all=output is opt.ListOutput.wide)))
    invocation.json = False  # the one document that is owed has been written
    return 0 if all(item.verdict == "ok" for item in findings) else 1


def _findings(workplace: Workplace, name: str, session: str, timeout: float, *, rate: bool) -> tuple[PathFinding, ...]:
    """Providers and endpoints are asked first: what they report says where to send from."""
    from dtnctl.cli.look import one_of
    from dtnctl.planning.paths.checking import findings_at_rest, path_probes
    from dtnctl.planning.paths.vlans import with_chosen_vlans
    from dtnctl.planning.paths.wanted import declared_paths
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.observe import observe_all
    from dtnctl.runtime.paths.probe import probe_all
    from dtnctl.runtime.paths.rate import rate_all

    one_of("path", name, workplace.site.paths)
    if session and session not in workplace.site.sessions:
        raise UsageError(f"no session named {session}; `dtnctl sessions list` shows them")
    with engines(workplace, timeout) as clients:
        snapshot = with_paths(workplace, observe_all(clients, {}), timeout)
        path = declared_paths(with_chosen_vlans(workplace.site, snapshot))[name]
        probes = path_probes(path, snapshot, session)
        found = *findings_at_rest(path, snapshot), *probe_all(clients, probes)
        return *found, *(rate_all(clients, probes, SystemClock()) if rate else ())
