"""What of the state files is not as a commit has it: committed since or not, field by field, and no secret among it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dtnctl.repository.state_changes import state_changes


def git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.net", "-C", str(root), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A state folder below the top of a repository, with one commit."""
    root = tmp_path / "site"
    for name, text in {
        "site": "name: lab\n",
        "profiles/p": "ctrl_port_range: [30000, 30009]\nenv: {TOKEN: xyzzy}\nmemory: 1GiB\n",
        "sessions/s": "endpoints: [a]\nimage: app:1\nprofile: p\n",
    }.items():
        file = root / "state" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return root


def commit(root: Path) -> str:
    git(root, "add", "-A")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "x")
    return git(root, "rev-parse", "HEAD")


def test_fields_that_differ_have_file_line_and_both_values(repository: Path) -> None:
    before = git(repository, "rev-parse", "HEAD")
    (repository / "state/profiles/p.yaml").write_text("memory: 2GiB\nctrl_port_range: [30005, 30009]\nenv: {TOKEN: plugh}\nimage: x:1\n")
    (repository / "state/sessions/s.yaml").unlink()
    commit(repository)
    (repository / "state/sessions/new.yaml").write_text("endpoints: [a]\n")  # not committed
    assert state_changes(repository, "state", before).lines == (
        "state/profiles/p.yaml:2: ctrl_port_range [30000, 30009] → [30005, 30009]",
        "state/profiles/p.yaml:3: env.TOKEN (not shown) → (not shown)",
        "state/profiles/p.yaml:4: image (not written) → x:1",
        "state/profiles/p.yaml:1: memory 1GiB → 2GiB",
        "state/sessions/new.yaml: new",
        "state/sessions/s.yaml: removed",
    )


def test_a_field_that_is_gone_names_the_file_and_long_values_are_cut(repository: Path) -> None:
    before = git(repository, "rev-parse", "HEAD")
    (repository / "state/profiles/p.yaml").write_text(f"ctrl_port_range: [30000, 30009]\nenv: {{TOKEN: xyzzy}}\nimage: {'x' * 200}\n")
    [image, memory] = state_changes(repository, "state", before).lines
    assert image == f"state/profiles/p.yaml:3: image (not written) → {'x' * 80}…"
    assert memory == "state/profiles/p.yaml: memory 1GiB → (not written)"


def test_secrets_in_lists_options_and_command_lines_are_not_shown(repository: Path) -> None:
    file = repository / "state/profiles/p.yaml"
    volume = "- source: share\n  target: /s\n  driver_opts: {type: cifs, o: 'username=u,password=SECRET'}\n"
    text = f"volumes:\n{volume}arguments: [run, --token, SECRET]\n"
    file.write_text(text.replace("SECRET", "xyzzy"))
    before = commit(repository)
    file.write_text(text.replace("SECRET", "plugh").replace("[run, --token, plugh]", "run --token plugh"))
    options = "driver_opts: {type: cifs, o: username=u,password=…}"
    assert state_changes(repository, "state", before).lines == (
        "state/profiles/p.yaml:5: arguments (not shown) → (not shown)",
        f"state/profiles/p.yaml:1: volumes {f'[{{source: share, target: /s, {options}}}]'[:80]}… → the same but for what is not shown",
    )
    file.write_text(file.read_text().replace("username=u", "username=v"))
    assert not any(word in line for line in state_changes(repository, "state", before).lines for word in ("xyzzy", "plugh"))


def test_comments_and_order_are_no_changes(repository: Path) -> None:
    before = git(repository, "rev-parse", "HEAD")
    (repository / "state/sessions/s.yaml").write_text("# mine\nprofile: p\nimage: app:1\nendpoints: [a]\n")
    assert state_changes(repository, "state", before).lines == ()


def test_files_that_cannot_be_read_are_named(repository: Path) -> None:
    before = git(repository, "rev-parse", "HEAD")
    (repository / "state/sessions/s.yaml").write_text("a: [\n")
    (repository / "state/README").write_text("x\n")
    commit(repository)
    (repository / "state/README").write_text("y\n")
    at = git(repository, "rev-parse", "HEAD")
    assert state_changes(repository, "state", before).lines == ("state/README: new", "state/sessions/s.yaml: changed")
    assert state_changes(repository, "state", at).lines == ("state/README: changed",)


def test_a_commit_that_is_not_here_and_a_folder_without_git_are_no_changes(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert state_changes(repository, "state", "0" * 40).trouble == (
        "commit 0000000 is not in this clone; `git fetch --unshallow` may bring it"
    )
    assert state_changes(tmp_path_factory.mktemp("bare"), "state", "0" * 40).trouble
