"""The scenes of the SC20 talk, typed into `dtnctl shell` on real engines: every command runs, and the page shows what it printed."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from dtnctl.cli.shell.remote_paths import RemotePaths
from lab.releases import OWN
from tests.e2e.test_trouble import wait_for
from tests.engine_choice import labs
from tests.shell.talk import FIRST_SCENE, HOSTS, LOG, SECOND_SCENE, Talk
from tests.shell.transcripts import blocks, blocks_of_page, comparable, shown, write_page

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture(scope="module")
def talk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    root = tmp_path_factory.mktemp("talk") / "site"
    root.mkdir()
    with labs(request, len(HOSTS), "both") as found:
        lab = found.lab(OWN.name)
        with lab.wire("eth2"):
            made = Talk(lab, root)
            made.make()
            yield made


def test_both_scenes_of_the_talk_run_and_the_page_shows_what_they_printed(talk: Talk) -> None:
    with talk.slow("starlight-dtn"):
        printed = talk.shell(*FIRST_SCENE)
        begun = _log(talk, "")
        printed += begun + _log(talk, begun)
    wait_for(lambda: "Applied" in talk.shell("apply --yes"), seconds=120)  # records the transfer's result once it has ended
    printed += talk.shell(*SECOND_SCENE)
    found = [(command, shown(command, text)) for command, text in blocks(printed)]
    assert [command for command, _ in found] == [*FIRST_SCENE, LOG, LOG, *SECOND_SCENE]
    assert all("sshftp://" in text for command, text in found if command == LOG)
    if os.environ.get("DTN_WRITE_TALK"):
        write_page(found)
    assert comparable(found) == comparable(blocks_of_page())


def _log(talk: Talk, before: str) -> str:
    """What the running transfer has written by now, which is more than it was."""
    seen: list[str] = []

    def has_grown() -> bool:
        seen.append(talk.shell(LOG))
        return "bytes" in seen[-1] and seen[-1] != before

    wait_for(has_grown, seconds=120)
    return seen[-1]


def test_paths_on_an_endpoint_are_completed_by_what_its_services_see(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(talk.root)
    talk.lab.exec(HOSTS["starlight-dtn"], ["mkdir", "-p", "/data/with blank"])
    remote = RemotePaths()
    assert remote.completed("starlight-dtn", "/data/1") == ["/data/1T", "/data/1T_2"]
    assert "/data/with blank/" in remote.completed("starlight-dtn", "/data/")
    assert remote.completed("starlight-dtn", "/no such/") == []
    assert remote.completed("nowhere", "/data/") == []
