"""The server of an attempt: its port is one that no other has, and it goes when no attempt needs it."""

from __future__ import annotations

from contextlib import suppress

from dtnctl.model.actions import StartTransfer
from dtnctl.model.impact import HELD, Cut
from dtnctl.model.resources import LABEL_PORTS
from tests.docs.tool_pages import files_of_page, tools_of_page
from tests.planning.building import drop, plan, site
from tests.planning.transfers.scene import SESSION, end_job, idle, record, transfer
from tests.properties.world import KilledError, World

SERVER = "lab.t.g1a1.server"


def measured(*names: str, **fields: object) -> str:
    """Measurements between the two services."""
    return SESSION + "".join(transfer(name, **{"from": "a", "to": "b", "tool": "iperf3", **fields}) for name in names or ("t",))


def running(text: str) -> World:
    """The transfer was started, and then the run was killed."""
    for effects in range(30):
        made = idle()
        made.budget = effects
        with suppress(KilledError):
            made.apply(plan(site(text), made))
        made.budget = None
        job = made.hosts["a"].by_name("lab.t.g1a1")
        if job is not None and job.state == "running":
            return made
    raise AssertionError("it never started")


def ports(text: str, made: World) -> dict[str, tuple[int, ...]]:
    """Where the servers listen that the plan starts, by transfer."""
    starts = (step.action for step in plan(site(text), made).steps if isinstance(step.action, StartTransfer))
    return {start.transfer: start.destination.listens for start in starts}


def test_servers_that_start_together_have_ports_of_their_own_from_the_highest_down() -> None:
    assert ports(measured("t", "u"), idle()) == {"t": (50103,), "u": (50102,)}
    (item,) = [item for item in plan(site(measured()), idle()).changes if item.kind == "transfer"]
    assert item.allocations == (("session", "s"), ("streams", "4"), ("server", "b, port 50103"))


def test_the_port_of_a_server_that_is_there_is_taken_for_others_and_kept_for_its_own_attempt() -> None:
    made = running(measured())
    assert made.hosts["b"].by_name(SERVER).labels[LABEL_PORTS] == "50103"  # type: ignore[union-attr]  # it runs
    assert ports(measured("t", "u"), made) == {"u": (50102,)}
    drop(made, "a", "lab.t.g1a1")
    made.hosts["a"].records.clear()
    assert ports(measured("t", "u"), made) == {"t": (50103,), "u": (50102,)}


def test_a_server_with_a_port_for_each_stream_has_them_in_a_row() -> None:
    streams = {"tool": "nuttcp", "parallelism": 2}
    assert ports(measured("t", **streams), idle()) == {"t": (50101, 50102, 50103)}
    (item,) = [item for item in plan(site(measured(**streams)), idle()).changes if item.kind == "transfer"]
    assert ("server", "b, ports 50101-50103") in item.allocations
    made = running(measured())
    assert ports(measured("t") + transfer("u", **{"from": "a", "to": "b", **streams}), made) == {"u": (50100, 50101, 50102)}


def test_declared_tools_get_ports_and_room_like_those_of_dtnctl() -> None:
    """Each file of docs/tools.md, of which a plan once knew none."""
    for name, tool in tools_of_page().items():
        ends = {"from": "a", "to": "b"} if tool.moves == "memory" else {}
        file = files_of_page()[f"tools/{name}"].partition("\n")[2]
        text = f"{SESSION}# tools/{name}\n{file}{transfer('t', tool=name, **ends)}"
        assert ports(text, idle()) == {"t": (50103,) if tool.server else ()}, name


def test_a_server_of_another_number_of_ports_is_replaced() -> None:
    made = running(measured())
    drop(made, "a", "lab.t.g1a1")
    made.hosts["a"].records.clear()
    assert ports(measured("t", tool="nuttcp", parallelism=1), made) == {"t": (50101, 50102)}


def test_a_transfer_waits_when_servers_of_others_have_all_data_ports() -> None:
    names = ("t", "u", "v", "w", "x")
    draft = plan(site(measured(*names)), idle())
    (note,) = draft.transfers
    assert (note.name, note.state) == ("x", "waiting")
    assert note.text == "session s on b has no data port left for its server: others have all of its `data_port_range`"


def test_a_measurement_starts_once_and_its_server_goes_with_its_job() -> None:
    text = measured()
    made = running(text)
    end_job(made)
    made.apply(plan(site(text), made))
    assert [name for host in made.hosts.values() for name in (item.name for item in host.containers.values()) if ".t." in name] == []
    assert not plan(site(text), made).changes
    assert set(made.starts.values()) == {1}


def test_a_server_whose_attempt_is_over_is_removed() -> None:
    made = running(measured())
    drop(made, "a", "lab.t.g1a1")
    record(made, verdict="succeeded")
    removal = plan(site(measured()), made)
    (item,) = removal.changes
    assert (item.mark, item.endpoint) == ("destroy", "b")
    assert item.summary.startswith("removes server lab.t.g1a1.server")
    made.apply(removal)
    assert made.hosts["b"].by_name(SERVER) is None


def test_a_server_is_left_alone_while_its_attempt_is_not_known_to_be_over() -> None:
    made = running(measured())
    assert not [item for item in plan(site(measured()), made).changes if item.mark == "destroy"]
    drop(made, "a", "lab.t.g1a1")
    assert not [item for item in plan(site(measured()), made).changes if item.mark == "destroy"], "its record says that it was claimed"
    made.hosts["a"].silence = "no answer"
    assert not plan(site(measured()), made).changes


def test_a_server_of_a_transfer_whose_file_is_gone_stays_while_its_job_may_run_where_nothing_answers() -> None:
    made = running(measured())
    made.hosts["a"].silence = "no answer"
    (held,) = plan(site(SESSION), made).changes
    assert (held.mark, held.code, held.endpoint) == ("blocked", HELD, "b")
    made.hosts["a"].silence = ""
    drop(made, "a", "lab.t.g1a1")
    assert [change.mark for change in plan(site(SESSION), made).changes] == ["destroy"], "it is known to serve nothing"


def test_a_server_of_a_transfer_that_is_no_longer_declared_goes() -> None:
    made = running(measured())
    waiting = plan(site(SESSION), made)
    assert sorted((item.endpoint, item.held) for item in waiting.blocked) == [("a", "destroy"), ("b", "destroy")], "it still runs"
    removal = plan(site(SESSION), made, interrupt=("t",))
    assert sorted(item.endpoint for item in removal.changes if item.mark == "destroy") == ["a", "b"]


def test_a_server_that_runs_on_after_its_job_goes_with_the_file_of_its_transfer() -> None:
    made = running(measured())
    end_job(made)
    assert sorted(item.endpoint for item in plan(site(SESSION), made).changes if item.mark == "destroy") == ["a", "b"]


def test_a_service_stays_as_it_is_while_a_server_beside_it_runs() -> None:
    made = running(measured())
    blocked = [item.code for item in plan(site(measured().replace("dtn:1", "dtn:2")), made).changes if item.endpoint == "b"]
    assert blocked == ["E0492"]
    drop(made, "a", "lab.t.g1a1")
    [item] = [item for item in plan(site(measured().replace("dtn:1", "dtn:2")), made).changes if item.endpoint == "b"]
    assert item.cuts == (Cut("t", "b", is_resumable=False),), "its server is all that is seen of it"
