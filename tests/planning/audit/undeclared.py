"""Hosts that no file declares, as they are read: one well tuned, what a test spoils of it, and their audit."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from dtn_agent.protocol import Facts

from dtnctl.model.audit import Audit, HostRead
from dtnctl.planning.audit import audit_of, carried_by
from dtnctl.planning.audit.pairs import pairs_of
from tests.planning.doctor.hosts import Data, well_tuned


def tuned() -> Data:
    """A host with one fast NIC in 10.9.0.0/24, a bond without an address, and an array of NVMe on /nvme."""
    return copy.deepcopy(well_tuned()["facts"])


def interface(name: str, **more: Any) -> Data:
    """A port of a card: up, with a link."""
    return {"name": name, "index": 1, "mtu": 1500, "is_up": True, "carrier": True, **more}


def with_interfaces(*interfaces: Data) -> Data:
    return tuned() | {"interfaces": list(interfaces), "rdma": []}


def read(facts: Data, name: str = "dtn1", **more: Any) -> HostRead:
    return HostRead(name, f"ssh://root@{name}", Facts.model_validate(facts), **more)


def audited(*reads: HostRead, interfaces: Sequence[str] = ()) -> Audit:
    """Without a packet being sent."""
    carried = carried_by(reads, interfaces)
    pairs = pairs_of(carried[reads[0].name], carried[reads[1].name]) if len(reads) > 1 else ()
    return audit_of(reads, carried, pairs)


def faults(audit: Audit) -> list[str]:
    """`severity check subject` of what is wrong with the first host."""
    found = [item for item in audit.hosts[0].examination.findings if item.severity in ("error", "warning", "info")]
    return [" ".join(filter(None, (item.severity, item.check, item.subject))) for item in found]
