"""Who may read the pages: the host name that a browser must have asked for, the token, and what each answer forbids a browser. Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

METHODS = ("GET", "HEAD")
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
SHORTEST_TOKEN = 16
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in place of the page, and why."""

    status: HTTPStatus
    text: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """`hosts`: names and addresses under which browsers reach the page, without a port; one that a browser was led to by another site's
    DNS is not among them. `token`: empty where none is asked for. `pass_`: what the cookie of a browser that showed the token holds.
    """

    hosts: frozenset[str]
    cookie: str
    token: str = ""
    pass_: str = ""

    def refusal(self, method: str, headers: Mapping[str, str]) -> Refusal | None:
        """Why a request is not answered; None if it is. `headers` by their names in small letters."""
        if host_of(headers.get("host", "")) not in self.hosts:
            text = "this page is not known under the host name that was asked for; `dtnctl web --name NAME` adds one"
            return Refusal(HTTPStatus.MISDIRECTED_REQUEST, text, {})
        if method not in METHODS:
            return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this page only shows: GET and HEAD", {"Allow": ", ".join(METHODS)})
        if headers.get("sec-fetch-site", "none") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return Refusal(HTTPStatus.FORBIDDEN, "another site asked for this", {})
        if self.token and not (self.has_pass(headers) or self.has_token(headers)):
            asks = {"WWW-Authenticate": 'Basic realm="dtnctl: any name, the token as password", charset="UTF-8"'}
            return Refusal(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong", asks)
        return None

    def has_token(self, headers: Mapping[str, str]) -> bool:
        """Whether the request shows the token: as a bearer's, or as the password that a browser asked for."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        match scheme.casefold():
            case "bearer":
                return _equal(value.strip(), self.token)
            case "basic":
                return _equal(_password(value.strip()), self.token)
            case _:
                return False

    def has_pass(self, headers: Mapping[str, str]) -> bool:
        """Whether the request has the cookie of a browser that showed the token before."""
        cookies = (item.strip().partition("=") for item in headers.get("cookie", "").split(";"))
        return any(name == self.cookie and _equal(value, self.pass_) for name, _, value in cookies)

    def given(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Headers of the answer to one who showed the token: the cookie, which no script reads and no other site's page sends along."""
        if not self.token or self.has_pass(headers) or not self.has_token(headers):
            return {}
        return {"Set-Cookie": f"{self.cookie}={self.pass_}; Path=/; HttpOnly; SameSite=Strict"}


def host_of(header: str) -> str:
    """The name of a Host header without its port: `localhost` of `localhost:8300`, `::1` of `[::1]:8300`."""
    name = header.strip().casefold()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].removesuffix(".")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _equal(given: str, wanted: str) -> bool:
    """Compared in a time that says nothing of where they differ."""
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())
