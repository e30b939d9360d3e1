"""Items by a tool that cannot rename files of a list: one run of its client for each, one after the other, in one attempt. Pure.

A folder that is copied whole is one run; of a pattern each file is one. The attempt ends at the first run that fails, unless
`on_file_error: skip` is set, and then with the exit code of the last one that failed.
"""

from __future__ import annotations

import re
import shlex
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dtnctl.model.tools import TOOLS
from dtnctl.model.transfer_items import Item, item_of
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, Evidence, JobFile, JobRequest, Judgement, Listing, Moved, Mover, ProgressReader, mover_of
from dtnctl.movers.lines import Lines

SCRIPT = """\
code=0
run() {
    printf 'dtnctl: item %s\\n' "$1"
    shift
    "$@"
    ended=$?
    [ "$ended" = 0 ] || code=$ended
    [ "$code" = 0 ] || [ "$skip" ] || exit "$code"
}
"""
LAST = chr(sys.maxunicode)
_ITEM = re.compile(r"dtnctl: item (\d{1,9})\s*")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the client: names below the two folders, and the files that it copies. Names of a folder end in /."""

    source: str
    target: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OneByOne(Mover):
    """A tool that copies items one after the other."""

    mover: Mover

    def refusal(self, request: JobRequest, before: Listing) -> str:
        return self.mover.refusal(request, before)

    def client(self, request: JobRequest) -> tuple[str, ...]:
        return ("/bin/sh", _script_path(request))

    def client_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        script = JobFile(_script_path(request), self._script(request).encode("utf-8", "surrogateescape"), 0o600)
        return (*self.mover.client_files(request, access), script)

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        parts = [(self.mover.reader(_part(request, run), _sizes(run, sizes)), _sizes(run, sizes)) for run in runs(request.options, sizes)]
        return Reader(parts)

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return self.mover.judge(evidence, options)

    def _script(self, request: JobRequest) -> str:
        skip = "skip=1\n" if request.options.on_file_error == "skip" else "skip=\n"
        commands = (self.mover.client(_part(request, run)) for run in runs(request.options, request.before.files))
        lines = "".join(f"run {number} {shlex.join(command)}\n" for number, command in enumerate(commands))
        return f'{SCRIPT}{skip}{lines}exit "$code"\n'


def mover_for(tool: str, options: TransferOptions) -> Mover:
    """The mover of a transfer."""
    mover = mover_of(tool)
    return OneByOne(mover) if options.items and tool in TOOLS and TOOLS[tool].one_by_one else mover


def runs(options: TransferOptions, files: Iterable[str]) -> tuple[Run, ...]:
    """In the order of the items; `files` are the names of what is copied."""
    found: dict[Item, list[str]] = {item: [] for item in options.items}
    every = sorted(files)
    for name in every:
        if (item := item_of(name, options.items)) is not None:
            found[item].append(name)
    return tuple(run for item, names in found.items() for run in _runs_of(item, names, every))


def _runs_of(item: Item, names: Sequence[str], every: Sequence[str]) -> Iterator[Run]:
    """`every` file in the order of names, so that those of a folder are side by side."""
    is_folder = item.is_folder and not item.pattern
    if names and is_folder and bisect_right(every, f"{item.source}{LAST}") - bisect_left(every, item.source) == len(names):
        yield Run(item.source, item.target, tuple(names))
        return
    yield from (Run(name, item.target_of(name), (name,)) for name in names)


def _part(request: JobRequest, run: Run) -> JobRequest:
    """What one run is asked for."""
    source = replace(request.source, path=request.source.path + run.source)
    destination = replace(request.destination, path=request.destination.path + run.target)
    options = replace(request.options, recursive=run.source.endswith("/"), items=(), on_file_error="fail")
    return replace(request, source=source, destination=destination, options=options)


def _sizes(run: Run, sizes: Mapping[str, int]) -> Mapping[str, int]:
    """By name below what the run copies."""
    is_folder = run.source.endswith("/")
    return {name.removeprefix(run.source) if is_folder else "": sizes[name] for name in run.files}


def _script_path(request: JobRequest) -> str:
    return f"{request.folder}/items.sh"


@dataclass(slots=True)
class Reader:
    """Adds up the runs; each has a reader of its own, and the sizes of its files."""

    parts: Sequence[tuple[ProgressReader, Mapping[str, int]]]
    _lines: Lines = field(default_factory=Lines)
    _number: int = 0
    _done: int = 0  # bytes of the runs before
    _files: int = 0
    _most: int = -1

    def feed(self, chunk: bytes) -> Moved | None:
        found: Moved | None = None
        for line in self._lines.feed(chunk):
            found = self._read(line) or found
        return found

    def _read(self, line: str) -> Moved | None:
        if match := _ITEM.fullmatch(line):
            return self._begin(int(match[1]))
        if self._number >= len(self.parts):
            return None
        moved = self.parts[self._number][0].feed(f"{line}\n".encode())
        if moved is None:
            return None
        before, self._most = self._most, max(self._most, self._done + moved.bytes)
        return Moved(self._most, moved.rate, self._most > before, self._files)

    def _begin(self, number: int) -> Moved | None:
        if number <= self._number or number >= len(self.parts):
            return None
        ended = self.parts[self._number : number]
        self._number = number
        self._done += sum(sum(sizes.values()) for _, sizes in ended)
        self._files += sum(len(sizes) for _, sizes in ended)
        before, self._most = self._most, max(self._most, self._done)
        return Moved(self._most, None, self._most > before, self._files)
