"""Frames of the live view, made of a site in memory with agents on some endpoints."""

from __future__ import annotations

from dtn_agent.protocol import Host, Interface

from dtnctl.cli.top.rates import Rates
from dtnctl.cli.top.tables import Frame, endpoint_table, head_text, interface_table, session_table, transfer_table
from dtnctl.model.progress import Measured
from dtnctl.model.report import TransferRow
from dtnctl.planning.report import endpoint_rows, session_rows
from tests.planning.building import NOW, applied, site
from tests.planning.dtns import after, dtn, endpoint, session
from tests.planning.machines import machine, pf, verbs

STAR = "# networks/star\ndriver: macvlan\nsubnet: 10.2.0.0/24\n"
PINNED = "{data_nets: [star], mgmt_net: null, near: data_net, cpus: 3}"
GIGABYTE = 10**9
TRANSFERS = (
    TransferRow("done", "a:/x", "b:/x", "gridftp", 1, "succeeded", bytes=4096, bytes_per_second=1e6),
    TransferRow("late", "a:/y", "b:/y", "rsync", 1, "pending"),
    TransferRow("now", "a:/z", "b:/z", "rsync", 1, "running", limit="link", limit_bytes_per_second=1.25e9),
    TransferRow("quiet", "a:/z", "b:/z", "rsync", 1, "running"),
)
MEASURED = {"now": Measured("now", bytes=3 * GIGABYTE, total=10 * GIGABYTE, rate=1e9, eta=7.0)}


def counted(uptime: float, received: int, sent: int, *, dropped: int = 0, boot: str = "one") -> Host:
    """A host whose card ens1f0 has these counters so long after its start."""
    card = pf("ens1f0", 1).model_copy(update={"counters": {"rx_bytes": received, "tx_bytes": sent, "rx_dropped": dropped}})
    host = machine(card)
    system = host.facts.system.model_copy(update={"uptime": uptime, "boot_id": boot})
    return host.model_copy(update={"facts": host.facts.model_copy(update={"system": system})})


def frame(*, silent: bool = False, star: str = STAR, pinned: str = PINNED, card: Interface | None = None) -> Frame:
    """Endpoint `a` with an agent and two looks at it, `b` without one, or silent. `pinned` are the settings of the session on `star`."""
    text = star + session("one", pinned) + session("two", "{}", on="b")
    declared = dtn(text, on=endpoint() + "# endpoints/b\ndocker: unix:///run/b.sock\nhost: b.example.net\nallow: {}\n")
    card = card or pf("ens1f0", 1)
    made = after(declared, told=machine(card, rdma=verbs(card)))
    made.hosts["b"].agent = None
    made.hosts["b"].silence = "no answer within 5 s" if silent else ""
    seen = made.observe()
    rates = Rates()
    rates.feed("a", counted(100.0, 0, 0).facts)
    rates.feed("a", counted(102.0, 20 * GIGABYTE, GIGABYTE, dropped=6).facts)
    endpoints, sessions = endpoint_rows(declared, seen), session_rows(declared, seen, NOW)
    tables = (
        endpoint_table(endpoints, seen.endpoints),
        interface_table(declared, seen.endpoints, rates),
        session_table(sessions),
        transfer_table(TRANSFERS, MEASURED),
    )
    return Frame(head_text("lab", endpoints, sessions, TRANSFERS), tables)


def large_frame(endpoints: int = 100, sessions: int = 1000) -> Frame:
    """Many of each, of one machine alike."""
    from dtnctl.model.report import EndpointRow, SessionRow
    from dtnctl.model.resources import EndpointSeen

    rows = tuple(EndpointRow(f"dtn{number:03}", "unix:///x", "answered", "24.0", 10, 10) for number in range(endpoints))
    seen = {row.name: EndpointSeen(row.name) for row in rows}
    many = tuple(SessionRow(f"s{number:04}", "STARTED", ("dtn000", "dtn001"), "dtn:1") for number in range(sessions))
    tables = (endpoint_table(rows, seen), session_table(many), transfer_table((), {}))
    return Frame(head_text("wide", rows, many, ()), tables)


__all__ = ["MEASURED", "TRANSFERS", "applied", "counted", "frame", "large_frame", "site"]
