"""What the doctor found, as text for a terminal: the verdict of every endpoint first, then finding by finding, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dtnctl.model.findings import Examination, Finding, Judgement, speed_text
from dtnctl.render.blocks import BODY, fact_rows, with_place
from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.facts import Fact
from dtnctl.render.text import Role, Style, dotted, flow, look_of, pad, plural, printable

WORDS: Mapping[Judgement, str] = {"error": "error", "warning": "warning", "info": "note"}
ROLES: Mapping[str, Role] = {"error": "destroy", "warning": "note", "info": "dim", "ok": "create", "unknown": "dim"}
SIGNS: Mapping[Judgement, str] = {"warning": "!", "info": "i"}
VERB = 11  # cells of sign and judgement
NOT_KNOWN = "not known"

ITEM_COLUMNS = (
    Column("ITEM", least=14),
    Column("SUBJECT", least=8, drop=1),
    Column("JUDGEMENT"),
    Column("FOUND", least=8),
    Column("EXPECTED", least=12, drop=2),
)


def render_doctor(examinations: Sequence[Examination], context: RenderContext) -> str:
    """All of it. `context.show_all` adds a table of every item, also of those that are right and those that are not known."""
    look = look_of(context)
    shown = printable(tuple(examinations), ascii_only=context.ascii)
    sections = [[line for item in shown for line in _verdict(item, context, look)]]
    for item in shown:
        sections += _endpoint(item, context, look, is_named=len(shown) > 1)
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


# --- verdict ------------------------------------------------------------------------------------------------


def _verdict(item: Examination, context: RenderContext, look: Style) -> list[str]:
    """`dtn-a: 3 errors, 5 warnings of 52 checked · fastest data NIC ens1f0 100 Gb/s`."""
    pieces = [f"not examined: {item.silence}"] if item.silence else dotted(verdict_parts(item, context), look.dot)
    first, *more = flow([f"{item.endpoint}:", *pieces], look.width - 2)
    return [look.paint("bold", line) for line in (first, *(f"  {line}" for line in more))]


def verdict_parts(item: Examination, context: RenderContext) -> list[str]:
    """How many faults of which kind, relative to what, and how much is not known."""
    counts = item.counts
    faults = [plural(counts[judgement], word) for judgement, word in WORDS.items() if counts[judgement]]
    speed = f" {speed_text(item.speed)}" if item.speed else ""
    unknown = f"{counts['unknown']:,} {NOT_KNOWN}" + ("" if context.show_all else " (--all-items lists them)")
    parts = (
        f"{', '.join(faults) or 'nothing wrong'} of {item.checked:,} checked",
        f"fastest data NIC {item.nic}{speed}" if item.nic else "no data NIC of a known speed: what depends on it was not judged",
        unknown if counts["unknown"] else "",
        f"{plural(item.ignored, 'check')} left out by the site's policy" if item.ignored else "",
    )
    return [part for part in parts if part]


# --- findings -----------------------------------------------------------------------------------------------


def _endpoint(item: Examination, context: RenderContext, look: Style, *, is_named: bool) -> list[list[str]]:
    """A block for each fault, and the table."""
    blocks = [_block(finding, item.endpoint if is_named else "", look, context) for finding in item.findings if finding.severity in WORDS]
    return [*blocks, _items(item, context, look)] if context.show_all and item.findings else blocks


def _block(finding: Finding, endpoint: str, look: Style, context: RenderContext) -> list[str]:
    """Judgement, item and subject with the declaration's place; then what was found, what is wanted, why, and what to do."""
    sign = SIGNS.get(finding.severity, look.signs["blocked"])
    start = pad(look.paint(ROLES[finding.severity], f"{sign} {WORDS[finding.severity]}"), VERB)
    subject = f"{finding.about.about} {finding.subject}" if finding.subject else "the host"
    pieces = [look.paint("bold", finding.check), f"of {subject}"]
    if endpoint:
        pieces.append(f"@ {endpoint}")
    first, *more = flow(pieces, look.width - VERB)
    heading = with_place([start + first, *(" " * VERB + line for line in more)], finding.place, look)
    facts = [
        Fact(None, "found", tuple(finding.actual.split(" "))),
        Fact(None, "expected", tuple(finding.expected.split(" "))),
        Fact(None, "why", tuple(printable(finding.why, ascii_only=context.ascii).split(" "))),  # the catalogue's, which writes ×
        Fact(None, "fix", (finding.fix,)),
    ]
    return [*heading, *fact_rows(facts, look)]


def _items(item: Examination, context: RenderContext, look: Style) -> list[str]:
    rows = [[finding.check, finding.subject, finding.severity, finding.actual or NOT_KNOWN, finding.expected] for finding in item.findings]
    title = look.paint("bold", f"all items of {item.endpoint}") + f" ({len(rows):,})"
    return [title, *table_lines(ITEM_COLUMNS, rows, look, indent=BODY, roles=ROLES, fits=not context.wide)]
