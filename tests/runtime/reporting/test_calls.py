"""How long a busy forge is waited for: as it asks, else twice as long each time, and never for ever."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dtnctl.errors import ReportError
from dtnctl.render.review import Comment
from dtnctl.runtime.reporting.calls import BusyError, Calls, checked_base, patiently
from dtnctl.runtime.reporting.forge import Forge, publish_comment
from dtnctl.runtime.reporting.github import GitHub, github_headers
from dtnctl.runtime.reporting.gitlab import GitLab, gitlab_headers
from tests.fakes.http_api import serve
from tests.runtime.reporting.forge_server import TOKEN, ForgeServer


class NotingClock:
    """Notes how long it was asked to wait, and does not."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def now(self) -> datetime:
        return datetime(2026, 6, 1, tzinfo=UTC)


def test_each_pause_is_twice_as_long() -> None:
    clock = NotingClock()

    def work() -> None:
        raise BusyError("GET /x: 502 Bad Gateway")

    with pytest.raises(ReportError, match="gave up after 5 tries"):
        patiently(work, clock)
    assert clock.waits == [1.0, 2.0, 4.0, 8.0]


def test_forge_that_asks_for_an_hour_gets_a_minute() -> None:
    clock = NotingClock()
    answers = iter([BusyError("busy", 3600.0), None])

    def work() -> str:
        if (error := next(answers)) is not None:
            raise error
        return "done"

    assert patiently(work, clock) == "done"
    assert clock.waits == [60.0]


@pytest.mark.parametrize(
    ("code", "headers", "wait"),
    [
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) + 30)}, 30.0),
        (429, {"Retry-After": "7"}, 7.0),
        (500, {}, None),
    ],
)
def test_forges_own_time_is_waited_for(code: int, headers: dict[str, str], wait: float | None) -> None:
    with serve(ForgeServer()) as forge:
        forge.failures = [(code, headers, {"message": "no"})]
        with pytest.raises(BusyError) as caught:
            Calls(forge.url, {}, NotingClock()).call("GET", "/user")
    assert caught.value.wait == wait


COMMENT = Comment("<!-- dtnctl:plan site=scinet ", "5d0e", "<!-- dtnctl:plan site=scinet hash=5d0e -->\n### plan\n")


def forges(url: str, clock: NotingClock) -> tuple[Forge, Forge]:
    """Clients of both."""
    github = GitHub(Calls(url, github_headers(TOKEN), clock), "dtn/state", 7, "github-actions[bot]")
    return github, GitLab(Calls(f"{url}/api/v4", gitlab_headers(TOKEN), clock), "42", 7, "https://gitlab.example/-/merge_requests/7")


@pytest.mark.parametrize("which", [0, 1], ids=["github", "gitlab"])
def test_lost_answer_to_a_creation_leaves_one_comment(which: int) -> None:
    clock = NotingClock()
    with serve(ForgeServer()) as forge:
        forge.lost = True
        publish_comment(forges(forge.url, clock)[which], COMMENT, clock)
        assert forge.bodies == [COMMENT.body]
    assert clock.waits == [1.0]


@pytest.mark.parametrize("which", [0, 1], ids=["github", "gitlab"])
def test_answer_that_is_no_json_is_asked_for_again(which: int) -> None:
    clock = NotingClock()
    with serve(ForgeServer()) as forge:
        forge.failures = [(200, {}, b"<html>back soon</html>")]
        publish_comment(forges(forge.url, clock)[which], COMMENT, clock)
        assert forge.bodies == [COMMENT.body]
    assert clock.waits == [1.0]


def test_forge_that_is_not_there_is_busy() -> None:
    with serve(ForgeServer()) as forge:
        url = forge.url
    with pytest.raises(BusyError, match="no answer"):
        Calls(url, {"PRIVATE-TOKEN": "secret-1"}, NotingClock()).call("GET", "/user")


def test_token_and_address_are_in_no_representation() -> None:
    text = repr(Calls("https://forge.example/hook?key=hidden", {"PRIVATE-TOKEN": "secret-1"}, NotingClock()))
    assert "secret-1" not in text
    assert "hidden" not in text


def test_only_this_machine_is_called_without_tls() -> None:
    assert checked_base("http://127.0.0.1:8080/", "X") == "http://127.0.0.1:8080"
    for address in ("http://forge.example", "http://127.0.0.1.evil.example", "ftp://forge.example"):
        with pytest.raises(ReportError, match="X is not https"):
            checked_base(address, "X")


@pytest.mark.parametrize("token", ["secret-1\n", "secret-1\u2026"], ids=["line break", "beyond Latin-1"])
def test_token_that_cannot_be_sent_is_in_no_error(token: str) -> None:
    with serve(ForgeServer()) as forge, pytest.raises(ReportError, match="cannot be sent") as caught:
        Calls(forge.url, github_headers(token), NotingClock()).call("GET", "/user")
    assert "secret-1" not in str(caught.value)
    assert caught.value.__suppress_context__
