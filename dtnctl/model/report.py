"""What the lists show: sessions, services, transfers and endpoints as rows that the renderers read. Frozen values, no I/O.

The names of the fields are those that the lists and the JSON documents show; users of the talk's client know most of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dtnctl.model.transfer_about import Passed

SessionState = Literal["INITIALIZED", "STARTED", "STOPPED", "MIXED", "ABSENT", "UNKNOWN"]
TransferState = Literal["pending", "claimed", "starting", "running", "verifying", "succeeded", "partial", "failed", "cancelled", "unknown"]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One declared or live session. MIXED: its services differ. ABSENT: declared, nothing of it lives. UNKNOWN: an endpoint is silent."""

    name: str
    state: SessionState
    endpoints: tuple[str, ...]
    image: str
    profile: str = ""
    user: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One container of a session. Empty texts and None: it has none, or nothing is known of it (`state` says which).

    `state` is the container's as the engine says it, "absent" or "unknown". `ctrl_host` and `ctrl_port` are where it is reached.
    `data_ports` is a range as text, "50100-50199". `rdma_device`, `rdma_port` and `rdma_gid_index` are what programs of RDMA over
    Ethernet have to be named (`ib_write_bw -d … -i … -x …`), as it is inside of the container.
    """

    session: str
    endpoint: str
    state: str
    data_net_name: str = ""
    data_ipv4: str = ""
    data_ipv6: str = ""
    ctrl_host: str = ""
    ctrl_port: int | None = None
    serv_port: int | None = None
    data_ports: str = ""
    rdma_device: str = ""
    rdma_port: int | None = None
    rdma_gid_index: int | None = None
    container_user: str = ""
    container_id: str = ""
    container_name: str = ""
    image: str = ""
    image_id: str = ""
    profile: str = ""
    health: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransferRow:
    """One declared transfer and what is known of its newest attempt. `source` and `destination` as ENDPOINT:PATH.

    `state` is that of the declared generation, which began at `since`: claimed at `claimed_at`, running since `started_at`, verifying
    or ended since `finished_at`. Times are UTC to the second, `2026-06-01T00:00:00Z`; empty: not yet, or not known. None: not known (yet).
    `seconds` is how long it took, or has been running. `bytes_per_second` is the average of a finished transfer and the momentary rate
    of a running one.
    `limit` is what bounds its rate, at `limit_bytes_per_second`, as far as agents report it: `link ens1f0 of dtn1`; empty: not known.
    `verified` says in words how the data was compared, empty if it was not. `compared`: what of it was: "sizes", the name of an algorithm,
    or "nothing"; empty if it has not succeeded. `served` is what the tool's own servers logged, in words.
    `path_verdict`: whether `network_path`, the path between sites that joins its ends, carried its bytes; `path_evidence` says why.
    `who` asked for the newest attempt, from `commit` of the state (`uncommitted`: the state differed from it). `engine` is the id of the
    source's engine, `image` and `destination_image` the ids of what the services ran.
    """

    name: str
    source: str
    destination: str
    tool: str
    generation: int
    state: TransferState
    bytes: int | None = None
    seconds: float | None = None
    bytes_per_second: float | None = None
    checksum: str = ""
    verified: str = ""
    cause: str = ""
    attempt: int = 0
    session: str = ""
    claimed_at: str = ""
    started_at: str = ""
    finished_at: str = ""
    since: str = ""
    compared: str = ""
    labels: Passed = ()
    metadata: Passed = ()
    limit: str = ""
    limit_bytes_per_second: float | None = None
    notified: str = ""
    served: str = ""
    who: str = ""
    commit: str = ""
    uncommitted: bool = False
    engine: str = ""
    image: str = ""
    destination_image: str = ""
    files: int | None = None
    streams: int | None = None
    retransmits: int | None = None
    exit_code: int | None = None
    network_path: str = ""
    path_verdict: str = ""
    path_evidence: str = ""


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One declared endpoint. When it is silent, `reason` says why and the counts are None: unknown, not zero.

    `lock` is the holder of its lease, empty if it is free. `host` is where control ports are reached. `agent` is its version;
    `agent_reason` is why it does not answer. Both are empty without one.
    """

    name: str
    url: str
    state: Literal["answered", "silent"]
    engine_version: str = ""
    sessions: int | None = None
    containers: int | None = None
    lock: str = ""
    host: str = ""
    reason: str = ""
    agent: str = ""
    agent_reason: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredRow:
    """A network or profile as its file says: `fields` are those that are written there, as plain values."""

    name: str
    file: str
    fields: Mapping[str, Any]
