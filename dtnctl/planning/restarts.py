"""Whether an engine starts a container again and again: it may look as if it ran. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from dtnctl.model.resources import ContainerSeen, EndpointSeen
from dtnctl.planning.transfers.states import moment_of

MOST_RESTARTS = 3  # it may end before its address can be used; the engine waits 0.1 s, and twice as long before each further start
LONGEST_START = timedelta(minutes=1)  # of a pod of which nothing is said: its networks and volumes are made, or its image comes
LASTING_RUN = timedelta(seconds=10)  # after which an engine starts it again without delay: dockerd's restart manager, podman alike


def ends_again(seen: ContainerSeen, where: EndpointSeen, now: datetime) -> str:
    """What is wrong with a service that ends again and again, or a pod that never ran; empty of one that runs, has ended or still starts.

    Between two ends it runs for a moment, and its engine calls it running. Such a run counts once it has lasted for LASTING_RUN,
    by the engine's own clock.
    """
    began, there = moment_of(seen.started_at), now + timedelta(seconds=where.clock_ahead or 0)
    if seen.state == "restarting":
        starts = not (seen.restart_count or seen.exit_code or seen.error) and began is not None and there - began < LONGEST_START
        return "" if starts else _in_its_words(seen)
    if seen.state != "running" or seen.restart_count <= MOST_RESTARTS or began is None:
        return ""
    if there - began >= LASTING_RUN:
        return ""
    return f"restarting again and again ({seen.restart_count} times, the last one less than {LASTING_RUN.seconds} s ago)"


def _in_its_words(seen: ContainerSeen) -> str:
    """Why it does not run now, with what its backend says of it, if anything."""
    words = " ".join(seen.error.split())
    if not (seen.restart_count or seen.exit_code) and (words or moment_of(seen.started_at)):  # a cluster's pod that has never run
        return f"does not run: {words or 'nothing reports why'}"
    return f"restarting again and again (exit code {seen.exit_code}){f': {words}' if words else ''}"
