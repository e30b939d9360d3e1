"""The server as it runs: its routes and what they refuse, looks that are shared, silence that blocks nothing, plans of branches."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from dtnctl.runtime.clock import SystemClock
from dtnctl.web.access import HEADERS, METHODS
from dtnctl.web.app import Pages
from dtnctl.web.plans import OTHERWISE, Plans
from dtnctl.web.rates import Rates
from dtnctl.web.watch import Pace
from tests.cli.small_site import run, two_engines
from tests.fakes.engine import World
from tests.web.scenes import NOW, scinet
from tests.web.serving import FixedWatch, Served, served, served_view
from tests.web.test_pages import words_of

TOKEN = "correct-horse-battery-staple"
PATHS = ("/", "/endpoints", "/endpoints/a", "/sessions", "/sessions/s", "/transfers", "/plan", "/networks", "/history")


def git(root: Path, *words: str) -> str:
    author = ("-c", "user.name=alice", "-c", "user.email=alice@localhost")
    return subprocess.run(["git", "-C", str(root), *author, *words], check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def applied(root: Path) -> Iterator[World]:
    """Session s on a and b, applied and committed."""
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / ".gitignore").write_text("/.dtnctl/\n")
    with two_engines(root) as world:
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "a state")
        assert run(root, "apply", "--yes").returncode == 0
        yield world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with applied(tmp_path) as world:
        yield world


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same for tests that change nothing."""
    root = tmp_path_factory.mktemp("shown")
    with applied(root), served(root, pace=Pace(every=1.0)) as found:
        yield found


@pytest.fixture
def pages(tmp_path: Path, world: World) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


def routes() -> list[Route]:
    watch = FixedWatch(scinet())
    made = Pages(watch, Plans(watch, SystemClock()), Rates("scinet", lambda _: None, watch.pause), SystemClock())  # type: ignore[arg-type]  # documented fake
    return made.routes()


def test_no_route_takes_a_method_that_writes() -> None:
    found = {route.path: route.methods for route in routes()}
    assert set(map(tuple, map(sorted, (methods or () for methods in found.values())))) == {("GET", "HEAD")}
    assert {"/", "/plan", "/events", "/static/{name}"} <= set(found)
    assert METHODS == ("GET", "HEAD")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_every_path_refuses_what_writes(shown: Served, method: str) -> None:
    for path in (*PATHS, "/events", "/static/page.js", "/nothing"):
        answer = shown.get(path, method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD"), path


def test_a_watch_holds_clients_that_cannot_write(pages: Served, world: World) -> None:
    pages.get("/")
    clients = pages.watch.clients()
    assert sorted(clients) == ["a", "b"]
    assert not [name for client in clients.values() for name in ("perform", "create_container", "remove", "start") if hasattr(client, name)]
    for path in PATHS:
        pages.get(path)
    before = len(world.calls())
    writing = [call for call in world.calls() if call.split()[1] not in ("GET", "HEAD")]
    pages.get("/")
    assert [call for call in world.calls()[before:] if call.split()[1] not in ("GET", "HEAD")] == []
    assert writing, "the apply before did write"


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_shown_with_what_it_forbids_a_browser(shown: Served, path: str) -> None:
    answer = shown.get(path)
    assert answer.status == 200
    assert {name: answer.headers[name.lower()] for name in HEADERS} == dict(HEADERS)
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    head = shown.get(path, "HEAD")
    assert (head.status, head.text) == (200, "")


def test_a_page_that_is_not_there_says_so_with_the_same_headers(shown: Served) -> None:
    for path in (
        "/nothing",
        "/sessions/none",
        "/endpoints/none",
        "/transfers/none",
        "/static/none.js",
        "/static/..%2Fwatch.py",
        "/history/none",
    ):
        answer = shown.get(path)
        assert answer.status == 404, path
        assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


def test_another_host_name_is_refused(shown: Served) -> None:
    assert shown.get("/", Host="evil.example.net").status == 421
    assert shown.get("/", Host=f"localhost:{shown.port}").status == 200


def test_files_are_asked_for_once(shown: Served) -> None:
    first = shown.get("/static/page.js")
    assert (first.status, first.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    again = shown.get("/static/page.js", If_None_Match=first.headers["etag"])
    assert (again.status, again.text) == (304, "")
    assert "Permission is hereby granted" in shown.get("/static/uplot-LICENSE.txt").text


def test_with_a_token_nothing_is_shown_without_it_not_even_a_style(tmp_path: Path, world: World) -> None:
    with served(tmp_path, TOKEN) as pages:
        for path in (*PATHS, "/static/page.css", "/events"):
            assert pages.get(path).status == 401
        shown = pages.get("/", Authorization=f"Bearer {TOKEN}")
        assert shown.status == 200
        cookie = shown.headers["set-cookie"].partition(";")[0]
        again = pages.get("/", Cookie=cookie)
        assert again.status == 200
        assert "set-cookie" not in again.headers
        assert TOKEN not in str(shown) + str(again)


def test_the_first_page_shows_what_was_seen_and_not_that_a_look_is_under_way(shown: Served) -> None:
    text = words_of(shown.get("/").text)
    assert "2 of 2 endpoints answered" in text
    assert "1 session: 1 STARTED" in text
    assert "Nothing is wrong on what answered." in text


def test_the_plan_of_the_files_is_the_one_of_the_command_line(tmp_path: Path, pages: Served, world: World) -> None:
    (tmp_path / "state/sessions/two.yaml").write_text("endpoints: [a]\nimage: app:1\nprofile: p\n")
    _next_look(pages)
    document = json.loads(run(tmp_path, "plan", "-o", "json").stdout)
    text = words_of(pages.get("/plan").text)
    assert f"dtnctl apply --expect {document['plan_hash']}" in text
    assert "HEAD" in text
    assert "(uncommitted changes)" in text
    assert "create session/two @ a" in text


def test_a_branch_has_the_plan_that_its_files_would_have(tmp_path: Path, pages: Served) -> None:
    git(tmp_path, "checkout", "--quiet", "-b", "topic")
    (tmp_path / "state/sessions/two.yaml").write_text("endpoints: [b]\nimage: app:1\nprofile: p\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "a second session")
    wanted = json.loads(run(tmp_path, "plan", "-o", "json").stdout)["plan_hash"]
    git(tmp_path, "checkout", "--quiet", "main")
    answer = pages.get("/plan?commit=topic")
    text = words_of(answer.text)
    assert f"Hash {wanted}" in text
    assert "a second session" in text
    assert "apply --expect" not in text, "apply would run what is checked out"
    assert '<option value="topic">branch topic</option>' in answer.text
    assert "No changes" in words_of(pages.get("/plan").text)


def test_an_endpoint_that_a_branch_reaches_in_another_way_is_not_asked(tmp_path: Path, pages: Served, world: World) -> None:
    """What a branch says was written by whoever may push one: nothing connects to where it leads."""
    git(tmp_path, "checkout", "--quiet", "-b", "moved")
    file = tmp_path / "state/endpoints/a.yaml"
    file.write_text(f"docker: unix://{world.sockets['b']}\nhost: a.example.net\n")
    (tmp_path / "state/endpoints/new.yaml").write_text(f"docker: unix://{world.sockets['b']}\nhost: new.example.net\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "another address")
    git(tmp_path, "checkout", "--quiet", "main")
    text = words_of(pages.get("/plan?commit=moved").text)
    assert f"a, new: {OTHERWISE}" in text


@pytest.mark.parametrize("name", ["nothing", "--all", "HEAD~99", "../../etc", "a b"])
def test_a_commit_that_is_not_there_is_said(shown: Served, name: str) -> None:
    answer = shown.get(f"/plan?commit={name.replace(' ', '%20')}")
    assert answer.status == 200
    assert f"there is no commit {name}" in words_of(answer.text)


def test_a_branch_whose_files_are_wrong_shows_where(tmp_path: Path, pages: Served) -> None:
    git(tmp_path, "checkout", "--quiet", "-b", "broken")
    (tmp_path / "state/sessions/s.yaml").write_text("endpoints: [none]\nimage: app:1\nprofile: p\n")
    git(tmp_path, "commit", "--quiet", "--all", "--message", "broken")
    git(tmp_path, "checkout", "--quiet", "main")
    assert ":state/sessions/s.yaml:1:" in words_of(pages.get("/plan?commit=broken").text)


def test_files_that_become_wrong_are_named_and_the_site_is_shown_as_it_was(tmp_path: Path, pages: Served) -> None:
    pages.get("/")
    file = tmp_path / "state/sessions/s.yaml"
    before = file.read_text()
    file.write_text("endpoints: [none]\nimage: app:1\nprofile: p\n")
    _next_look(pages)
    text = words_of(pages.get("/").text)
    assert "The state files have 1 problem" in text
    assert "1 session: 1 STARTED" in text
    file.write_text(before)
    _next_look(pages)
    assert "The state files have" not in words_of(pages.get("/").text)


def test_a_silent_endpoint_blocks_no_page_and_is_shown_with_since_when(pages: Served, world: World) -> None:
    pages.get("/")
    world.set_mode("b", "silent")
    try:
        while "1 of 2 endpoints answered" not in (text := words_of(pages.get("/").text)):
            pages.watch.pause(0.1)
        listed = words_of(pages.get("/endpoints").text)
    finally:
        world.set_mode("b", "up")
    assert re.search(r"endpoint b ✖ silent since \d\d:\d\d:\d\d UTC \(.*\) no answer for 2 s", text), text
    assert "● answered" in listed, "a goes on"
    while "2 of 2 endpoints answered" not in words_of(pages.get("/").text):
        pages.watch.pause(0.1)


def test_all_who_look_share_one_look(tmp_path: Path, world: World) -> None:
    with served(tmp_path, pace=Pace(every=3600.0)) as pages:
        pages.get("/")
        calls = len(world.calls())
        for path in PATHS * 2:
            pages.get(path)
        assert pages.watch.newest().number == 1
        assert len(world.calls()) == calls


def test_a_look_is_an_event_for_every_page_that_is_open(shown: Served) -> None:
    numbers = [json.loads(item.partition("data: ")[2])["number"] for item in shown.events("/events", 3)]
    assert numbers == sorted(set(numbers))
    assert shown.get("/events", "HEAD").headers["content-type"].startswith("text/event-stream")


def test_history_has_the_run_and_its_commit_leads_to_what_it_changed(shown: Served) -> None:
    commit = git(shown.watch.newest().root, "rev-parse", "HEAD")
    answer = shown.get("/history")
    assert "create 2" in words_of(answer.text)
    assert f'href="/history/{commit}"' in answer.text
    changed = words_of(shown.get(f"/history/{commit}").text)
    assert "session/s" in changed
    assert "● ok" in changed


def test_a_session_has_the_runs_about_it(shown: Served) -> None:
    assert "create 2" in words_of(shown.get("/sessions/s").text)


def test_what_is_shown_of_one_view_needs_no_endpoint() -> None:
    class Clock(SystemClock):
        def now(self):  # type: ignore[no-untyped-def]  # as the clock's
            return NOW

    with served_view(scinet(), Clock()) as pages:
        assert "12 s ago" in words_of(pages.get("/endpoints").text)


def _next_look(pages: Served) -> None:
    """Wait until a look has begun and ended."""
    number = pages.watch.newest().number
    while pages.watch.newest().number < number + 2:
        pages.watch.pause(0.05)
