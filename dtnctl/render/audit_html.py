"""What was found on hosts that no file declares, as one page in one file: no script, nothing loaded, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from dtnctl.model.audit import Audit, HostAudit, PairFault
from dtnctl.model.findings import Finding, Judgement
from dtnctl.render.audit import PAIR_HEADERS, carried_words, ends_of, pair_cells
from dtnctl.render.context import RenderContext
from dtnctl.render.doctor import SIGNS, WORDS, verdict_parts
from dtnctl.render.text import printable

STYLE = """
:root { color-scheme: light dark; --page: #fff; --text: #1b1b1b; --line: #8886; --link: #0b57d0; --soft: #f2f2f2; }
:root { --error: #b3261e; --warning: #8a5300; --info: #3b5b8c; --ok: #2b6b35; }
@media (prefers-color-scheme: dark) {
  :root { --page: #121212; --text: #e8e8e8; --link: #a8c7fa; --soft: #1f1f1f; }
  :root { --error: #ff8a80; --warning: #ffbd66; --info: #9dbff0; --ok: #8fd49a; }
}
a { color: var(--link); }
body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 44rem; } caption { text-align: left; font-weight: 600; padding: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-top: 1px solid var(--line); }
td:first-child { white-space: nowrap; }
td p { margin: .25rem 0 0; font-size: .9em; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; }
.error { color: var(--error); font-weight: 600; } .warning { color: var(--warning); font-weight: 600; }
.info { color: var(--info); } .ok { color: var(--ok); }
"""
RULES = "default-src 'none'; style-src 'unsafe-inline'"


def render_audit_html(audit: Audit, files: Sequence[tuple[str, str]], context: RenderContext) -> str:
    """All of it; with `context.show_all` also what is right and what is not known."""
    shown = printable(audit, ascii_only=False)
    names = [host.examination.endpoint for host in shown.hosts]
    title = escape(f"Audit of {' and '.join(names)}")
    body = [f"<h1>{title}</h1>", *(line for host in shown.hosts for line in _host(host, context))]
    if len(names) > 1:
        body += _between(shown, names)
    body += ["<section><h2>Files that would declare this</h2>", *(line for file in files for line in _file(*file)), "</section>"]
    head = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{RULES}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>",
    ]
    return "\n".join([*head, *body, f"<p>dtnctl {escape(context.version)}</p></main></body></html>"]) + "\n"


def _host(host: HostAudit, context: RenderContext) -> Iterator[str]:
    item = host.examination
    yield f"<section><h2>{escape(item.endpoint)} <code>{escape(host.address)}</code></h2>"
    yield f"<p>{escape(' · '.join(verdict_parts(item, context)))}</p>"
    shown = [finding for finding in item.findings if context.show_all or finding.severity in WORDS]
    if shown:
        yield from _table(
            f"Findings of {escape(item.endpoint)}",
            ("Severity", "Check", "Found", "Expected", "Fix"),
            (_cells(finding) for finding in shown),
        )
    yield from _list("What carries data", [" ".join(carried_words(each)) for each in host.carried])
    yield from _list("What was not seen", host.unseen)
    yield "</section>"


def _cells(finding: Finding) -> list[str]:
    about = finding.about
    subject = f" {escape(finding.subject)}" if finding.subject else ""
    why = f'<p>{escape(about.why)} <a href="{escape(about.source)}" rel="noreferrer">Source</a></p>'
    fix = f"<code>{escape(finding.fix)}</code>" if finding.fix else ""
    severity = _severity(finding.severity, WORDS.get(finding.severity, finding.severity))
    return [severity, f"<code>{finding.check}</code>{subject}{why}", escape(finding.actual), escape(finding.expected), fix]


def _severity(kind: Judgement, word: str) -> str:
    """A sign and a word: colour only repeats them."""
    sign = "✖" if kind == "error" else SIGNS.get(kind, "")
    return f'<span class="{kind}">{sign} {word}</span>'


def _between(audit: Audit, names: Sequence[str]) -> Iterator[str]:
    yield f"<section><h2>From {escape(names[0])} to {escape(names[1])}</h2>"
    if audit.pairs:
        yield from _table("Interfaces", PAIR_HEADERS, ([escape(cell) for cell in pair_cells(pair)] for pair in audit.pairs))
    troubles = dict.fromkeys(pair.trouble for pair in audit.pairs if pair.trouble)
    yield from _list("Not tried", list(troubles))
    if audit.pair_faults:
        yield from _table("Faults", ("Severity", "Between", "Found", "Fix"), (_fault(fault) for fault in audit.pair_faults))
    yield "</section>"


def _fault(fault: PairFault) -> list[str]:
    return [_severity(fault.severity, fault.severity), *map(escape, (ends_of(fault), fault.found, fault.fix))]


def _table(caption: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption>'
    cells = "".join(f'<th scope="col">{header}</th>' for header in headers)
    yield f"<thead><tr>{cells}</tr></thead><tbody>"
    yield from (f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    yield "</tbody></table></div>"


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"<h3>{title}</h3><ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _file(name: str, text: str) -> Iterator[str]:
    lines = (printable(line, ascii_only=False) for line in text.splitlines())
    yield f'<h3><code>{escape(name)}</code></h3><pre tabindex="0">{escape(chr(10).join(lines))}</pre>'
