"""Prints logs of containers and jobs: as they were written into files and pipes, harmless where a terminal or a CI system reads them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

from dtnctl.cli.log_lines import log_lines, whole_lines
from dtnctl.printable import printable_log_line

CI_SYSTEMS = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION")  # variables that they set; their logs obey commands


def print_logs(sources: Mapping[str, Iterator[bytes]]) -> None:
    """One log as it is; lines of several with the endpoint before them.

    A program may write anything into its log: on a terminal and in a CI system each line is printable text.
    """
    is_obeyed = sys.stdout.isatty() or any(os.environ.get(name) for name in CI_SYSTEMS)
    for piece in _pieces(sources, is_obeyed):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


def _pieces(sources: Mapping[str, Iterator[bytes]], is_obeyed: bool) -> Iterator[bytes]:
    if len(sources) == 1:
        (chunks,) = sources.values()
        yield from map(_harmless, whole_lines(chunks)) if is_obeyed else chunks
        return
    width = max(map(len, sources))
    for name, line in log_lines(sources):
        yield f"{name:<{width}} | ".encode() + (_harmless(line) if is_obeyed else line)


def _harmless(line: bytes) -> bytes:
    return f"{printable_log_line(line)}\n".encode(sys.stdout.encoding or "utf-8", "backslashreplace")
