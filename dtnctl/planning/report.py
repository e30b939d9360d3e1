"""What the lists show, from what people wrote and what was seen. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from dtnctl.model.drivers import BUILT_IN
from dtnctl.model.ledger import Attempt
from dtnctl.model.plan import TransferNote
from dtnctl.model.report import EndpointRow, ServiceRow, SessionRow, SessionState, TransferRow
from dtnctl.model.resources import PREPARED_SUFFIX, ContainerSeen, EndpointSeen, Snapshot, main_name
from dtnctl.model.site import Site
from dtnctl.model.transfer import Transfer
from dtnctl.planning.doctor.bounds import lowest_bounds
from dtnctl.planning.planner import Scope, make_plan
from dtnctl.planning.resolve import Service, carried, ctrl_host, declared_transfers, resolve_services
from dtnctl.planning.restarts import ends_again
from dtnctl.planning.roce import with_gid
from dtnctl.planning.transfers.in_time import as_it_runs
from dtnctl.planning.transfers.jobs import History, read_history
from dtnctl.planning.transfers.states import moment_of, stage_of, time_text


def service_rows(site: Site, snapshot: Snapshot, now: datetime) -> tuple[ServiceRow, ...]:
    """A row for each declared service and for each owned container that is no longer declared."""
    services = resolve_services(site, now)
    declared = {(service.endpoint.name, service.container) for service in services}
    rows = [_service_row(service, snapshot.endpoints[service.endpoint.name], now) for service in services]
    for endpoint, seen in sorted(snapshot.endpoints.items()):
        others = (item for item in seen.containers if item.kind == "service" and (endpoint, item.name) not in declared)
        rows += [_further_row(site, endpoint, item, declared, ends_again(item, seen, now)) for item in others]
    return tuple(sorted(rows, key=lambda row: (row.session, row.endpoint, row.container_name)))


def _service_row(service: Service, seen: EndpointSeen, now: datetime) -> ServiceRow:
    live = next((item for item in seen.containers if item.name == service.container), None)
    primary = service.profile.data_nets[0].name if service.profile.data_nets else ""
    row = ServiceRow(
        session=service.session.name,
        endpoint=service.endpoint.name,
        state="absent",
        data_net_name=primary,
        ctrl_host=service.ctrl_host,
        container_user=service.profile.user or "",
        container_name=service.container,
        image=service.image,
        profile=service.session.value.profile,
    )
    if seen.is_silent:
        return replace(row, state="unknown", errors=(seen.silence,))
    if live is None:
        return row
    return with_gid(_live_row(replace(row, state=live.state), live, ends_again(live, seen, now)), live, seen.host)


def _further_row(site: Site, endpoint: str, live: ContainerSeen, declared: set[tuple[str, str]], restarts: str) -> ServiceRow:
    """A container that is no declared service: it is no longer declared, or its replacement was aborted."""
    row = ServiceRow(
        session=live.owner,
        endpoint=endpoint,
        state=live.state,
        ctrl_host=ctrl_host(site.endpoints[endpoint].value) if endpoint in site.endpoints else "",
        container_user=dict(live.spec.env).get("USER_NAME", ""),
        container_name=live.name,
        image=live.spec.image,
        data_net_name="" if live.spec.network in BUILT_IN else live.spec.network,
    )
    if (endpoint, main_name(live.name)) not in declared:
        return _live_row(row, live, restarts, "not declared any more")
    verb = "created" if live.name.endswith(PREPARED_SUFFIX) else "set aside"
    return _live_row(row, live, restarts, f"{verb} by a replacement that was cut off")


def _live_row(row: ServiceRow, live: ContainerSeen, restarts: str, *errors: str) -> ServiceRow:
    env = dict(live.spec.env)
    addresses = {item.network: item for item in (*live.addresses, *live.spec.attachments) if item.ipv4 or item.ipv6}
    data = addresses.get(row.data_net_name)
    return replace(
        row,
        data_ipv4=data.ipv4 if data else "",
        data_ipv6=data.ipv6 if data else "",
        ctrl_port=_port(env.get("CTRL_PORT", "")),
        serv_port=_port(env.get("SERV_PORT", "")),
        data_ports=env.get("DATA_PORTS", "").replace(",", "-"),
        container_id=live.id,
        image_id=live.image_id,
        health=live.health,
        errors=(*errors, *_errors(live, restarts)),
    )


def _port(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _errors(live: ContainerSeen, restarts: str) -> Iterator[str]:
    if live.error and not restarts.endswith(" ".join(live.error.split())):  # else it is said there
        yield live.error
    if live.oom_killed:
        yield "killed: out of memory"
    if restarts:
        yield restarts
    if live.state == "exited" and live.exit_code:
        yield f"exit code {live.exit_code}"
    if live.health == "unhealthy":
        yield "unhealthy"


def session_rows(site: Site, snapshot: Snapshot, now: datetime) -> tuple[SessionRow, ...]:
    """A row for each declared session and for each that still lives."""
    by_session: dict[str, list[ServiceRow]] = {name: [] for name in site.sessions}
    for row in service_rows(site, snapshot, now):
        by_session.setdefault(row.session, []).append(row)
    return tuple(_session_row(site, name, rows) for name, rows in sorted(by_session.items()))


def _session_row(site: Site, name: str, rows: list[ServiceRow]) -> SessionRow:
    document = site.sessions.get(name)
    return SessionRow(
        name=name,
        state=_session_state(rows),
        endpoints=tuple(document.value.endpoints if document else (row.endpoint for row in rows)),
        image=", ".join(sorted({row.image for row in rows})) or (document.value.image or "" if document else ""),
        profile=document.value.profile if document else "",
        user=", ".join(sorted({row.container_user for row in rows if row.container_user})),
        errors=tuple(f"{row.endpoint}: {error}" for row in rows for error in row.errors),
    )


def _session_state(rows: list[ServiceRow]) -> SessionState:
    words: dict[str, SessionState] = {
        "running": "STARTED",
        "created": "INITIALIZED",
        "exited": "STOPPED",
        "absent": "ABSENT",
        "unknown": "UNKNOWN",
    }
    states = {words.get(row.state, "MIXED") for row in rows}
    if not states:
        return "ABSENT"
    return states.pop() if len(states) == 1 else "MIXED"


def endpoint_rows(site: Site, snapshot: Snapshot) -> tuple[EndpointRow, ...]:
    """A row for each declared endpoint."""
    return tuple(_endpoint_row(site, name, seen) for name, seen in snapshot.endpoints.items())


def _endpoint_row(site: Site, name: str, seen: EndpointSeen) -> EndpointRow:
    endpoint = site.endpoints[name].value
    if seen.is_silent:
        return EndpointRow(name, endpoint.address.text, "silent", host=ctrl_host(endpoint), reason=seen.silence)
    return EndpointRow(
        name=name,
        url=endpoint.address.text,
        state="answered",
        engine_version=seen.engine_version,
        sessions=len({item.owner for item in seen.containers if item.kind == "service"}),
        containers=len(seen.containers) + len(seen.foreign),
        lock=seen.lease.who if seen.lease is not None else "",
        host=ctrl_host(endpoint),
        agent=seen.host.agent if seen.host is not None else "",
        agent_reason=seen.agent_silence,
    )


def transfer_rows(site: Site, snapshot: Snapshot, now: datetime) -> tuple[TransferRow, ...]:
    """A row for each declared transfer with what its record shows."""
    if not site.transfers:
        return ()
    plan = make_plan(site, snapshot, now=now, scope=Scope())
    notes = {note.name: note for note in plan.transfers}
    starting = {change.name: change.cause.text for change in plan.changes if change.kind == "transfer"}
    history = read_history(snapshot.endpoints, site.receipts, site.endpoints)
    declared = tuple(as_it_runs(resolved, history) for resolved in declared_transfers(site, now))
    sessions = {resolved.transfer.name: resolved.session for resolved in carried(site, declared, now)}
    bounds = lowest_bounds(site, snapshot, declared, now)
    rows: list[TransferRow] = []
    for resolved in declared:
        name, seen = resolved.transfer.name, snapshot.endpoints[resolved.source_endpoint]
        row = _declared_row(name, resolved.transfer.value, sessions.get(name, ""))
        row = _transfer_row(row, seen, history, notes.get(name), starting.get(name, ""), now)
        bound = bounds.get(name)
        rows.append(row if bound is None else replace(row, limit=bound.what, limit_bytes_per_second=bound.rate))
    return tuple(rows)


def _declared_row(name: str, value: Transfer, session: str) -> TransferRow:
    """What the file says."""
    row = TransferRow(name, value.from_, value.to, value.tool, value.generation, "pending", session=session)
    return replace(row, labels=value.settings.labels, metadata=value.settings.metadata)


def _transfer_row(
    row: TransferRow, seen: EndpointSeen, history: History, note: TransferNote | None, starting: str, now: datetime
) -> TransferRow:
    claims = [item for item in history.records_of(seen.name, row.name, row.generation, is_source=True) if not item.released]
    jobs = [job for job in history.jobs(seen.name, row.name) if job.generation == row.generation]
    last, job = claims[-1] if claims else None, jobs[-1] if jobs else None
    stage = stage_of(last, job, note, is_silent=seen.is_silent, is_held=seen.lease is not None)
    row = replace(
        row,
        state=stage.state,
        since=time_text(stage.since),
        cause=(note.text if note is not None and note.state != "succeeded" else "") or starting or seen.silence,
    )
    if last is not None:
        row = _claimed_row(row, last)
    if last is not None and last.verdict is not None:
        return _ended_row(row, last)
    return row if job is None else _job_row(row, job.seen, now)


def _claimed_row(row: TransferRow, last: Attempt) -> TransferRow:
    return replace(
        row,
        attempt=last.attempt,
        claimed_at=time_text(last.claimed_at),
        who=last.who,
        commit=last.commit,
        uncommitted=last.uncommitted,
        engine=last.engine,
        image=last.image,
        destination_image=last.destination_image,
        streams=last.streams or None,
    )


def _ended_row(row: TransferRow, last: Attempt) -> TransferRow:
    end = moment_of(last.finished_at)
    return replace(
        row,
        bytes=last.bytes,
        files=last.files,
        retransmits=last.retransmits,
        exit_code=last.exit_code,
        seconds=last.seconds,
        bytes_per_second=last.bytes / last.seconds if last.seconds else None,
        checksum=last.checksum,
        verified=last.verified,
        compared=_compared(last),
        cause=last.cause or row.cause,
        notified=last.notified,
        served=last.served,
        network_path=last.network_path,
        path_verdict=last.path_verdict,
        path_evidence=last.path_evidence,
        started_at=time_text((end - timedelta(seconds=last.seconds)).isoformat()) if end is not None else "",
        finished_at=time_text(last.finished_at),
    )


def _compared(last: Attempt) -> str:
    """What of the data was compared. A checksum has the name of its algorithm before it."""
    if last.verdict not in ("succeeded", "partial"):
        return ""
    return last.verified.partition(" ")[0] if "equal at both ends" in last.verified else last.checksum.partition(":")[0] or "nothing"


def _job_row(row: TransferRow, job: ContainerSeen, now: datetime) -> TransferRow:
    """One that has no receipt; how long it has been running is by our clock."""
    started = moment_of(job.started_at)
    if started is None:
        return row
    if row.state == "running":
        return replace(row, started_at=time_text(job.started_at), seconds=max(0.0, (now - started).total_seconds()))
    return replace(row, started_at=time_text(job.started_at), finished_at=time_text(job.finished_at))
