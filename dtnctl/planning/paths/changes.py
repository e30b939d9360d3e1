"""What a plan shows and does of paths between sites: those that are declared, and those that are not any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dtnctl.model.actions import RemoveNetwork
from dtnctl.model.paths import GONE, PathSeen, PathSpec
from dtnctl.model.plan import Cause, Change, Mark, Step
from dtnctl.model.resources import Pairs
from dtnctl.model.site import Site
from dtnctl.planning.paths.differences import rate_text
from dtnctl.planning.paths.steps import label_of, path_steps, releasing
from dtnctl.planning.paths.study import PathView, StudiedPath, networks_over
from dtnctl.planning.paths.wanted import DeclaredPath, is_over
from dtnctl.planning.refusal import Refusal, blocked

Planned = tuple[Change, tuple[Step, ...]]


def path_change(found: StudiedPath) -> Planned | None:
    """The change that makes a declared path what it should be, or says why that cannot be; None if there is none."""
    path, seen = found.path, found.seen
    if found.refusal is not None:
        return (blocked("path", path.name, path.provider, found.refusal), ()) if found.is_blocked else None
    if not found.verbs or found.spec is None:
        return None
    steps = path_steps(found.verbs, found.spec, seen, path.row)
    mark = _mark(found)
    return Change(
        mark=mark,
        kind="path",
        name=path.name,
        endpoint=path.provider,
        cause=_cause(found),
        summary=f"{_WORDS[mark]} path {path.name}",
        fields=found.differences,
        allocations=_facts(found.spec) if mark in ("create", "replace") else (),
        notes=tuple(_notes(found)),
        steps=tuple(step.id for step in steps),
        is_drift=seen is not None and seen.state in ("failed", "expired"),
    ), steps


_WORDS = {"create": "makes", "update": "changes", "replace": "releases and makes again"}


def _mark(found: StudiedPath) -> Mark:
    if "release" in found.verbs:
        return "replace"
    return "update" if "modify" in found.verbs else "create"


def _cause(found: StudiedPath) -> Cause:
    document, seen = found.path.document, found.seen
    if found.differences:
        return found.differences[0].cause
    text = "declared, not there" if seen is None else f"it is {seen.state}" + (f": {seen.words}" if seen.words else "")
    return Cause(text, document.file, document.mark().line)


def _facts(spec: PathSpec) -> Pairs:
    pairs = [("vlan", str(spec.vlan)), *(("end", end) for end in spec.ends)]
    pairs += [("bandwidth", rate_text(spec.bandwidth))] if spec.bandwidth else []
    pairs += [("mtu", str(spec.mtu))] if spec.mtu else []
    return tuple(pairs + [(name, text) for name, text in (("from", spec.starts), ("until", spec.until)) if text])


def _notes(found: StudiedPath) -> Iterator[str]:
    minutes = found.path.row.patience / 60
    yield f"{found.path.provider} may need minutes; each step waits up to {minutes:.0f} min, and the next apply goes on from there"
    if found.after:
        yield f"it gets a VLAN that {' and '.join(name for _, name in found.after)} has until its release"


# --- what is not declared any more --------------------------------------------------------------------------


def releases(view: PathView, paths: Iterable[DeclaredPath], written: Site, steps: tuple[Step, ...]) -> Iterator[Planned]:
    """What is at providers and should not be, after the `steps` that remove its networks. `written`: the site as its files have it."""
    wanted = {(path.provider, path.name) for path in paths if not path.is_over(view.now)}
    for provider, seen in sorted(view.snapshot.paths.items()):
        for item in seen.paths:
            is_wanted = (provider, item.spec.name) in wanted and item is seen.named(item.spec.name)
            if not is_wanted and item.state not in GONE and view.covers(item.spec.name, item.spec.endpoints):
                yield _release(view, provider, item, written, steps)


def _release(view: PathView, provider: str, item: PathSeen, written: Site, steps: tuple[Step, ...]) -> Planned:
    cause = _why_gone(view, provider, item, written)
    refusal = _refused(view, item, cause)
    needs, staying = _leaving(view, item.spec, written, steps)
    if refusal is None and staying:
        text = f"path {item.spec.name} is not released while {staying[0]} is on it"
        refusal = Refusal("E0546", Cause(text, cause.file, cause.line), "remove the sessions that use it first")
    if refusal is not None:
        return blocked("path", item.spec.name, provider, refusal), ()
    row = view.site.settings.value.path_kind(provider)
    assert row is not None, f"{provider} was asked for paths, and is no provider of this site"
    label = label_of(view.provider(provider), item)
    made = path_steps(releasing(row, item.state), item.spec, item, row, needs, label)
    return Change(
        mark="destroy",
        kind="path",
        name=item.spec.name,
        endpoint=provider,
        cause=cause,
        summary=f"releases path {item.spec.name}, {item.state}",
        steps=tuple(step.id for step in made),
    ), made


def _why_gone(view: PathView, provider: str, item: PathSeen, written: Site) -> Cause:
    document = written.paths.get(item.spec.name)
    if view.scope.destroy:
        return Cause("destroy was asked for")
    if document is None:
        return Cause(f"no file state/paths/{item.spec.name}.yaml any more")
    if document.value.provider != provider:
        return Cause(f"it is to be had of {document.value.provider}", document.file, document.mark(("provider",)).line, "provider")
    if is_over(document.value, view.now):
        return Cause("its window is over", document.file, document.mark(("window",)).line, "window")
    return Cause(f"it is there twice, and {item.id} is not the one that is used", document.file, document.mark().line)


def _refused(view: PathView, item: PathSeen, cause: Cause) -> Refusal | None:
    """Why nothing is done at one of its ends now."""
    name = item.spec.name
    known = tuple(endpoint for endpoint in item.spec.endpoints if endpoint in view.site.endpoints)
    silent = next((endpoint for endpoint in known if view.endpoint(endpoint).is_silent), "")
    if silent:
        text = f"path {name} may be used on {silent}, which does not answer"
        return Refusal("E0546", Cause(text, cause.file, cause.line), "apply again once it answers")
    return next((frozen for endpoint in known if (frozen := view.freeze(endpoint)) is not None), None)


def _leaving(view: PathView, there: PathSpec, written: Site, steps: tuple[Step, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The steps that remove the networks over it, and the networks that stay."""
    removals = {(step.endpoint, step.action.network): step.id for step in steps if isinstance(step.action, RemoveNetwork)}
    needs: list[str] = []
    staying: list[str] = []
    for endpoint in there.endpoints:
        seen = view.endpoint(endpoint)
        over = networks_over(written, seen, there)
        for network in sorted(item.name for item in seen.networks if item.name in over):
            if (endpoint, network) in removals:
                needs.append(removals[endpoint, network])
            else:
                staying.append(f"network {network} on {endpoint}")
    return tuple(needs), tuple(staying)
