"""Calls of a forge's HTTP API: JSON in, JSON out, again after a while when it is busy. No message has a token or a body in it."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from dtnctl.errors import ReportError
from dtnctl.runtime.clock import Clock

T = TypeVar("T")

PAGE = 100
MOST_PAGES = 50
TRIES = 5
FIRST_PAUSE = 1.0  # seconds; each further one is twice as long
LONGEST_PAUSE = 60.0
PATIENCE = 30.0  # seconds for one call
PLAIN_HTTP = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")


class BusyError(Exception):
    """The forge could not answer just now. `wait` is how many seconds it asked us to wait; None if it did not."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to a host that was not named."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Calls:
    """One API. `headers` carry the token; neither they nor `base`, which may be a secret too, are in any text.

    `patience`: seconds for one call.
    """

    base: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    clock: Clock = field(repr=False)
    patience: float = PATIENCE

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call. BusyError if a later one may succeed, else ReportError. None for an empty answer, and for a DELETE of what is gone."""
        data = None if body is None else json.dumps(body).encode()
        return self.send(method, path, data, {"Content-Type": "application/json", "Accept": "application/json"})

    def pages(self, path: str, **query: str) -> list[Any]:
        """The items of a list, page by page, 5,000 at most. Raises as `call` does."""
        found: list[Any] = []
        for page in range(1, MOST_PAGES + 1):
            items = self.call("GET", f"{path}?{urlencode(query | {'per_page': PAGE, 'page': page})}")
            found += items
            if len(items) < PAGE:
                break
        return found

    def send(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str], *, reads: bool = True) -> Any:
        """The same with a body as it is; without `reads` any answer that is no refusal will do."""
        url = self.base + path
        request = urllib.request.Request(url, data, {"User-Agent": "dtnctl", **headers, **self.headers}, method=method)  # noqa: S310  # checked_base has seen the scheme
        opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=ssl.create_default_context()))
        what = f"{method} {path.partition('?')[0]}"
        try:
            with opener.open(request, timeout=self.patience) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            with error:
                self._refuse(error, method, what)
            return None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise ReportError(f"{what}: the certificate is not accepted: {error.reason.verify_message}") from None
            raise BusyError(f"{what}: no answer ({_short(error.reason)})") from None
        except (OSError, http.client.HTTPException) as error:
            raise BusyError(f"{what}: no answer ({_short(error)})") from None
        except ValueError:  # http.client's words about a line break in a header have the header in them
            raise ReportError(f"{what}: the address or the token has characters that cannot be sent, such as a line break") from None
        return _parsed(text, what) if reads else None

    def _refuse(self, error: urllib.error.HTTPError, method: str, what: str) -> None:
        """The right error, in the forge's own words but never with its whole answer."""
        if method == "DELETE" and error.code == 404:
            return
        text = f"{what}: {error.code} {_message(error)}"
        limited = error.code in (403, 429) and (_is_limit(error) or "rate limit" in text.lower())
        if limited or error.code == 429 or error.code >= 500:
            raise BusyError(text, _asked_wait(error, self.clock))
        raise ReportError(text)


def patiently(work: Callable[[], T], clock: Clock) -> T:
    """What `work` returns, from its start again while the forge is busy; ReportError after a few tries."""
    pause = FIRST_PAUSE
    for left in reversed(range(TRIES)):
        try:
            return work()
        except BusyError as error:
            if left == 0:
                raise ReportError(f"{error}; gave up after {TRIES} tries") from None
            clock.sleep(min(error.wait if error.wait is not None else pause, LONGEST_PAUSE))
            pause *= 2
    raise AssertionError("the last try returns or raises")


def checked_base(address: str, name: str) -> str:
    """The address of an API without a slash at its end. ReportError unless it is https, or on this machine: it would show the token."""
    if not address.startswith("https://") and not PLAIN_HTTP.match(address):
        raise ReportError(f"{name} is not https: what is sent would be readable on its way")
    return address.rstrip("/")


def _is_limit(error: urllib.error.HTTPError) -> bool:
    return "Retry-After" in error.headers or error.headers.get("X-RateLimit-Remaining") == "0"


def _asked_wait(error: urllib.error.HTTPError, clock: Clock) -> float | None:
    """What Retry-After says in seconds; else the time at which GitHub's and GitLab's limits end."""
    after, end = (
        error.headers.get("Retry-After", ""),
        error.headers.get("X-RateLimit-Reset", "") or error.headers.get("RateLimit-Reset", ""),
    )
    if after.isdecimal():
        return float(after)
    return max(1.0, float(end) - clock.now().timestamp()) if end.isdecimal() and _is_limit(error) else None


def _message(error: urllib.error.HTTPError) -> str:
    try:
        said = json.loads(error.read(65_536))["message"]
        return str(said)[:200]
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        return str(error.reason)


def _parsed(text: bytes, what: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise BusyError(f"{what}: its answer is no JSON") from None


def _short(error: object) -> str:
    """Words about an error that cannot have an address or a token in them."""
    return getattr(error, "strerror", None) or type(error).__name__
