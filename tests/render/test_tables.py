"""The talk's lists: word for word, on any width, and nothing in them obeys."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.report import EndpointRow, ServiceRow, SessionRow, TransferRow
from dtnctl.render.context import RenderContext
from dtnctl.render.tables import (
    render_endpoint,
    render_endpoints,
    render_session,
    render_sessions,
    render_status,
    render_transfer,
    render_transfers,
)
from dtnctl.render.text import PAINT, cells
from tests.render.plans import TEXT
from tests.render.rows import CONTAINER, ENDPOINTS, SERVICES, SESSIONS, TRANSFERS

CONTEXT = RenderContext()


def test_status_is_everything_on_one_screen() -> None:
    assert (
        render_status(SESSIONS, SERVICES, TRANSFERS, ENDPOINTS, CONTEXT)
        == """\
2 sessions (1 MIXED, 1 STARTED) · 2 transfers (1 failed, 1 succeeded) ·
1 of 2 endpoints answered · 1 error

SESSION    STATE    ENDPOINTS                    IMAGE               PROFILE
ofed-test  STARTED  nersc-tbn-7, starlight-dtn   dtnaas/ofed:latest  lbnl-rdma
climate    MIXED    starlight-dtn, surf-dtn-ppc  dtnaas/gct:latest   surf
USER left out to save room; -o wide shows every column
! climate: surf-dtn-ppc: the container ended with exit code 1

SESSION    ENDPOINT       STATE    CTRL_HOST       CTRL_PORT  DATA_IPV4
ofed-test  starlight-dtn  running  165.124.33.182      30001  192.168.2.64
climate    surf-dtn-ppc   exited
HEALTH, DATA_PORTS, DATA_NET, USER, CONTAINER, IMAGE left out to save room;
-o wide shows every column
! climate @ surf-dtn-ppc: exit code 1

TRANSFER  FROM                TO                    TOOL     STATE          SIZE
sc20-1T   nersc-tbn-7:/data…  starlight-dtn:/data…  gridftp  succeeded  4.00 GiB
sc20-2T   nersc-tbn-7:/data…  starlight-dtn:/data…  gridftp  failed
GEN, BYTES, STARTED, TOOK, RATE, VERIFIED left out to save room;
-o wide shows every column
! sc20-2T: no space left on device

ENDPOINT      STATE     SESSIONS  LOCK
nersc-tbn-7   answered         1  alice@ci-7
surf-dtn-ppc  silent           ?  ?
CONTAINERS, ENGINE, HOST, URL left out to save room; -o wide shows every column
! surf-dtn-ppc: connection refused
"""
    )


def test_wide_screen_shows_rates_and_ports() -> None:
    context = RenderContext(width=200)
    assert render_transfers(TRANSFERS[:1], context).splitlines() == [
        "TRANSFER  FROM                  TO                        TOOL     GEN  STATE          SIZE       BYTES"
        "  STARTED                TOOK                     RATE  VERIFIED",
        "sc20-1T   nersc-tbn-7:/data/1T  starlight-dtn:/data/1T_2  gridftp    1  succeeded  4.00 GiB  4294967296"
        "  2026-06-01T00:00:00Z  5.4 s  756.7 MiB/s (6.35 Gb/s)  sha256 equal",
    ]
    assert "646f8bfcf576" in render_status((), SERVICES, (), (), context)


def test_session_shows_the_fields_that_the_talk_shows() -> None:
    assert (
        render_session(SESSIONS[0], SERVICES, CONTEXT)
        == f"""\
session: ofed-test
state: STARTED
endpoints: nersc-tbn-7, starlight-dtn
image: dtnaas/ofed:latest
profile: lbnl-rdma
user: dtnaas
errors:
services:
  starlight-dtn
    state: running
    health: healthy
    data_net_name: star222
    data_ipv4: 192.168.2.64
    data_ipv6:
    container_user: dtnaas
    ctrl_port: 30001
    ctrl_host: 165.124.33.182
    serv_port:
    data_ports: 50100-50199
    rdma_device: mlx5_11
    rdma_port: 1
    rdma_gid_index: 5
    image: dtnaas/ofed:latest
    image_id: sha256:1f2e
    profile: lbnl-rdma
    errors:
    container_name: scinet.ofed-test
    container_id: {CONTAINER}
"""
    )


def test_transfer_shows_exact_bytes_and_both_kinds_of_rate() -> None:
    assert (
        render_transfer(TRANSFERS[0], CONTEXT)
        == """\
transfer: sc20-1T
from: nersc-tbn-7:/data/1T
to: starlight-dtn:/data/1T_2
tool: gridftp
session: ofed-test
generation: 1
attempt: 1
state: succeeded since 2026-06-01T00:00:05Z
bytes: 4294967296 (4.00 GiB)
claimed: 2026-05-31T23:59:58Z
started: 2026-06-01T00:00:00Z
finished: 2026-06-01T00:00:05Z
took: 5.4 s
rate: 756.7 MiB/s (6.35 Gb/s)
checksum: sha256:9f3c
verified: sha256 equal
cause:
"""
    )


def test_a_transfer_shows_what_its_record_says_of_who_where_and_how() -> None:
    row = replace(TRANSFERS[0], who="ann@ci", commit="0a1b", engine="E", image="sha256:1", destination_image="sha256:2", files=3)
    text = render_transfer(replace(row, streams=4, retransmits=0, exit_code=0), CONTEXT)
    assert text.endswith(
        "cause:\nasked for by: ann@ci\ncommit: 0a1b\nengine: E\nimage: sha256:1\ndestination image: sha256:2\n"
        "files: 3\nstreams: 4\nretransmits: 0\nexit code: 0\n"
    )
    assert "commit: 0a1b, with changes that are not in it\n" in render_transfer(replace(row, uncommitted=True), CONTEXT)


def test_a_transfer_shows_how_much_of_its_limit_it_reached_where_that_is_known() -> None:
    row = replace(TRANSFERS[0], bytes_per_second=1.175e9, limit="link ens1f0 of dtn1", limit_bytes_per_second=1.25e9)
    assert "reached: 94 % of link ens1f0 of dtn1 (10.00 Gb/s)\n" in render_transfer(row, CONTEXT)
    assert "reached" not in render_transfer(replace(row, bytes_per_second=None), CONTEXT)


def test_counts_of_a_silent_endpoint_are_unknown_and_not_zero() -> None:
    assert (
        render_endpoint(ENDPOINTS[1], CONTEXT)
        == """\
endpoint: surf-dtn-ppc
url: unix:///run/surf.sock
host: 198.51.100.9
state: silent
reason: connection refused
engine_version:
sessions: ?
containers: ?
lock: ?
agent: none
"""
    )


def test_zero_bytes_are_not_unknown_bytes() -> None:
    assert "bytes: 0 (0 B)\n" in render_transfer(replace(TRANSFERS[0], bytes=0), CONTEXT)
    assert "bytes:\n" in render_transfer(replace(TRANSFERS[0], bytes=None), CONTEXT)


def test_empty_lists_say_so_and_leave_the_status() -> None:
    assert render_sessions((), CONTEXT) == "No sessions.\n"
    assert render_transfers((), CONTEXT) == "No transfers.\n"
    assert render_endpoints((), CONTEXT) == "No endpoints.\n"
    assert render_status((), (), (), (), CONTEXT) == "no sessions · no transfers · 0 of 0 endpoints answered\n"


def test_all_shows_every_column_in_full_on_a_narrow_screen() -> None:
    text = render_status((), SERVICES, (), (), replace(CONTEXT, show_all=True))
    (header,) = (line.split() for line in text.splitlines() if line.startswith("SESSION "))
    assert header == [
        "SESSION", "ENDPOINT", "STATE", "HEALTH", "CTRL_HOST", "CTRL_PORT", "SERV_PORT", "DATA_PORTS", "DATA_NET", "DATA_IPV4",
        "DATA_IPV6", "USER", "CONTAINER", "IMAGE",
    ]  # fmt: skip
    assert "…" not in text


@pytest.mark.parametrize("row", [SERVICES[0], TRANSFERS[0], ENDPOINTS[0], SESSIONS[1]], ids=lambda row: type(row).__name__)
def test_details_leave_no_field_out(row: ServiceRow | TransferRow | EndpointRow | SessionRow) -> None:
    match row:
        case ServiceRow():
            text = render_session(replace(SESSIONS[0], name=row.session), [row], CONTEXT)
        case TransferRow():
            text = render_transfer(row, CONTEXT)
        case EndpointRow():
            text = render_endpoint(row, CONTEXT)
        case SessionRow():
            text = render_session(row, [], CONTEXT)
    for field in fields(row):
        value = getattr(row, field.name)
        shown = ", ".join(value) if isinstance(value, tuple) else f"{value:.0f}"[:3] if isinstance(value, float) else str(value or "")
        assert shown in text or field.name == "bytes_per_second", field.name


OPTIONAL = st.one_of(st.none(), st.integers(0, 2**62))
SESSION_ROWS = st.builds(
    SessionRow,
    TEXT,
    st.sampled_from(["STARTED", "MIXED", "UNKNOWN"]),
    st.lists(TEXT, max_size=2).map(tuple),
    TEXT,
    TEXT,
    TEXT,
    st.lists(TEXT, max_size=1).map(tuple),
)
SERVICE_ROWS = st.builds(
    ServiceRow,
    *[TEXT] * 2,
    st.sampled_from(["running", "absent", "unknown"]),
    *[TEXT] * 3,
    TEXT,
    st.one_of(st.none(), st.integers(1, 65535)),
    st.one_of(st.none(), st.integers(1, 65535)),
    *[TEXT] * 2,
    *[st.one_of(st.none(), st.integers(1, 255))] * 2,
    *[TEXT] * 5,
)
TRANSFER_ROWS = st.builds(
    TransferRow,
    *[TEXT] * 3,
    st.sampled_from(["gridftp", "iperf3"]),
    st.integers(1, 99),
    st.sampled_from(["succeeded", "failed", "running"]),
    OPTIONAL,
    st.one_of(st.none(), st.floats(0, 1e7)),
    st.one_of(st.none(), st.floats(0, 1e12)),
    *[TEXT] * 3,
)
ENDPOINT_ROWS = st.builds(
    EndpointRow,
    TEXT,
    TEXT,
    st.sampled_from(["answered", "silent"]),
    TEXT,
    st.one_of(st.none(), st.integers(0, 9999)),
    OPTIONAL,
    *[TEXT] * 3,
)


@given(
    st.lists(SESSION_ROWS, max_size=2),
    st.lists(SERVICE_ROWS, max_size=2),
    st.lists(TRANSFER_ROWS, max_size=2),
    st.lists(ENDPOINT_ROWS, max_size=2),
    st.integers(80, 200),
)
def test_status_fits_any_terminal_and_nothing_in_it_obeys(
    sessions: list[SessionRow], services: list[ServiceRow], transfers: list[TransferRow], endpoints: list[EndpointRow], width: int
) -> None:
    context = RenderContext(width=width)
    text = render_status(sessions, services, transfers, endpoints, context)
    assert all(line.isprintable() for line in text.split("\n"))
    assert PAINT.sub("", render_status(sessions, services, transfers, endpoints, replace(context, color=True))) == text
    assert render_status(sessions, services, transfers, endpoints, replace(context, ascii=True)).isascii()
    for line in text.split("\n"):
        *_, last = line.split(" ")
        assert cells(line) <= width or cells(last) > width - 32, line
    for session in sessions:
        assert all(line.isprintable() for line in render_session(session, services, context).split("\n"))
