"""Claims of open branches, as text, Markdown and JSON: the verdict first, then what collides with whom, then new claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dtnctl.model.branches import Branch, Claim, ClaimsReport, Collision
from dtnctl.printable import plural
from dtnctl.render.blocks import with_place
from dtnctl.render.budget import Part, shorten
from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.escape import code, marker_word, prose
from dtnctl.render.json import Json, document_of
from dtnctl.render.text import Style, dotted, flow, look_of, printable

BODY = 4
LIMIT = 65_536  # characters of a comment on GitHub
COLUMNS = (
    Column("CLAIM", least=12),
    Column("OF", least=8),
    Column("SESSION", least=8),
    Column("FIELD", drop=1, least=8),
    Column("FILE", drop=2, least=12),
)


def verdict(report: ClaimsReport) -> list[str]:
    """`2 claims cannot be had`, `1 is claimed again later`, `9 open branches compared with origin/main`."""
    blocked, later = len(report.blocking), len(report.collisions) - len(report.blocking)
    branches = f"{len(report.branches)} open {'branch' if len(report.branches) == 1 else 'branches'}"
    others = [f"{plural(report.others, 'collision')} among other branches"] if report.others else []
    return [
        f"{plural(blocked, 'claim')} collide{'s' * (blocked == 1)}" if blocked else "no claim collides",
        *([f"{plural(later, 'claim')} that later branches want, too"] if later else []),
        *others,
        f"{branches} compared with {report.base.name} {report.base.commit[:7]}",
    ]


# --- text ---------------------------------------------------------------------------------------------------


def render_claims(report: ClaimsReport, context: RenderContext) -> str:
    """Everything, for a terminal."""
    look, shown = look_of(context), printable(report, ascii_only=context.ascii)
    who = shown.subject or f"every branch; the checkout is {shown.base.name}"
    head = flow(["VERDICT", "", *dotted(verdict(shown), look.dot)], look.width)
    sections = [[look.paint("bold", head[0]), *head[1:], *flow(["OF", "", "", "", "", "", "", who], look.width)]]
    sections += [_block(item, shown, look) for item in shown.collisions]
    if shown.claims:
        sections.append(table_lines(COLUMNS, [_row(claim) for claim in shown.claims], look, fits=not context.wide))
    sections.append([line for note in _notes(shown) for line in flow(["note:", *note.split(" ")], look.width)])
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _block(item: Collision, report: ClaimsReport, look: Style) -> list[str]:
    sign = look.signs["blocked"] if item.is_blocking else "!"
    branch = f", {item.branch}" if not report.subject else ""
    first = flow([sign, look.paint("bold", item.what), f"(session {item.claim.session}{branch})"], look.width)
    place = f"{item.claim.file}:{item.claim.line}:{item.claim.column}"
    pieces = (f"{item.code} {item.why}", f"try {item.fix}")
    body = [" " * BODY + line for text in pieces for line in flow(text.split(" "), look.width - BODY)]
    return [*with_place(first, place, look), *body]


def _row(claim: Claim) -> list[str]:
    where = claim.resource.place((claim.resource.scope,)).removeprefix("on ").removeprefix("of ")
    return [claim.text, where, f"{claim.session} on {claim.endpoint}", claim.field, claim.where]


def _notes(report: ClaimsReport) -> Iterator[str]:
    for item in report.undecided:
        yield f"{item.branch} asks for {item.amount} {item.what}, and how many there are is not declared: its plan decides"
    yield from report.base.notes
    for branch in report.branches:
        yield from (f"{branch.name}: {note}" for note in branch.notes)


# --- Markdown -----------------------------------------------------------------------------------------------


def render_claims_comment(report: ClaimsReport, limit: int = LIMIT) -> str:
    """A part of a comment, never longer than `limit`. Whatever names and branches say, it stays text."""
    shown = printable(report, ascii_only=False)
    marker = f"<!-- dtnctl:check subject={marker_word(shown.subject)} -->"
    sign = "✖ " if shown.blocking else ""
    head = Part("", (marker, f"### dtnctl check · {sign}{' · '.join(prose(text) for text in verdict(shown))}", ""))
    collisions = Part(
        "rows of collisions",
        tuple(_collision_row(item) for item in shown.collisions),
        3,
        ("| | Claim | Session | Collides with | Free |", "|---|---|---|---|---|"),
        ("",),
    )
    claims = Part(
        "rows of new claims",
        tuple(f"| {' | '.join(code(cell) for cell in _row(claim))} |" for claim in shown.claims),
        1,
        ("<details><summary>New claims</summary>", "", "| Claim | Of | Session | Field | File |", "|---|---|---|---|---|"),
        ("", "</details>", ""),
    )
    notes = Part("notes", tuple(f"- {code(note)}" for note in _notes(shown)), 2, (), ("",))
    return shorten([head, collisions, claims, notes], limit, "`dtnctl check --all-refs -o json` has all of it.")


def _collision_row(item: Collision) -> str:
    sign = "✖" if item.is_blocking else "!"
    session = f"{code(item.claim.session)} {code(item.claim.where)}"
    return f"| {sign} {item.code} | {code(item.what)} | {session} | {code(item.why)} | {code(item.fix)} |"


# --- JSON ---------------------------------------------------------------------------------------------------


def claims_document(report: ClaimsReport) -> Json:
    """Everything, for programs."""
    return document_of(
        "check",
        {
            "base": {"name": report.base.name, "commit": report.base.commit},
            "subject": report.subject,
            "summary": {
                "blocking": len(report.blocking),
                "collisions": len(report.collisions),
                "others": report.others,
                "branches": len(report.branches),
            },
            "branches": [_branch(item) for item in report.branches],
            "claims": [_claim(claim) for claim in report.claims],
            "collisions": [_collision(item) for item in report.collisions],
            "undecided": [{"branch": item.branch, "what": item.what, "amount": item.amount} for item in report.undecided],
            "notes": list(report.base.notes),
        },
    )


def _branch(branch: Branch) -> Json:
    notes: Sequence[str] = branch.notes
    return {"name": branch.name, "commit": branch.commit, "since": branch.since, "queued": branch.is_queued, "notes": list(notes)}


def _claim(claim: Claim) -> Json:
    return {
        "kind": claim.resource.kind,
        "scope": claim.resource.scope,
        "detail": claim.resource.detail,
        "value": claim.text,
        "amount": claim.amount,
        "session": claim.session,
        "endpoint": claim.endpoint,
        "field": claim.field,
        "file": claim.file,
        "line": claim.line,
        "column": claim.column,
    }


def _collision(item: Collision) -> Json:
    return {
        "branch": item.branch,
        "code": item.code,
        "blocking": item.is_blocking,
        "claim": _claim(item.claim),
        "what": item.what,
        "why": item.why,
        "fix": item.fix,
        "free": list(item.free),
        "holders": [
            {
                "branches": list(holder.branches),
                "session": holder.session,
                "endpoint": holder.endpoint,
                "where": holder.where,
                "since": holder.since,
            }
            for holder in item.holders
        ],
    }
