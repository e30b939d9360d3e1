"""What was found on hosts that no file declares, as Markdown for an issue or a wiki. Every text of a host is only text there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dtnctl.model.audit import Audit, HostAudit
from dtnctl.model.findings import Finding
from dtnctl.render.audit import NOT_TRIED, PAIR_HEADERS, carried_words, ends_of, pair_cells
from dtnctl.render.context import RenderContext
from dtnctl.render.doctor import WORDS, verdict_parts
from dtnctl.render.escape import fence, prose
from dtnctl.render.text import printable


def render_audit_markdown(audit: Audit, files: Sequence[tuple[str, str]], context: RenderContext) -> str:
    """All of it; with `context.show_all` also what is right and what is not known."""
    shown = printable(audit, ascii_only=context.ascii)
    names = [host.examination.endpoint for host in shown.hosts]
    blocks = [f"# Audit of {' and '.join(map(prose, names))}"]
    for host in shown.hosts:
        blocks += _host(host, context)
    if len(names) > 1:
        blocks += _between(shown, names)
    blocks.append("## Files that would declare this")
    blocks += [block for name, text in files for block in (f"`{name}`", fence(_lines(text, context), "yaml"))]
    return "\n\n".join(blocks) + "\n"


def _host(host: HostAudit, context: RenderContext) -> Iterator[str]:
    item = host.examination
    yield f"## {prose(item.endpoint)}"
    yield ". ".join(map(prose, verdict_parts(item, context))) + "."
    shown = [finding for finding in item.findings if context.show_all or finding.severity in WORDS]
    if shown:
        yield _table(("", "Check", "Found", "Expected", "Fix", "Why"), [_cells(finding) for finding in shown])
    yield from _list("What carries data", [" ".join(carried_words(each)) for each in host.carried])
    yield from _list("What was not seen", host.unseen)


def _cells(finding: Finding) -> list[str]:
    subject = f" {prose(finding.subject)}" if finding.subject else ""
    why = f"{prose(finding.about.why)} [Source]({finding.about.source})"
    word = WORDS.get(finding.severity, finding.severity)
    return [word, f"`{finding.check}`{subject}", *map(_cell, (finding.actual, finding.expected, finding.fix)), why]


def _between(audit: Audit, names: Sequence[str]) -> Iterator[str]:
    near, far = map(prose, names)
    yield f"## From {near} to {far}"
    if audit.pairs:
        yield _table(PAIR_HEADERS, [[_cell(cell) for cell in pair_cells(pair)] for pair in audit.pairs])
    troubles = [pair.trouble for pair in audit.pairs if pair.trouble]
    yield from _list(NOT_TRIED.capitalize(), dict.fromkeys(troubles))
    faults = (f"{item.severity}, {ends_of(item)}: {item.found}; {item.fix}" for item in audit.pair_faults)
    yield from _list("Faults", list(faults))


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _list(title: str, items: Sequence[str] | dict[str, None]) -> Iterator[str]:
    if items:
        yield f"{title}:"
        yield "\n".join(f"- {prose(item)}" for item in items)


def _cell(text: str) -> str:
    return prose(text) if text else ""


def _lines(text: str, context: RenderContext) -> list[str]:
    return [printable(line, ascii_only=context.ascii) for line in text.splitlines()]
