"""One lab for the tests of all tools."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lab
from tests.runtime.transfers.tools.scene import ToolScene


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolScene]:
    if reason := lab.unavailable():
        pytest.skip(reason)
    with lab.Lab(tmp_path_factory.mktemp("tools"), 2, image="both") as running:
        made = ToolScene(running)
        yield made
        made.close()
