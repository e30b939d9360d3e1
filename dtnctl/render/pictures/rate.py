"""A transfer's rate over time as a picture, with the limit that binds it: an area as high as the rate between each two samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dtnctl.model.samples import Sample
from dtnctl.render.pictures.svg import MARGIN, Picture, fitted, line, number, path, text
from dtnctl.render.quantities import bit_rate_text, duration_text, share_text, size_text

WIDTH, PLOT = 860, 300  # pixels of the picture between its margins, and of the chart's height
LEFT, TOP, BELOW = 90, 64, 52
RIGHT = 84  # room for the words of the average
FAR = 4  # times the highest rate: a limit above that would flatten the curve
STEPS = (1, 2, 2.5, 5, 10)
TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Limit:
    """What bounds the rate, `link ens1f0 of dtn1`, and at how many bytes per second."""

    what: str
    rate: float


@dataclass(frozen=True, slots=True)
class _Scale:
    """`seconds` and `rate` are the ends of the axes, each with the distance between its marks."""

    seconds: float
    second_step: float
    rate: float
    rate_step: float

    def x(self, seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.seconds

    def y(self, rate: float) -> float:
        return TOP + PLOT * (1 - rate / self.rate)


def rate_picture(title: str, samples: Sequence[Sample], limit: Limit | None = None) -> Picture:
    """The chart; without samples it says that there are none. `limit` None: nothing that bounds it is known."""
    if not samples:
        body = text(MARGIN, MARGIN + 16, fitted(title, WIDTH, 18), "title") + text(MARGIN, MARGIN + 44, "there are no samples", "quiet")
        return Picture(WIDTH + 2 * MARGIN, 100, title, "There are no samples.", body)
    average = samples[-1].bytes / samples[-1].seconds
    scale = _scale(samples, limit)
    parts = [*_head(title, samples, limit), *_axes(scale), *_curve(samples, scale)]
    parts += [*_average(average, scale), *_limit(limit, scale)]
    body = f'<g transform="translate({MARGIN} {MARGIN})">' + "\n".join(parts) + "</g>"
    return Picture(WIDTH + 2 * MARGIN, TOP + PLOT + BELOW + 2 * MARGIN, title, _description(samples, limit), body)


# --- words ----------------------------------------------------------------------------------------------------------


def _head(title: str, samples: Sequence[Sample], limit: Limit | None) -> list[str]:
    return [text(0, 16, fitted(title, WIDTH, 18), "title"), text(0, 38, fitted(_summary(samples, limit), WIDTH), "quiet")]


def _summary(samples: Sequence[Sample], limit: Limit | None) -> str:
    end, moved = samples[-1].seconds, samples[-1].bytes
    words = [f"{size_text(moved)} in {duration_text(end)}", f"average {bit_rate_text(moved / end)}"]
    words.append(share_text(moved / end, limit.what, limit.rate) if limit is not None else "what bounds it is not known")
    return " · ".join(words)


def _description(samples: Sequence[Sample], limit: Limit | None) -> str:
    highest = max(samples, key=lambda sample: sample.rate)
    lowest = min(samples, key=lambda sample: sample.rate)
    words = f"highest {bit_rate_text(highest.rate)} at {duration_text(highest.seconds)}"
    words += f", lowest {bit_rate_text(lowest.rate)} at {duration_text(lowest.seconds)}"
    return f"{_summary(samples, limit)}; {words}."


# --- axes -----------------------------------------------------------------------------------------------------------


def _scale(samples: Sequence[Sample], limit: Limit | None) -> _Scale:
    end, top = samples[-1].seconds, max(sample.rate for sample in samples) or 1 / 8
    if limit is not None and limit.rate <= FAR * top:
        top = max(top, limit.rate)
    step = _step(top * 8 * 1.05 / 5) / 8
    seconds = next((item for item in TIMES if end / item <= 10), 86400.0 * math.ceil(end / 864000))
    fine = _step(end / 8) if end < 4 else float(seconds)
    return _Scale(end, fine, step * math.ceil(top * 1.02 / step), step)


def _step(least: float) -> float:
    """The lowest round number that is not below."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in STEPS if factor * power >= least * 0.999999)


def _axes(scale: _Scale) -> list[str]:
    parts = []
    for index in range(round(scale.rate / scale.rate_step) + 1):
        y = scale.y(index * scale.rate_step)
        parts.append(line(LEFT, y, WIDTH - RIGHT, y, "grid"))
        parts.append(text(LEFT - 10, y + 4, _mark(index * scale.rate_step), "small quiet number", anchor="end"))
    for index in range(math.floor(scale.seconds / scale.second_step * 1.0001) + 1):
        x = scale.x(index * scale.second_step)
        parts.append(line(x, TOP + PLOT, x, TOP + PLOT + 5, "axis"))
        parts.append(text(x, TOP + PLOT + 20, _moment(index * scale.second_step), "small quiet number", anchor="middle"))
    parts.append(line(LEFT, TOP + PLOT, WIDTH - RIGHT, TOP + PLOT, "axis"))
    parts.append(text(WIDTH - RIGHT, TOP + PLOT + 42, "time since the start", "small quiet", anchor="end"))
    return parts


def _mark(rate: float) -> str:
    """Without zeros behind the point: `25 Gb/s`, `2.5 Gb/s`, `0`."""
    amount, _, unit = bit_rate_text(rate).partition(" ")
    return f"{float(amount):g} {unit}" if rate else "0"


def _moment(seconds: float) -> str:
    """`0.5 s`, `45 s`, `2 min`, `1 h 30 min`."""
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


# --- what is drawn --------------------------------------------------------------------------------------------------


def _curve(samples: Sequence[Sample], scale: _Scale) -> list[str]:
    """Between two samples the rate is known as an average alone, so it is level there."""
    points, start = [], 0.0
    for sample in samples:
        y = number(scale.y(sample.rate))
        points += [f"{number(scale.x(start))} {y}", f"{number(scale.x(sample.seconds))} {y}"]
        start = sample.seconds
    bottom = number(TOP + PLOT)
    area = f"M{number(LEFT)} {bottom}L{'L'.join(points)}L{number(scale.x(start))} {bottom}Z"
    return [path(area, "area"), path(f"M{'L'.join(points)}", "rate")]


def _average(average: float, scale: _Scale) -> list[str]:
    x, y = WIDTH - RIGHT, min(scale.y(average), TOP + PLOT - 14)
    label = [text(x + 8, y, "average", "small quiet"), text(x + 8, y + 14, bit_rate_text(average), "small")]
    return [line(LEFT, scale.y(average), x, scale.y(average), "average"), *label]


def _limit(limit: Limit | None, scale: _Scale) -> list[str]:
    """A line where it has a place in the chart, with its words above it; else the words at the upper edge."""
    if limit is None:
        return []
    words = f"{limit.what}: {bit_rate_text(limit.rate)}"
    if limit.rate > scale.rate:
        far = fitted(f"↑ {words}, far above this chart", WIDTH - LEFT - RIGHT)
        return [text(WIDTH - RIGHT, TOP - 6, far, "limit-text", anchor="end")]
    y = scale.y(limit.rate)
    label = text(WIDTH - RIGHT, y - 6, fitted(words, WIDTH - LEFT - RIGHT), "limit-text", anchor="end")
    return [line(LEFT, y, WIDTH - RIGHT, y, "limit"), label]
