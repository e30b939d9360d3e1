"""What `dtnctl endpoints doctor` found: frozen values that planning makes and renderers show. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dtnctl.model.checks import CHECKS, Check

Judgement = Literal["error", "warning", "info", "ok", "unknown"]
JUDGEMENTS: tuple[Judgement, ...] = ("error", "warning", "info", "ok", "unknown")


def speed_text(megabits: float) -> str:
    """A NIC's speed as people say it: `100 Gb/s`, `2.5 Gb/s`, `100 Mb/s`."""
    return f"{megabits / 1000:g} Gb/s" if megabits >= 1000 else f"{megabits:g} Mb/s"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of the host: `interface/ens1f0/mtu` and `9000`."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One item of the catalogue at one subject. `actual` is empty where nothing is known, `fix` where nothing is to be done.

    `subject` is the interface, disk, container … ; empty for the host itself. `fix` is one line; what dtnctl can own is written as the
    `tuning:` to declare, and `setting` is its key and value as the agent takes them. `place` is `file:line` of the declaration that
    makes the item matter.
    """

    check: str
    severity: Judgement
    subject: str
    expected: str
    actual: str
    fix: str = ""
    place: str = ""
    setting: Setting | None = None

    @property
    def about(self) -> Check:
        """What the catalogue says of it: `why` and `source` among others."""
        return CHECKS[self.check]

    @property
    def why(self) -> str:
        """One sentence and where it is said."""
        return f"{self.about.why} {self.about.source}"


@dataclass(frozen=True, slots=True)
class Examination:
    """One endpoint's findings, worst first. `silence` is why nothing could be examined; then there are none.

    `nic` is the fastest data NIC, `speed` its speed in Mb/s (None: not known). `ignored` counts items that the site's policy leaves out.
    """

    endpoint: str
    findings: tuple[Finding, ...] = ()
    nic: str = ""
    speed: int | None = None
    ignored: int = 0
    silence: str = ""

    @property
    def counts(self) -> Mapping[Judgement, int]:
        """How many findings there are of each judgement."""
        return {judgement: sum(item.severity == judgement for item in self.findings) for judgement in JUDGEMENTS}

    @property
    def checked(self) -> int:
        """How many items were judged; what is not known was not."""
        return sum(item.severity != "unknown" for item in self.findings)
