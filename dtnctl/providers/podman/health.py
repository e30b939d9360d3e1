"""When a health check of Podman's ran last, by what its API shows. systemd's timers run them; without these no process does. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from dtnctl.providers.podman.notes import Json

GRACE = 2.0  # seconds at most: the clock of an engine is known to a second, and where there are timers they go first
NANO = 10**9


def in_utc(text: str) -> str:
    """In UTC: Podman writes times with the offset of its host."""
    if not text or text.endswith("Z"):
        return text
    return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")


def check_is_due(raw: Json, now: datetime) -> bool:
    """Whether the running container's check should have run by now and did not. `raw` is its inspection, in Docker's words or libpod's."""
    waited = _seconds_without(raw, now)
    if waited is None:
        return False
    interval: float = raw["Config"]["Healthcheck"].get("Interval", 0) / NANO
    return waited > interval + min(interval, GRACE)


def verdict_is_old(raw: Json, now: datetime) -> bool:
    """Whether no check ran for so long that no timers can be there."""
    check, waited = raw["Config"].get("Healthcheck") or {}, _seconds_without(raw, now)
    return waited is not None and waited > (2 * check.get("Interval", 0) + check.get("Timeout", 0)) / NANO + GRACE


def _seconds_without(raw: Json, now: datetime) -> float | None:
    """Since the last check, or since the start if none ran; None where none has to run."""
    state = raw["State"]
    if not raw["Config"].get("Healthcheck") or state["Status"] != "running":
        return None
    runs = (state.get("Health") or {}).get("Log") or ()
    since = max((in_utc(run["End"]) for run in (*runs, {"End": state["StartedAt"]})), key=datetime.fromisoformat)
    return (now - datetime.fromisoformat(since)).total_seconds()
