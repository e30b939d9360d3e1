"""Plans that were shown are kept for a while, and found by their hash alone."""

from __future__ import annotations

import os
from pathlib import Path

from dtnctl.cli.kept_plans import MOST, keep_plan, kept_plan, plans_folder


def test_the_newest_plans_are_kept(tmp_path: Path) -> None:
    folder = plans_folder({"XDG_CACHE_HOME": str(tmp_path)}, "lab")
    for number in range(MOST + 3):
        keep_plan(folder, f"{number:016x}", "{}\n")
        os.utime(folder / f"{number:016x}.json", (number, number))
    keep_plan(folder, "f" * 16, "{}\n")
    assert len(list(folder.iterdir())) == MOST
    assert kept_plan(folder, f"{0:016x}") is None
    assert kept_plan(folder, "f" * 16) == folder / f"{'f' * 16}.json"


def test_only_a_hash_names_a_kept_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    assert kept_plan(tmp_path, "plan") is None


def test_without_a_cache_folder_of_its_own_they_are_below_the_home_folder() -> None:
    assert plans_folder({"XDG_CACHE_HOME": "not/absolute", "HOME": "/home/a"}, "lab") == Path("/home/a/.cache/dtnctl/plans/lab")
