"""Which declared objects the patterns of an option name."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from dtnctl.errors import UsageError


def matching_names(kind: str, patterns: Iterable[str], declared: Iterable[str]) -> frozenset[str]:
    """The names that match. UsageError for a pattern that matches none: it is mistyped, and would look like success."""
    names = tuple(declared)
    found = {pattern: [name for name in names if fnmatchcase(name, pattern)] for pattern in patterns}
    for pattern, matches in found.items():
        if not matches:
            from dtnctl.model.nearest import suggestion

            raise UsageError(f"no {kind} is named {pattern}; try {suggestion(pattern, names, f'`dtnctl {kind}s list`')}")
    return frozenset(name for matches in found.values() for name in matches)
