"""One engine: its state, its machine, its clock and ids, and the look-ups that every part of it needs."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from tests.fakes.errors import Dropped, bad_request, not_found
from tests.fakes.machine import Machine
from tests.fakes.state import Container, EngineState, Network

if TYPE_CHECKING:
    from tests.fakes.processes import Processes

T = TypeVar("T")


class Shuffler:
    """Reorders list answers when a seed is set, each answer differently but the same in every run with that seed."""

    def __init__(self) -> None:
        self._random: random.Random | None = None

    def seed(self, seed: int | None) -> None:
        self._random = None if seed is None else random.Random(seed)

    def order(self, answer: Sequence[T]) -> list[T]:
        shuffled = list(answer)
        if self._random is not None:
            self._random.shuffle(shuffled)
        return shuffled


class Engine:
    """A dockerd without a kernel. All access happens under `lock`, which all engines of a world share."""

    def __init__(
        self,
        name: str,
        machine: Machine,
        *,
        changed: threading.Condition,
        shuffler: Shuffler,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.name = name
        self.machine = machine
        self.changed = changed
        self.shuffler = shuffler
        self.clock = clock
        self.state = EngineState()
        self.epoch = 0
        self.processes: Processes

    def new_id(self, purpose: str) -> str:
        """64 hexadecimal digits, unlike any before; the same in every run that makes the same calls."""
        self.state.serial += 1
        return hashlib.sha256(f"{self.name}/{purpose}/{self.state.serial}".encode()).hexdigest()

    def new_pid(self) -> int:
        self.state.next_pid += 1
        return self.state.next_pid

    def container(self, term: str) -> Container:
        """The container with this id or name."""
        wanted = term.lstrip("/")
        containers = self.state.containers
        if wanted in containers:
            return containers[wanted]
        for container in containers.values():
            if container.name == wanted:
                return container
        raise not_found(f"No such container: {term}")

    def network(self, term: str) -> Network:
        """The network with this id or name."""
        networks = self.state.networks
        if term in networks:
            return networks[term]
        named = [network for network in networks.values() if network.name == term]
        if len(named) > 1:
            raise bad_request(f"network {term} is ambiguous ({len(named)} matches found on name)")
        if not named:
            raise not_found(f"network {term} not found")
        return named[0]

    def require_epoch(self, epoch: int) -> None:
        """Give up a request that waits for something in a state that was replaced meanwhile."""
        if self.epoch != epoch:
            raise Dropped
