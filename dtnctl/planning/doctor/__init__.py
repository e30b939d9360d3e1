"""Decides how an endpoint's host differs from what its declared networks, profiles and transfers want. Pure; changes nothing.

Each topic has a module of rules: functions from Examined to findings. What the agent does not know is a finding "unknown", never a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from dtnctl.model.checks import CHECKS
from dtnctl.model.findings import JUDGEMENTS, Examination, Finding
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.model.site_settings import Doctor
from dtnctl.planning.doctor.examined import Examined
from dtnctl.planning.doctor.hardware import judge_hardware
from dtnctl.planning.doctor.nics import judge_nics
from dtnctl.planning.doctor.ports import judge_ports
from dtnctl.planning.doctor.queues import judge_queues
from dtnctl.planning.doctor.rdma import judge_rdma
from dtnctl.planning.doctor.services import judge_services
from dtnctl.planning.doctor.storage import judge_storage
from dtnctl.planning.doctor.sysctls import judge_container_settings, judge_host_settings
from dtnctl.planning.doctor.system import judge_system
from dtnctl.planning.doctor.volumes import judge_volumes
from dtnctl.planning.resolve import resolve_services, resolve_transfers

if TYPE_CHECKING:
    from dtn_agent.protocol import Host

TOPICS = (
    judge_host_settings,
    judge_ports,
    judge_nics,
    judge_queues,
    judge_hardware,
    judge_container_settings,
    judge_services,
    judge_rdma,
    judge_system,
    judge_storage,
    judge_volumes,
)
NO_PEERS: Mapping[str, Host] = MappingProxyType({})
NO_AGENT = "no agent is declared (`agent:` in its file), and the engine reports nothing of the host"


def examine(
    site: Site, endpoint: str, seen: EndpointSeen, host: Host, *, now: datetime, peers: Mapping[str, Host] = NO_PEERS
) -> tuple[Finding, ...]:
    """Every finding of one endpoint.

    `peers` are the hosts of the other endpoints, as far as they are known: networks are compared with theirs.
    """
    return findings_of(_examined(site, endpoint, seen, host, now, peers))


def examine_endpoint(site: Site, endpoint: str, snapshot: Snapshot, now: datetime) -> Examination:
    """The findings with what a reader wants to know about them; an endpoint whose host is not known says why."""
    seen = snapshot.endpoints[endpoint]
    if seen.host is None:
        is_declared = site.endpoints[endpoint].value.agent is not None
        reason = seen.agent_silence or seen.silence or "the agent was not asked"
        return Examination(endpoint, silence=reason if is_declared else NO_AGENT)
    peers = {name: other.host for name, other in snapshot.endpoints.items() if other.host is not None and name != endpoint}
    return examination_of(_examined(site, endpoint, seen, seen.host, now, peers))


def examination_of(examined: Examined) -> Examination:
    """The findings with the NIC that they are relative to."""
    return Examination(
        examined.endpoint.name,
        findings=findings_of(examined),
        nic=examined.fastest.interface.name if examined.fastest is not None else "",
        speed=examined.speed,
        ignored=len(examined.site.settings.value.doctor.ignore),
    )


def _examined(site: Site, endpoint: str, seen: EndpointSeen, host: Host, now: datetime, peers: Mapping[str, Host]) -> Examined:
    near = _near(site, endpoint)
    return Examined(
        site=site,
        endpoint=site.endpoints[endpoint],
        seen=seen,
        host=host,
        services=tuple(item for item in resolve_services(near, now) if item.endpoint.name == endpoint),
        resolved_transfers=resolve_transfers(near, now),
        peers=peers,
    )


def _near(site: Site, endpoint: str) -> Site:
    """The site with the sessions and transfers of one endpoint: of a fleet they are few, and each endpoint asks for its own."""
    sessions = {name: item for name, item in site.sessions.items() if endpoint in item.value.endpoints}
    ends = ((name, item, (item.value.from_.partition(":")[0], item.value.to.partition(":")[0])) for name, item in site.transfers.items())
    return replace(site, sessions=sessions, transfers={name: item for name, item, places in ends if endpoint in places})


def findings_of(examined: Examined) -> tuple[Finding, ...]:
    """Every finding under the site's policy, worst first, in the catalogue's order."""
    policy = examined.site.settings.value.doctor
    findings = [finding for judge_topic in TOPICS for finding in judge_topic(examined)]
    return _sorted([_under(policy, finding) for finding in findings if finding.check not in policy.ignore])


def _under(policy: Doctor, finding: Finding) -> Finding:
    """What is right or not known stays so, however seriously the site takes it."""
    wanted = policy.severities.get(finding.check)
    return finding if wanted is None or finding.severity in ("ok", "unknown") else replace(finding, severity=wanted)


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    """An interface that carries several networks is judged for each; the worst judgement stands for all of them."""
    order = {name: index for index, name in enumerate(CHECKS)}
    ranked = sorted(findings, key=lambda item: (JUDGEMENTS.index(item.severity), order[item.check], item.subject, item.expected))
    worst: dict[tuple[str, str], Finding] = {}
    for finding in ranked:
        worst.setdefault((finding.check, finding.subject), finding)
    return tuple(worst.values())
