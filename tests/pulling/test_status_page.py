"""Statuses of commits, posted by rounds of a real loop to doubles of GitHub's and GitLab's APIs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dtnctl.cli.status_page import StatusForge, StatusOptions, status_page
from dtnctl.errors import DtnctlError
from dtnctl.pulling.sending import StatusPage
from dtnctl.runtime.clock import SystemClock
from tests.cli.small_site import run
from tests.fakes.http_api import serve
from tests.pulling.scene import SESSION, Scene, following
from tests.runtime.reporting.forge_server import TOKEN, ForgeServer


def page_of(
    forge: ForgeServer, folder: Path, kind: StatusForge, token: str = TOKEN, environment: Mapping[str, str] | None = None
) -> StatusPage:
    file = folder / "token"
    file.write_text(f"{token}\n")
    api, repository = (forge.url, "dtn/state") if kind is StatusForge.github else (f"{forge.url}/api/v4", "42")
    page = status_page(StatusOptions(kind, str(file), api, repository), "file:///r.git", environment or {}, SystemClock())
    assert page is not None
    return page


def shown(forge: ForgeServer, commit: str) -> dict[str, tuple[str, str]]:
    return {name: (body["state"], body["description"]) for (found, name), body in forge.statuses.items() if found == commit}


@pytest.mark.parametrize("kind", list(StatusForge))
def test_a_commit_shows_what_became_of_it_on_each_endpoint(scene: Scene, tmp_path: Path, kind: StatusForge) -> None:
    failed = "failure" if kind is StatusForge.github else "failed"
    with serve(ForgeServer()) as forge, following(scene.folder, scene.repository, page=page_of(forge, tmp_path, kind)) as loop:
        loop.round()
        first = scene.repository.head
        made = ("success", "1 change made")
        assert shown(forge, first) == {
            "dtnctl/reconcile": ("success", "2 changes made"),
            "dtnctl/small/a/applied": made,
            "dtnctl/small/b/applied": made,
        }
        calls = len(forge.calls)
        loop.round()
        assert len(forge.calls) == calls, "a round in which nothing was done is no news"
        broken = scene.repository.push({"sessions/u": "endpoints: [nowhere]\nimage: app:1\n"})
        loop.round()
        ((name, (state, text)),) = shown(forge, broken).items()
        assert (name, state) == ("dtnctl/reconcile", failed)
        assert text.startswith("not carried out: it is broken: state/sessions/u.yaml:1: ")
        scene.world.set_mode("b", "absent")
        silent = scene.repository.push({"sessions/u": None, "sessions/t": SESSION})
        loop.round()
        assert shown(forge, silent)["dtnctl/small/a/applied"] == made
        assert shown(forge, silent)["dtnctl/small/b/applied"][0] == ("error" if kind is StatusForge.github else "failed")
        assert len(forge.posted) == 0


def test_a_forge_that_does_not_answer_holds_nothing_up_and_gets_all_later_also_over_a_restart(scene: Scene, tmp_path: Path) -> None:
    with serve(ForgeServer(failures=[(503, {}, None)] * 2)) as forge:
        page = page_of(forge, tmp_path, StatusForge.github)
        with following(scene.folder, scene.repository, page=page) as loop:
            loop.round()
            assert (loop.code, scene.names(), len(forge.calls)) == (0, {"small.s"}, 1), "one try a round"
        with following(scene.folder, scene.repository, page=page) as loop:
            loop.round()
            assert forge.statuses == {}
            loop.round()
            assert len(shown(forge, scene.repository.head)) == 3
            assert 'dtnctl_reconcile_statuses_total{result="waiting"} 1' in loop.loop.tally.text()
            assert 'dtnctl_reconcile_statuses_total{result="sent"} 3' in loop.loop.tally.text()


def test_a_token_that_the_forge_refuses_is_said_once_a_commit_without_the_token(scene: Scene, tmp_path: Path) -> None:
    with serve(ForgeServer()) as forge:
        page = page_of(forge, tmp_path, StatusForge.github, token="s3cret-of-another")
        with following(scene.folder, scene.repository, page=page) as loop:
            said = loop.round()
            assert (loop.code, scene.names()) == (0, {"small.s"})
            assert [text for text in said if "the forge does not accept 3 of the commit's statuses: " in text] == said[-1:]
            assert "s3cret" not in said[-1]
            assert loop.round() == []


def test_without_a_forge_nothing_waits_for_one(scene: Scene) -> None:
    with following(scene.folder, scene.repository) as loop:
        loop.round()
        assert loop.loop.journal.statuses == ()


# --- where they go ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "url", "base", "repository"),
    [
        (StatusForge.github, "git@github.com:us/my-dtns.git", "https://api.github.com", "us/my-dtns"),
        (StatusForge.github, "ssh://git@ssh.github.com:443/us/my-dtns.git", "https://api.github.com", "us/my-dtns"),
        (StatusForge.github, "https://ghe.example.net/us/my-dtns", "https://ghe.example.net/api/v3", "us/my-dtns"),
        (StatusForge.gitlab, "ssh://git@gitlab.example.net:2222/a/b/dtns.git", "https://gitlab.example.net/api/v4", "a/b/dtns"),
        (StatusForge.gitlab, "gitlab.example.net:a/dtns.git/", "https://gitlab.example.net/api/v4", "a/dtns"),
    ],
)
def test_forge_and_repository_are_those_of_the_url(tmp_path: Path, kind: StatusForge, url: str, base: str, repository: str) -> None:
    (tmp_path / "token").write_text("t\n")
    page = status_page(StatusOptions(kind, str(tmp_path / "token"), "", ""), url, {}, SystemClock())
    assert page is not None
    forge = page.forge
    place = getattr(forge, "repository", None) or getattr(forge, "project", None)
    assert (forge.calls.base, place) == (base, repository)  # type: ignore[attr-defined]  # both have it


@pytest.mark.parametrize(
    ("url", "token", "api", "repository", "reason"),
    [
        ("git@github.com:us/dtns.git", None, "", "", "--status-token FILE"),
        ("git@github.com:us/dtns.git", "\nlater", "", "", "first line is empty"),
        ("file:///srv/dtns.git", "t", "", "us/dtns", "--status-api URL"),
        ("file:///srv/dtns.git", "t", "https://x.example", "", "--status-repository OWNER/NAME"),
        ("/srv/dtns.git", "t", "https://x.example", "../dtns", "--status-repository OWNER/NAME"),
        ("git@github.com:us/dtns.git", "t", "http://x.example", "", "is not https"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_done(
    tmp_path: Path, url: str, token: str | None, api: str, repository: str, reason: str
) -> None:
    if token is not None:
        (tmp_path / "token").write_text(token)
    options = StatusOptions(StatusForge.github, str(tmp_path / "token") if token is not None else "", api, repository)
    with pytest.raises(DtnctlError, match=reason):
        status_page(options, url, {}, SystemClock())


def test_command_posts_them_by_its_options_alone(scene: Scene, tmp_path: Path) -> None:
    with serve(ForgeServer()) as forge:
        (tmp_path / "token").write_text(TOKEN)
        words = ("--once", "--repo", scene.repository.url, "--state-dir", str(tmp_path / "loop"))
        given = {
            "DTNCTL_STATUSES": "github",
            "DTNCTL_STATUS_TOKEN": str(tmp_path / "token"),
            "DTNCTL_DETAILS_URL": "https://graphs.example",
        }
        ran = run(tmp_path, "reconcile", *words, "--status-api", forge.url, "--status-repository", "dtn/state", **given)
        assert ran.returncode == 0, ran.stderr
        assert set(shown(forge, scene.repository.head)) == {"dtnctl/reconcile", "dtnctl/small/a/applied", "dtnctl/small/b/applied"}
        assert {body["target_url"] for body in forge.statuses.values()} == {"https://graphs.example"}
