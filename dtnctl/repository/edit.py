"""Edits of state files for people who type: sessions are created, started, stopped and deleted, transfers declared.

Only YAML is written, one file an edit. The whole site is validated afterwards, and the file is restored if it is not
valid. No endpoint is asked; `apply` makes it so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dtnctl.errors import Problem, UsageError
from dtnctl.model.effective import DEFAULT_PROFILE
from dtnctl.model.fields import check_name
from dtnctl.model.site import Document, Endpoint, Mark, Session, Site
from dtnctl.model.source import Source
from dtnctl.model.suitable import ends, suitable_sessions
from dtnctl.model.tools import TOOLS
from dtnctl.model.transfer import Transfer
from dtnctl.model.validation.tools import unknown_tool
from dtnctl.repository.formatting import format_text
from dtnctl.repository.load import load_site, validate
from dtnctl.repository.state_files import StateChange
from dtnctl.repository.write import put
from dtnctl.repository.yaml_text import render_scalar, set_field

LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Repository:
    """Where the state files are, what time it is for sessions that expire, and what sentences call a session."""

    root: Path
    folder: str
    now: datetime
    called: Callable[[str], str] = str

    def site(self) -> Site:
        """The validated site as it is on disk now."""
        return load_site(self.root, self.folder, self.now)


@dataclass(frozen=True, slots=True)
class Edit:
    """One file that was written or removed: its name from the root, what to print, a commit's message, and what plans call the object.

    `before` and `after` are the file's texts; None: there is no such file.
    """

    file: str
    sentences: tuple[str, ...]
    message: str
    target: str = ""
    before: str | None = None
    after: str | None = None

    @property
    def change(self) -> StateChange:
        """The same as what can be taken back."""
        before, after = (None if text is None else text.encode() for text in (self.before, self.after))
        return StateChange(self.message, {self.file: before}, {self.file: after})


# --- sessions -----------------------------------------------------------------------------------------------


def create_session(repository: Repository, endpoints: list[str], fields: Mapping[str, str], name: str | None) -> Edit:
    """A new session file. `fields` are image, profile, user and state, as far as given; without a state it is initialized."""
    sessions = repository.site().sessions
    profile = fields.get("profile", DEFAULT_PROFILE)
    if name is None:
        name = free_name(profile if profile != DEFAULT_PROFILE else "-".join(endpoints), sessions)
    elif name in sessions:
        raise UsageError(f"session {name} exists already ({sessions[name].file}); try another --name")
    _check_name(name)
    written = {"endpoints": endpoints, "state": "initialized", **fields}
    keys = [key for key in Session.model_fields if key in written]
    file = f"{repository.folder}/sessions/{name}.yaml"
    texts = _replace(repository, file, _document(repository, "session", {key: written[key] for key in keys}))
    called = repository.called(name)
    sentence = f'Initialized new session {"" if called == name else "with id "}"{called}" ({file})'
    return Edit(file, (sentence,), f"session create {name}", f"session/{name}", *texts)


def set_session_state(repository: Repository, name: str, state: str) -> Edit:
    """The session's `state:` in place, comments kept."""
    session = _session(repository, name)
    texts = _replace(repository, session.file, set_field(_text(repository, session.file), "state", state))
    verb, doing = {"started": ("start", "Starting"), "stopped": ("stop", "Stopping")}[state]
    return Edit(session.file, (f'{doing} session "{repository.called(name)}"',), f"session {verb} {name}", f"session/{name}", *texts)


def delete_session(repository: Repository, name: str) -> Edit:
    """The session's file is removed."""
    session = _session(repository, name)
    texts = _replace(repository, session.file, None)
    return Edit(session.file, (f'Deleting session "{repository.called(name)}"',), f"session delete {name}", f"session/{name}", *texts)


def _session(repository: Repository, name: str) -> Document[Session]:
    sessions = repository.site().sessions
    if name not in sessions:
        raise UsageError(f"there is no session {name}; there are: {', '.join(sessions) or 'none'}")
    return sessions[name]


# --- transfers ----------------------------------------------------------------------------------------------


def declare_transfer(repository: Repository, fields: Mapping[str, object], name: str | None) -> Edit:
    """A new transfer file; where the same transfer is declared already, its generation is raised instead.

    `fields` are what was typed: from, to, tool, and whatever else the file shall say.
    """
    wanted = _transfer_of(fields)
    site = repository.site()
    if wanted.tool not in (*TOOLS, *site.tools):
        raise UsageError(unknown_tool(wanted.tool, site.tools))
    same = _same_transfer(site, wanted, name)
    if same is not None:
        return _run_again(repository, same, fields)
    if name is not None and name in site.transfers:
        raise UsageError(f"transfer {name} exists already and is another one ({site.transfers[name].file}); try another --name")
    session = wanted.session or _suitable_session(site, wanted, repository.now)
    name = name or free_name(_name_of_path(wanted.from_) or "-".join(ends(wanted)), site.transfers)
    _check_name(name)
    written = {**fields, "session": session}
    keys = [field.alias or key for key, field in Transfer.model_fields.items()]
    file = f"{repository.folder}/transfers/{name}.yaml"
    texts = _replace(repository, file, _document(repository, "transfer", {key: written[key] for key in keys if key in written}))
    found = () if wanted.session is not None else (f"Found suitable existing session {repository.called(session)}",)
    source, destination = ends(wanted)
    declared = f"Declared transfer {name} for {source} -> {destination} using transfer type {wanted.tool} ({file})"
    return Edit(file, (*found, declared), f"transfer {name}: {wanted.from_} -> {wanted.to} by {wanted.tool}", f"transfer/{name}", *texts)


def _transfer_of(fields: Mapping[str, object]) -> Transfer:
    """What was typed as a transfer; wrong values are explained in the words that files are explained in."""
    source = Source("the command line", dict(fields), {(): Mark(1, 1)} | {(key,): Mark(1, 1) for key in fields})
    transfer = validate(source, Transfer)
    if transfer is None:
        raise UsageError(*(_advised(problem) for problem in sorted(source.problems)))
    return transfer


def _advised(problem: Problem) -> str:
    return f"{problem.message}; try {problem.hint}" if problem.hint else problem.message


def _same_transfer(site: Site, wanted: Transfer, name: str | None) -> Document[Transfer] | None:
    key = (wanted.from_, wanted.to, wanted.tool)
    found = (item for item in site.transfers.values() if (item.value.from_, item.value.to, item.value.tool) == key)
    return next((item for item in found if name in (None, item.name)), None)


def _run_again(repository: Repository, existing: Document[Transfer], fields: Mapping[str, object]) -> Edit:
    before = existing.value.generation
    generation = fields.get("generation", before + 1)
    if not isinstance(generation, int) or generation <= before:
        raise UsageError(f"transfer {existing.name} has generation {before} already ({existing.where('generation')}); try a higher one")
    text = _text(repository, existing.file)
    for key, value in {**fields, "generation": generation}.items():
        if key not in ("from", "to", "tool"):
            text = set_field(text, key, value)
    texts = _replace(repository, existing.file, text)
    raised = f"its generation is raised from {before} to {generation}, so it runs again"
    return Edit(
        existing.file,
        (f"Transfer {existing.name} exists; {raised} ({existing.file})",),
        f"transfer {existing.name}: generation {generation}",
        f"transfer/{existing.name}",
        *texts,
    )


def _suitable_session(site: Site, wanted: Transfer, now: datetime) -> str:
    source, destination = ends(wanted)
    found = suitable_sessions(site, wanted, now)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"several sessions have services on {source} and {destination}: {', '.join(found)}; try --session {found[0]}")
    raise UsageError(
        f"no session has services on both {source} and {destination}; try dtnctl session create {source},{destination} image …"
    )


def _name_of_path(place: str) -> str:
    """A name from the last part of a path: `dtn1:/data/run14.nc` is run14."""
    last = place.partition(":")[2].rstrip("/").rpartition("/")[2].partition(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", last).strip("-_")


# --- endpoints ----------------------------------------------------------------------------------------------


def write_endpoint(repository: Repository, name: str, endpoint: Endpoint) -> Edit:
    """The endpoint's file. One that is there keeps all that it says, and gets what it lacks of the agent."""
    _check_name(name)
    file = endpoint_file(repository, name)
    known = repository.site().endpoints
    if name not in known:
        texts = _replace(repository, file, endpoint_text(repository, endpoint))
        return Edit(file, (f"Wrote endpoint {name} ({file})",), f"endpoint {name}", "", *texts)
    before = _text(repository, known[name].file)
    text = _with_agent(before, known[name], endpoint)
    if text is None:
        sentence = f"Endpoint {name} says so already ({known[name].file})"
        return Edit(known[name].file, (sentence,), f"endpoint {name}", "", before, before)
    texts = _replace(repository, known[name].file, text)
    return Edit(known[name].file, (f"Endpoint {name} has its agent now ({known[name].file})",), f"endpoint {name}: agent", "", *texts)


def endpoint_file(repository: Repository, name: str) -> str:
    """Where the file of an endpoint is, or would be."""
    return f"{repository.folder}/endpoints/{name}.yaml"


def endpoint_text(repository: Repository, endpoint: Endpoint) -> str:
    """A new endpoint's file."""
    fields = endpoint.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return format_text(_document(repository, "endpoint", fields), Endpoint)


def _with_agent(text: str, known: Document[Endpoint], wanted: Endpoint) -> str | None:
    """The text with the agent's fields; None if it has them. What is said otherwise there is somebody's decision."""
    missing = {}
    for key in ("agent", "agent_tls"):
        said, value = getattr(known.value, key), getattr(wanted, key)
        if value is None:
            continue  # an agent on a socket has no certificates
        if said is None:
            missing[key] = value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else str(value)
        elif said != value:
            raise UsageError(f"{known.where(key)} says another `{key}:`; remove it there, and try again")
    for key, value in missing.items():
        text = set_field(text, key, value)
    return format_text(text, Endpoint) if missing else None


# --- files --------------------------------------------------------------------------------------------------


def free_name(wanted: str, taken: Mapping[str, Any]) -> str:
    """The name, cut to what a name may be, or with the lowest free number behind it: `dtn`, `dtn-2`, `dtn-3`."""
    for number in range(1, len(taken) + 2):
        suffix = "" if number == 1 else f"-{number}"
        name = wanted[: LONGEST_NAME - len(suffix)] + suffix
        if name not in taken:
            return name
    raise AssertionError("one of n + 1 different names is not among n")


def _check_name(name: str) -> None:
    """Names become file names, so nothing else may get there."""
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(f"{error}; try another --name") from error


def _document(repository: Repository, kind: str, fields: Mapping[str, Any]) -> str:
    lines = []
    if (repository.root / f".dtnctl/schema/{kind}.json").is_file() and "/" not in repository.folder:
        lines.append(f"# yaml-language-server: $schema=../../.dtnctl/schema/{kind}.json")
    for key, value in fields.items():
        if isinstance(value, list):
            lines += [f"{key}:", *(f"  - {render_scalar(item)}" for item in value)]
        elif isinstance(value, dict):
            lines += [f"{key}:", *(f"  {render_scalar(name)}: {render_scalar(item)}" for name, item in value.items())]
        else:
            lines.append(f"{key}: {render_scalar(value)}")
    return "\n".join(lines) + "\n"


def _text(repository: Repository, file: str) -> str:
    """The file's text with its own line ends."""
    return (repository.root / file).read_bytes().decode()


def _replace(repository: Repository, file: str, text: str | None) -> tuple[str | None, str | None]:
    """Writes or removes the file; its text before and after. Restored if the site is not valid then, or we are interrupted."""
    path = repository.root / file
    before = _text(repository, file) if path.exists() else None
    try:
        put(path, text)
        repository.site()
    except BaseException:
        if (_text(repository, file) if path.exists() else None) == text:  # else somebody has written it meanwhile
            put(path, before)
        raise
    return before, text
