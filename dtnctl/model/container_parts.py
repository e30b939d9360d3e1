"""Parts of a profile that have keys of their own: limits, capabilities, the health check."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from dtnctl.model.engine_fields import Arguments, Capability, HealthTime, StartPeriod
from dtnctl.model.fields import OrShort
from dtnctl.model.written import Written

LARGEST_LIMIT = 2**63 - 1


class Ulimit(Written):
    soft: int = Field(ge=-1, le=LARGEST_LIMIT, description="-1 is unlimited.")
    hard: int = Field(ge=-1, le=LARGEST_LIMIT, description="-1 is unlimited.")

    @model_validator(mode="after")
    def _soft_is_not_above_hard(self) -> Ulimit:
        if self.hard != -1 and (self.soft == -1 or self.soft > self.hard):
            soft = "unlimited" if self.soft == -1 else self.soft
            raise ValueError(f"`soft` ({soft}) is above `hard` ({self.hard})")
        return self


def _ulimit_from_number(value: Any) -> Any:
    return {"soft": value, "hard": value} if isinstance(value, int) and not isinstance(value, bool) else value


UlimitField = Annotated[Ulimit, BeforeValidator(_ulimit_from_number), OrShort({"type": "integer", "minimum": -1})]


class Capabilities(Written):
    add: Annotated[tuple[Capability, ...], Field(strict=False)] = Field(
        (), description="Capabilities to add, without `CAP_`: `IPC_LOCK`, `NET_ADMIN`."
    )
    drop: Annotated[tuple[Capability, ...], Field(strict=False)] = Field((), description="Capabilities to drop; `ALL` drops all.")


class HealthCheck(Written):
    """When a service counts as ready. apply waits for it and goes back to the old container if it fails."""

    test: Arguments = Field(
        description="Command run in the container; exit code 0 is healthy. Text runs in a shell, as `[CMD-SHELL, text]` does; a list is a "
        "program and its arguments, with or without `CMD` before it; `[NONE]` switches the image's own check off."
    )
    shell: bool = Field(False, description="Run `test` by `/bin/sh -c`.")
    interval: HealthTime = Field(10.0, description="Time between checks.")
    timeout: HealthTime = Field(5.0, description="Time for one check.")
    retries: int = Field(3, ge=1, le=1000, description="Failures in a row until unhealthy.")
    start_period: StartPeriod = Field(30.0, description="Time to start in which failures do not count.")

    @model_validator(mode="before")
    @classmethod
    def _test_is_in_the_form_of_engines(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        test = value.get("test")
        if isinstance(test, str):
            test = ["NONE"] if test == "NONE" else ["CMD-SHELL", test]
        if isinstance(test, (list, tuple)) and all(isinstance(word, str) for word in test):
            return {**value, "test": list(_with_kind(tuple(test), shell=value.get("shell") is True))}
        return value

    @property
    def is_off(self) -> bool:
        """Whether it switches the image's own check off."""
        return self.test == ("NONE",)


def _with_kind(words: tuple[str, ...], *, shell: bool) -> tuple[str, ...]:
    """The words of `test` as engines take them: what kind it is, and then the program or the shell's text."""
    kind = words[0] if words and words[0] in ("CMD", "CMD-SHELL", "NONE") else ""
    rest = words[1:] if kind else words
    kind = kind or ("CMD-SHELL" if shell else "CMD")
    if kind == "NONE" and rest:
        raise ValueError("`test: [NONE]` switches the check off, and takes nothing more")
    if kind == "CMD-SHELL" and len(rest) != 1:
        raise ValueError("what a shell runs is one text; write `test: …` with the whole command as text")
    if kind != "NONE" and not (rest and rest[0].strip()):
        raise ValueError("`test` names no program; write `test: …`, or `test: [NONE]` for no check")
    return (kind, *rest)
