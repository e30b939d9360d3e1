"""`dtnctl endpoints doctor`: what of hosts and containers is not as declared data transfers want it. Changes nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.workplace import list_context, observers, open_workplace
from dtnctl.client.labels import checked, selection_of
from dtnctl.client.workplace import Workplace, refuse_ssh_mistakes
from dtnctl.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from dtnctl.model.findings import Examination

ERRORS_FOUND = 2
NamesArgument = Annotated[
    list[str], typer.Argument(help="Endpoints; or --all.", metavar="[ENDPOINT]...", show_default=False, autocompletion=names.endpoints)
]
AllEndpointsOption = Annotated[bool, typer.Option("--all", help="All endpoints that declare an agent.")]
AllItemsOption = Annotated[
    bool, typer.Option("--all-items", help="List what is right and what is not known too.", envvar="DTNCTL_ALL_ITEMS")
]
DetailedOption = Annotated[
    bool, typer.Option("--detailed-exitcode", help="Exit with 2 if there are errors.", envvar="DTNCTL_DETAILED_EXITCODE")
]


def endpoints_doctor(
    context: typer.Context,
    names: NamesArgument = [],  # noqa: B006  # typer reads the default, it never reaches a caller
    all_: AllEndpointsOption = False,
    label: opt.LabelOption = "",
    all_items: AllItemsOption = False,
    output: opt.ListOutputOption = opt.ListOutput.text,
    detailed_exitcode: DetailedOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Compare hosts and containers with what the declared networks, profiles and transfers want. Changes nothing."""
    from dtnctl.render.doctor import render_doctor
    from dtnctl.render.findings_json import doctor_document
    from dtnctl.render.json import render_json

    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.ListOutput.json
    workplace = open_workplace()
    chosen = _chosen(workplace, names, wants_all=all_, label=checked(label))
    examinations = _examine(workplace, chosen, timeout)
    if output is opt.ListOutput.json:
        text = render_json(doctor_document(examinations))
    else:
        text = render_doctor(examinations, list_context(invocation, show_all=all_items, wide=output is opt.ListOutput.wide))
    sys.stdout.write(text)
    invocation.json = False  # the one document that is owed has been written
    return exit_code(examinations, detailed_exitcode)


def _chosen(workplace: Workplace, names: list[str], *, wants_all: bool, label: str) -> list[str]:
    """The endpoints that were asked for, in name order."""
    declared = workplace.site.endpoints
    if names and label and not wants_all:
        raise UsageError("name endpoints or write --label, not both")
    if selection := selection_of(workplace, label):
        chosen = [name for name in _with_agent(workplace) if name in selection.endpoints]
        if not chosen:
            raise UsageError(f"no endpoint with --label {label} declares an `agent:`, and engines report nothing of their hosts")
        return chosen
    if wants_all == bool(names):
        raise UsageError(f"name endpoints or write --all; there are {', '.join(declared) or 'none'}")
    if wants_all:
        return _with_agent(workplace)
    for name in names:
        _check_name(workplace, name)
    return sorted(set(names))


def _with_agent(workplace: Workplace) -> list[str]:
    found = [name for name, document in workplace.site.endpoints.items() if document.value.agent is not None]
    if not found:
        raise UsageError("no endpoint declares an `agent:`, and engines report nothing of their hosts")
    return found


def _check_name(workplace: Workplace, name: str) -> None:
    from dtnctl.model.nearest import suggestion

    declared = workplace.site.endpoints
    if name not in declared:
        raise UsageError(f"no endpoint named {name}; try {suggestion(name, declared, '`dtnctl endpoints list`')}")
    if declared[name].value.agent is None:
        raise UsageError(f"{declared[name].where()}: endpoint {name} declares no `agent:`, and its engine reports nothing of the host")


def _examine(workplace: Workplace, names: list[str], timeout: float) -> list[Examination]:
    """All endpoints are looked at, since networks are compared with their other ends."""
    from dtnctl.model.resources import Wanted
    from dtnctl.planning.doctor import examine_endpoint
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.observe import observe_all

    with observers(workplace, timeout) as clients:
        snapshot = observe_all(clients, dict.fromkeys(clients, Wanted(inside=True)))
    refuse_ssh_mistakes(workplace, snapshot)
    now = SystemClock().now()
    return [examine_endpoint(workplace.site, name, snapshot, now) for name in names]


def exit_code(examinations: list[Examination], detailed: bool) -> int:
    """0, or with `--detailed-exitcode` 2 if there are errors. Silence is an error where it leaves nothing, or where details count."""
    silent = [f"{item.endpoint} ({item.silence})" for item in examinations if item.silence]
    if silent and (detailed or len(silent) == len(examinations)):
        raise UnreachableError(f"no answer from {', '.join(silent)}: what is there is unknown")
    return ERRORS_FOUND if detailed and any(item.counts["error"] for item in examinations) else 0
