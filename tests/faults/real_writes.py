"""R4 and R5 on real engines: a proxy before each records every request; a second apply and what only looks send none that writes."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import lab
from tests.e2e.playground import Playground
from tests.faults.measured import Measured, Task
from tests.faults.writes import READING
from tests.providers.relay import Relay

SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"memory": "128MiB", "cpus": 1},
    {"env": {"A": "1"}, "restart": "always"},
    {"volumes": ["/data:/data", {"target": "/scratch"}]},
    {"ctrl_port_range": [31000, 31010]},
    {"data_nets": ["data"]},
    {"data_nets": ["data"], "memory": None, "init": True, "stop_timeout": "3s"},
    {"health_check": {"test": ["true"], "interval": "1s"}},
)


def measure(task: Task) -> Measured:
    """Each of some settings applied, then applied again and looked at by every command; none where there can be no lab."""
    if reason := lab.unavailable():
        return Measured(0, note=f"not measured: {reason}")
    result, requests = Measured(0), 0
    with _recorded() as (play, relays):
        for number, settings in enumerate(SETTINGS[: task.size]):
            play.data_network()
            play.profile("tiny", **{"settle": 0, **settings})
            for name in ("a", "b"):
                play.session(name, endpoints=["dtn1", "dtn2"])
            first = play.apply()
            trials = [("apply", "--yes"), *READING]
            for arguments in trials:
                _forget(relays)
                ran = play.run(*arguments)
                requests += sum(len(relay.requests) for relay in relays)
                written = [request for relay in relays for request in relay.requests if not request.startswith(("GET ", "HEAD "))]
                is_right = first.code == 0 and not written and ran.code == 0
                text = f"settings {number}, {' '.join(arguments)} ({ran.code}) wrote {written}: {first.err}{ran.out}{ran.err}"
                result += Measured(1, () if is_right else (text,))
    return result + Measured(0, note=f"{requests} requests recorded")


def _forget(relays: list[Relay]) -> None:
    for relay in relays:
        relay.requests.clear()


@contextlib.contextmanager
def _recorded() -> Iterator[tuple[Playground, list[Relay]]]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        running = stack.enter_context(lab.Lab(folder / "lab", 2, image="both"))
        (folder / "site").mkdir()
        play = Playground(running, folder / "site")
        relays = []
        for endpoint in running.endpoints:
            relay = Relay(folder / f"{endpoint.name}.sock", Path(urlsplit(endpoint.unix_url).path))
            relays.append(stack.enter_context(relay))
            play.endpoint(endpoint.name, docker=f"unix://{folder}/{endpoint.name}.sock")
        yield play, relays
