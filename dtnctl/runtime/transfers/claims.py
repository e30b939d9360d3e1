"""What records of an attempt say: the claim who asked for what, from which commit and where, the receipt what came of it."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.errors import EngineError
from dtnctl.model.ledger import Attempt
from dtnctl.model.resources import ContainerSeen
from dtnctl.movers.base import Judgement
from dtnctl.providers.base import Observer
from dtnctl.runtime.transfers.attempt import Task, seconds_between, time_text


def read_engine_id(observer: Observer) -> str:
    """The engine's own id, which outlives its restarts and another name of the endpoint; empty if it does not say."""
    try:
        return observer.engine_id()
    except EngineError:
        return ""


def claim_of(task: Task, container: str, services: tuple[ContainerSeen, ContainerSeen], engine: str) -> Attempt:
    """The claim of this container, as of now. `services` are those of the source and of the destination."""
    return Attempt(
        task.transfer,
        task.generation,
        task.attempt,
        container,
        claimed_at=time_text(task.clock.now()),
        who=task.requester.who,
        commit=task.requester.commit,
        uncommitted=task.requester.uncommitted,
        endpoint=task.source.endpoint,
        engine=engine,
        tool=task.tool,
        source=f"{task.source.endpoint}:{task.source.path}",
        destination=f"{task.destination.endpoint}:{task.destination.path}",
        image=services[0].image_id,
        destination_image=services[1].image_id,
        streams=task.options.parallelism if task.row.takes("parallelism") else 1,
        labels=task.options.labels,
        metadata=task.options.metadata,
    )


def receipt_of(task: Task, claim: Attempt, job: ContainerSeen, judgement: Judgement) -> Attempt:
    """The receipt of a job that has ended."""
    seconds = seconds_between(job.started_at, job.finished_at)
    sent = judgement.bytes - judgement.resumed
    average = sent / seconds if seconds and sent > 0 else None
    return replace(
        claim,
        verdict=judgement.verdict,
        cause=judgement.cause,
        retryable=judgement.retryable,
        exit_code=job.exit_code,
        bytes=judgement.bytes,
        files=judgement.files,
        seconds=seconds,
        rate=judgement.rate if judgement.rate is not None else average,
        retransmits=judgement.retransmits,
        streams=claim.streams if judgement.streams is None else judgement.streams,
        served=judgement.served,
        started_at=job.started_at,
        finished_at=job.finished_at,
        recorded_at=time_text(task.clock.now()),
        checksum=judgement.checksum,
        verified=judgement.verified,
        sums=judgement.sums,
        resumed=judgement.resumed,
    )
