"""`dtnctl doctor ssh://HOST [ssh://PEER]`: what is wrong with a host that no file declares. Nothing is installed or left there."""

from __future__ import annotations

import enum
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import list_context, repository_root
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.model.audit import Audit
    from dtnctl.model.engine_addresses import EngineAddress

FAULTS_FOUND = 2
HostArgument = Annotated[str, typer.Argument(metavar="ssh://[USER@]HOST[:PORT]", help="Host to examine, over ssh with your own keys.")]
PeerArgument = Annotated[str, typer.Argument(metavar="[ssh://PEER]", help="Second host: also what passes from the first one to it.")]
InterfaceOption = Annotated[
    list[str], typer.Option("--interface", metavar="NIC", help="NIC that carries data; again for more. Missing: the fast ones with a link.")
]
WriteOption = Annotated[bool, typer.Option("--write", help="Write the files that would declare it; none that is there is changed.")]
AllItemsOption = Annotated[
    bool, typer.Option("--all-items", help="List what is right and what is not known too.", envvar="DTNCTL_ALL_ITEMS")
]


class AuditOutput(enum.StrEnum):
    """What stdout carries. `wide` is text with all columns."""

    text = "text"
    wide = "wide"
    markdown = "markdown"
    html = "html"
    json = "json"


OutputOption = Annotated[AuditOutput, typer.Option("-o", "--output", help="What is printed: html is one page in one file.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    context: typer.Context,
    host: HostArgument,
    peer: PeerArgument = "",
    interface: InterfaceOption = [],  # noqa: B006  # typer reads the default, it never reaches a caller
    all_items: AllItemsOption = False,
    output: OutputOption = AuditOutput.text,
    write: WriteOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Examine a host that no file declares, over ssh, with nothing installed and nothing left there. Exit code 2 if something is wrong."""
    from dtnctl.repository.drafts import draft_file, draft_text

    invocation = context.ensure_object(Invocation)
    invocation.json = output is AuditOutput.json
    addresses = [_address(text) for text in (host, peer) if text]
    audit = _audit(addresses, interface, timeout)
    files = [(draft_file(draft, STATE_FOLDER), draft_text(draft)) for draft in audit.drafts]
    sys.stdout.write(_rendered(audit, files, output, invocation, all_items=all_items))
    invocation.json = False  # the one document that is owed has been written
    if write:
        _write(audit)
    return FAULTS_FOUND if audit.has_faults else 0


def _address(text: str) -> EngineAddress:
    from dtnctl.model.engine_addresses import SCHEMES, parse_engine

    if not text.startswith("ssh://"):
        raise UsageError(f"write ssh://{text} for a host; an endpoint that is declared: `dtnctl endpoints doctor {text}`")
    try:
        address = parse_engine(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if address.path != SCHEMES["ssh"].socket:
        raise UsageError(f"{text}: a host is examined, so there is no path behind it")
    return address


def _audit(addresses: Sequence[EngineAddress], interfaces: Sequence[str], timeout: float) -> Audit:
    from dtnctl.providers.timeouts import Timeouts
    from dtnctl.runtime.auditing import audit_hosts

    timeouts = Timeouts(connect=timeout, answer=timeout, read=max(timeout, Timeouts().read), login=timeout)
    return audit_hosts(addresses, interfaces, timeouts)


def _rendered(audit: Audit, files: Sequence[tuple[str, str]], output: AuditOutput, invocation: Invocation, *, all_items: bool) -> str:
    context = list_context(invocation, show_all=all_items, wide=output is AuditOutput.wide)
    match output:
        case AuditOutput.json:
            from dtnctl.render.findings_json import audit_document
            from dtnctl.render.json import render_json

            return render_json(audit_document(audit, files))
        case AuditOutput.markdown:
            from dtnctl.render.audit_markdown import render_audit_markdown

            return render_audit_markdown(audit, files, context)
        case AuditOutput.html:
            from dtnctl.render.audit_html import render_audit_html

            return render_audit_html(audit, files, context)
        case AuditOutput.text | AuditOutput.wide:
            from dtnctl.render.audit import render_audit

            return render_audit(audit, files, context)
        case _:
            assert_never(output)


def _write(audit: Audit) -> None:
    from dtnctl.repository.drafts import write_drafts
    from dtnctl.repository.edit import Repository
    from dtnctl.runtime.clock import SystemClock

    for name in write_drafts(Repository(repository_root(), STATE_FOLDER, SystemClock().now()), audit.drafts):
        say(f"wrote {name}")
