"""States as people see them: a sign, the word itself, and a tone that colours repeat. Times as clocks and ages show them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

from dtnctl.printable import plural
from dtnctl.render.html import Child, Html, element, joined
from dtnctl.render.quantities import rate_text, size_text

Tone = Literal["good", "busy", "idle", "warning", "bad", "unknown"]
SIGNS: Mapping[Tone, str] = {"good": "●", "busy": "▶", "idle": "○", "warning": "▲", "bad": "✖", "unknown": "?"}
TONES: Mapping[str, Tone] = {
    # of sessions
    "STARTED": "good",
    "INITIALIZED": "idle",
    "STOPPED": "idle",
    "MIXED": "warning",
    "ABSENT": "warning",
    "UNKNOWN": "unknown",
    # of services
    "created": "idle",
    "exited": "bad",
    "restarting": "bad",
    "dead": "bad",
    "paused": "warning",
    "absent": "warning",
    "healthy": "good",
    "unhealthy": "bad",
    # of transfers
    "pending": "idle",
    "waiting": "idle",
    "claimed": "busy",
    "starting": "busy",
    "running": "busy",
    "verifying": "busy",
    "succeeded": "good",
    "partial": "bad",
    "failed": "bad",
    "cancelled": "warning",
    # of endpoints and paths
    "answered": "good",
    "silent": "bad",
    "active": "good",
    "missing": "warning",
    "declared": "idle",
    # of findings
    "error": "bad",
    "warning": "warning",
    "info": "idle",
    "ok": "good",
    # of runs
    "done": "good",
    "skipped": "idle",
    "undone": "bad",
}
WORST_FIRST: tuple[Tone, ...] = ("bad", "unknown", "warning", "busy", "idle", "good")
UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def tone_of(state: str) -> Tone:
    """How a state's word is coloured; a word that is not on the list is unknown."""
    return TONES.get(state, "unknown")


def rank(state: str) -> int:
    """Its place where what is wrong stands first."""
    return WORST_FIRST.index(tone_of(state))


def state(word: str, tone: Tone | None = None) -> Html:
    """The word with its sign; nothing for an empty one. Screen readers read the word alone."""
    if not word:
        return joined()
    tone = tone or tone_of(word)
    return element("span", element("span", SIGNS[tone], class_="sign", aria_hidden="true"), " ", word, class_=f"state {tone}")


def age(seconds: float) -> str:
    """`now`, `12 s`, `5 min`, `3 h`, `2 d`."""
    for length, unit in UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s" if seconds >= 1 else "now"


def ago(moment: datetime | None, now: datetime) -> Html:
    """`12 s ago`, with the time itself for whoever asks; `never` for None. The page's script keeps it current."""
    if moment is None:
        return joined("never")
    text = age((now - moment).total_seconds())
    words = text if text == "now" else f"{text} ago"
    return element("time", words, datetime=stamp(moment), title=clock(moment), class_="age")


def since(moment: datetime, now: datetime) -> Html:
    """`since 16:40:12 UTC (5 min)`; with the date if that is another day."""
    is_today = moment.astimezone(UTC).date() == now.astimezone(UTC).date()
    words = clock(moment).partition(" ")[2] if is_today else clock(moment)
    return joined("since ", element("time", words, datetime=stamp(moment)), f" ({age((now - moment).total_seconds())})")


def stamp(moment: datetime) -> str:
    """As programs read it: `2026-06-01T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(moment: datetime) -> str:
    """As people read it, in UTC as all of dtnctl: `2026-06-01 12:00:00 UTC`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def moment(text: str) -> str:
    """A time of a record, `2026-06-01T12:00:00Z`, as people read it; empty stays empty."""
    return text.replace("T", " ").removesuffix("Z")


def number(value: int | None) -> str:
    """`1,024`; a dash for what is not known or not there."""
    return "–" if value is None else f"{value:,}"


def size(value: int | None) -> str:
    """`4.00 GiB`; a dash for what is not known."""
    return "–" if value is None else size_text(value)


def rate(value: float | None) -> str:
    """`756.7 MiB/s (6.35 Gb/s)`; a dash for what has none."""
    return rate_text(value) if value else "–"


def counted(states: Iterable[str], noun: str) -> str:
    """`3 sessions: 2 STARTED, 1 MIXED`, most frequent first."""
    found = Counter(states)
    listed = ", ".join(f"{count:,} {word}" for word, count in sorted(found.items(), key=lambda item: (-item[1], item[0])))
    total = plural(found.total(), noun)
    return f"{total}: {listed}" if listed else total


def prose(text: str) -> Html:
    """A sentence of ours, with what stands between backticks as code; one that has no pair of them is as it is, and so is markup."""
    if isinstance(text, Html):
        return text
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return joined(text)
    return joined([element("code", part) if place % 2 else part for place, part in enumerate(parts)])


def or_dash(text: Child) -> Child:
    """The text, or a dash where there is none: an empty cell would look like a mistake."""
    return text or "–"
