"""The steps that get a path from the state that it is in to the one that it should be in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from dtnctl.model.path_actions import ActivatePath, Awaited, DeactivatePath, ModifyPath, PathAction, ReleasePath, RequestPath, WaitPath
from dtnctl.model.path_kinds import PathKind
from dtnctl.model.paths import PathProviderSeen, PathSeen, PathSpec, PathState
from dtnctl.model.plan import Step
from dtnctl.planning.step_ids import path_id

Verb = Literal["request", "activate", "modify", "deactivate", "release"] | tuple[Literal["wait"], Awaited]
GOING: frozenset[Awaited] = frozenset({"settled", "deactivated", "released"})  # what is waited for of one that is released
UNDER_WAY: frozenset[PathState] = frozenset({"asked", "activating", "deactivating"})


def making(row: PathKind, state: PathState | None) -> tuple[Verb, ...]:
    """What is still to be done until the path is active. None: there is none; one that failed is to be released before."""
    whole: tuple[Verb, ...] = ("request", ("wait", "reserved"), "activate", ("wait", "active"))
    whole = whole if row.activates else ("request", ("wait", "active"))
    match state:
        case None:
            return whole
        case "asked" | "deactivating":
            return whole[1:]
        case "reserved":
            return whole[-2:] if row.activates else whole[1:]
        case "activating":
            return whole[-1:]
        case _:
            return ()


def reserving(state: PathState | None) -> tuple[Verb, ...]:
    """What is still to be done until it is reserved, of one whose time has not come: to wait until it is active would end in a failure."""
    match state:
        case None:
            return ("request", ("wait", "reserved"))
        case "asked":
            return (("wait", "reserved"),)
        case _:
            return ()


def modifying(row: PathKind, state: PathState) -> tuple[Verb, ...]:
    """The same for one that is changed in place, which only one at rest is."""
    wait: Verb = ("wait", "active" if state == "active" or not row.activates else "reserved")
    return ("modify", wait, *(verb for verb in making(row, state) if verb != wait))


def releasing(row: PathKind, state: PathState) -> tuple[Verb, ...]:
    """What is still to be done until it is gone."""
    if state == "releasing":
        return (("wait", "released"),)
    settle: tuple[Verb, ...] = (("wait", "settled"),) if state in UNDER_WAY else ()
    is_carrying = row.deactivates and state in ("active", "activating")
    rest: tuple[Verb, ...] = ("deactivate", ("wait", "deactivated")) if is_carrying else ()
    return (*settle, *rest, "release", ("wait", "released"))


def path_steps(
    verbs: Iterable[Verb], spec: PathSpec, seen: PathSeen | None, row: PathKind, needs: tuple[str, ...] = (), label: str = ""
) -> tuple[Step, ...]:
    """A step for each, one after the other, the first after `needs`. `label`: what their ids have for the path; empty: its name."""
    return tuple(_chain(verbs, spec, seen, row, needs, label or spec.name))


def _chain(
    verbs: Iterable[Verb], spec: PathSpec, seen: PathSeen | None, row: PathKind, needs: tuple[str, ...], label: str
) -> Iterator[Step]:
    for verb in verbs:
        name = verb if isinstance(verb, str) else f"wait-{verb[1]}"
        step_id = path_id(spec.provider, name, label)
        yield Step(step_id, spec.provider, _action(verb, spec, seen, row), needs)
        needs = (step_id,)


def label_of(provider: PathProviderSeen, seen: PathSeen) -> str:
    """What ids of steps have for a path that is there: its name, and its id too where it is not the one that is used under that name."""
    name = seen.spec.name
    return name if seen is provider.named(name) else f"{name}@{seen.id}"


def _action(verb: Verb, spec: PathSpec, seen: PathSeen | None, row: PathKind) -> PathAction:
    """What is taken out of service or released is the path as it was seen."""
    there, seen_id = (seen.spec, seen.id) if seen is not None else (spec, "")
    match verb:
        case "request":
            return RequestPath(spec)
        case "activate":
            return ActivatePath(spec)
        case "modify":
            return ModifyPath(spec)
        case "deactivate":
            return DeactivatePath(there, seen_id)
        case "release":
            return ReleasePath(there, seen_id)
        case _:
            is_going = verb[1] in GOING
            return WaitPath(there if is_going else spec, verb[1], row.patience, seen_id if is_going else "")
