"""The clone that the pull loop keeps, with real repositories."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.repository.followed import CloneError, Followed, FollowingClone
from dtnctl.repository.followed import FetchError as Trouble
from dtnctl.repository.state_at import files_at
from tests.repository.branching import commit, git, make_main


class Scene:
    """A work repository, the remote it pushes to, and the clone that follows it."""

    def __init__(self, folder: Path, *, depth: int = 50) -> None:
        self.remote = folder / "remote.git"
        self.work = make_main(folder / "work")
        git(folder, "clone", "--quiet", "--bare", str(self.work), str(self.remote))
        git(self.work, "remote", "add", "origin", str(self.remote))
        self.clone = FollowingClone(folder / "clone", Followed(f"file://{self.remote}", "main", depth=depth))
        self.clone.open()

    def push(self, text: str, *words: str) -> str:
        """A commit with that text as its only change; `words` are for git push."""
        (self.work / "note").write_text(text)
        commit(self.work, text)
        git(self.work, "push", "--quiet", *words, "origin", "main")
        return git(self.work, "rev-parse", "main")

    @property
    def note(self) -> str:
        return (self.clone.root / "note").read_text()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_newest_commit_is_fetched_and_checked_out(scene: Scene) -> None:
    first = scene.push("one")
    assert scene.clone.fetch() == first
    scene.clone.check_out(first)
    assert scene.note == "one"
    second = scene.push("two")
    assert scene.clone.fetch() == second
    assert scene.clone.continues(second, first)
    assert not scene.clone.continues(first, second)


def test_history_is_fetched_as_deep_as_was_asked_for(tmp_path: Path) -> None:
    shallow, whole = (
        Scene(tmp_path, depth=2),
        FollowingClone(tmp_path / "whole", Followed(f"file://{tmp_path}/remote.git", "main", depth=0)),
    )
    for text in ("one", "two", "three"):
        newest = shallow.push(text)
    whole.open()
    assert shallow.clone.fetch() == whole.fetch() == newest
    assert git(shallow.clone.root, "rev-list", "--count", newest) == "2"
    assert git(whole.root, "rev-list", "--count", newest) == "4"


def test_rewritten_branch_is_followed_and_the_commit_that_was_kept_stays(scene: Scene) -> None:
    old = scene.push("old")
    scene.clone.fetch()
    scene.clone.keep(old)
    git(scene.work, "reset", "--quiet", "--hard", "HEAD~1")
    new = scene.push("new", "--force")
    assert scene.clone.fetch() == new
    assert not scene.clone.continues(new, old)
    git(scene.clone.root, "reflog", "expire", "--expire=now", "--all")
    git(scene.clone.root, "gc", "--quiet", "--prune=now")
    scene.clone.check_out(old)
    assert scene.note == "old"


def test_whatever_lies_in_the_files_is_gone_after_a_check_out(scene: Scene) -> None:
    newest = scene.push("one")
    scene.clone.fetch()
    scene.clone.check_out(newest)
    (scene.clone.root / "note").write_text("changed")
    (scene.clone.root / "state" / "sessions").mkdir(exist_ok=True)
    (scene.clone.root / "state" / "sessions" / "stranger.yaml").write_text("x")
    (scene.clone.root / ".gitignore").write_text("*\n")
    scene.clone.check_out(newest)
    assert scene.note == "one"
    assert git(scene.clone.root, "status", "--porcelain", "--ignored") == ""


def test_secrets_are_a_link_which_no_commit_can_replace(scene: Scene, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "key.pem").write_text("mine")
    (scene.work / ".secrets").mkdir()
    (scene.work / ".secrets" / "key.pem").write_text("theirs")
    newest = scene.push("one")
    scene.clone.fetch()
    for _ in range(2):
        scene.clone.check_out(newest, str(secrets))
        assert (scene.clone.root / ".secrets" / "key.pem").read_text() == "mine"
    assert (secrets / "key.pem").read_text() == "mine"


def test_remote_that_is_gone_and_branch_that_is_gone_say_so(scene: Scene) -> None:
    scene.push("one")
    scene.clone.fetch()
    absent = replace(scene.clone, followed=replace(scene.clone.followed, branch="nope"))
    with pytest.raises(Trouble, match="find remote ref refs/heads/nope"):
        absent.fetch()
    scene.remote.rename(scene.remote.with_suffix(".away"))
    with pytest.raises(Trouble, match="remote"):
        scene.clone.fetch()
    scene.remote.with_suffix(".away").rename(scene.remote)
    scene.clone.fetch()


def test_locks_that_a_dead_git_left_are_removed(scene: Scene) -> None:
    first = scene.push("one")
    for name in ("index.lock", "shallow.lock", "packed-refs.lock", "config.lock", "refs/remotes/origin/main.lock"):
        lock = scene.clone.root / ".git" / name
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    scene.clone.open()
    assert scene.clone.fetch() == first
    scene.clone.check_out(first)
    assert scene.note == "one"


def test_damaged_clone_is_made_once_more(scene: Scene) -> None:
    first = scene.push("one")
    scene.clone.fetch()
    scene.clone.check_out(first)
    shutil.rmtree(scene.clone.root / ".git" / "objects")
    (scene.clone.root / ".git" / "objects").mkdir()
    second = scene.push("two")
    assert scene.clone.fetch() == second
    scene.clone.check_out(second)
    assert scene.note == "two"


def test_commit_that_is_not_here_cannot_be_checked_out(scene: Scene) -> None:
    scene.clone.fetch()
    with pytest.raises(CloneError, match="git checkout"):
        scene.clone.check_out("a" * 40)


def test_fetch_ends_when_it_is_cancelled(scene: Scene, tmp_path: Path) -> None:
    """ssh is a program that never answers, and that has a child which keeps its pipes open."""
    program = tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\nsleep 1000 & touch {tmp_path}/asked; wait\n")
    program.chmod(0o755)
    followed = Followed("ssh://git@forge.invalid/r.git", "main")
    clone = FollowingClone(tmp_path / "other", followed, is_cancelled=(tmp_path / "asked").exists)
    clone.open()
    git(clone.root, "config", "core.sshCommand", str(program))
    with pytest.raises(Trouble, match="did not end"):
        clone.fetch()


# --- signatures ---------------------------------------------------------------------------------------------


@pytest.fixture
def signers(scene: Scene, tmp_path: Path) -> str:
    """Two keys, of which the first is allowed; the work repository signs by it."""
    for name in ("good", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    for setting, value in {"gpg.format": "ssh", "commit.gpgsign": "true", "user.signingkey": str(tmp_path / "good")}.items():
        git(scene.work, "config", setting, value)
    file = tmp_path / "signers"
    file.write_text(f'a@example.net namespaces="git" {(tmp_path / "good.pub").read_text()}')
    return str(file)


def test_commit_of_an_allowed_signer_is_accepted(scene: Scene, signers: str) -> None:
    newest = scene.push("one")
    scene.clone.fetch()
    assert scene.clone.signature_problem(newest, signers) == ""


def test_other_keys_and_unsigned_commits_are_refused(scene: Scene, signers: str, tmp_path: Path) -> None:
    git(scene.work, "config", "user.signingkey", str(tmp_path / "other"))
    other = scene.push("other")
    git(scene.work, "config", "commit.gpgsign", "false")
    unsigned = scene.push("unsigned")
    scene.clone.fetch()
    assert "No principal matched" in scene.clone.signature_problem(other, signers)
    assert "it is not signed by an SSH key" in scene.clone.signature_problem(unsigned, signers)


def test_every_commit_of_the_branch_since_the_good_one_is_asked_for_its_signature(scene: Scene, signers: str) -> None:
    good = scene.push("good")
    git(scene.work, "config", "commit.gpgsign", "false")
    unsigned = scene.push("unsigned")
    git(scene.work, "config", "commit.gpgsign", "true")
    newest = scene.push("newest")
    scene.clone.fetch()
    assert scene.clone.signature_problem(newest, signers) == ""
    said = scene.clone.unsigned_since(good, newest, signers)
    assert said.startswith(f"{unsigned[:12]}, which it continues: it is not signed by an SSH key")
    assert scene.clone.unsigned_since(unsigned, newest, signers) == ""
    assert scene.clone.unsigned_since("", newest, signers) == "", "the first one vouches for its history"
    assert "it is not signed" in scene.clone.unsigned_since("0" * 40, newest, signers), "all is new since what is not here"
    assert "it is not signed" in scene.clone.unsigned_since(newest, unsigned, signers), "back to an older commit"


def test_a_merge_that_is_signed_does_not_vouch_for_what_it_brings_in(scene: Scene, signers: str) -> None:
    """What `git pull` makes on top of a commit that somebody pushed without a signature."""
    good = scene.push("good")
    git(scene.work, "checkout", "--quiet", "-b", "change")
    git(scene.work, "-c", "commit.gpgsign=false", "commit", "--quiet", "--allow-empty", "--message", "unsigned")
    unsigned = git(scene.work, "rev-parse", "HEAD")
    git(scene.work, "checkout", "--quiet", "main")
    git(scene.work, "merge", "--quiet", "--no-ff", "--no-edit", "change")
    newest = scene.push("newest")
    scene.clone.fetch()
    assert scene.clone.unsigned_since(good, newest, signers).startswith(f"{unsigned[:12]}, which it continues: it is not signed")
    assert scene.clone.unsigned_since(unsigned, newest, signers) == ""
    git(scene.work, "checkout", "--quiet", "-b", "more")
    git(scene.work, "commit", "--quiet", "--allow-empty", "--message", "signed")
    git(scene.work, "checkout", "--quiet", "main")
    git(scene.work, "-c", "commit.gpgsign=false", "merge", "--quiet", "--no-ff", "--no-gpg-sign", "--no-edit", "more")
    newest = scene.push("on top of a merge that is not signed")
    scene.clone.fetch()
    assert "which it continues: it is not signed" in scene.clone.unsigned_since(good, newest, signers)


def test_commits_that_depth_cut_off_are_asked_too(tmp_path: Path, signers: str) -> None:
    (tmp_path / "shallow").mkdir()
    shallow = Scene(tmp_path / "shallow", depth=2)
    for setting, value in {"gpg.format": "ssh", "commit.gpgsign": "true", "user.signingkey": str(tmp_path / "good")}.items():
        git(shallow.work, "config", setting, value)
    good = shallow.push("good")
    git(shallow.work, "config", "commit.gpgsign", "false")
    unsigned = shallow.push("unsigned")
    git(shallow.work, "config", "commit.gpgsign", "true")
    for number in range(3):
        newest = shallow.push(f"signed {number}")
    shallow.clone.fetch()
    assert not shallow.clone.has(unsigned)
    assert shallow.clone.unsigned_since(good, newest, signers).startswith(f"{unsigned[:12]}, which it continues: it is not signed")
    assert shallow.clone.unsigned_since(unsigned, newest, signers) == ""
    again = shallow.push("on top")
    assert shallow.clone.fetch() == again
    assert shallow.clone.unsigned_since(newest, again, signers) == ""


def test_history_that_cannot_be_fetched_is_no_history_that_is_signed(tmp_path: Path, signers: str) -> None:
    (tmp_path / "shallow").mkdir()
    shallow = Scene(tmp_path / "shallow", depth=1)
    good, newest = shallow.push("good"), shallow.push("newest")
    shallow.clone.fetch()
    shallow.remote.rename(tmp_path / "away.git")
    with pytest.raises(Trouble, match=f"the history since {good[:12]} cannot be fetched"):
        shallow.clone.unsigned_since(good, newest, signers)


def hashed(scene: Scene, content: str) -> str:
    """The id of a commit with this content, which is in the work repository then."""
    command = ["git", "-C", str(scene.work), "hash-object", "-t", "commit", "-w", "--stdin"]
    return subprocess.run(command, input=content, text=True, capture_output=True, check=True).stdout.strip()


def test_signature_moved_to_another_commit_is_refused(scene: Scene, signers: str) -> None:
    signed = scene.push("one")
    content = git(scene.work, "cat-file", "commit", signed) + "\n"
    forged = hashed(scene, content.replace("\n\none", "\n\ntwo"))
    assert forged != signed
    git(scene.work, "push", "--quiet", "--force", "origin", f"{forged}:refs/heads/main")
    assert scene.clone.fetch() == forged
    assert scene.clone.signature_problem(forged, signers) != ""


def test_settings_of_the_user_do_not_make_other_signatures_count(
    scene: Scene, signers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An OpenPGP signature that the user's own gpg calls good."""
    program = tmp_path / "gpg"
    program.write_text("#!/bin/sh\ncat >/dev/null\nprintf '[GNUPG:] NEWSIG\\n[GNUPG:] GOODSIG 1 a\\n[GNUPG:] TRUST_ULTIMATE 0 pgp\\n'\n")
    program.chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[gpg]\n\tprogram = {program}\n")
    git(scene.work, "config", "commit.gpgsign", "false")
    content = git(scene.work, "cat-file", "commit", scene.push("one"))
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----\n\n"
    signed = hashed(scene, content.replace("\n\n", f"\n{signature}", 1) + "\n")
    git(scene.work, "push", "--quiet", "--force", "origin", f"{signed}:refs/heads/main")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert scene.clone.fetch() == signed
    command = ["git", "-C", str(scene.clone.root), "verify-commit", signed]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert scene.clone.signature_problem(signed, signers) != ""


def test_what_refs_put_in_the_place_of_a_commit_is_not_checked_out(scene: Scene, signers: str) -> None:
    evil = scene.push("evil")
    git(scene.work, "reset", "--quiet", "--hard", "HEAD~1")
    newest = scene.push("one", "--force")
    scene.clone.fetch()
    git(scene.clone.root, "fetch", "--quiet", str(scene.work), f"{evil}:refs/replace/{newest}")
    assert git(scene.clone.root, "show", f"{newest}:note") == "evil"
    assert scene.clone.signature_problem(newest, signers) == ""
    scene.clone.check_out(newest)
    assert scene.note == "one"
    assert files_at(scene.clone.root, "", newest)["note"] == b"one"


# --- how it is reached --------------------------------------------------------------------------------------


def test_deploy_key_and_known_hosts_are_all_that_ssh_uses(tmp_path: Path) -> None:
    for name in ("key file", "hosts"):
        (tmp_path / name).touch()
    followed = Followed("git@forge:r.git", "main", str(tmp_path / "key file"), str(tmp_path / "hosts")).checked()
    assert f"-i '{tmp_path}/key file' -o IdentitiesOnly=yes -o UserKnownHostsFile={tmp_path}/hosts" in followed.ssh_command
    assert "StrictHostKeyChecking=yes" in followed.ssh_command
    clone = FollowingClone(tmp_path / "clone", followed)
    clone.open()
    assert git(clone.root, "config", "core.sshCommand") == followed.ssh_command


@pytest.mark.parametrize(
    ("followed", "reason"),
    [
        (Followed("https://me:secret@forge/r.git", "main"), "the URL has a password"),
        (Followed("https://secret@forge/r.git", "main"), "password or token"),
        (Followed("HTTP://me:secret@forge/r.git", "main"), "password or token"),
        (Followed("https://forge/r.git?access_token=secret", "main"), "password or token"),
        (Followed("https://forge/r.git#secret", "main"), "password or token"),
        (Followed("ssh://me:secret@forge/r.git", "main"), "password or token"),
        (Followed("--upload-pack=x", "main"), "is not URL and branch"),
        (Followed("r", "-x"), "is not URL and branch"),
        (Followed("r", ""), "is not URL and branch"),
        (Followed("r", "main", "/nowhere/key"), "/nowhere/key: there is no such file"),
    ],
)
def test_what_cannot_be_followed_is_an_error_of_usage(followed: Followed, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        followed.checked()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://forge/r@1.git", "ssh://git@forge/r.git", "git@forge:r.git", "/srv/r?.git"])
def test_url_without_password_is_followed(url: str) -> None:
    assert Followed(url, "main").checked().url == url


# --- reviewed plans -----------------------------------------------------------------------------------------


def test_reviewed_plan_of_the_state_is_found_and_kept_for_when_the_remote_is_away(scene: Scene) -> None:
    newest = scene.push("one")
    scene.clone.fetch()
    assert scene.clone.reviewed_plan(newest) is None
    tree = git(scene.work, "rev-parse", "main:state")
    git(scene.work, "checkout", "--quiet", "--orphan", "plan")
    git(scene.work, "rm", "-rfq", ".")
    (scene.work / "plan.json").write_text('{"plan_hash": "1"}')
    commit(scene.work, "plan")
    git(scene.work, "push", "--quiet", "origin", f"HEAD:refs/dtnctl/plans/{tree}")
    assert scene.clone.reviewed_plan(newest) == '{"plan_hash": "1"}'
    scene.remote.rename(scene.remote.with_suffix(".away"))
    assert scene.clone.reviewed_plan(newest) == '{"plan_hash": "1"}'
    part = replace(scene.clone, followed=replace(scene.clone.followed, label="region=eu"))
    assert part.reviewed_plan(newest) is None, "a part of the site has plans of its own"
