"""An md array as its files in sysfs tell it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dtn_agent.protocol import Raid
from dtn_agent.raid import raid_of


def array(root: Path, **files: str) -> Path:
    (root / "md").mkdir()
    for name, text in files.items():
        (root / "md" / name).write_text(f"{text}\n")
    return root


def test_array_tells_its_level_members_and_work(tmp_path: Path) -> None:
    assert raid_of(array(tmp_path, level="raid6", sync_action="recover", degraded="1")) == Raid(level="raid6", action="recover", degraded=1)


def test_stripes_have_no_members_to_spare(tmp_path: Path) -> None:
    assert raid_of(array(tmp_path, level="raid0")) == Raid(level="raid0")


@pytest.mark.parametrize("files", [{}, {"level": ""}], ids=["no array", "stopped"])
def test_what_has_no_level_is_no_array(tmp_path: Path, files: dict[str, str]) -> None:
    assert raid_of(array(tmp_path, **files)) is None


def test_disk_is_no_array(tmp_path: Path) -> None:
    assert raid_of(tmp_path) is None
