"""How a rule says what it found. Pure."""

from __future__ import annotations

from dtnctl.model.checks import CHECKS, Severity
from dtnctl.model.findings import Finding, Judgement


def judge(
    check: str,
    subject: str,
    is_right: bool | None,
    *,
    expected: str,
    actual: object,
    fix: str,
    place: str,
    severity: Severity | None = None,
) -> Finding:
    """A finding; `is_right` None is "not known", which is never a fault. `severity` where it is not the catalogue's."""
    if is_right is None:
        return Finding(check, "unknown", subject, expected, "", place=place)
    worst: Judgement = "ok" if is_right else severity or CHECKS[check].severity
    return Finding(check, worst, subject, expected, str(actual), "" if is_right else fix, place)


def tuning(key: str, value: object) -> str:
    """The fix where dtnctl can own the setting: what to declare in the endpoint's file, by the agent's name of the setting."""
    written = f'"{value}"' if value in ("on", "off") else value  # plain, they are not read: YAML's readers do not agree on them
    return f"tuning: {{{key}: {written}}}"


def on_or_off(value: bool | None) -> str:
    return {True: "on", False: "off", None: ""}[value]
