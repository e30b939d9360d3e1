"""Checks tools that the site declares: what its keys ask of each other, and that transfers name tools that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dtnctl.model.declared_tools import end_problem
from dtnctl.model.nearest import nearest
from dtnctl.model.other_words import value_advice
from dtnctl.model.site import Document, Location
from dtnctl.model.tool_files import ToolFile
from dtnctl.model.tool_patterns import has_group
from dtnctl.model.tool_words import OPTIONS, PLACEHOLDERS, VALUE, placeholders_in, unquoted_paths, words_for_shells
from dtnctl.model.tools import TOOLS
from dtnctl.model.transfer import Transfer
from dtnctl.model.validation.known import Known

Problem = tuple[Location, str, str]  # where, what, and what to do


def check_tools(known: Known) -> None:
    """Reports what does not go together in the file of a tool, each at the word that is to be changed."""
    for document in known.site.tools.values():
        if document.name in TOOLS:
            known.report((document, ()), "E0346", f"`{document.name}` is a tool of dtnctl itself", "another file name")
        for location, what, hint in (*_key_problems(document.value), *_word_problems(document.value)):
            known.report((document, location), "E0347", what, hint)


def check_tool_name(known: Known, document: Document[Transfer]) -> bool:
    """Whether the transfer's tool is known well enough for further checks; reports a name that is none, and ends that it cannot have."""
    transfer, names = document.value, known.names("tools")
    if transfer.tool not in (*TOOLS, *names):
        what, _, hint = unknown_tool(transfer.tool, names).partition("; try ")
        known.report((document, ("tool",)), "E0204", what, hint)
        return False
    if transfer.tool in TOOLS:
        return True
    if transfer.tool not in known.site.tools:
        return False
    for location, end in (("from", transfer.from_), ("to", transfer.to)):
        if problem := end_problem(transfer.tool_row, end):
            known.report((document, (location,)), "E0207", problem)
            return False
    if "options" in transfer.model_fields_set:
        known.report((document, ("options",)), "E0343", f"{transfer.tool} has no options of its own", "to remove them")
    if transfer.links == "omit" and transfer.tool_row.takes("links"):
        what = f"{transfer.tool} follows links where it is asked to, and leaves none out"
        known.report((document, ("links",)), "E0343", what, "`links: follow`, or to remove it")
    return True


def unknown_tool(name: str, declared: Collection[str]) -> str:
    """What is wrong with a tool's name that is none, and what to try."""
    names = [*TOOLS, *sorted(declared)]
    hint = value_advice("tool", name) or nearest(name, names)
    what = f"`tool` cannot be `{name[:60]}`, only {', '.join(names[:-1])} or {names[-1]}"
    return f"{what}; try {hint}" if hint else what


def _key_problems(tool: ToolFile) -> Iterator[Problem]:
    """Between keys."""
    if tool.moves == "memory":
        if tool.reads_source is not None:
            yield ("reads_source",), "a measurement reads no files", "to remove it"
        if not has_group(tool.success.client_has, "bytes") and not has_group(tool.success.server_has, "bytes"):
            hint = r"`success: {server_has: '(?P<bytes>\d+) bytes received'}`"
            yield ("success",), "a measurement needs a pattern with a group (?P<bytes>…) in `server_has` or `client_has`", hint
        if "recursive" in tool.options or "links" in tool.options:
            yield ("options",), "a measurement has neither `recursive` nor `links`", "to remove them"
    if not tool.server:
        for key in ("ready", "server_has", "server_lacks"):
            if getattr(tool, key, None) or getattr(tool.success, key, None):
                location = (key,) if key == "ready" else ("success", key)
                yield location, f"`{key}` is about a server, and there is none", "`server: […]`, or to remove it"
    if not tool.server and not tool.logs_in_at:
        yield ("client",), "nothing of it is at the destination", "`server: […]`, or `logs_in_at: [destination]`"
    places = tool.client.count(OPTIONS)
    if places > 1 or (not places and any(tool.options.values())):
        yield ("client",), f"the arguments of `options` need one place in `client`, and there are {places}", f'"{OPTIONS}" once'


def _word_problems(tool: ToolFile) -> Iterator[Problem]:
    """In words: placeholders that have no value there, and paths that a shell would obey."""
    for location, words in _commands(tool):
        for index, word in enumerate(words):
            for name in placeholders_in(word):
                if reason := _no_value(tool, location, name):
                    yield (*location, index), f"{{{name}}} {reason[0]}", reason[1]
        for index in words_for_shells(words):
            for name in unquoted_paths(words[index]):
                what = f"a shell reads this argument, and {{{name}}} may hold anything that a shell obeys"
                yield (*location, index), what, f"{{{name}_quoted}}, or `sh -c '… \"$1\"' name {{{name}}}`"


def _commands(tool: ToolFile) -> Iterator[tuple[Location, tuple[str, ...]]]:
    yield ("client",), tool.client
    yield ("server",), tool.server
    yield ("ready",), tool.ready
    for option, words in tool.options.items():
        yield ("options", option), words


def _no_value(tool: ToolFile, location: Location, name: str) -> tuple[str, str] | None:
    """Why a placeholder has no value at a place, and what to do; None if it has one."""
    in_server = location[0] in ("server", "ready")
    if name == "options":
        return None if location == ("client",) else ("has its place in `client`", "to remove it")
    if name == VALUE:
        return None if location[0] == "options" else ("is the value of an option", '`options: {parallelism: [-P, "{value}"]}`')
    row = PLACEHOLDERS[name]
    if in_server and not row.in_server:
        return "is not known in the server's container", "a placeholder of the destination"
    match row.needs:
        case "files" if tool.moves != "files":
            return "is a path, and a measurement has none", "to remove it"
        case "login" if not tool.logs_in_at:
            return "needs a login", "`logs_in_at: [destination]`"
        case "server" if not tool.server:
            return "needs a server", "`server: […]`, or {low_port} and {high_port} for one that the tool starts itself"
        case _:
            return None
