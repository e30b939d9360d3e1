"""Sends notices to a webhook of the user's own: one try a round for each that waits, in their order, so that the loop is never held up."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dtnctl.errors import ReportError
from dtnctl.pulling.journal import Journal, Notice
from dtnctl.pulling.tally import Tally
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.reporting.calls import BusyError, Calls
from dtnctl.runtime.reporting.webhook import FORMAT_VERSION, signature_headers

MOST_A_ROUND = 10  # a receiver that is slow must not hold up the rounds


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
