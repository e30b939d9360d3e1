"""Sets the source's times of change at the destination, for `preserve_times`: the commands that do it there. Pure.

globus-url-copy has no option for it, and its servers set none. Times of folders are not kept: writing into them changes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dtnctl.movers.base import Evidence
from dtnctl.movers.checksums import LONGEST_ARGUMENTS

SCRIPT = 'cd -- "$1" && shift || exit\nwhile [ $# -gt 0 ]; do touch -c -m -d "@$1" -- "./$2" || code=1; shift 2; done\nexit ${code:-0}'


def times_to_set(evidence: Evidence) -> Mapping[str, str]:
    """Seconds since 1970 by file name, of the files whose time differs at the destination."""
    source, there = evidence.before or evidence.source, evidence.destination
    if source is None:
        return {}
    known = {name: entry.modified for name, entry in there.entries.items()} if there is not None else {}
    files = {name: entry.modified for name, entry in source.entries.items() if not entry.is_folder}
    return {name: modified for name, modified in sorted(files.items()) if known.get(name) != modified}


def time_commands(path: str, times: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Commands for the destination's user; each ends with 0 if it set all of its times."""
    if list(times) == [""]:
        yield ("touch", "-c", "-m", "-d", f"@{times['']}", "--", path)
        return
    words: list[str] = []
    length = 0
    for name, modified in times.items():
        if length > LONGEST_ARGUMENTS:
            yield ("/bin/sh", "-c", SCRIPT, "times", path, *words)
            words, length = [], 0
        words += [modified, name]
        length += len(name) + len(modified) + 4
    if words:
        yield ("/bin/sh", "-c", SCRIPT, "times", path, *words)
