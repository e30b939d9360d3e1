"""Who may read the pages: host names, methods, other sites, the token, the cookie."""

from __future__ import annotations

import base64
from http import HTTPStatus

import pytest

from dtnctl.web.access import HEADERS, Access, host_of, is_loopback

OPEN = Access(frozenset({"localhost", "127.0.0.1", "::1"}), "dtnctl-8300")
TOKEN = "correct-horse-battery"
CLOSED = Access(frozenset({"dtn.example.net"}), "dtnctl-8300", TOKEN, "the-pass")
HOST = {"host": "dtn.example.net:8300"}


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def status(access: Access, headers: dict[str, str], method: str = "GET") -> HTTPStatus | None:
    refusal = access.refusal(method, headers)
    return None if refusal is None else refusal.status


@pytest.mark.parametrize("host", ["localhost:8300", "127.0.0.1", "[::1]:9000", "LOCALHOST", "localhost."])
def test_a_page_on_loopback_is_known_by_its_own_names_at_any_port(host: str) -> None:
    assert status(OPEN, {"host": host}) is None


@pytest.mark.parametrize(
    "host", ["evil.example.net", "localhost.evil.example.net", "127.0.0.1.evil.example.net", "", "127.0.0.2", "[::2]:8300"]
)
def test_a_browser_that_was_led_here_by_the_dns_of_another_site_is_refused(host: str) -> None:
    assert status(OPEN, {"host": host}) is HTTPStatus.MISDIRECTED_REQUEST
    assert status(OPEN, {}) is HTTPStatus.MISDIRECTED_REQUEST


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get"])
def test_only_get_and_head_are_answered(method: str) -> None:
    assert status(OPEN, {"host": "localhost"}, method) is HTTPStatus.METHOD_NOT_ALLOWED
    assert status(OPEN, {"host": "localhost"}, "HEAD") is None


def test_a_page_of_another_site_may_link_here_and_not_read() -> None:
    cross = {"host": "localhost", "sec-fetch-site": "cross-site"}
    assert status(OPEN, cross | {"sec-fetch-mode": "no-cors"}) is HTTPStatus.FORBIDDEN
    assert status(OPEN, cross | {"sec-fetch-mode": "navigate"}) is None


@pytest.mark.parametrize(
    "value",
    ["", "Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", basic(f"{TOKEN}:"), basic("x:wrong"), "Basic ???", "Digest x", TOKEN],
)
def test_without_the_token_nothing_is_shown(value: str) -> None:
    refusal = CLOSED.refusal("GET", HOST | {"authorization": value})
    assert refusal is not None
    assert refusal.status is HTTPStatus.UNAUTHORIZED
    assert refusal.headers["WWW-Authenticate"].startswith("Basic ")
    assert TOKEN not in refusal.text + str(refusal.headers)
    assert CLOSED.given(HOST | {"authorization": value}) == {}


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}", f"bearer  {TOKEN} ", basic(f"anyone:{TOKEN}"), basic(f":{TOKEN}")])
def test_the_token_opens_and_gives_a_cookie_that_no_script_and_no_other_site_can_use(value: str) -> None:
    shown = HOST | {"authorization": value}
    assert status(CLOSED, shown) is None
    cookie = CLOSED.given(shown)["Set-Cookie"]
    assert cookie == "dtnctl-8300=the-pass; Path=/; HttpOnly; SameSite=Strict"
    assert TOKEN not in cookie
    with_cookie = HOST | {"cookie": "a=b; dtnctl-8300=the-pass"}
    assert status(CLOSED, with_cookie) is None
    assert CLOSED.given(with_cookie) == {}


def test_a_cookie_of_an_earlier_server_opens_nothing() -> None:
    assert status(CLOSED, HOST | {"cookie": "dtnctl-8300=another"}) is HTTPStatus.UNAUTHORIZED
    assert status(CLOSED, HOST | {"cookie": "other=the-pass; dtnctl-8300"}) is HTTPStatus.UNAUTHORIZED


def test_a_server_without_a_token_gives_no_cookie() -> None:
    assert OPEN.given({"host": "localhost", "authorization": "Bearer "}) == {}


def test_the_policy_allows_no_inline_script_and_nothing_of_other_hosts() -> None:
    policy = dict(item.split(" ", 1) for item in HEADERS["Content-Security-Policy"].split("; "))
    assert policy.pop("default-src") == policy.pop("base-uri") == policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) == {"'self'"}


@pytest.mark.parametrize(("header", "name"), [("a.b:80", "a.b"), ("[fe80::1]:80", "fe80::1"), ("A.B", "a.b"), ("a.b.", "a.b")])
def test_a_host_is_its_name_without_the_port(header: str, name: str) -> None:
    assert host_of(header) == name


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("host", False),
    ],
)
def test_loopback_is_what_this_machine_alone_reaches(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
