"""A transfer between two services, and its job."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from dtnctl.model.ledger import Attempt
from dtnctl.model.resources import ContainerSeen
from tests.planning.building import applied, change, plan, site
from tests.properties.host import MOMENT
from tests.properties.world import KilledError, World

SESSION = (
    "# profiles/default\nvolumes: [data:/data]\ndata_port_range: [50100, 50103]\n# sessions/s\nendpoints: [a, b]\nimage: dtn:1\nuser: dtn\n"
)


def transfer(**fields: object) -> str:
    values = {"from": "a:/data/x", "to": "b:/data/x", "tool": "gridftp", **fields}
    return "# transfers/t\n" + "".join(f"{name}: {value}\n" for name, value in values.items())


DECLARED = SESSION + transfer()


def idle() -> World:
    """The session runs, nothing was transferred, and the ledger is there."""
    made = applied(site(SESSION))
    made._ensure_ledger(made.hosts["a"])
    return made


def running(text: str = DECLARED, made: World | None = None, name: str = "lab.t.g1a1") -> World:
    """The transfer was started, and then the run was killed."""
    made = made or idle()
    for effects in range(30):
        made.budget = effects
        with suppress(KilledError):
            made.apply(plan(site(text), made))
        made.budget = None
        if job(made, name) is not None and job(made, name).state == "running":  # type: ignore[union-attr]  # seen on the line before
            return made
    raise AssertionError("it never started")


def job(made: World, name: str = "lab.t.g1a1") -> ContainerSeen | None:
    return made.hosts["a"].by_name(name)


def end_job(made: World, exit_code: int = 0) -> None:
    change(made, "a", "lab.t.g1a1", state="exited", exit_code=exit_code)


def record(made: World, **values: Any) -> None:
    """A record in the ledger of a."""
    attempt = Attempt(**{"transfer": "t", "generation": 1, "attempt": 1, "container": "gone", "claimed_at": MOMENT, **values})
    made.hosts["a"].records[attempt.transfer, attempt.generation, attempt.attempt] = attempt


def at(**hosts: str) -> str:
    """Two endpoints at these hosts."""
    return "".join(f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: '{host}'\n" for name, host in hosts.items())
