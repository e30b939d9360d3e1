"""A host made of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.tuning.tuned_host import TunedHost, tuned_host


@pytest.fixture
def host(tmp_path: Path) -> TunedHost:
    return tuned_host(tmp_path)
