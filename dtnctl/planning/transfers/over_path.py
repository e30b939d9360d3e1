"""Which path between sites joins the two ends of a transfer, and whether its data would go around it. Pure."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.actions import JobEnd
from dtnctl.model.plan import Cause
from dtnctl.model.resources import Attachment
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import ResolvedTransfer, Service

AROUND = "E0547"
Attachments = tuple[Attachment, ...]


def on_path(
    services: tuple[Service, Service], attached: tuple[Attachments, Attachments], ends: tuple[JobEnd, JobEnd]
) -> tuple[JobEnd, JobEnd]:
    """The ends with the path that joins them, and their own addresses on it; as they are where no network of both goes over one.

    `attached` are the networks of both services with the addresses that were chosen.
    """
    site, (near, far) = services[0].site, attached
    common = {item.network for item in far}
    for item in near:
        network = site.networks.get(item.network)
        if network is not None and network.value.path is not None and item.network in common:
            there = next(other for other in far if other.network == item.network)
            path = network.value.path
            return _with(ends[0], path, item), _with(ends[1], path, there)
    return ends


def _with(end: JobEnd, path: str, attachment: Attachment) -> JobEnd:
    return replace(end, path_name=path, path_address=attachment.ipv4 or attachment.ipv6)


def refuse_around_path(resolved: ResolvedTransfer, destination: JobEnd) -> Refusal | None:
    """Why a transfer that requires its path would not go over it, as far as addresses show that before it starts."""
    value, row = resolved.transfer.value, resolved.transfer.value.tool_row
    if not value.require_path:
        return None
    if not destination.path_name:
        return _refusal(resolved, "no network of both its ends goes over a path", "`path:` in a network of `data_nets` of its session")
    reached = destination.host if row.ports == "none" else destination.data_host
    if reached == destination.path_address:
        return None
    text = f"its data goes to {reached}, and path {destination.path_name} ends at {destination.path_address} there"
    return _refusal(resolved, text, f"{_other_way(resolved)}, or no `require_path`")


def _other_way(resolved: ResolvedTransfer) -> str:
    if resolved.transfer.value.tool_row.ports == "none":
        return "`mgmt_net: null` in the session, or a tool with data ports of its own such as gridftp"
    return "the path's network first in `data_nets`"


def _refusal(resolved: ResolvedTransfer, text: str, fix: str) -> Refusal:
    transfer = resolved.transfer
    place = Cause(f"it requires its path: {text}", transfer.file, transfer.mark(("require_path",)).line, "require_path")
    return Refusal(AROUND, place, fix)
