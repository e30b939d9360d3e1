"""One comment and a commit's statuses on any forge: made or edited, and found again by the comment's marker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dtnctl.render.review import Comment, Status, same_text, shown_by, with_previous
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.reporting.calls import patiently


@dataclass(frozen=True, slots=True)
class Posted:
    """A comment that is there. `is_ours`: its author is the one that we write as."""

    id: int
    body: str
    address: str
    is_ours: bool


def ours(posted: Iterable[Posted], marker: str) -> list[Posted]:
    """Those that we wrote and that begin with the marker, the oldest first."""
    return sorted((item for item in posted if item.is_ours and shown_by(item.body, marker)), key=lambda item: item.id)


class Forge(Protocol):
    """What GitHub and GitLab both have. Each call may raise BusyError and ReportError."""

    def comments(self) -> Sequence[Posted]:
        """All of the pull request."""

    def create(self, body: str) -> str:
        """The address of a new comment."""

    def edit(self, posted: Posted, body: str) -> str:
        """The address of the comment, which now has this text."""

    def delete(self, posted: Posted) -> None:
        """It is gone, whoever was first."""

    def set_status(self, commit: str, status: Status, address: str) -> None:
        """The commit has this status; an earlier one of its name is replaced."""


def publish_comment(forge: Forge, comment: Comment, clock: Clock) -> str:
    """Exactly one comment with this marker: what was done, and its address. From the start again when the forge is busy: a lost answer
    to a creation leaves no second comment."""
    return patiently(lambda: _publish(forge, comment), clock)


def _publish(forge: Forge, comment: Comment) -> str:
    found = ours(forge.comments(), comment.marker)
    for copy in found[1:]:
        forge.delete(copy)
    if not found:
        return f"created {forge.create(comment.body)}"
    kept = found[0]
    body = with_previous(comment, kept.body.replace("\r\n", "\n"))
    if same_text(kept.body, body):
        return f"unchanged {kept.address}"
    return f"edited {forge.edit(kept, body)}"


def publish_statuses(forge: Forge, commit: str, statuses: Sequence[Status], address: str, clock: Clock) -> None:
    """Each of them, one after the other."""
    for status in statuses:
        patiently(lambda status=status: forge.set_status(commit, status, address), clock)  # type: ignore[misc]  # the loop's own value
