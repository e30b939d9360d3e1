"""Rounds of the loop: a real repository, the real apply as a program, engines in memory."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dtnctl.pulling.loop import Terms
from dtnctl.pulling.outcomes import ApplyResult
from dtnctl.pulling.programs import Programs
from dtnctl.pulling.sending import Webhook
from dtnctl.runtime.clock import SystemClock
from tests.fakes.http_api import Answer, Headers, serve
from tests.pulling.scene import SESSION, Scene, following
from tests.repository.branching import git


def test_push_is_applied_and_a_round_without_one_changes_nothing(scene: Scene) -> None:
    with following(scene.folder, scene.repository) as loop:
        said = loop.round()
        assert said[-1] == f"{scene.repository.head[:12]} is applied: 2 changes"
        assert (loop.code, scene.names(), scene.names("b")) == (0, {"small.s"}, {"small.s"})
        assert loop.round() == []
        scene.repository.push({"sessions/t": SESSION, "sessions/s": None, "site": "name: small\nlimits: {max_prune: 100%}\n"})
        loop.round()
        assert (scene.names(), scene.names("b")) == ({"small.t"}, set())


def test_broken_commit_leaves_the_last_good_one_which_is_kept_against_drift(scene: Scene) -> None:
    with following(scene.folder, scene.repository) as loop:
        loop.round()
        good = scene.repository.head
        scene.repository.push({"sessions/t": SESSION, "sessions/u": "endpoints: [nowhere]\nimage: app:1\n"})
        said = loop.round()
        assert len(said) == 1
        assert "is broken: state/sessions/u.yaml:1: " in said[0]
        assert f"going on with {good[:12]}, the last good commit" in said[0]
        assert (loop.code, scene.names()) == (0, {"small.s"})
        scene.remove("small.s")
        assert loop.round()[-1] == f"{good[:12]} is applied again: 1 change"
        assert scene.names() == {"small.s"}
        scene.repository.push({"sessions/u": None})
        assert "the branch's newest commit is accepted" in loop.round()
        assert scene.names() == {"small.s", "small.t"}


def test_force_push_is_followed_and_said(scene: Scene) -> None:
    with following(scene.folder, scene.repository) as loop:
        scene.repository.push({"sessions/t": SESSION})
        loop.round()
        scene.repository.drop_last()
        scene.repository.push({"sessions/u": SESSION}, force=True)
        assert loop.round()[0].startswith("main was rewritten: ")
        assert scene.names() == {"small.s", "small.u"}


def test_remote_that_is_away_is_said_once_and_drift_is_still_repaired(scene: Scene) -> None:
    with following(scene.folder, scene.repository) as loop:
        loop.round()
        with scene.repository.away():
            assert loop.round()[0].startswith("main cannot be fetched: ")
            scene.remove("small.s")
            assert loop.round()[-1] == f"{scene.repository.head[:12]} is applied again: 1 change"
        assert loop.round() == ["the repository answers again"]


def test_what_was_known_survives_a_restart_without_the_remote(scene: Scene) -> None:
    with following(scene.folder, scene.repository) as loop:
        loop.round()
        scene.repository.push({"sessions/t": "nonsense"})
        loop.round()
    with scene.repository.away(), following(scene.folder, scene.repository) as loop:
        said = loop.round()
        assert (len(said), loop.code) == (1, 0), "the broken commit was said before the restart"
        assert loop.loop.journal.condition("commit") is not None
        assert [run.repeats for run in loop.loop.journal.runs] == [1, 2]


def test_loop_that_never_saw_the_remote_does_nothing(scene: Scene) -> None:
    with scene.repository.away(), following(scene.folder, scene.repository) as loop:
        assert "there is no good commit yet" in loop.round()[0]
        assert loop.code is None
    assert scene.names() == set()


def test_engine_that_is_away_is_a_failure_that_passes(scene: Scene) -> None:
    with following(scene.folder, scene.repository) as loop:
        loop.round()
        scene.world.set_mode("b", "absent")
        scene.repository.push({"sessions/t": SESSION})
        assert [text.split(" at ")[0] for text in loop.round()] == ["partial"]
        assert scene.names() == {"small.s", "small.t"}
        assert loop.code in (3, 7)
        scene.world.set_mode("b", "up")
        assert "runs end without an error again" in loop.round()


def test_only_signed_commits_are_carried_out(scene: Scene, tmp_path: Path) -> None:
    signers = tmp_path / "signers"
    signers.write_text("")
    with following(scene.folder, scene.repository, terms=Terms(60.0, allowed_signers=str(signers))) as loop:
        assert "has no valid signature" in loop.round()[0]
        assert (loop.code, scene.names()) == (None, set())


def test_commit_that_was_accepted_without_a_signature_does_not_count_once_signatures_are_asked_for(scene: Scene, tmp_path: Path) -> None:
    signers = tmp_path / "signers"
    signers.write_text("")
    runs = NoRuns()
    with following(scene.folder, scene.repository, runs=runs) as loop:
        loop.round()
    with following(scene.folder, scene.repository, runs=runs, terms=Terms(60.0, allowed_signers=str(signers))) as loop:
        assert "was accepted before and is not any more" in loop.said[0]
        loop.round()
    assert runs.count == 1


@pytest.fixture
def signers(scene: Scene, tmp_path: Path) -> str:
    """One key, by which the work repository signs from now on."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    for setting, value in {"gpg.format": "ssh", "commit.gpgsign": "true", "user.signingkey": str(tmp_path / "key")}.items():
        git(scene.repository.work, "config", setting, value)
    file = tmp_path / "signers"
    file.write_text(f'a@example.net namespaces="git" {(tmp_path / "key.pub").read_text()}')
    return str(file)


def unsigned_below_a_signed_one(scene: Scene) -> str:
    git(scene.repository.work, "config", "commit.gpgsign", "false")
    unsigned = scene.repository.push({"sessions/t": SESSION})
    git(scene.repository.work, "config", "commit.gpgsign", "true")
    scene.repository.push({"sessions/u": SESSION})
    return unsigned


@pytest.mark.parametrize("lost", ["the clone", "the clone's damage is found while it runs", "the signer's list was changed meanwhile"])
def test_a_clone_that_is_made_again_asks_all_commits_since_the_last_good_one(scene: Scene, signers: str, lost: str) -> None:
    runs, terms = NoRuns(), Terms(60.0, allowed_signers=signers)
    scene.repository.push({"sessions/s": SESSION + "state: started\n"})
    with following(scene.folder, scene.repository, runs=runs, terms=terms) as loop:
        loop.round()
        good = scene.repository.head
        assert loop.loop.journal.good == good
        unsigned = unsigned_below_a_signed_one(scene)
        if "while it runs" in lost:
            loop.loop.clone.remake()
    if "while it runs" not in lost:
        shutil.rmtree(scene.folder / "clone")
    if "list" in lost:
        Path(signers).write_text(Path(signers).read_text() + "# changed\n")
    with following(scene.folder, scene.repository, runs=runs, terms=terms) as loop:
        said = loop.round()
        assert any(f"{unsigned[:12]}, which it continues: it is not signed" in text for text in said), said
        assert (loop.loop.journal.good, runs.count) == (good, 2)


def test_first_start_asks_only_the_newest_commit_or_all_since_the_one_that_is_named(scene: Scene, signers: str, tmp_path: Path) -> None:
    first = scene.repository.head
    unsigned = unsigned_below_a_signed_one(scene)
    for since, said in (
        (first, f"{unsigned[:12]}, which it continues: it is not signed"),
        (unsigned, ""),
        ("", "without a check of the commits before it"),
    ):
        terms = Terms(60.0, allowed_signers=signers, signed_since=since)
        with following(tmp_path / f"from {since}", scene.repository, runs=NoRuns(), terms=terms) as loop:
            assert said in loop.round()[0]
            assert loop.loop.journal.good == ("" if since == first else scene.repository.head)


def test_files_of_others_are_not_changed_where_owners_are_asked_for(scene: Scene) -> None:
    rules = (
        "owners: {rules: [{paths: [/state/site.yaml], people: [a@example.net]}, {paths: [/state/endpoints/], people: [b@example.net]}]}\n"
    )
    scene.repository.push({"site": "name: small\n" + rules})
    with following(scene.folder, scene.repository, runs=NoRuns(), terms=Terms(60.0, checks_owners=True)) as loop:
        loop.round()
        good = scene.repository.push({"site": "name: small\n# said\n" + rules})
        assert loop.round() == [f"{good[:12]} is applied: no changes on the endpoints"]
        file = "state/endpoints/a.yaml"
        scene.repository.push({"endpoints/a": (scene.repository.work / file).read_text() + "# mine\n"})
        (said,) = loop.round()
        assert f"{file} by a@example.net in {scene.repository.head[:12]}, whose owners are b@example.net" in said
        assert loop.loop.journal.good == good


def test_owner_rules_are_not_passed_by_rewriting_the_branch(scene: Scene) -> None:
    """A branch that goes back to before the rules, with or without a commit of its own, and a file that was locked since."""
    old = scene.repository.head
    rules = "owners: {rules: [{paths: [/state/endpoints/, /state/site.yaml], people: [b@example.net]}]}\n"
    good = scene.repository.push({"site": "name: small\n" + rules})
    with following(scene.folder, scene.repository, runs=NoRuns(), terms=Terms(60.0, checks_owners=True)) as loop:
        assert "is accepted without a check of owners" in loop.round()[0]
        git(scene.repository.work, "reset", "--quiet", "--hard", old)
        git(scene.repository.work, "push", "--quiet", "--force", "origin", "HEAD:main")
        refused = f"brings changes by others than the owners of the files: it does not continue {good[:12]}, "
        assert any(refused in text for text in loop.round())
        scene.repository.push({"sessions/t": SESSION})
        assert any(refused in text for text in loop.round())
        assert loop.loop.journal.good == good
        git(scene.repository.work, "reset", "--quiet", "--hard", good)
        scene.repository.push({"sessions/t": SESSION}, force=True)
        loop.round()
        assert loop.loop.journal.good == scene.repository.head


def test_owner_rules_hold_also_where_the_journal_is_lost(scene: Scene) -> None:
    rules = "owners: {rules: [{paths: [/state/endpoints/], people: [b@example.net]}]}\n"
    scene.repository.push({"site": "name: small\n" + rules})
    terms = Terms(60.0, checks_owners=True)
    with following(scene.folder, scene.repository, runs=NoRuns(), terms=terms) as loop:
        loop.round()
        (scene.folder / "journal.json").write_text("{")
    file = "state/endpoints/a.yaml"
    scene.repository.push({"endpoints/a": (scene.repository.work / file).read_text() + "# mine\n"})
    with following(scene.folder, scene.repository, runs=NoRuns(), terms=terms) as loop:
        assert f"{file} by a@example.net" in loop.round()[0]
        assert loop.loop.journal.good == ""


def test_round_that_the_disk_fails_is_a_failed_run_and_the_next_one_is_as_ever(scene: Scene) -> None:
    with following(scene.folder, scene.repository) as loop:
        loop.round()
        scene.remove("small.s")
        in_the_way = loop.loop.folder.events
        in_the_way.unlink()
        in_the_way.mkdir()
        (said,) = loop.round()
        assert said.startswith(f"error at {scene.repository.head[:12]}: ")
        assert (str(in_the_way) in said, loop.code, scene.names()) == (True, 1, set())
        in_the_way.rmdir()
        assert "runs end without an error again" in loop.round()
        assert scene.names() == {"small.s"}


def test_fetch_that_the_disk_fails_leaves_the_last_good_commit(scene: Scene, tmp_path: Path) -> None:
    """A clone that is damaged is made again; where that fails, it is as if the repository did not answer."""
    with following(scene.folder, scene.repository, runs=NoRuns()) as loop:
        loop.round()
        loop.loop.clone = replace(loop.loop.clone, root=tmp_path / "file")
        (tmp_path / "file").write_text("")
        assert "main cannot be fetched: " in loop.round()[0]
        assert loop.loop.journal.good == scene.repository.head


def test_journal_that_cannot_be_written_is_said_once_and_tried_again_before_anything_is_carried_out(scene: Scene) -> None:
    runs = NoRuns()
    with following(scene.folder, scene.repository, runs=runs) as loop:
        loop.round()
        in_the_way = scene.folder / "journal.part"
        in_the_way.mkdir()
        good = scene.repository.push({"sessions/t": SESSION})
        said = loop.round()
        assert said[0].startswith("the journal cannot be written: ")
        assert said[1].startswith(f"error at {good[:12]}: the journal cannot be written: ")
        assert (runs.count, loop.code, len(said)) == (1, 1, 2)
        assert loop.round() == []
        in_the_way.rmdir()
        assert loop.round() == ["runs end without an error again", f"{good[:12]} is applied: no changes on the endpoints"]
        assert (runs.count, loop.loop.folder.read_journal()[0].good) == (2, good)


def test_module_in_the_repository_is_not_imported(scene: Scene) -> None:
    for name in ("dtnctl", "json", "sitecustomize"):
        (scene.repository.work / f"{name}.py").write_text("raise SystemExit(99)\n")
    scene.repository.push({})
    with following(scene.folder, scene.repository) as loop:
        loop.round()
        assert loop.code == 0


def test_run_that_hangs_is_ended_and_counts_as_a_failure(scene: Scene) -> None:
    scene.world.set_mode("a", "silent")
    with following(scene.folder, scene.repository, run_seconds=1.0) as loop:
        assert loop.round()[0].endswith("it did not end within 1 s and was ended")
        assert loop.code == 1
        scene.world.set_mode("a", "up")


def test_stop_ends_the_run_after_its_calls(scene: Scene) -> None:
    scene.world.set_mode("a", "silent")
    with following(scene.folder, scene.repository) as loop:

        def stop_once_an_engine_is_asked() -> None:
            if scene.world.calls():
                loop.loop.waking.stop(15)

        assert isinstance(loop.loop.runs, Programs)
        loop.loop.runs = replace(loop.loop.runs, beat=stop_once_an_engine_is_asked)
        loop.loop.run()
        assert [run.exit_name for run in loop.loop.journal.runs] == ["terminated"]
        assert loop.said == []
        scene.world.set_mode("a", "up")


def test_reviewed_plan_is_what_runs_where_the_site_asks_for_it(scene: Scene) -> None:
    scene.repository.push({"site": "name: small\nreview: {if_missing: stop}\n"})
    with following(scene.folder, scene.repository, terms=Terms(60.0, uses_reviews=True)) as loop:
        assert loop.round()[0].startswith("stale-plan at ")
        assert scene.names() == set()


# --- notices ------------------------------------------------------------------------------------------------


@dataclass
class NoRuns:
    """Every commit can be planned, and nothing is ever to do: for rounds in which apply does not matter."""

    count: int = 0

    def mistakes(self, tree: Path) -> str:
        return ""

    def apply(self, tree: Path, events: Path, reviewed: Path | None = None, log: Path | None = None) -> ApplyResult:
        self.count += 1
        if log is not None:
            log.write_text("")
        return ApplyResult(0, "success")


@dataclass
class Chat:
    """A webhook of somebody's own, which answers with these codes, then with 200."""

    codes: list[int] = field(default_factory=list)
    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, method: str, target: str, headers: Headers, content: bytes) -> Answer | None:
        code = self.codes.pop(0) if self.codes else 200
        if code == 200:
            self.got.append(json.loads(content))
            assert headers["X-Dtnctl-Signature-256"].startswith("sha256=")
        return code, {}, None


def test_notices_are_sent_once_in_their_order_also_over_a_restart(scene: Scene) -> None:
    with serve(Chat([503])) as chat:
        webhook = Webhook(chat.url, "s3cret", SystemClock())
        with scene.repository.away(), following(scene.folder, scene.repository, webhook=webhook, runs=NoRuns()) as loop:
            loop.round()
            assert (chat.got, len(loop.loop.journal.unsent)) == ([], 1)
        with following(scene.folder, scene.repository, webhook=webhook, runs=NoRuns()) as loop:
            loop.round()
            loop.round()
        assert [(item["event"], item["state"]) for item in chat.got] == [
            ("remote", "raised"),
            ("remote", "cleared"),
            ("applied", "happened"),
        ]
        assert len({item["id"] for item in chat.got}) == 3


def test_notice_that_is_refused_is_dropped_and_said(scene: Scene) -> None:
    with serve(Chat([400])) as chat:
        webhook = Webhook(chat.url, "s3cret", SystemClock())
        with scene.repository.away(), following(scene.folder, scene.repository, webhook=webhook) as loop:
            assert "is dropped" in loop.round()[-1]
            assert loop.loop.journal.unsent == ()
        assert chat.got == []
