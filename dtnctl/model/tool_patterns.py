"""The regular expressions of declared tools: what they may be, and what their groups mean. Pure.

They are searched in each line of a program's output, of which the first LONGEST_LINE characters count. Their length is limited, and no
part of unlimited length may be repeated without limit, so that no line takes exponential time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

LONGEST_PATTERN = 300
LONGEST_LINE = 1000
PROGRESS_GROUPS = ("bytes", "unit", "rate", "rate_unit", "percent")
_NAMES = re.compile(r"\{(\w+)\}")
_UNIT = re.compile(r"([kKMGTP]?)(i?)(B|b|bytes?|Bytes?|bits?|Bits?)?(?:/s|ps)?")
_PREFIXES = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern that was checked before."""
    return re.compile(pattern)


def check_pattern(pattern: str) -> str:
    """The pattern, if it can be searched for; ValueError says why not."""
    if not 0 < len(pattern) <= LONGEST_PATTERN:
        raise ValueError(f"a pattern has 1 to {LONGEST_PATTERN} characters")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"this is no regular expression of Python: {error}") from None
    if _repeats_what_repeats(pattern):
        raise ValueError("a group with `*`, `+`, `{n,}` or `|` in it is repeated without limit, which can take for ever; write it flat")
    return pattern


def check_progress(pattern: str) -> str:
    """The same for progress: it must have a group that says how far it is."""
    names = set(compiled(check_pattern(pattern)).groupindex)
    if wrong := sorted(names - set(PROGRESS_GROUPS)):
        raise ValueError(f"there is no group `{wrong[0]}` of progress; its groups are {', '.join(PROGRESS_GROUPS)}")
    if not names & {"bytes", "rate", "percent"}:
        raise ValueError("it has none of the groups (?P<bytes>…), (?P<percent>…) and (?P<rate>…)")
    return pattern


def has_group(pattern: str | None, group: str) -> bool:
    """Whether there is such a pattern, and it has the group."""
    return pattern is not None and group in compiled(pattern).groupindex


def unknown_names(text: str, pattern: str) -> list[str]:
    """The names in braces in a text that are neither a group of the pattern nor its number."""
    known = {str(number) for number in range(compiled(pattern).groups + 1)} | set(compiled(pattern).groupindex)
    return [name for name in _NAMES.findall(text) if name not in known]


def fill_text(text: str, match: re.Match[str]) -> str:
    """The text with the match's groups in place of their names or numbers in braces."""
    return _NAMES.sub(lambda name: match[int(name[1]) if name[1].isdecimal() else name[1]] or "", text)


def find_line(pattern: str, text: str) -> re.Match[str] | None:
    """The last line's match."""
    found = (compiled(pattern).search(line) for line in reversed(lines_of(text)))
    return next((match for match in found if match), None)


def lines_of(text: str) -> list[str]:
    """Lines end at carriage returns, too; of each the first LONGEST_LINE characters count."""
    return [line[:LONGEST_LINE] for line in re.split(r"[\r\n]+", text)]


def amount(groups: Mapping[str, str | None], number: str, unit: str, thousand: int) -> float | None:
    """Bytes, or bytes per second, of two groups; None if they say none. `thousand` is what k stands for; with an i it is 1024."""
    found = _UNIT.fullmatch((groups.get(unit) or "").strip())
    try:
        value = float((groups.get(number) or "").replace(",", ""))
    except ValueError:
        return None
    if found is None:
        return None
    base = 1024 if found[2] else thousand
    bits = (found[3] or "B").lower().startswith("bit") or found[3] == "b"
    return value * float(base ** _PREFIXES[found[1]]) / (8 if bits else 1)


# --- repeated repetitions -----------------------------------------------------------------------------------

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,\d*\}|\{\d+\}|.", re.DOTALL)
_UNLIMITED = re.compile(r"[*+]|\{\d*,\}")


def _repeats_what_repeats(pattern: str) -> bool:
    """Whether a group that holds an unlimited repetition, or alternatives, is itself repeated without limit."""
    holding, closed = [False], False
    for part in _tokens(pattern):
        is_unlimited = _UNLIMITED.fullmatch(part) is not None
        if is_unlimited and closed:
            return True
        if part == "(":
            holding.append(False)
        elif is_unlimited or part == "|":
            holding[-1] = True
        closed = part == ")" and holding.pop()
        holding[-1] = holding[-1] or closed
    return False


def _tokens(pattern: str) -> Iterator[str]:
    for match in _TOKEN.finditer(pattern):
        yield match[0]
