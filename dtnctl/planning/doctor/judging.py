"""How a rule says what it found. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dtnctl.model.checks import CHECKS, Severity
from dtnctl.model.findings import Finding, Judgement, Setting


@dataclass(frozen=True, slots=True)
class Fix:
    """What to declare, and the setting that it is."""

    text: str
    setting: Setting


def judge(
    check: str,
    subject: str,
    is_right: bool | None,
    *,
    expected: str,
    actual: object,
    fix: str | Fix,
    place: str,
    severity: Severity | None = None,
) -> Finding:
    """A finding; `is_right` None is "not known", which is never a fault. `severity` where it is not the catalogue's."""
    if is_right is None:
        return Finding(check, "unknown", subject, expected, "", place=place)
    worst: Judgement = "ok" if is_right else severity or CHECKS[check].severity
    if is_right:
        return Finding(check, worst, subject, expected, str(actual), place=place)
    text, setting = (fix.text, fix.setting) if isinstance(fix, Fix) else (fix, None)
    return Finding(check, worst, subject, expected, str(actual), text, place, setting)


GROUPS = {"sysctl": "sysctls", "interface": "interfaces", "block": "block"}  # first word of a key, where it stands in the file
SWITCHES = {"on": "true", "off": "false"}


def tuning(key: str, value: object) -> Fix:
    """The fix where dtnctl can own the setting: what to declare in the endpoint's file. `key` and `value` are the agent's."""
    group, *path = key.split("/")
    written = f"{_name(path[-1] if path else group)}: {SWITCHES.get(str(value), value)}"
    qdisc, paced, rate = str(value).partition(" maxrate ")
    if paced:
        written = f"qdisc: {qdisc}, pacing: {rate}"
    inner = written if len(path) < 2 else f"{path[0]}: {{{written}}}"
    text = f"tuning: {{{GROUPS[group]}: {{{inner}}}}}" if path else f"tuning: {{{inner}}}"
    return Fix(text, Setting(key, str(value)))


def _name(key: str) -> str:
    return "pause" if key in ("pause_rx", "pause_tx") else key


def on_or_off(value: bool | None) -> str:
    return {True: "on", False: "off", None: ""}[value]
