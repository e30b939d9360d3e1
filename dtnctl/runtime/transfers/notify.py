"""Reports the end of a transfer to its webhook, once: a receipt says that this is due, and afterwards when it was done or given up.

A notification that cannot be sent changes nothing about the transfer; what is said of it never has the URL, which may be a secret.
"""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

from dtnctl.model.ledger import Attempt
from dtnctl.model.notification import DUE, Notification, check_webhook
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.runtime.transfers.attempt import Task, time_text
from dtnctl.runtime.transfers.joint_calls import LookUp
from dtnctl.runtime.transfers.record import write_record

PAUSES = (1.0, 4.0)  # seconds before the second and the third try
PATIENCE = 10.0  # seconds for each
FORMAT_VERSION = 1


class NotSentError(Exception):
    """Why a notification was not sent; `may_pass`: a further try may succeed."""

    def __init__(self, reason: str, *, may_pass: bool = False) -> None:
        self.may_pass = may_pass
        super().__init__(reason)


def with_notice_due(task: Task, receipt: Attempt, *, is_last: bool | None = None) -> Attempt:
    """The receipt, marked if its end is to be reported: that of the last try. `is_last` None: as its verdict and the retries say."""
    notify = task.options.notify
    if is_last is None:
        is_last = not receipt.may_be_repeated(task.attempt, task.options.retries)
    if notify is None or receipt.notified or not is_last or receipt.verdict not in notify.states:
        return receipt
    return replace(receipt, notified=DUE)


def notify_if_due(task: Task, receipt: Attempt, leased: AbstractContextManager[object] | None = None) -> Attempt:
    """Send what is due, and record that; returns the receipt as it is then. `leased` holds the lease of the source for the record."""
    notify = task.options.notify
    if notify is None or receipt.notified != DUE:
        return receipt
    reason = _send(task, notify, body_of(task.site, receipt))
    now = time_text(task.clock.now())
    receipt = replace(receipt, notified=f"not sent at {now}: {reason}" if reason else now)
    with leased or nullcontext():
        write_record(task.here, task.site, receipt)
    return receipt


def notice_text(receipt: Attempt) -> str:
    """What a reader should know of a notification that was not sent; empty if there is nothing."""
    return f"; its notification was {receipt.notified}" if receipt.notified.startswith("not sent") else ""


def body_of(site: str, receipt: Attempt) -> Mapping[str, Any]:
    """What is posted; docs/transfers.md lists its keys. `id` is the same in each try, so that a receiver can tell them apart from news."""
    keys = ("transfer", "generation", "attempt", "cause", "source", "destination", "tool", "bytes", "files", "seconds", "checksum")
    return {
        "format_version": FORMAT_VERSION,
        "kind": "transfer",
        "id": f"{site}/{receipt.transfer}.g{receipt.generation}a{receipt.attempt}",
        "site": site,
        "state": receipt.verdict,
        **{key: getattr(receipt, key) for key in keys},
        "claimed_at": receipt.claimed_at,
        "finished_at": receipt.finished_at,
        "labels": dict(receipt.labels),
        "metadata": dict(receipt.metadata),
    }


def _send(task: Task, notify: Notification, body: Mapping[str, Any]) -> str:
    """Post it, at most three times; returns why that did not succeed, empty if it did."""
    pauses = list(PAUSES)
    while True:
        try:
            _post(_url(notify, task.calls.look_up), json.dumps(body, sort_keys=True).encode())
            return ""
        except NotSentError as error:
            if not error.may_pass or not pauses:
                return str(error)
            task.clock.sleep(pauses.pop(0))


def _url(notify: Notification, look_up: LookUp) -> str:
    """Where to post to. NotSentError if this machine does not know it, or it is none."""
    if notify.url_env and notify.url_env not in os.environ:
        raise NotSentError(f"the environment has no {notify.url_env}")
    try:
        secret = look_up(notify.url_secret) if notify.url_secret else ""
        url = notify.url or secret or os.environ.get(notify.url_env) or _first_line(notify.url_file)
        return check_webhook(url.strip())
    except SecretError as error:
        raise NotSentError(f"{notify.url_secret} holds no address: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NotSentError(f"{notify.url_file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    except ValueError as error:
        raise NotSentError(str(error)) from None


def _first_line(path: str) -> str:
    return (Path(path).read_text(encoding="utf-8").splitlines() or [""])[0] if path else ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that points to another place is no acceptance: the body goes to the declared host alone."""

    def redirect_request(self, *_: object) -> None:
        return None


def _post(url: str, body: bytes) -> None:
    """One try. Certificates are checked against this machine's authorities (SSL_CERT_FILE names others)."""
    headers = {"Content-Type": "application/json", "User-Agent": "dtnctl"}
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  # check_webhook has seen the scheme
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=ssl.create_default_context()))
    try:
        with opener.open(request, timeout=PATIENCE):
            return
    except urllib.error.HTTPError as error:
        error.close()
        raise NotSentError(f"the webhook answered {error.code}", may_pass=error.code >= 500 or error.code == 429) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise NotSentError(f"the webhook's certificate is not accepted: {error.reason.verify_message}") from None
        raise NotSentError(f"the webhook cannot be reached: {_short(error.reason)}", may_pass=True) from None
    except (OSError, HTTPException) as error:
        raise NotSentError(f"the webhook did not answer: {_short(error)}", may_pass=True) from None
    except ValueError:
        raise NotSentError("the webhook's address is none") from None


def _short(error: object) -> str:
    """Words about an error that cannot have the URL in them."""
    return getattr(error, "strerror", None) or type(error).__name__
