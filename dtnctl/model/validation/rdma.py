"""Checks that the services at the ends of a transfer by RDMA have what that needs: devices, and memory that may be locked."""

from __future__ import annotations

from dtnctl.model.profile import ProfileFields
from dtnctl.model.site import Document
from dtnctl.model.transfer import Transfer
from dtnctl.model.validation.known import DeclaredService, Known

# By the name that a profile has for it, and the beginning of the file's own.
NEEDED = {"rdma_cm": "/dev/infiniband/rdma_cm", "uverbs": "/dev/infiniband/uverbs"}
UNLIMITED = -1
LEAST_LOCKED = 1024**2  # bytes; rcopy needs 384 KiB over rxe, where no queue of a card is locked


def check_rdma(known: Known, document: Document[Transfer], service: DeclaredService) -> None:
    """Reports an end of the transfer that could not open an RDMA device, or not lock its buffers."""
    tool, profile = document.value.tool, service.profile
    if not document.value.tool_row.rdma:
        return
    whose = f"and session {service.session.name}"
    missing = _missing(profile)
    if missing:
        having = " nor ".join(f"`{name}`" for name in missing)
        what = f"{tool} needs an RDMA device at both ends, {whose} has no {having} on {service.endpoint}"
        known.report((document, ("tool",)), "E0348", what, "`devices: [rdma_cm, uverbs]` in its profile")
    limit = profile.limits.get("memlock")
    if limit is not None and limit.soft != UNLIMITED and limit.soft < LEAST_LOCKED:
        where = f"{limit.soft} bytes on {service.endpoint} ({service.where('limits')})"
        what = f"{tool} locks its buffers in memory, {whose} may lock {where}"
        known.report((document, ("tool",)), "E0348", what, "`limits: {memlock: -1}`, which `uverbs` brings if nothing is written")


def _missing(profile: ProfileFields) -> list[str]:
    """What it has no device of; a privileged container has all of the host's."""
    if profile.privileged:
        return []
    return [name for name, path in NEEDED.items() if not any(item == name or item.startswith(path) for item in profile.devices)]
