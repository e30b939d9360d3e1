"""Names that people may have meant."""

from __future__ import annotations

from collections.abc import Iterable

MOST_NAMES = 500  # beyond it a comparison with each would cost more than the advice is worth
LONGEST_NAME = 80


def nearest(name: str, names: Iterable[str]) -> str:
    """The most similar of the names, or the empty text if none is similar. The work is bounded: see MOST_NAMES, LONGEST_NAME."""
    import difflib  # only a run with errors pays for it

    existing = sorted(names)
    if len(existing) > MOST_NAMES or len(name) > LONGEST_NAME:
        return ""
    return next(iter(difflib.get_close_matches(name, existing, n=1)), "")


def suggestion(name: str, names: Iterable[str], otherwise: str) -> str:
    """What to try instead of a name that does not exist."""
    existing = sorted(names)
    similar = nearest(name, existing)
    if similar or len(existing) == 1:
        return f"`{similar or existing[0]}`"
    return f"one of {', '.join(existing)}" if 0 < len(existing) <= 8 else otherwise
