"""What all renderers say of a Plan in common: counts, verdict, risks, and which changes belong under one heading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from dtnctl.model.actions import StartTransfer
from dtnctl.model.kinds import PLAN_KINDS, ChangeKind
from dtnctl.model.plan import Change, EndpointSummary, Mark, Plan, TransferNote, Usage
from dtnctl.model.policy import PolicyResult
from dtnctl.render.context import Command, RenderContext
from dtnctl.render.text import plural

FINISHED = "succeeded"  # the state of a transfer that needs no look
NAMED = 3  # as many are named in a sentence; of the others it says how many they are


@dataclass(frozen=True, slots=True)
class Counts:
    """`changes` are those that apply would make; blocked ones are apart. `start`: those transfers whose data will move.
    `unsettled`: those whose declared generation did not succeed and is not run again.

    `kinds`: how many objects of each counted kind they change, in the order of the table of kinds.
    """

    changes: int
    kinds: tuple[tuple[ChangeKind, int], ...]
    create: int
    update: int
    replace: int
    destroy: int
    transfer: int
    start: int
    blocked: int
    drift: int
    interrupts: int
    powers: int
    unchanged: int
    unsettled: int


def count(plan: Plan) -> Counts:
    wanted = [change for change in plan.changes if change.mark != "blocked"]
    starting = starting_steps(plan)
    return Counts(
        changes=len(wanted),
        kinds=tuple((kind, _objects(wanted, kind)) for kind, row in PLAN_KINDS.items() if row.counted != "not"),
        create=plan.count("create"),
        update=plan.count("update"),
        replace=plan.count("replace"),
        destroy=plan.count("destroy"),
        transfer=plan.count("transfer"),
        start=sum(verb_of(change, starting) == "start" for change in wanted),
        blocked=plan.count("blocked"),
        drift=sum(change.is_drift for change in plan.changes),
        interrupts=sum(bool(change.interrupts) for change in wanted),
        powers=sum(change.gets_power for change in wanted),
        unchanged=len(plan.unchanged),
        unsettled=len(plan.unsettled),
    )


def _objects(changes: Iterable[Change], kind: ChangeKind) -> int:
    is_each = PLAN_KINDS[kind].counted == "each"
    return len({(change.endpoint if is_each else "", change.name) for change in changes if change.kind == kind})


# --- sentences ----------------------------------------------------------------------------------------------


def verdict(plan: Plan, command: Command) -> list[str]:
    """The parts of the first line, most important first: how much changes, and what of it is dangerous."""
    counts = count(plan)
    if has_no_answer(plan):
        blocked = [f"{counts.blocked:,} blocked"] if counts.blocked else []
        return [f"Unknown: no endpoint answered ({named(plan.silent)})", *blocked]
    if plan.is_empty:
        return _nothing(plan, command)
    parts = (
        _how_much(counts),
        plural(counts.destroy, "destroy") if counts.destroy else "",
        _replaces(plan, counts) if counts.replace else "",
        f"{plural(counts.start, 'transfer')} will start" if counts.start else "",
        f"{counts.powers:,} with access to the host" if counts.powers else "",
        f"{counts.drift:,} drifted" if counts.drift else "",
    )
    return [*(part for part in parts if part), *_failing(plan), *_unsettled(plan), f"{counts.blocked:,} blocked"]


def policy_verdict(found: PolicyResult) -> str:
    """What a policy says, without its reasons."""
    match found.verdict:
        case "passed":
            return f"passed ({found.command})"
        case "denied":
            return f"denied ({found.command})"
        case "unknown":
            return f"no verdict, which counts as denied ({found.command})"
        case _:
            assert_never(found.verdict)


def has_no_answer(plan: Plan) -> bool:
    """Whether nothing is known of any endpoint, so that nothing can be said of changes."""
    return bool(plan.silent) and len(plan.silent) == len(plan.endpoints)


def _nothing(plan: Plan, command: Command) -> list[str]:
    what = "No drift" if command == "drift" else "No changes"
    match = f"{plural(len(plan.unchanged), 'object')} {'matches' if len(plan.unchanged) == 1 else 'match'}"
    if plan.unanswered:
        seen = f"{what} {'on the endpoints that answered' if plan.silent else 'seen'}. {match}"
        return [seen, *_failing(plan), *_unsettled(plan), f"unknown: {named(plan.unanswered)}"]
    return [f"{what}. {match}.", *_failing(plan), *_unsettled(plan)]


def _failing(plan: Plan) -> list[str]:
    """How many services are as declared and do not work; a note says which."""
    if not plan.failing:
        return []
    return [f"{plural(len(plan.failing), 'service')} {'does' if len(plan.failing) == 1 else 'do'} not work"]


def _unsettled(plan: Plan) -> list[str]:
    """How many transfers did not succeed and stay so until a person decides; the list of transfers says which."""
    return [f"{plural(len(plan.unsettled), 'transfer')} did not succeed"] if plan.unsettled else []


def _how_much(counts: Counts) -> str:
    kinds = [plural(number, PLAN_KINDS[kind].noun) for kind, number in counts.kinds if number]
    changes = plural(counts.changes, "change")
    if not kinds:
        return changes
    *others, last = kinds
    return f"{changes} in {', '.join(others)} and {last}" if others else f"{changes} in {last}"


def _replaces(plan: Plan, counts: Counts) -> str:
    interrupting = sum(bool(change.interrupts) for change in plan.changes if change.mark == "replace")
    replaces = plural(counts.replace, "replace")
    if interrupting in (0, counts.replace):
        return f"{replaces} with interruption" if interrupting else replaces
    return f"{replaces} ({interrupting:,} with interruption)"


def risks(plan: Plan) -> list[str]:
    """What could hurt: interruptions, removals of how many objects, endpoints of which nothing is known, locks."""
    interrupted = [object_at(change) for change in plan.changes if change.interrupts and change.mark != "blocked"]
    parts = [f"interrupts {named(interrupted)}" if interrupted else "interrupts nothing"]
    parts.append(_removals(plan))
    given_back = [object_at(change) for change in plan.changes if change.mark == "destroy" and PLAN_KINDS[change.kind].is_hosts]
    if given_back:
        parts.append(f"restores {named(given_back)}")
    return parts + endpoint_risks(plan)


def _removals(plan: Plan) -> str:
    """Services are counted against those that there are, as the limit on removals does; other objects are counted by kind."""
    going = [change.kind for change in plan.changes if change.mark == "destroy" and not PLAN_KINDS[change.kind].is_hosts]
    services = going.count("session")
    others = len(going) - services
    return f"removes {services:,} of {plural(plan.owned, 'service')}" + (f" and {plural(others, 'other object')}" if others else "")


def endpoint_risks(plan: Plan) -> list[str]:
    silent = [f"{row.name} is silent ({row.silence}), {_need(plan, row)}" for row in plan.endpoints if row.silence]
    return silent + [f"{row.name} is locked by {row.lock}" for row in plan.endpoints if row.lock]


def _need(plan: Plan, row: EndpointSummary) -> str:
    waiting = sum(change.endpoint == row.name for change in plan.changes)
    return f"needed by {plural(waiting, 'change')}" if waiting else "nothing is planned there"


def exact_command(plan: Plan, context: RenderContext) -> str:
    """The command that does exactly this plan or refuses. Empty where nothing would be done, and while `apply` does it already."""
    if context.stated is not None:
        return context.stated.exact_command
    if context.command not in ("plan", "destroy") or not plan.steps:
        return ""
    verb = "destroy" if context.command == "destroy" else "apply"
    options = f" {context.options}" if context.options else ""
    return f"dtnctl {verb}{options} --expect {plan.hash}"


def shown_hash(plan: Plan, context: RenderContext) -> str:
    """The plan's hash, for `--expect`. Empty for drift: it is not what apply would do."""
    return "" if context.command == "drift" else digest(plan, context)


def digest(plan: Plan, context: RenderContext) -> str:
    """The plan's hash, as its document states it if it was read from one."""
    return plan.hash if context.stated is None else context.stated.plan_hash


def named(names: Sequence[str]) -> str:
    """`a, b, c and 4 more`."""
    more = len(names) - NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:NAMED])} and {more:,} more"


def few(sentences: Sequence[str], what: str) -> list[str]:
    """The first few of many sentences, and how many more there are: `217 more services do not work`."""
    more = len(sentences) - NAMED
    return [*sentences[:NAMED], *[f"{more:,} more {what}"] * (more > 1)] if more > 1 else list(sentences)


MORE_FAILING = "services are as declared and do not work; `dtnctl status` shows them"


def shown_notes(plan: Plan) -> list[str]:
    """What is worth knowing of the plan as a whole; of many services that do not work the first few."""
    failing = [note for note in plan.notes if note in plan.failing]
    return [*few(failing, MORE_FAILING), *(note for note in plan.notes if note not in plan.failing)]


def nameless(text: str, name: str) -> str:
    """The cause without the object that it names: what is left is equal for all that it concerns."""
    return text.replace(name, "…") if name else text


def object_name(change: Change) -> str:
    return f"{change.kind}/{change.name}"


def object_at(change: Change) -> str:
    return f"{object_name(change)} @ {change.endpoint}"


def usage_text(usage: Usage, arrow: str) -> str:
    """`4 → 5/8`: used before and after, of how many."""
    return f"{usage.before} {arrow} {usage.after}/{usage.total}" if usage.before != usage.after else f"{usage.after}/{usage.total}"


def hardware_cells(row: EndpointSummary, arrow: str) -> tuple[str, str]:
    """The table's cells of virtual functions and of pinned CPUs, node by node; empty where no agent reports."""
    nodes = "  ".join(f"n{node} {usage_text(usage, arrow)}" for node, usage in row.cpus)
    return usage_text(row.vfs, arrow) if row.vfs is not None else "", nodes


def count_by_endpoint(plan: Plan) -> Counter[tuple[str, Mark]]:
    """How many changes of each mark each endpoint gets."""
    objects = {(change.endpoint, change.mark, change.kind, change.name) for change in plan.changes}
    return Counter((endpoint, mark) for endpoint, mark, _, _ in objects)


def starting_steps(plan: Plan) -> frozenset[str]:
    """Ids of the steps that make data move; a transfer's other steps only judge, record or clear up."""
    return frozenset(step.id for step in plan.steps if isinstance(step.action, StartTransfer))


def verb_of(change: Change, starting: frozenset[str]) -> str:
    """The word beside the mark."""
    if change.mark != "transfer":
        return change.mark
    return "start" if starting.intersection(change.steps) else "finish"


# --- headings -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Changes under one heading: the same thing for the same reason, on different endpoints.

    `others` are names of further objects that are blocked for that reason there.
    """

    verb: str
    changes: tuple[Change, ...]
    others: tuple[str, ...] = ()

    @property
    def first(self) -> Change:
        return self.changes[0]

    @property
    def endpoints(self) -> tuple[str, ...]:
        return tuple(change.endpoint for change in self.changes)


def group_changes(plan: Plan, changes: Iterable[Change]) -> list[Group]:
    """The changes in their order; one joins an earlier heading if everything that a heading says is true of it as well."""
    starting = starting_steps(plan)
    found: dict[object, dict[str, Change]] = {}
    for position, change in enumerate(changes):
        verb = verb_of(change, starting)
        key: object = (
            (verb, change.mark, change.kind, change.name, change.cause),
            (change.fields, change.is_drift, change.code, change.fix, change.powers),
        )
        if change.endpoint in found.get(key, {}):
            key = (key, position)
        found.setdefault(key, {})[change.endpoint] = change
    groups = [tuple(members.values()) for members in found.values()]
    return _merged([Group(verb_of(members[0], starting), members) for members in groups])


def _merged(groups: list[Group]) -> list[Group]:
    """Of many objects that are blocked for one cause the first has a heading, which names the others."""
    causes: dict[object, list[Group]] = {}
    for position, group in enumerate(groups):
        change = group.first
        is_blocked = change.mark == "blocked"
        cause = nameless(change.cause.text, change.name)
        key = (change.kind, change.code, cause, nameless(change.fix, change.name), group.endpoints) if is_blocked else position
        causes.setdefault(key, []).append(group)
    merged: list[Group] = []
    for same in causes.values():
        merged += same if len(same) <= NAMED else [replace(same[0], others=tuple(object_name(group.first) for group in same[1:]))]
    return merged


def split_drift(changes: Iterable[Change]) -> tuple[list[Change], list[Change]]:
    """Changes that Git asks for (and all that is blocked), and those that only take back what happened on an endpoint."""
    wanted: list[Change] = []
    drifted: list[Change] = []
    for change in changes:
        (drifted if change.is_drift and change.mark != "blocked" else wanted).append(change)
    return wanted, drifted


def transfer_order(notes: Iterable[TransferNote]) -> list[TransferNote]:
    """Those that a person must look at first; finished ones last."""
    return sorted(notes, key=lambda note: (TRANSFER_RANKS.get(note.state, 0), note.name, note.generation))


TRANSFER_RANKS = {"waiting": 1, "running": 2, FINISHED: 3}
