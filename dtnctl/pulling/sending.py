"""Sends notices to a webhook of the user's own, and statuses to a forge: one try a round for each that waits, in their order, so that the
loop is never held up."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dtnctl.errors import ReportError
from dtnctl.pulling.journal import CommitStatus, Journal, Notice
from dtnctl.pulling.statuses import posted
from dtnctl.pulling.tally import Tally
from dtnctl.render.review import Status
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.reporting.calls import BusyError, Calls
from dtnctl.runtime.reporting.forge import Forge
from dtnctl.runtime.reporting.webhook import FORMAT_VERSION, signature_headers

MOST_A_ROUND = 10  # a receiver that is slow must not hold up the rounds
STATUS_SECONDS = 20.0  # of one round that a forge may take
CALL_SECONDS = 10.0  # of one call of a forge


def notice_document(notice: Notice, repository: str, branch: str) -> Mapping[str, Any]:
    """What is posted; docs/pull.md lists its keys."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "reconcile",
        "repository": repository,
        "branch": branch,
        "id": notice.id,
        "event": notice.event,
        "state": notice.state,
        "commit": notice.commit,
        "text": notice.text,
        "at": notice.at,
    }


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address of the user's own; `secret` signs what is posted there, if it is not empty."""

    address: str
    secret: str
    clock: Clock

    def post(self, document: Mapping[str, Any]) -> None:
        """One try. BusyError if a later one may succeed, else ReportError."""
        body = json.dumps(document, sort_keys=True).encode()
        calls = Calls(self.address, signature_headers(self.secret, body), self.clock)
        calls.send("POST", "", body, {"Content-Type": "application/json"}, reads=False)


def send_notices(journal: Journal, webhook: Webhook | None, tally: Tally, say: Callable[[str], None]) -> Journal:
    """The journal without those that were sent. The first that has to wait holds back the others; one that is refused is dropped."""
    if webhook is None:
        return journal
    waiting = list(journal.unsent)
    for notice in journal.unsent[:MOST_A_ROUND]:
        try:
            webhook.post(notice_document(notice, journal.repository, journal.branch))
        except BusyError:
            tally.notice("waiting")
            break
        except ReportError as error:
            tally.notice("dropped")
            say(f"a notice was not accepted by the webhook and is dropped: {error}")
        else:
            tally.notice("sent")
        waiting.pop(0)
    return replace(journal, unsent=tuple(waiting))


@dataclass(frozen=True, slots=True)
class StatusPage:
    """Where statuses of commits are shown. `address` is what each of them links to; empty for none."""

    forge: Forge
    address: str
    clock: Clock


def send_statuses(journal: Journal, page: StatusPage | None, tally: Tally, say: Callable[[str], None]) -> Journal:
    """The journal in which those that were posted are known to be. The first that has to wait holds back the others, and so does the end
    of the round's time; what the forge refuses is not tried again, and said once a round."""
    if page is None:
        return journal
    end, refused = page.clock.monotonic() + STATUS_SECONDS, list[str]()
    for status in [item for item in journal.statuses if not item.is_posted]:
        if page.clock.monotonic() >= end:
            break
        try:
            _post(page, status)
        except BusyError:
            tally.status("waiting")
            break
        except ReportError as error:
            tally.status("dropped")
            refused.append(str(error))
        else:
            tally.status("sent")
        journal = replace(journal, statuses=posted(journal.statuses, status))
    if refused:
        say(f"the forge does not accept {len(refused)} of the commit's statuses: {refused[0]}")
    return journal


def _post(page: StatusPage, status: CommitStatus) -> None:
    page.forge.set_status(status.commit, Status(status.name, status.state, status.text), page.address)
