"""The editing commands: they write YAML only, validate the whole site, and leave nothing wrong behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.repository.state_folder import SESSION, TRANSFER, VALID, write_state
from tests.runtime.program import Result, dtnctl

CREATE = ("session", "create", "a,b", "image", "dtn:2", "profile", "p")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_state(tmp_path, {TRANSFER: None})


def _git(root: Path, *arguments: str) -> str:
    author = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "A"), ("EMAIL", "a@example.net"))}
    environment = {**os.environ, **author, "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(root: Path) -> Path:
    _git(root, "init", "--quiet", "--initial-branch=main")
    _git(root, "config", "user.name", "A")
    _git(root, "config", "user.email", "a@example.net")
    _git(root, "add", ".")
    _git(root, "commit", "--quiet", "--message", "start")
    return root


def _files(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in sorted((root / "state").rglob("*")) if path.is_file()}


# --- sessions -------------------------------------------------------------------------------------------------------


def test_session_is_created_with_the_words_of_the_talk(root: Path) -> None:
    assert dtnctl(root, *CREATE) == Result(0, 'Initialized new session "p" (state/sessions/p.yaml)\n', "")
    text = (root / "state/sessions/p.yaml").read_text()
    assert text == "endpoints:\n  - a\n  - b\nimage: dtn:2\nprofile: p\nstate: initialized\n"


def test_session_is_created_with_options(root: Path) -> None:
    image = f"reg:5000/x@sha256:{'0' * 64}"
    options = ("--image", image, "--user", "no", "--state", "started", "--name", "mine")
    assert dtnctl(root, "session", "create", "b", *options).out == 'Initialized new session "mine" (state/sessions/mine.yaml)\n'
    text = (root / "state/sessions/mine.yaml").read_text()
    assert text == f'endpoints:\n  - b\nimage: {image}\nuser: "no"\nstate: started\n'


def test_name_is_made_up_and_the_next_free_one_is_taken(root: Path) -> None:
    names = [dtnctl(root, *CREATE).out.split('"')[1] for _ in range(3)]
    assert names == ["p", "p-2", "p-3"]
    assert 'session "a-b"' in dtnctl(root, "session", "create", "a, b", "image", "x").out


def test_made_up_name_is_cut_to_what_a_name_may_be(root: Path) -> None:
    for letter in "xyz":
        (root / f"state/endpoints/{letter * 20}.yaml").write_text(VALID["endpoints/b.yaml"])
    endpoints = ",".join(letter * 20 for letter in "xyz")
    names = [dtnctl(root, "session", "create", endpoints, "--image", "x").out.split('"')[1] for _ in range(2)]
    assert names == [f"{'x' * 20}-{'y' * 19}", f"{'x' * 20}-{'y' * 17}-2"]


def test_new_files_tell_editors_their_schema_where_there_is_one(root: Path) -> None:
    dtnctl(root, "schema", "--out", ".dtnctl/schema")
    dtnctl(root, *CREATE)
    first = (root / "state/sessions/p.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../.dtnctl/schema/session.json"


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("create", "a,c", "image", "x"), 65, "state/sessions/a-c.yaml:3:5: E0301: there is no endpoint `c`; try one of a, b"),
        (("create", "a", "image", "x", "--state", "strated"), 65, "`state` cannot be `strated`, only initialized, started or stopped"),
        (("create", "a", "image", "x", "profile"), 64, "image x profile is not understood; try image IMAGE profile PROFILE"),
        (("create", "a", "image", "x", "colour", "red"), 64, "image x colour red is not understood"),
        (("create", "a", "image", "x", "image", "y"), 64, "image x image y is not understood"),
        (("create", "a", "image", "x", "--name", "s"), 64, "session s exists already (state/sessions/s.yaml); try another --name"),
        (("create", "a", "image", "x", "--name", "../../s"), 64, "`../../s` is not a name"),
        (("create", "../a", "image", "x"), 64, "`../a` is not a name"),
        (("create", "a"), 65, "state/sessions/a.yaml:1:1: E0314: neither the session nor its profile names an image"),
        (("start", "nope"), 64, "there is no session nope; there are: s"),
        (("delete", "nope"), 64, "there is no session nope; there are: s"),
    ],
)
def test_wrong_edit_is_explained_and_leaves_everything_as_it_was(root: Path, arguments: tuple[str, ...], code: int, error: str) -> None:
    before = _files(root)
    result = dtnctl(root, "session", *arguments)
    assert (result.code, result.out) == (code, "")
    assert error in result.err
    assert _files(root) == before


def test_state_is_edited_in_place_and_comments_stay(root: Path) -> None:
    text = "# mine\nendpoints: [a,   b]  # two\nstate: 'initialized'   # for now\nimage: dtn:1\n# end\n"
    (root / "state" / SESSION).write_text(text)
    assert dtnctl(root, "session", "start", "s").out == 'Starting session "s"\n'
    assert (root / "state" / SESSION).read_text() == text.replace("'initialized'", "started")
    assert dtnctl(root, "session", "stop", "s").out == 'Stopping session "s"\n'
    assert (root / "state" / SESSION).read_text() == text.replace("'initialized'", "stopped")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("endpoints: [a]\nimage: x", "endpoints: [a]\nimage: x\nstate: stopped\n"),
        ("endpoints: [a]\nimage: x\n# end\n", "endpoints: [a]\nimage: x\n# end\nstate: stopped\n"),
        ("state: |-\n  started\nendpoints: [a]\nimage: x\n", "state: stopped\nendpoints: [a]\nimage: x\n"),
        ('{"state":"started", endpoints: [a], image: x}\n', '{"state": stopped, endpoints: [a], image: x}\n'),
        ("{endpoints: [a], image: x}\n", "endpoints: [a]\nimage: x\nstate: stopped\n"),
        ("---\nendpoints: [a]\nimage: x\n...\n", "endpoints: [a]\nimage: x\nstate: stopped\n"),
        ("endpoints: [a]\r\nstate: started\r\nimage: x\r\n", "endpoints: [a]\r\nstate: stopped\r\nimage: x\r\n"),
    ],
)
def test_state_is_set_however_the_file_is_written(root: Path, before: str, after: str) -> None:
    file = root / "state" / SESSION
    file.write_bytes(before.encode())
    assert dtnctl(root, "session", "stop", "s").code == 0
    assert file.read_bytes().decode() == after


def test_several_sessions_are_edited_by_one_command(root: Path) -> None:
    dtnctl(root, *CREATE)
    assert dtnctl(root, "session", "start", "s", "p").out == 'Starting session "s"\nStarting session "p"\n'


def test_deleted_session_is_a_removed_file(root: Path) -> None:
    assert dtnctl(root, "session", "delete", "s").out == 'Deleting session "s"\n'
    assert not (root / "state" / SESSION).exists()


def test_session_that_a_transfer_names_is_not_deleted(root: Path) -> None:
    write_state(root)
    result = dtnctl(root, "session", "delete", "s")
    assert result.code == 65
    assert "state/transfers/t.yaml:4:10: E0304: there is no session `s`" in result.err
    assert (root / "state" / SESSION).read_text() == VALID[SESSION]


def test_nothing_is_edited_while_the_site_is_wrong_elsewhere(root: Path) -> None:
    (root / "state/endpoints/b.yaml").write_text("docker: 5\n")
    result = dtnctl(root, *CREATE)
    assert (result.code, "state/endpoints/b.yaml:1:9: E0203" in result.err) == (65, True)
    assert not (root / "state/sessions/p.yaml").exists()


# --- transfers ------------------------------------------------------------------------------------------------------

TRANSFER_1T = ("transfer", "a:/data/1T", "b:/data/1T_2", "gridftp")


def test_transfer_finds_the_one_suitable_session(root: Path) -> None:
    assert dtnctl(root, *TRANSFER_1T) == Result(
        0,
        "Found suitable existing session s\nDeclared transfer 1T for a -> b using transfer type gridftp (state/transfers/1T.yaml)\n",
        "",
    )
    text = (root / "state/transfers/1T.yaml").read_text()
    assert text == "from: a:/data/1T\nto: b:/data/1T_2\ntool: gridftp\nsession: s\n"


def test_stopped_session_is_not_taken_where_a_started_one_is(root: Path) -> None:
    (root / "state/sessions/old.yaml").write_text(VALID[SESSION] + "state: stopped\n")
    assert dtnctl(root, *TRANSFER_1T).out.startswith("Found suitable existing session s\n")


def test_several_suitable_sessions_are_listed(root: Path) -> None:
    (root / "state/sessions/more.yaml").write_text(VALID[SESSION])
    result = dtnctl(root, *TRANSFER_1T)
    assert (result.code, result.err) == (
        64,
        "several sessions have services on a and b: more, s; try --session more\ndtnctl: usage (64)\n",
    )
    assert dtnctl(root, *TRANSFER_1T, "--session", "more").out.startswith("Declared transfer 1T for a -> b")


def test_no_suitable_session_says_how_to_get_one(root: Path) -> None:
    (root / "state" / SESSION).unlink()
    result = dtnctl(root, *TRANSFER_1T)
    assert (result.code, result.err.splitlines()[0]) == (
        64,
        "no session has services on both a and b; try dtnctl session create a,b image …",
    )


def test_options_become_fields_in_the_order_of_the_model(root: Path) -> None:
    options = "--retries 2 --recursive --block-size 4MiB --verify size --parallelism 8 --concurrency 2 --deadline 2h --generation 3"
    more = "--algorithm sha256 --tcp-buffer 64MiB --backoff 1m --stall-timeout 10m --name night"
    assert dtnctl(root, "transfer", "a:/data/in/", "b:/data/out/", "gridftp", *options.split(), *more.split()).code == 0
    assert (root / "state/transfers/night.yaml").read_text() == (
        "from: a:/data/in/\nto: b:/data/out/\ntool: gridftp\nsession: s\ngeneration: 3\nparallelism: 8\nconcurrency: 2\nrecursive: true\n"
        "verify: size\nalgorithm: sha256\nblock_size: 4MiB\ntcp_buffer: 64MiB\nretries: 2\nbackoff: 1m\ndeadline: 2h\nstall_timeout: 10m\n"
    )


def test_same_transfer_again_raises_its_generation(root: Path) -> None:
    dtnctl(root, *TRANSFER_1T)
    result = dtnctl(root, *TRANSFER_1T)
    assert result.out == ("Transfer 1T exists; its generation is raised from 1 to 2, so it runs again (state/transfers/1T.yaml)\n")
    dtnctl(root, *TRANSFER_1T, "--verify", "none", "--generation", "7")
    text = (root / "state/transfers/1T.yaml").read_text()
    assert text == "from: a:/data/1T\nto: b:/data/1T_2\ntool: gridftp\nsession: s\ngeneration: 7\nverify: none\n"
    assert len(list((root / "state/transfers").iterdir())) == 1


def test_lower_generation_is_refused(root: Path) -> None:
    dtnctl(root, *TRANSFER_1T, "--generation", "4")
    result = dtnctl(root, *TRANSFER_1T, "--generation", "4")
    assert (result.code, result.err.splitlines()[0]) == (
        64,
        "transfer 1T has generation 4 already (state/transfers/1T.yaml:5); try a higher one",
    )


def test_name_of_another_transfer_is_refused(root: Path) -> None:
    dtnctl(root, *TRANSFER_1T)
    result = dtnctl(root, "transfer", "a:/other", "b:/other", "gridftp", "--name", "1T")
    assert (result.code, result.err.splitlines()[0]) == (
        64,
        "transfer 1T exists already and is another one (state/transfers/1T.yaml); try another --name",
    )


def test_name_comes_from_the_path_or_else_from_the_endpoints(root: Path) -> None:
    assert "Declared transfer run-14 for" in dtnctl(root, "transfer", "a:/data/run 14.nc", "b:/data/x", "gridftp").out
    assert "Declared transfer a-b for" in dtnctl(root, "transfer", "a:/data/+/", "b:/data/+/", "gridftp", "--recursive").out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("a:/x", "b:/x", "rsnyc"), "`tool` cannot be `rsnyc`, only gridftp"),
        (("/x", "b:/x", "gridftp"), "`from` cannot be `/x`; try ENDPOINT:/path"),
        (("a:/x", "b:/x", "gridftp", "--block-size", "big"), "`block_size`: `big` is not a size"),
        (("a:/x", "b:/x", "gridftp", "--parallelism", "0"), "`parallelism` cannot be `0`; try 1 or more"),
        (("a:/x", "b:/x", "gridftp", "--recursive"), "a recursive transfer copies a folder into a folder"),
        (("a:/x", "b:/x", "gridftp", "--name", "."), "`.` is not a name"),
    ],
)
def test_wrong_transfer_is_explained_and_nothing_is_written(root: Path, arguments: tuple[str, ...], error: str) -> None:
    before = _files(root)
    result = dtnctl(root, "transfer", *arguments)
    assert (result.code, result.out) == (64, "")
    assert error in result.err
    assert _files(root) == before


def test_transfer_between_unknown_endpoints_is_put_back(root: Path) -> None:
    before = _files(root)
    result = dtnctl(root, "transfer", "a:/x", "c:/x", "gridftp", "--session", "s")
    assert (result.code, "E0301: there is no endpoint `c`" in result.err) == (65, True)
    assert _files(root) == before


# --- git ------------------------------------------------------------------------------------------------------------


def test_commit_has_exactly_the_edited_file(repository: Path) -> None:
    (repository / "staged.txt").write_text("x")
    _git(repository, "add", "staged.txt")
    (repository / "state/endpoints/a.yaml").write_text(VALID["endpoints/a.yaml"] + "# changed\n")
    result = dtnctl(repository, *CREATE, "--commit")
    commit = _git(repository, "rev-parse", "--short", "HEAD").strip()
    assert result.out.splitlines()[1] == f"committed state/sessions/p.yaml as {commit}"
    assert _git(repository, "show", "--name-status", "--format=%s", "HEAD") == "session create p\n\nA\tstate/sessions/p.yaml\n"
    assert _git(repository, "status", "--porcelain") == "A  staged.txt\n M state/endpoints/a.yaml\n"


def test_commit_message_is_what_was_typed(repository: Path) -> None:
    dtnctl(repository, "session", "stop", "s", "--commit", "-m", "Night's rest")
    assert _git(repository, "log", "-1", "--format=%s") == "Night's rest\n"


def test_removal_is_committed_too(repository: Path) -> None:
    assert dtnctl(repository, "session", "delete", "s", "--commit").code == 0
    assert _git(repository, "show", "--name-status", "--format=%s", "HEAD") == "session delete s\n\nD\tstate/sessions/s.yaml\n"


def test_removal_of_what_was_never_committed_says_so(repository: Path) -> None:
    dtnctl(repository, *CREATE)
    result = dtnctl(repository, "session", "delete", "p", "--commit")
    assert (result.code, result.err.splitlines()[0]) == (
        64,
        "state/sessions/p.yaml was never committed, so its removal cannot be committed",
    )


def test_edit_stays_where_there_is_no_repository(root: Path) -> None:
    result = dtnctl(root, *CREATE, "--commit")
    assert result.code == 64
    assert "state/sessions/p.yaml is written, but not committed" in result.err
    assert (root / "state/sessions/p.yaml").exists()


def test_what_git_refuses_is_told_in_its_words(repository: Path) -> None:
    hook = repository / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    result = dtnctl(repository, *CREATE, "--commit")
    assert (result.code, result.err.splitlines()[0]) == (
        64,
        "state/sessions/p.yaml is written, but not committed: not on a Friday",
    )
