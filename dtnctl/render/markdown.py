"""A Plan as the comment of a pull request or the summary of a CI step. Whatever the names and causes say, it stays text.

What is dropped when the comment would be too long, in this order: the unchanged list, notes on transfers, details of creates,
updates, transfers, replaces, destroys and blocked changes, then rows of new claims, of the endpoint table, of the careful
list, and last of what containers are given. The verdict and the blocked list always stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dtnctl.model.plan import EndpointSummary, Mark, Plan
from dtnctl.render.budget import Part, shorten
from dtnctl.render.careful import blocked_part, careful_part
from dtnctl.render.context import RenderContext
from dtnctl.render.escape import code, fence, html_code, marker_word, prose
from dtnctl.render.facts import Fact, claim_pieces, facts_of, transfer_fact
from dtnctl.render.links import linked, short
from dtnctl.render.summary import (
    Group,
    count,
    count_by_endpoint,
    digest,
    exact_command,
    group_changes,
    hardware_cells,
    object_name,
    policy_verdict,
    shown_hash,
    split_drift,
    transfer_order,
    verdict,
)
from dtnctl.render.text import UNICODE_SIGNS, Sign, look_of, pad, plural, printable

LIMIT = 65_536  # characters of a comment on GitHub
MOST_REASONS = 20  # of a policy, and as many warnings

LOOK = look_of(RenderContext(width=1_000_000))
TABLE_MARKS: tuple[Mark, ...] = ("create", "update", "replace", "destroy", "transfer", "blocked")
# What colours a line of a ```diff fence; other signs would not.
DIFF_SIGNS: dict[Sign, str] = {
    "blocked": "!",
    "destroy": "-",
    "replace": "!",
    "transfer": "+",
    "update": "!",
    "create": "+",
    "kept": " ",
    "note": "#",
    "power": "!",
}


def plan_marker(site: str, label: str = "") -> str:
    """How the hidden first line of this site's comment begins, or of that of its part: by it the comment of an earlier push is found."""
    return f"<!-- dtnctl:plan site={marker_word(f'{site} {label}' if label else site)} "


def render_plan_comment(plan: Plan, context: RenderContext, limit: int = LIMIT) -> str:
    """The comment, never longer than `limit` (which is at least 20,000). Equal plans and contexts give equal bytes."""
    marker = f"{plan_marker(plan.site, context.label)}hash={marker_word(digest(plan, context))} -->"
    whole, plan = plan, replace(printable(replace(plan, steps=(), snapshot=None), ascii_only=False), steps=plan.steps)
    context = printable(context, ascii_only=False)
    if plan.is_empty:
        return f"{marker}\n**dtnctl {context.command}** · {_headline(plan, context)}\n"
    head = Part("", (marker, f"### dtnctl {context.command} · {_headline(plan, context)}", ""))
    folds, foot = _folds(plan), _foot(whole, plan, context)
    blocked, careful = blocked_part(plan, context.source, limit // 3), careful_part(plan, context.source, 21)
    parts = [head, _policy(context), blocked, _powers(plan), careful, _endpoints(plan), _claims(plan), _counted(plan), *folds, foot]
    where = f"All of it: {linked(context.details, context.details_address)}." if context.details else "All of it is in the plan's JSON."
    return shorten(parts, limit, where)


def _headline(plan: Plan, context: RenderContext) -> str:
    denied = ["denied by policy"] if context.policy is not None and context.policy.refuses else []
    items = [
        prose(short(item)) for item in (plan.site, *([context.label] if context.label else []), *verdict(plan, context.command), *denied)
    ]
    return " · ".join(items if plan.is_empty else [*items[:1], *(_danger_sign(item) + item for item in items[1:])])


def _danger_sign(item: str) -> str:
    if item.endswith("will start"):
        return "▶ "
    is_dangerous = any(word in item for word in ("destroy", "replace", "blocked", "access to the host", "denied")) and not item.startswith(
        "0 "
    )
    return "⚠ " if is_dangerous else ""


# --- above the folds ----------------------------------------------------------------------------------------


def _policy(context: RenderContext) -> Part:
    """What a policy says; nothing where none was asked. It always stays."""
    found = context.policy
    if found is None:
        return Part("", ())
    sign = "✖ " if found.refuses else ""
    shown = [*found.reasons[:MOST_REASONS], *(f"warning: {text}" for text in found.warnings[:MOST_REASONS])]
    left = len(found.reasons) + len(found.warnings) - len(shown)
    more = [f"> - and {left:,} more in the plan's JSON"] * (left > 0)
    title = f"> **{sign}Policy:** {prose(short(policy_verdict(found)))}"
    return Part("", (title, *(f"> - {prose(short(text))}" for text in shown), *more, ""))


def _powers(plan: Plan) -> Part:
    """Before all but what is blocked, and the last that is dropped: what containers are given, those with power over hosts first."""
    groups = [group for group in group_changes(plan, plan.changes) if group.first.powers]
    items = [_power_item(group) for group in sorted(groups, key=lambda group: not group.first.gets_power)]
    return Part("entries of what containers are given", tuple(items), 22, ("> **What containers are given**",), ("",))


def _power_item(group: Group) -> str:
    given = [f"{'⚠ ' * power.is_over_host}{prose(power.label)} {code(short(power.value))}" for power in group.first.powers]
    where = ", ".join(prose(short(name)) for name in group.endpoints)
    return f"> - {group.verb.capitalize()} {code(short(object_name(group.first)))} on {where} — {' · '.join(given)}"


def _endpoints(plan: Plan) -> Part:
    signs = " | ".join(UNICODE_SIGNS[mark].replace("-", "−") for mark in TABLE_MARKS)
    has_hardware = any(row.vfs is not None or row.cpus for row in plan.endpoints)
    titles = " | VF | CPUs" * has_hardware
    head = (
        f"| Endpoint | Sessions | {signs} | Ports{titles} | State |",
        f"|---|---|{'--:|' * len(TABLE_MARKS)}---|{'---|---|' * has_hardware}---|",
    )
    counts = count_by_endpoint(plan)
    rows = [_endpoint_row(row, [str(counts[row.name, mark]) for mark in TABLE_MARKS], has_hardware=has_hardware) for row in plan.endpoints]
    return Part("rows of the endpoint table", tuple(rows), 20, head, ("",))


def _endpoint_row(row: EndpointSummary, marks: Sequence[str], *, has_hardware: bool) -> str:
    state = f"⚠ locked by {prose(short(row.lock))}" if row.lock else "live"
    sessions, ports = _from_to(row.sessions_before, row.sessions_after), _from_to(row.ports_before, row.ports_after)
    if row.silence:
        sessions, ports, state = "?", "?", f"⚠ silent: {prose(short(row.silence))}"
    hardware = [cell or " " for cell in hardware_cells(row, "→")] * has_hardware
    return f"| {' | '.join([prose(short(row.name)), sessions, *marks, ports, *hardware, state])} |"


def _from_to(before: int, after: int) -> str:
    return str(after) if before == after else f"{before} → {after}"


def _claims(plan: Plan) -> Part:
    rows = []
    for change in plan.changes:
        if change.allocations and change.kind != "transfer":
            claims = " · ".join(f"{prose(label)} {code(short(value))}" for label, value in change.allocations)
            rows.append(f"| {code(short(object_name(change)))} | {prose(short(change.endpoint))} | {claims} |")
    return Part("rows of new claims", tuple(rows), 19, ("| For | Endpoint | New claims |", "|---|---|---|"), ("",))


def _counted(plan: Plan) -> Part:
    items = [f"**Drift:** {plural(count(plan).drift, 'change')}", f"**Unchanged:** {plural(len(plan.unchanged), 'object')}"]
    states = [note.state for note in transfer_order(plan.transfers)]
    shown = ", ".join(f"{states.count(state):,} {prose(short(state))}" for state in list(dict.fromkeys(states))[:4])
    if shown:
        items.append(f"**Transfers with nothing to do:** {shown}")
    return Part("", (" · ".join(items), ""))


# --- folds --------------------------------------------------------------------------------------------------


def _folds(plan: Plan) -> list[Part]:
    """Details by mark, then drift; the rank of each says what is dropped first."""
    wanted, drifted = split_drift(plan.changes)
    groups = [(group, "") for group in group_changes(plan, wanted)] + [(group, " · drift") for group in group_changes(plan, drifted)]
    ranked: tuple[tuple[Mark, str], ...] = (
        ("create", "details of creates"),
        ("update", "details of updates"),
        ("transfer", "details of transfers"),
        ("replace", "details of replaces"),
        ("destroy", "details of destroys"),
        ("blocked", "details of blocked changes"),
    )
    parts = [
        Part(name, tuple(_fold(group, tag) for group, tag in groups if group.first.mark == mark), rank)
        for rank, (mark, name) in enumerate(ranked, start=3)
    ]
    return [*reversed(parts), _transfer_fold(plan), _unchanged_fold(plan)]


def _fold(group: Group, tag: str) -> str:
    change = group.first
    where = ", ".join(html_code(name) for name in group.endpoints)
    title = f"{UNICODE_SIGNS[change.mark]} {html_code(object_name(change))} @ {where}{tag}"
    facts = facts_of(group, LOOK)
    claims = [Fact("create", endpoint, tuple(claim_pieces(pairs, LOOK))) for endpoint, pairs in facts.claims]
    rows = [*facts.before, *claims, *facts.after]
    place = [f"# {change.cause.place}"] if change.cause.place else []
    return _folded(title, [*place, *_diff_lines(rows)], "diff")


def _diff_lines(facts: Sequence[Fact]) -> list[str]:
    width = max((len(fact.label) for fact in facts), default=0)
    return [f"{DIFF_SIGNS[fact.sign] if fact.sign else ' '} {pad(fact.label, width)}  {' '.join(fact.pieces)}" for fact in facts]


def _folded(title: str, lines: Sequence[str], language: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{fence(lines, language)}\n\n</details>"


def _transfer_fold(plan: Plan) -> Part:
    facts = [(transfer_fact(note), note.place) for note in transfer_order(plan.transfers)]
    lines = [f"{fact.label}  {' '.join(fact.pieces)}  {place}".rstrip() for fact, place in facts]
    return _list_fold("Transfers with nothing to do", "notes on transfers", lines, 2)


def _unchanged_fold(plan: Plan) -> Part:
    return _list_fold("Unchanged", "names of the unchanged list", plan.unchanged, 1)


def _list_fold(title: str, name: str, lines: Iterable[str], rank: int) -> Part:
    """A folded list whose lines can be dropped one by one."""
    items = tuple(lines)
    start, *_, end = fence(items, "").split("\n")
    return Part(name, items, rank, (f"<details><summary>{title} ({len(items):,})</summary>", "", start), (end, "", "</details>"))


# --- foot ---------------------------------------------------------------------------------------------------


def _foot(whole: Plan, plan: Plan, context: RenderContext) -> Part:
    answered = sum(not row.silence for row in plan.endpoints)
    plan_hash, command = shown_hash(whole, context), exact_command(whole, context)
    items = (
        prose(short(context.head.text)) if context.head.text else "",
        f"{answered} of {plural(len(plan.endpoints), 'endpoint')} answered",
        f"plan hash {code(plan_hash)}" if plan_hash else "",
        f"dtnctl {prose(short(context.version))}" if context.version else "",
        f"reproduce: {code(short(context.reproduce))}" if context.reproduce else "",
        f"do exactly this: {code(short(command))}" if command else "",
        f"all of it: {linked(context.details, context.details_address)}" if context.details else "",
    )
    return Part("", ("", f"<sub>{' · '.join(item for item in items if item)}</sub>"))
