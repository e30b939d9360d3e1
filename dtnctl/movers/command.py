"""Tools that a site declares in state/tools: command lines, progress and verdict by their definitions. Pure.

The definition is among the options of the job, so what was started decides how it is judged, whatever the file says by then.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dtnctl.model.declared_tools import DeclaredTool, ProgressPattern, ToolOption
from dtnctl.model.tool_patterns import amount, compiled, fill_text, find_line, lines_of
from dtnctl.model.tool_words import OPTIONS, QUOTED, VALUE, fill_word
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, Evidence, JobFile, JobRequest, Judgement, Moved, Mover, ProgressReader, in_brackets
from dtnctl.movers.causes import DISK_FAILURES, LONGEST_CAUSE, SSH_FAILURES, find_cause
from dtnctl.movers.ssh_login import named_login_files
from dtnctl.movers.verdict import failure, judge_copies, judge_end

# Makes the destination's folder, as every tool does, and becomes the server. No word of it is read by the shell.
IN_ITS_FOLDER = ("sh", "-c", 'mkdir -p -- "$1" && shift && exec "$@"', "server")
MOST_REST = 64 * 1024  # characters of a line that has not ended


class Command(Mover):
    """A declared tool."""

    def client(self, request: JobRequest) -> tuple[str, ...]:
        tool, places = _tool(request.options), _places(request)
        return tuple(
            filled
            for word in tool.client
            for filled in (_option_words(tool, request.options, places) if word == OPTIONS else (fill_word(word, places),))
        )

    def server(self, request: JobRequest) -> tuple[str, ...]:
        tool, places = _tool(request.options), _places(request)
        program = tuple(fill_word(word, places) for word in tool.server)
        return (*IN_ITS_FOLDER, places["destination_folder"], *program) if tool.moves == "files" else program

    def listening(self, request: JobRequest) -> tuple[str, ...]:
        ready = _tool(request.options).ready
        return tuple(fill_word(word, _places(request)) for word in ready) if ready else super().listening(request)

    def client_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        return named_login_files(request.folder, access) if access.logins else ()

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader(_tool(request.options).progress, sum(sizes.values()))

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return judge_end(evidence, options) or _judge(evidence, options, _tool(options))


MOVER = Command()


def _tool(options: TransferOptions) -> DeclaredTool:
    assert isinstance(options.own, DeclaredTool)
    return options.own


# --- command lines ------------------------------------------------------------------------------------------


def _places(request: JobRequest) -> Mapping[str, str]:
    """The values of all placeholders that have one in this attempt."""
    there = request.destination
    data_host = there.data_host or there.host
    values = {
        **_paths("source", request.source.path),
        **_paths("destination", there.path),
        "control_host": there.host,
        "url_control_host": in_brackets(there.host),
        "data_host": data_host,
        "url_data_host": in_brackets(data_host),
        "user": there.user,
        "control_port": str(there.port),
        "ssh_config": f"{request.folder}/ssh_config",
        "ssh": shlex.join(("ssh", "-F", f"{request.folder}/ssh_config")),
        "folder": request.folder,
    }
    if there.listens:
        values["port"] = str(there.listens[0])
    if there.data_ports is not None:
        low, high = there.data_ports
        values |= {"low_port": str(low), "high_port": str(high), "port_count": str(high - low + 1)}
    return values


def _paths(end: str, path: str) -> dict[str, str]:
    folder, name = posixpath.split(path)
    values = {end: path, f"{end}_folder": folder or "/", f"{end}_name": name}
    return {**values, **{f"{key}{QUOTED}": shlex.quote(value) for key, value in values.items()}}


def _option_words(tool: DeclaredTool, options: TransferOptions, places: Mapping[str, str]) -> Iterator[str]:
    for option, words in tool.options:
        value = _value(options, option)
        if value is not None:
            yield from (fill_word(word, {**places, VALUE: value}) for word in words)


def _value(options: TransferOptions, option: ToolOption) -> str | None:
    """The option's value as an argument; None where it is not asked for."""
    value = getattr(options, option)
    match value:
        case bool():
            return "true" if value else None
        case None | "refuse":
            return None
        case _:
            return str(value)


# --- progress -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reader:
    """What the client's output says by the definition's pattern; without one it says nothing. `total` in bytes."""

    progress: ProgressPattern | None
    total: int
    _rest: str = ""
    _bytes: float = 0.0

    def feed(self, chunk: bytes) -> Moved | None:
        if self.progress is None:
            return None
        *lines, rest = lines_of(self._rest + chunk.decode("utf-8", "replace"))
        self._rest = rest[-MOST_REST:]
        said = [moved for line in lines if (moved := self._read(line, self.progress)) is not None]
        if not said:
            return None
        return Moved(int(self._bytes), said[-1].rate, any(moved.is_moving for moved in said))

    def _read(self, line: str, progress: ProgressPattern) -> Moved | None:
        """What one line says, and adds."""
        match = compiled(progress.pattern).search(line)
        if match is None:
            return None
        groups, before = match.groupdict(), self._bytes
        rate = amount(groups, "rate", "rate_unit", progress.k_is)
        count = amount(groups, "bytes", "unit", progress.k_is)
        percent = amount(groups, "percent", "", 1000)
        if count is None and percent is not None:
            count = min(percent, 100.0) / 100 * self.total
        if count is not None:
            self._bytes = before + count if progress.counts == "interval" else max(before, count)
        return Moved(int(self._bytes), rate, self._bytes > before or (count is None and bool(rate)))


# --- verdict ------------------------------------------------------------------------------------------------


def _judge(evidence: Evidence, options: TransferOptions, tool: DeclaredTool) -> Judgement:
    doubt = "" if evidence.exit_code != 0 else _doubt(evidence, tool)
    if evidence.exit_code != 0 or doubt:
        cause, retryable = _cause(evidence, tool) or (doubt or f"{tool.name} failed and does not say why", True)
        return failure(evidence, f"{cause} (exit code {evidence.exit_code})", retryable=retryable)
    if tool.moves == "files":
        return judge_copies(evidence, options)
    moved = _measured(evidence, tool)
    if not moved:
        return failure(evidence, "it ended well, but its output has no bytes in it", retryable=True)
    return Judgement("succeeded", bytes=moved, verified="as its output says")


def _doubt(evidence: Evidence, tool: DeclaredTool) -> str:
    """What a client that ended with exit code 0 does not convince by; empty if nothing."""
    success = tool.success
    sides = (
        ("its output", evidence.log, success.client_has, success.client_lacks),
        ("its server's output", evidence.server_log, success.server_has, success.server_lacks),
    )
    for what, log, has, lacks in sides:
        if has is not None and find_line(has, log) is None:
            return f"{what} has no line with {has!r}"
        if lacks is not None and (found := find_line(lacks, log)) is not None:
            return f"{what} has {found[0]!r}"
    return ""


def _cause(evidence: Evidence, tool: DeclaredTool) -> tuple[str, bool] | None:
    """Why it failed, and whether it may pass by itself: by the definition, else by what ssh and the disk are known to say."""
    for item in tool.failures:
        match = find_line(item.pattern, evidence.log) or find_line(item.pattern, evidence.server_log)
        if match is not None:
            text = "".join(character if character.isprintable() else " " for character in fill_text(item.cause, match))
            return text[:LONGEST_CAUSE].strip(), item.retryable
    known = (*(SSH_FAILURES if tool.logs_in_at else ()), *(DISK_FAILURES if tool.moves == "files" else ()))
    return find_cause(evidence.log, known) or find_cause(evidence.server_log, known)


def _measured(evidence: Evidence, tool: DeclaredTool) -> int:
    """The bytes that the server says, else the client; 0 if neither does."""
    k_is = tool.progress.k_is if tool.progress is not None else 1000
    for pattern, log in ((tool.success.server_has, evidence.server_log), (tool.success.client_has, evidence.log)):
        match = find_line(pattern, log) if pattern is not None else None
        if match is not None and (counted := amount(match.groupdict(), "bytes", "unit", k_is)):
            return int(counted)
    return 0
