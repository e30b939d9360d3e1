"""A host that exports volumes; and the folders that tests of mounts leave immutable can be removed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dtn_agent.nvmeof.mounts import drop_folder

from tests.agent.nvmeof.target_host import TargetHost, target_host


@pytest.fixture
def host(tmp_path: Path) -> TargetHost:
    return target_host(tmp_path)


@pytest.fixture(autouse=True)
def removable_folders(tmp_path: Path) -> Iterator[None]:
    yield
    for folder in tmp_path.rglob("state/volumes/*/*"):
        drop_folder(folder)
