"""Checks that what a single transfer takes is within the limits of its endpoints: what is over them would wait for ever."""

from __future__ import annotations

from dtnctl.model.fields import show_rate
from dtnctl.model.suitable import ends
from dtnctl.model.validation.known import Known


def check_limits(known: Known) -> None:
    """Reports the `bandwidth` of transfers that is above an endpoint's `limits.bandwidth`."""
    endpoints = known.site.endpoints
    for document in known.site.transfers.values():
        wanted = document.value.bandwidth
        if wanted is None:
            continue
        for endpoint in (endpoints[name] for name in sorted(set(ends(document.value))) if name in endpoints):
            limit = endpoint.value.limits.bandwidth
            if limit is not None and wanted > limit:
                where = endpoint.where("limits", "bandwidth")
                what = f"{show_rate(wanted)} is more than all transfers may have on {endpoint.name}: {show_rate(limit)} ({where})"
                known.report((document, ("bandwidth",)), "E0342", what, f"at most {show_rate(limit)}, or a higher limit")
