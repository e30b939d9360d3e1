"""Several transfers from a to b, in a world where their session runs."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from dtnctl.model.ledger import Attempt
from tests.planning.building import applied, change, plan, site
from tests.properties.host import MOMENT
from tests.properties.world import KilledError, World

SESSION = (
    "# profiles/default\nvolumes: [data:/data]\ndata_port_range: [50100, 50103]\n# sessions/s\nendpoints: [a, b]\nimage: dtn:1\nuser: dtn\n"
)


def transfer(name: str, **fields: object) -> str:
    """The file of a transfer from a to b, with these fields."""
    values = {"from": f"a:/data/{name}", "to": f"b:/data/{name}", "tool": "gridftp", **fields}
    return f"# transfers/{name}\n" + "".join(f"{key}: {value}\n" for key, value in values.items())


def idle(session: str = SESSION) -> World:
    """The session runs, nothing was transferred, and the ledger of a is there."""
    made = applied(site(session))
    made._ensure_ledger(made.hosts["a"])
    return made


def running(text: str, name: str = "lab.t.g1a1", made: World | None = None) -> World:
    """The transfer was started, and then the run was killed."""
    made = made or idle()
    for effects in range(30):
        made.budget = effects
        with suppress(KilledError):
            made.apply(plan(site(text), made))
        made.budget = None
        job = made.hosts["a"].by_name(name)
        if job is not None and job.state == "running":
            return made
    raise AssertionError("it never started")


def end_job(made: World, name: str = "lab.t.g1a1", exit_code: int = 0) -> None:
    """The job's container came to its end, unseen."""
    change(made, "a", name, state="exited", exit_code=exit_code)


def record(made: World, **values: Any) -> None:
    """A record in the ledger of a, of transfer t unless said otherwise."""
    attempt = Attempt(**{"transfer": "t", "generation": 1, "attempt": 1, "container": "gone", "claimed_at": MOMENT, **values})
    made.hosts["a"].records[attempt.transfer, attempt.generation, attempt.attempt] = attempt
