"""A host that exports volumes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.nvmeof.target_host import TargetHost, target_host


@pytest.fixture
def host(tmp_path: Path) -> TargetHost:
    return target_host(tmp_path)
