"""Keys that volumes over NVMe-oF have in common: a target has one pair for each host, whatever the volume. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dtnctl.model.plan import Cause
from dtnctl.planning.choices.volume_plans import ExportPlan
from dtnctl.planning.choices.volumes import VolumeUse
from dtnctl.planning.refusal import Refusal

if TYPE_CHECKING:
    from dtn_agent.protocol.volumes import ExportVolume, HeldExport

Uses = Mapping[str, Mapping[str, tuple[VolumeUse, ...]]]  # by volume and endpoint


def refused_for_keys(exported: tuple[ExportPlan, ...], uses: Uses, names: Mapping[str, str]) -> dict[str, Refusal]:
    """Volumes that would change the keys of others which this run leaves as they are: those could not connect again.

    `names` are endpoints by their host NQN.
    """
    refused: dict[str, Refusal] = {}
    for plan in exported:
        request = plan.request
        if request is None or request.do != "export-volume" or not _is_known(plan, request):
            continue
        kept = next((other.held for other in exported if other.held is not None and _is_left(other, other.held, plan, request)), None)
        if kept is not None:
            refused[plan.name] = _refusal(plan, request, kept, uses, names)
    return refused


def _is_known(plan: ExportPlan, request: ExportVolume) -> bool:
    """Whether it is known which keys it asks for. Secrets that were not looked at differ from no others: apply looks at them."""
    assert plan.document is not None
    return bool(request.fingerprint) or plan.document.value.auth is None


def _is_left(other: ExportPlan, held: HeldExport, plan: ExportPlan, request: ExportVolume) -> bool:
    """Whether it shares a host with the request, has other keys, and is not changed itself."""
    is_same_target = other.endpoint == plan.endpoint and bool({*held.hosts} & {*request.hosts})
    return is_same_target and other.request is None and held.fingerprint != request.fingerprint


def _refusal(plan: ExportPlan, request: ExportVolume, kept: HeldExport, uses: Uses, names: Mapping[str, str]) -> Refusal:
    hosts = sorted(names.get(nqn, nqn) for nqn in {*kept.hosts} & {*request.hosts})
    text = (
        f"{plan.endpoint} has one pair of keys for each host: other keys of volume {plan.name} are also those of volume {kept.volume}, "
        f"to which {' and '.join(hosts)} could not connect again, since this run leaves it as it is"
    )
    assert plan.document is not None
    cause = Cause(text, plan.document.file, plan.document.mark(("auth",)).line, "auth")
    return Refusal("E0455", cause, f"include {_named(kept.volume, uses)} in this run")


def _named(volume: str, uses: Uses) -> str:
    """The sessions that have it, which bring their volume with them; where there is none the volume."""
    found: Iterable[VolumeUse] = (use for of_endpoint in uses.get(volume, {}).values() for use in of_endpoint)
    sessions = sorted({f"session/{use.service.session.name}" for use in found})
    return " and ".join(sessions) or f"volume/{volume}"
