"""The recorded hosts' facts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from dtn_agent.protocol import Facts

from tests.agent.recorded import NAMES, facts_of


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Facts]:
    """The facts of each recorded host as it is. Tests that change something unpack one of their own."""
    return {name: facts_of(name, tmp_path_factory.mktemp(name)) for name in NAMES}
