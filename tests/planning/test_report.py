"""What the lists show of sessions, services, endpoints and transfers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.fields import parse_size
from dtnctl.model.ledger import Verdict
from dtnctl.model.plan import EndpointSummary
from dtnctl.model.resources import Attachment, ImageSeen, LeaseSeen, Mount, Snapshot
from dtnctl.planning.containers.compare import fill_in, short_text, size_text
from dtnctl.planning.report import endpoint_rows, service_rows, session_rows, transfer_rows
from dtnctl.planning.resolve import ctrl_host, wanted_by_endpoint
from tests.planning.building import NOW, applied, change, drop, plan, site, world
from tests.planning.transfers.declared import DECLARED, running

TEXT = """
# networks/data
driver: macvlan
subnet: 10.0.0.0/24
subnet6: fd00::/64
# profiles/p
data_nets: [data]
serv_port_range: [60000, 60010]
volumes: [data:/x]
data_port_range: [50000, 50001]
# sessions/one
endpoints: [a, b]
image: dtn:1
profile: p
user: alice
# sessions/two
endpoints: [a]
image: dtn:2
state: initialized
# transfers/t
from: a:/x
to: b:/x
tool: gridftp
"""


def test_services_are_shown_with_the_talks_fields() -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    one, _, two = service_rows(site(TEXT), made.observe(), NOW)
    assert (one.session, one.endpoint, one.state, one.image, one.profile, one.container_user) == (
        "one",
        "a",
        "running",
        "dtn:1",
        "p",
        "alice",
    )
    assert (one.data_net_name, one.data_ipv4, one.data_ipv6, one.ctrl_host, one.ctrl_port) == (
        "data",
        "10.0.0.2",
        "fd00::2",
        "a.example.net",
        30000,
    )
    assert (one.serv_port, one.data_ports, one.container_name, one.errors) == (60000, "50000-50001", "lab.one", ())
    assert (two.state, two.data_net_name, two.data_ipv4, two.serv_port) == ("created", "", "", None)


def test_services_tell_their_errors_and_silence() -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    change(made, "a", "lab.one", state="exited", exit_code=137, oom_killed=True, error="no space left", health="unhealthy")
    drop(made, "a", "lab.two")
    made.hosts["b"].silence = "no answer within 10 s"
    rows = {(row.session, row.endpoint): row for row in service_rows(site(TEXT), made.observe(), NOW)}
    assert rows["one", "a"].errors == ("no space left", "killed: out of memory", "exit code 137", "unhealthy")
    assert (rows["one", "b"].state, rows["one", "b"].errors) == ("unknown", ("no answer within 10 s",))
    assert rows["two", "a"].state == "absent"


@pytest.mark.parametrize(("suffix", "verb"), [("..old", "set aside"), ("..new", "created")])
def test_containers_that_nobody_declares_or_that_a_replacement_left_are_shown_as_such(suffix: str, verb: str) -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    change(made, "a", "lab.one", name=f"lab.one{suffix}")
    declared = site("# networks/data\ndriver: macvlan\nsubnet: 10.0.0.0/24\n# sessions/one\nendpoints: [a]\nimage: dtn:1\n")
    rows = service_rows(declared, made.observe(), NOW)
    assert [(row.container_name, row.endpoint, row.errors, row.data_net_name, row.ctrl_host) for row in rows] == [
        ("lab.one", "a", (), "", "a.example.net"),
        (f"lab.one{suffix}", "a", (f"{verb} by a replacement that was cut off",), "data", "a.example.net"),
        ("lab.one", "b", ("not declared any more",), "data", "b.example.net"),
        ("lab.two", "a", ("not declared any more",), "", "a.example.net"),
    ]


def test_a_session_is_in_the_state_that_all_its_services_are_in() -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    assert [(row.name, row.state, row.endpoints, row.image, row.user) for row in session_rows(site(TEXT), made.observe(), NOW)] == [
        ("one", "STARTED", ("a", "b"), "dtn:1", "alice"),
        ("two", "INITIALIZED", ("a",), "dtn:2", ""),
    ]
    change(made, "a", "lab.one", state="exited")
    change(made, "a", "lab.two", state="restarting", exit_code=3)
    assert [(row.state, row.errors) for row in session_rows(site(TEXT), made.observe(), NOW)] == [
        ("MIXED", ()),
        ("MIXED", ("a: restarting again and again (exit code 3)",)),
    ]


def test_an_expired_session_without_containers_is_absent_and_a_removed_one_with_containers_is_shown() -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    drop(made, "a", "lab.two")
    declared = site(f"# sessions/two\nendpoints: [a]\nimage: dtn:2\nexpires: {NOW.isoformat()}\n")
    rows = session_rows(declared, made.observe(), NOW)
    assert [(row.name, row.state, row.endpoints, row.image, row.profile) for row in rows] == [
        ("one", "STARTED", ("a", "b"), "dtn:1", ""),
        ("two", "ABSENT", ("a",), "dtn:2", "default"),
    ]


def test_endpoints_are_shown_with_who_holds_them_or_why_they_are_silent() -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    made.hosts["b"].silence = "no answer within 10 s"
    snapshot = made.observe()
    leased = replace(snapshot.endpoints["a"], lease=LeaseSeen("l1", '{"who": "ops@host", "pid": 4711}'), engine_version="20.10.24")
    a, b = endpoint_rows(site(TEXT), Snapshot({**snapshot.endpoints, "a": leased}))
    assert (a.state, a.engine_version, a.sessions, a.containers, a.lock, a.host) == (
        "answered",
        "20.10.24",
        2,
        3,
        "ops@host (pid 4711)",
        "a.example.net",
    )
    assert (b.state, b.reason, b.sessions) == ("silent", "no answer within 10 s", None)
    summary = plan(site(TEXT), Snapshot({**snapshot.endpoints, "a": leased})).endpoints[0]
    assert summary == EndpointSummary("a", "", "ops@host (pid 4711)", 2, 2, summary.ports_before, summary.ports_before)


def test_the_table_counts_sessions_and_ports_before_and_after() -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    declared = site(TEXT.replace("sessions/two", "sessions/new").replace("[50000, 50001]", "[50000, 50004]"))
    row = plan(declared, made).endpoints[0]
    assert (row.sessions_before, row.sessions_after, row.ports_before, row.ports_after) == (2, 2, 3, 3)
    drop(made, "b", "lab.one")
    assert [(row.sessions_before, row.sessions_after) for row in plan(declared, made).endpoints] == [(2, 2), (0, 1)]


def test_transfers_are_shown_with_what_their_record_tells() -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    (row,) = transfer_rows(site(TEXT), made.observe(), NOW)
    assert (row.state, row.bytes, row.seconds, row.bytes_per_second, row.attempt, row.session, row.cause) == (
        ("succeeded", 1000, 1.0, 1000.0, 1, "one", "")
    )
    record = made.hosts["a"].records["t", 1, 1]
    assert (row.files, row.retransmits, row.exit_code) == (record.files, record.retransmits, record.exit_code)
    made.hosts["a"].records["t", 1, 1] = replace(record, verdict="failed", cause="disk full", seconds=0.0)
    (row,) = transfer_rows(site(TEXT), made.observe(), NOW)
    assert (row.state, row.cause, row.bytes_per_second) == ("failed", "disk full", None)


def test_a_transfer_shows_who_asked_for_it_and_where_it_ran_as_soon_as_it_is_claimed() -> None:
    made = running()
    record = made.hosts["a"].records["t", 1, 1]
    claim = replace(record, who="ann@ci", commit="abc", uncommitted=True, engine="E", image="I", destination_image="J", streams=4)
    made.hosts["a"].records["t", 1, 1] = claim
    (row,) = transfer_rows(site(DECLARED), made.observe(), NOW)
    assert (row.state, row.who, row.commit, row.uncommitted) == ("running", "ann@ci", "abc", True)
    assert (row.engine, row.image, row.destination_image, row.streams, row.files) == ("E", "I", "J", 4, None)


TIMES = {
    "2026-06-01T00:00:10.123456789Z": ("2026-06-01T00:00:08Z", "2026-06-01T00:00:10Z"),
    "2026-06-01T02:00:10+02:00": ("2026-06-01T00:00:08Z", "2026-06-01T00:00:10Z"),
    "2026-06-01T00:00:10": ("", ""),
    "": ("", ""),
}


@pytest.mark.parametrize(("finished_at", "times"), TIMES.items())
def test_a_transfer_that_ended_says_when_it_started_and_ended(finished_at: str, times: tuple[str, str]) -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    record = made.hosts["a"].records["t", 1, 1]
    made.hosts["a"].records["t", 1, 1] = replace(record, seconds=2.0, finished_at=finished_at)
    (row,) = transfer_rows(site(TEXT), made.observe(), NOW)
    assert (row.started_at, row.finished_at) == times


COMPARED = [("succeeded", "", "sizes of 3 files equal at both ends", "sizes"), ("succeeded", "md5:0f", "md5 of 1 file equal", "md5")]
COMPARED += [("succeeded", "", "nothing was compared, as asked for", "nothing"), ("failed", "", "", "")]


@pytest.mark.parametrize(("verdict", "checksum", "verified", "compared"), COMPARED)
def test_what_was_compared_is_one_word(verdict: Verdict, checksum: str, verified: str, compared: str) -> None:
    made = applied(site(TEXT), images=("dtn:1", "dtn:2"))
    record = made.hosts["a"].records["t", 1, 1]
    made.hosts["a"].records["t", 1, 1] = replace(record, verdict=verdict, checksum=checksum, verified=verified)
    (row,) = transfer_rows(site(TEXT), made.observe(), NOW)
    assert row.compared == compared


def test_a_transfer_that_runs_says_since_when_and_how_long() -> None:
    made = running()
    change(made, "a", "lab.t.g1a1", started_at=(NOW - timedelta(minutes=5)).isoformat())
    (row,) = transfer_rows(site(DECLARED), made.observe(), NOW)
    assert (row.state, row.started_at, row.seconds) == ("running", f"{NOW - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}", 300.0)


def test_a_transfer_that_ended_without_a_receipt_says_when_it_started_only() -> None:
    made = running()
    change(made, "a", "lab.t.g1a1", started_at=NOW.isoformat(), state="exited")
    (row,) = transfer_rows(site(DECLARED), made.observe(), NOW)
    assert (row.started_at, row.finished_at, row.seconds) == (f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "", None)


def test_a_claimed_transfer_that_was_not_started_says_since_when() -> None:
    made = running()
    change(made, "a", "lab.t.g1a1", started_at="", state="created")
    (row,) = transfer_rows(site(DECLARED), made.observe(), NOW)
    claimed = made.hosts["a"].records["t", 1, 1].claimed_at
    assert (row.state, row.since, row.claimed_at, row.started_at) == ("claimed", claimed, claimed, "")


def test_a_transfer_that_was_not_started_says_why() -> None:
    declared = site(TEXT)
    made = world(declared, images=("dtn:1", "dtn:2"))
    (row,) = transfer_rows(declared, made.observe(), NOW)
    assert (row.state, row.cause, row.bytes) == ("pending", "no record of it", None)
    made.hosts["a"].silence = "no answer within 10 s"
    (row,) = transfer_rows(declared, made.observe(), NOW)
    assert (row.state, row.cause) == ("unknown", "a, which keeps its record, does not answer")


def test_a_transfer_of_an_expired_session_waits_for_nobody() -> None:
    declared = site(TEXT.replace("user: alice", f"user: alice\nexpires: {NOW.isoformat()}"))
    made = world(declared)
    (row,) = transfer_rows(declared, made.observe(), NOW)
    assert (row.state, row.session) == ("pending", "")
    made.hosts["a"].silence = "no answer within 10 s"
    (row,) = transfer_rows(declared, made.observe(), NOW)
    assert (row.state, row.cause) == ("unknown", "no answer within 10 s")


# --- what else is told by the files alone -------------------------------------------------------------------


def test_control_ports_are_reached_where_the_engine_is_unless_said_otherwise() -> None:
    text = """
        # endpoints/a
        docker: ssh://dtn@a.example.net:22
        # endpoints/b
        docker: ssh://[fd00::1]:22
        # endpoints/c
        docker: unix:///run/c.sock
        host: 192.0.2.7
    """
    endpoints = site(text).endpoints
    assert [ctrl_host(endpoints[name].value) for name in "abc"] == ["a.example.net", "fd00::1", "192.0.2.7"]


def test_observation_is_told_which_images_and_records_count() -> None:
    text = TEXT + "# sessions/three\nendpoints: [b]\nimage: dtn:3\nsettings: {pull: always}\n"
    wanted = wanted_by_endpoint(site(text), NOW)
    assert (wanted["a"].images, wanted["a"].remote_images, wanted["a"].ledger) == (frozenset({"dtn:1", "dtn:2"}), frozenset(), True)
    assert (wanted["b"].images, wanted["b"].remote_images, wanted["b"].ledger) == (
        frozenset({"dtn:1", "dtn:3"}),
        frozenset({"dtn:3"}),
        True,
    )
    assert not wanted_by_endpoint(site("# profiles/default\n{}\n"), NOW)["a"].ledger


def test_an_entry_point_of_ours_drops_the_images_command() -> None:
    image = ImageSeen("sha256:1", command=("serve",), entrypoint=("/init",))
    spec = replace(next(iter(applied(site(TEXT), images=("dtn:1", "dtn:2")).hosts["a"].active)).spec, command=None)
    ours = replace(spec, entrypoint=("run",))
    assert (fill_in(ours, image).command, fill_in(replace(spec, entrypoint=None), image).entrypoint) == ((), ("/init",))
    assert fill_in(replace(spec, entrypoint=None), image).command == ("serve",)


def test_variables_are_text_whatever_was_written() -> None:
    text = "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {env: {A: true, B: null, C: 4, D: x, HOSTNAME: mine, CTRL_PORT: 9}}\n"
    env = dict(next(iter(applied(site(text)).hosts["a"].active)).spec.env)
    assert [env[name] for name in ("A", "B", "C", "D", "HOSTNAME")] == ["true", "", "4", "x", "mine"]
    assert env["CTRL_PORT"] == "30000"  # what was chosen: the next plan reads it back


def test_values_are_written_as_people_write_them() -> None:
    written = [short_text(value) for value in (None, "", (), 0, False, True, 2.5, (("a", "1"),), (Attachment("net", "10.0.0.2"),))]
    assert written == ["none", "none", "none", "none", "no", "yes", "2.5", "a=1", "net 10.0.0.2"]


SIZES = {
    0: "none", 5: "5 B", 64 * 1024**3: "64 GiB", 64 * 10**9: "64 GB", 512 * 10**9: "512 GB", 1536 * 1024**2: "1536 MiB", 300_000: "300 KB",
    1024**4: "1 TiB", 10**6 + 1: "1000001 B", 6 * 1024**2: "6 MiB",
}  # fmt: skip


@pytest.mark.parametrize(("count", "text"), SIZES.items())
def test_sizes_are_in_the_unit_that_people_would_write(count: int, text: str) -> None:
    assert size_text(count) == text
    mount = short_text(Mount("/scratch", "tmpfs", size=count))
    assert mount == ("/scratch tmpfs" if not count else f"/scratch tmpfs {text}")


@given(st.integers(1, 10**9), st.sampled_from(["B", "KB", "MB", "GB", "KiB", "MiB", "GiB"]))
def test_sizes_are_exact_and_no_longer_than_they_were_written(count: int, unit: str) -> None:
    size = parse_size(f"{count}{unit}")
    shown = size_text(size)
    assert parse_size(shown.replace(" ", "")) == size
    assert int(shown.split()[0]) <= count


def test_the_plan_says_whether_a_container_is_started() -> None:
    said = {}
    for state in ("started", "initialized"):
        declared = site(f"# sessions/one\nendpoints: [a]\nimage: dtn:1\nstate: {state}\n")
        said[state] = plan(declared, world(declared)).changes[0].summary
    assert said == {
        "started": "creates container lab.one",
        "initialized": "creates container lab.one without starting it: it is declared initialized",
    }


def test_a_replacement_says_too_whether_its_container_is_started() -> None:
    declared = site("# sessions/one\nendpoints: [a]\nimage: dtn:1\nstate: initialized\n")
    made = applied(declared)
    change(made, "a", "lab.one", init=False)
    other = site("# sessions/one\nendpoints: [a]\nimage: dtn:1\nstate: initialized\nsettings: {init: true}\n")
    assert plan(other, made).changes[0].summary == "replaces container lab.one without starting it: it is declared initialized"


def test_a_site_without_transfers_has_no_rows_of_them() -> None:
    declared = site("# sessions/one\nendpoints: [a]\nimage: dtn:1\n")
    assert transfer_rows(declared, applied(declared).observe(), NOW) == ()
