"""A tool that is declared in state/tools/NAME.yaml, as plans and the notes of jobs carry it: all that a mover has to know of it.

It is among the options of a transfer (`own`), so that a job that was started by one definition is judged by that one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from dtnctl.model.tool_words import PLACEHOLDERS, placeholders_in
from dtnctl.model.tools import FILE_OPTIONS, TOOLS, OwnOptions, Side, Tool

ToolOption = Literal["parallelism", "concurrency", "block_size", "tcp_buffer", "recursive", "links"]
OURS = ("verify", "algorithm", "expected", "preserve_times")  # what dtnctl does itself after a copy by any tool


@dataclass(frozen=True, slots=True)
class ProgressPattern:
    """`k_is`: what k stands for, 1000 or 1024. `counts`: whether `bytes` are all so far, or those of an interval."""

    pattern: str
    k_is: Literal[1000, 1024] = 1000
    counts: Literal["total", "interval"] = "total"


@dataclass(frozen=True, slots=True)
class DeclaredFailure:
    """What a line of the output means. `cause` may name groups of the pattern in braces."""

    pattern: str
    cause: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class SuccessPatterns:
    """What must be, and must not be, in a line of the output of a client and of a server that ended well."""

    client_has: str | None = None
    client_lacks: str | None = None
    server_has: str | None = None
    server_lacks: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredTool(OwnOptions):
    """The definition. `options`: the words of the client for each shared option that the tool has."""

    name: str
    moves: Literal["files", "memory"]
    client: tuple[str, ...]
    options: tuple[tuple[ToolOption, tuple[str, ...]], ...] = ()
    server: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    server_programs: tuple[str, ...] = ()
    logs_in_at: tuple[Side, ...] = ()
    reads_source: bool = True
    progress: ProgressPattern | None = None
    failures: tuple[DeclaredFailure, ...] = ()
    success: SuccessPatterns = SuccessPatterns()

    @property
    def row(self) -> Tool:
        """What the rest of dtnctl has to know of it."""
        return _row(self)


def row_of(tool: str, own: OwnOptions | None) -> Tool:
    """The row of a tool by its name and a transfer's own options. KeyError if there is no such tool."""
    if isinstance(own, DeclaredTool):
        return own.row
    return TOOLS[tool] if own is None else own.applied_to(TOOLS[tool])


def end_problem(row: Tool, end: str) -> str:
    """Why a transfer by this tool has no such end; empty if it may have."""
    if row.moves == "memory" and ":" in end:
        return f"{row.name} measures from memory to memory and takes no path: write `{end.partition(':')[0]}`"
    if row.moves == "files" and ":" not in end:
        return f"{row.name} copies files: write `{end}:/path`"
    return ""


def read_own_options(tool: str, values: Any) -> OwnOptions | None:
    """A transfer's own options as JSON has them. ValueError or pydantic's if they are not that."""
    if tool in TOOLS:
        return TOOLS[tool].read_own(values)
    read: DeclaredTool = TypeAdapter(DeclaredTool).validate_python(values)
    return read


@cache
def _row(tool: DeclaredTool) -> Tool:
    options = tuple(name for name, _ in tool.options)
    silent = ("stall_timeout",) if tool.progress is None else ()
    return Tool(
        tool.name,
        moves=tool.moves,
        ports="server" if tool.server else "each file" if _uses_range(tool) else "none",
        programs=tuple(dict.fromkeys((tool.client[0], *tool.programs, *(["ssh"] if tool.logs_in_at else [])))),
        server_programs=tuple(dict.fromkeys((*tool.server[:1], *tool.server_programs))),
        logs_in_at=tool.logs_in_at,
        reads_source=tool.moves == "files" and tool.reads_source,
        options=options,
        lacks=tuple(name for name in FILE_OPTIONS if name not in (*OURS, *options)) + silent,
        names_ports=_uses_range(tool),
    )


def _uses_range(tool: DeclaredTool) -> bool:
    return any(PLACEHOLDERS[name].needs == "range" for name in _placeholders(tool) if name in PLACEHOLDERS)


def _placeholders(tool: DeclaredTool) -> Iterator[str]:
    for word in (*tool.client, *(word for _, words in tool.options for word in words)):
        yield from placeholders_in(word)
