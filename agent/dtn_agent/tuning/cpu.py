"""Processors: the frequency governor and simultaneous multithreading."""

from __future__ import annotations

from pathlib import Path

from dtn_agent.tuning.setting import Root, Setting, one_of, paired, pairs, text_of


class Governor(Setting):
    """The frequency governor of all CPUs; where they differ it reads as `policy0:performance policy4:powersave …`."""

    def __init__(self, root: Root) -> None:
        self.folder = root.sys / "devices/system/cpu/cpufreq"

    def read(self) -> str | None:
        now = self._by_policy()
        return None if not now else next(iter(now.values())) if len(set(now.values())) == 1 else paired(now)

    def normal(self, value: str) -> str:
        known = self._available()
        return one_of(value, known) if known else value

    def write(self, value: str) -> None:
        for policy in self._policies():
            (policy / "scaling_governor").write_text(value)

    def found(self) -> str | None:
        return paired(self._by_policy())

    def restore(self, found: str | None) -> None:
        """CPUs that are gone since have no governor any more."""
        was = pairs(found or "")
        for policy in self._policies():
            if policy.name in was:
                (policy / "scaling_governor").write_text(was[policy.name])

    def _policies(self) -> list[Path]:
        return sorted(self.folder.glob("policy[0-9]*"), key=lambda path: int(path.name.removeprefix("policy")))

    def _by_policy(self) -> dict[str, str]:
        return {policy.name: text for policy in self._policies() if (text := text_of(policy / "scaling_governor"))}

    def _available(self) -> tuple[str, ...]:
        texts = (text_of(policy / "scaling_available_governors") or "" for policy in self._policies())
        return tuple(next(texts, "").split())


class Smt(Setting):
    """Simultaneous multithreading, on or off; None where the processor has none."""

    def __init__(self, root: Root) -> None:
        self.path = root.sys / "devices/system/cpu/smt/control"

    def read(self) -> str | None:
        now = text_of(self.path)
        return now if now in ("on", "off", "forceoff") else None

    def normal(self, value: str) -> str:
        return one_of(value, ("on", "off"))

    def write(self, value: str) -> None:
        self.path.write_text(value)
