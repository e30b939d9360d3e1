"""Who changed whose files, as text, Markdown and JSON: the verdict first, then each file with its owners."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.owners import OwnersReport, Rule, Trespass
from dtnctl.printable import plural
from dtnctl.render.budget import Part, shorten
from dtnctl.render.context import RenderContext
from dtnctl.render.escape import code, prose
from dtnctl.render.json import Json, document_of
from dtnctl.render.text import dotted, flow, look_of, printable

LIMIT = 65_536  # characters of a comment on GitHub
BODY = 4


def verdict(report: OwnersReport) -> list[str]:
    """`2 files were changed by others than their owners`, `7 commits`, and whether whose they are is proven."""
    files = len({item.path for item in report.trespasses})
    changed = f"{plural(files, 'file')} {'was' if files == 1 else 'were'} changed by others than {'its' if files == 1 else 'their'} owners"
    proof = "whose they are is proven by signatures" if report.by_signature else "authors are believed: nothing proves their names"
    if not report.rules:
        return [f"{report.base[:7]} has no rules of owners, so nothing was checked"]
    return [changed if files else "every file was changed by its owners", plural(report.commits, "commit"), proof]


def render_owners(report: OwnersReport, context: RenderContext) -> str:
    """Everything, for a terminal."""
    look, shown = look_of(context), printable(report, ascii_only=context.ascii)
    head = flow(["VERDICT", "", *dotted(verdict(shown), look.dot)], look.width)
    span = flow(["OF", "", "", "", "", "", "", f"{shown.base[:7]}..{shown.head[:7]}"], look.width)
    blocks = [[look.paint("bold", head[0]), *head[1:], *span]]
    for item in shown.trespasses:
        body = [" " * BODY + line for text in _facts(item) for line in flow(text.split(" "), look.width - BODY)]
        blocks.append([f"{look.signs['blocked']} {look.paint('bold', item.path)}", *body])
    notes = [line for rule in shown.unmatched for line in flow(["NOTE", "", "", "", "", *_note(rule).split(" ")], look.width)]
    blocks += [notes] if notes else []
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _note(rule: Rule) -> str:
    return f"{rule.pattern} ({rule.place}) matches no file"


def _facts(item: Trespass) -> Iterator[str]:
    yield f"by {item.who} in {item.commit[:7]}: {item.subject}"
    yield f"its owners are {', '.join(item.rule.people)} ({item.rule.place}); try a commit of one of them"


def render_owners_comment(report: OwnersReport, limit: int = LIMIT) -> str:
    """A part of a comment, never longer than `limit`. Whatever names and subjects say, it stays text."""
    shown = printable(report, ascii_only=False)
    sign = "✖ " if shown.trespasses else ""
    head = Part("", (f"### dtnctl check --owners · {sign}{' · '.join(prose(text) for text in verdict(shown))}", ""))
    rows = Part(
        "rows",
        tuple(_row(item) for item in shown.trespasses),
        1,
        ("| File | By | Commit | Owners | Rule |", "|---|---|---|---|---|"),
        ("",),
    )
    notes = Part("rules", tuple(f"- {code(rule.pattern)} ({code(rule.place)}) matches no file" for rule in shown.unmatched), 1, (), ("",))
    return shorten([head, rows, notes], limit, "`dtnctl check --owners BASE..HEAD -o json` has all of it.")


def _row(item: Trespass) -> str:
    commit = f"{item.commit[:7]} {item.subject}"
    return f"| {' | '.join(code(text) for text in (item.path, item.who, commit, ', '.join(item.rule.people), item.rule.place))} |"


def owners_document(report: OwnersReport) -> Json:
    """Everything, for programs."""
    return document_of(
        "owners",
        {
            "base": report.base,
            "head": report.head,
            "by_signature": report.by_signature,
            "summary": {"commits": report.commits, "rules": report.rules, "trespasses": len(report.trespasses)},
            "trespasses": [_document(item) for item in report.trespasses],
            "unmatched": [{"pattern": rule.pattern, "rule": rule.place} for rule in report.unmatched],
        },
    )


def _document(item: Trespass) -> Json:
    return {
        "path": item.path,
        "who": item.who,
        "commit": item.commit,
        "subject": item.subject,
        "pattern": item.rule.pattern,
        "owners": list(item.rule.people),
        "rule": item.rule.place,
    }
