"""Keeps the last plans that were shown, in the user's cache folder: so `apply --expect HASH` can say what has changed since."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

MOST = 20  # plans of a site
HASH = re.compile(r"[0-9a-f]{16}")


def plans_folder(environment: Mapping[str, str], site: str) -> Path:
    """Where those of a site are. Source: XDG Base Directory Specification, `$XDG_CACHE_HOME`."""
    base = Path(environment.get("XDG_CACHE_HOME", ""))
    root = base if base.is_absolute() else Path(environment.get("HOME") or "/") / ".cache"
    return root / "dtnctl" / "plans" / site


def keep_plan(folder: Path, plan_hash: str, text: str) -> None:
    """Write it, readable by its owner only, and remove the oldest. OSError if the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{plan_hash}.json"
    beside = path.with_suffix(f".{os.getpid()}")
    beside.touch(mode=0o600)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
    kept = sorted(folder.glob("*.json"), key=lambda item: item.stat().st_mtime, reverse=True)
    for old in kept[MOST:]:
        old.unlink(missing_ok=True)


def kept_plan(folder: Path, plan_hash: str) -> Path | None:
    """The file of the plan with this hash; None if it was not shown here, or is too long ago."""
    path = folder / f"{plan_hash}.json"
    return path if HASH.fullmatch(plan_hash) and path.is_file() else None
