"""An engine whose containers are processes in network namespaces, and the agent's part that shapes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dtn_agent.ledger import Ledger
from dtn_agent.queueing.qos import ContainerQos

from tests.agent.engine_stand_in import EngineStandIn


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineStandIn]:
    with EngineStandIn(tmp_path / "engine.sock") as engine:
        yield engine


@pytest.fixture
def qos(engine: EngineStandIn, tmp_path: Path) -> ContainerQos:
    return ContainerQos(Ledger(tmp_path / "ledger.json"), engine.socket)
