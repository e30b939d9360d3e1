"""The in-memory engine and dockerd 20.10 answer the same conversations alike, field by field."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from tests.fakes.like_real import FACTS, facts_of, make_alike, play, recorded
from tests.fakes.raw_client import Engine
from tests.fakes.scenes import SCENES
from tests.fakes.world import World

REAL_SOCKET = os.environ.get("DTN_REAL_SOCKET", "")


@pytest.fixture
def world() -> Iterator[World]:
    with World(["dtn1"]) as world:
        yield world


@pytest.mark.parametrize("scene", SCENES)
def test_the_fake_answers_as_a_real_engine_was_recorded(world: World, scene: str) -> None:
    make_alike(world, "dtn1", json.loads(FACTS.read_text()))
    assert play(Engine(world.sockets["dtn1"]), scene) == recorded(scene)


@pytest.mark.skipif(not REAL_SOCKET, reason="DTN_REAL_SOCKET names no real engine with the image tiny:1 to compare with")
@pytest.mark.parametrize("scene", SCENES)
def test_a_real_engine_answers_as_the_fake_does(world: World, scene: str) -> None:
    real = Engine(REAL_SOCKET)
    make_alike(world, "dtn1", facts_of(real))
    assert play(real, scene) == play(Engine(world.sockets["dtn1"]), scene)
