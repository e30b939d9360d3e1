"""Looking at many endpoints: silence costs the time of one, and so does saying goodbye."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import cast

from dtnctl.model.resources import EndpointSeen, Wanted
from dtnctl.providers.base import Observer
from dtnctl.runtime.observe import close_all, observe_all

FLEET, SILENT = 200, 30
PATIENCE = 60.0  # seconds until a test that waits in vain fails


@dataclass
class Client:
    """One endpoint's. What it waits for is the meeting of all that wait: it takes place only if they wait at the same time."""

    name: str
    meeting: threading.Barrier | None = None
    closed: list[str] = field(default_factory=list)

    def observe(self, wanted: Wanted) -> EndpointSeen:
        del wanted
        if self.meeting is None:
            return EndpointSeen(self.name)
        self.meeting.wait(PATIENCE)
        return EndpointSeen(self.name, silence="no answer")

    def close(self) -> None:
        if self.meeting is not None:
            self.meeting.wait(PATIENCE)
        self.closed.append(self.name)


def fleet(waiting: int) -> dict[str, Observer]:
    meeting = threading.Barrier(waiting)
    clients = (Client(f"dtn{number:03}", meeting if number < waiting else None) for number in range(FLEET))
    return {client.name: cast("Observer", client) for client in clients}


def test_thirty_silent_endpoints_of_two_hundred_are_waited_for_at_the_same_time() -> None:
    seen = observe_all(fleet(SILENT), {})
    assert len(seen.endpoints) == FLEET
    assert len(seen.silent) == SILENT
    assert list(seen.endpoints) == sorted(seen.endpoints)


def test_all_connections_end_at_the_same_time() -> None:
    clients = fleet(FLEET)
    close_all(clients)
    assert all(cast("Client", client).closed for client in clients.values())


def test_no_endpoint_is_no_connection_to_end() -> None:
    close_all({})
    assert not observe_all({}, {}).endpoints
