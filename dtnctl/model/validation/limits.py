"""Checks that a single transfer is within limits: what takes more than its endpoints have would wait for ever."""

from __future__ import annotations

from dtnctl.model.fields import show_rate
from dtnctl.model.schedule import MOST_SCHEDULED
from dtnctl.model.suitable import ends
from dtnctl.model.validation.known import Known


def check_limits(known: Known) -> None:
    """Reports rates above an endpoint's `limits.bandwidth`, and a `generation` that leaves no room for the firings of a schedule."""
    for document in known.site.transfers.values():
        when, generation = document.value.when, document.value.generation
        if when is not None and when.schedule is not None and generation > MOST_SCHEDULED:
            what = f"with a schedule the time of each firing is added to the generation, and {generation} leaves no room for it"
            known.report((document, ("generation",)), "E0349", what, f"at most {MOST_SCHEDULED}")
    endpoints = known.site.endpoints
    for document in known.site.transfers.values():
        wanted = document.value.bandwidth or document.value.max_rate
        if wanted is None:
            continue
        field = "bandwidth" if document.value.bandwidth is not None else "max_rate"
        for endpoint in (endpoints[name] for name in sorted(set(ends(document.value))) if name in endpoints):
            limit = endpoint.value.limits.bandwidth
            if limit is not None and wanted > limit:
                where = endpoint.where("limits", "bandwidth")
                what = f"{show_rate(wanted)} is more than all transfers may have on {endpoint.name}: {show_rate(limit)} ({where})"
                known.report((document, (field,)), "E0342", what, f"at most {show_rate(limit)}, or a higher limit")
