"""Whose files a branch changed, on real repositories, and with real signatures."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dtnctl.errors import ConfigError, UsageError
from dtnctl.model.owners import OwnersReport
from dtnctl.repository.owners import check_owners
from tests.repository.branching import commit, git, make_main

ANN, EVE = "ann@example.net", "eve@example.net"
RULES = f"""\
name: lab
owners:
  rules:
  - paths: [/state/]
    people: ['@ops']
  - {{paths: [/state/transfers/]}}
  groups: {{'@ops': [{ANN}]}}
"""


def write(root: Path, files: dict[str, str | None], who: str = EVE, *more: str, message: str = "change") -> str:
    """A commit of these files by somebody; its id."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink() if text is None else path.write_text(text)
    git(root, "add", "--all")
    git(root, *more, "-c", f"user.email={who}", "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Files of `@ops`, on branch `work`."""
    made = make_main(tmp_path / "site")
    (made / "state/site.yaml").write_text(RULES)
    commit(made, "owners")
    git(made, "checkout", "--quiet", "-b", "work")
    return made


def found(root: Path, span: str = "main..HEAD") -> list[tuple[str, str]]:
    return [(item.who, item.path) for item in check_owners(root, "state", span).trespasses]


def test_a_file_of_others_is_found_with_the_commit_that_changed_it(root: Path) -> None:
    write(root, {"state/profiles/x.yaml": "memory: 1GiB\n"}, ANN)
    bad = write(root, {"state/profiles/x.yaml": "memory: 2GiB\n", "README.md": "x"}, message="more")
    report = check_owners(root, "state", "main..HEAD")
    assert (report.commits, report.rules, report.by_signature) == (2, 2, False)
    (item,) = report.trespasses
    assert (item.commit, item.subject, item.who) == (bad, "more", EVE)
    assert (item.path, item.rule.place) == ("state/profiles/x.yaml", "state/site.yaml:4")


def test_a_rule_that_matches_no_file_is_named(root: Path) -> None:
    git(root, "checkout", "--quiet", "main")
    write(root, {"state/site.yaml": RULES.replace("/state/transfers/", "/state/to come/")})
    git(root, "checkout", "--quiet", "-B", "work")
    assert [rule.place for rule in check_owners(root, "state", "main..HEAD").unmatched] == ["state/site.yaml:6"]
    write(root, {"state/to come/t.yaml": "x: 1\n"})
    assert check_owners(root, "state", "main..HEAD").unmatched == ()


def test_what_was_changed_and_changed_back_is_found_and_so_is_a_renamed_file(root: Path) -> None:
    text = (root / "state/site.yaml").read_text()
    write(root, {"state/site.yaml": text + "# x\n"})
    write(root, {"state/site.yaml": text})
    write(root, {"state/sessions/s.yaml": None, "elsewhere.yaml": (root / "state/sessions/s.yaml").read_text()})
    assert found(root) == [(EVE, "state/site.yaml"), (EVE, "state/site.yaml"), (EVE, "state/sessions/s.yaml")]


def test_files_without_an_owner_are_everybodys(root: Path) -> None:
    write(root, {"state/transfers/t.yaml": "x: 1\n", "docs/x.md": "x"})
    assert found(root) == []


def test_a_branch_does_not_give_itself_rights(root: Path) -> None:
    write(root, {"state/site.yaml": "name: lab\n"})
    write(root, {"state/profiles/x.yaml": "memory: 2GiB\n"})
    assert [path for _, path in found(root)] == ["state/site.yaml", "state/profiles/x.yaml"]


def test_a_merge_answers_for_what_it_changed_itself(root: Path) -> None:
    """Also where it drops what the base has, by taking one side whole."""
    write(root, {"README.md": "x"})
    git(root, "checkout", "--quiet", "main")
    write(root, {"state/profiles/x.yaml": "memory: 1GiB\n"}, ANN)
    git(root, "checkout", "--quiet", "work")
    git(root, "-c", f"user.email={EVE}", "merge", "--quiet", "--no-edit", "main")
    assert found(root) == [], "a clean merge changes nothing itself"
    git(root, "reset", "--quiet", "--hard", "HEAD^")
    git(root, "-c", f"user.email={EVE}", "merge", "--quiet", "--no-edit", "--strategy", "ours", "main")
    assert found(root) == [(EVE, "state/profiles/x.yaml")]


@pytest.mark.parametrize("side", ["work", "main"])
def test_a_merge_answers_for_a_file_of_both_sides_of_which_it_drops_one(root: Path, side: str) -> None:
    """Also where the branch has a commit of the file's owner."""
    write(root, {"state/profiles/x.yaml": "memory: 1GiB\n"}, ANN)
    git(root, "checkout", "--quiet", "main")
    write(root, {"state/profiles/x.yaml": "memory: 2GiB\n"}, ANN)
    git(root, "checkout", "--quiet", "work")
    how = {"work": ("--strategy", "ours"), "main": ("--strategy-option", "theirs")}[side]
    git(root, "-c", f"user.email={EVE}", "merge", "--quiet", "--no-edit", *how, "main")
    assert found(root) == [(EVE, "state/profiles/x.yaml")]


def test_a_merge_answers_for_what_it_drops_of_a_side_without_a_common_commit(root: Path) -> None:
    git(root, "checkout", "--quiet", "--orphan", "alone")
    write(root, {"state/profiles/alone.yaml": "memory: 1GiB\n"}, ANN)
    git(root, "checkout", "--quiet", "work")
    git(root, "-c", f"user.email={EVE}", "merge", "--quiet", "--no-edit", "-s", "ours", "--allow-unrelated-histories", "alone")
    assert (EVE, "state/profiles/alone.yaml") in found(root)


def test_a_merge_of_what_both_sides_did_alike_changes_nothing_itself(root: Path) -> None:
    write(root, {"state/profiles/x.yaml": "memory: 1GiB\n"}, ANN)
    git(root, "checkout", "--quiet", "main")
    write(root, {"state/profiles/x.yaml": "memory: 1GiB\n", "README.md": "x"}, ANN)
    git(root, "checkout", "--quiet", "work")
    git(root, "-c", f"user.email={EVE}", "merge", "--quiet", "--no-edit", "main")
    assert found(root) == []


def test_without_rules_nothing_is_checked(root: Path) -> None:
    git(root, "checkout", "--quiet", "main~1")
    write(root, {"state/site.yaml": "name: lab\n"})
    write(root, {"state/profiles/x.yaml": "memory: 2GiB\n"})
    assert check_owners(root, "state", "HEAD~1..HEAD") == OwnersReport(
        git(root, "rev-parse", "HEAD~1"), git(root, "rev-parse", "HEAD"), 0, 0, by_signature=False
    )


def test_a_base_without_a_state_has_no_rules(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    write(tmp_path, {"README.md": "x"})
    write(tmp_path, {"state/site.yaml": RULES})
    assert check_owners(tmp_path, "state", "HEAD~1..HEAD").rules == 0


def test_a_codeowners_file_of_the_base_is_read_and_site_yaml_comes_after_it(root: Path) -> None:
    git(root, "checkout", "--quiet", "main")
    lines = f"* {ANN}\n/docs/ {EVE}\n"
    write(root, {".github/CODEOWNERS": lines, "state/site.yaml": RULES.replace("owners:", "owners:\n  codeowners: true")})
    git(root, "checkout", "--quiet", "-b", "other")
    write(root, {"docs/x.md": "x", "README.md": "x", "state/transfers/t.yaml": "x: 1\n", ".github/CODEOWNERS": f"* {EVE}\n"})
    assert found(root) == [(EVE, ".github/CODEOWNERS"), (EVE, "README.md")]


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        ("{codeowners: true}", "asks for a file that"),
        ("{allowed_signers: keys/signers}", "names keys/signers, which"),
    ],
)
def test_a_file_that_is_asked_for_and_not_there_is_an_error(root: Path, owners: str, expected: str) -> None:
    git(root, "checkout", "--quiet", "main")
    write(root, {"state/site.yaml": f"name: lab\nowners: {owners}\n"})
    with pytest.raises(UsageError, match=expected):
        check_owners(root, "state", "main..work")


def test_rules_that_cannot_be_read_are_an_error(root: Path) -> None:
    git(root, "checkout", "--quiet", "main")
    write(root, {"state/site.yaml": "name: lab\nowners: {rules: [{paths: [x], people: [ann]}]}\n"})
    with pytest.raises(ConfigError):
        check_owners(root, "state", "main..work")
    write(root, {"state/site.yaml": "name: lab\n#" + "x" * 1024**2})
    with pytest.raises(ConfigError):
        check_owners(root, "state", "main..work")


@pytest.mark.parametrize("span", ["main", "..main", "main...HEAD", "-x..HEAD", "nothing..HEAD", "main..nothing"])
def test_a_span_that_is_none_is_named(root: Path, span: str) -> None:
    with pytest.raises(UsageError):
        check_owners(root, "state", span)


def test_commits_without_a_common_one_are_an_error(root: Path) -> None:
    git(root, "checkout", "--quiet", "--orphan", "alone")
    write(root, {"README.md": "x"})
    with pytest.raises(UsageError, match="no commit in common"):
        check_owners(root, "state", "main..alone")


def test_the_head_may_be_left_out(root: Path) -> None:
    write(root, {"state/profiles/x.yaml": "memory: 2GiB\n"})
    assert found(root, "main..") == [(EVE, "state/profiles/x.yaml")]


# --- signatures ---------------------------------------------------------------------------------------------


def key(folder: Path, name: str) -> tuple[Path, str]:
    """A new SSH key: its file, and the public line."""
    file = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)], check=True)
    return file, " ".join(file.with_suffix(".pub").read_text().split()[:2])


def signed_by(file: Path) -> tuple[str, ...]:
    return ("-c", "gpg.format=ssh", "-c", f"user.signingkey={file}", "-c", "commit.gpgsign=true")


def test_with_allowed_signers_a_commit_is_by_whoever_signed_it(root: Path, tmp_path: Path) -> None:
    """A name is written by whoever commits, and anybody can write any."""
    ann, public = key(tmp_path, "ann")
    eve, _ = key(tmp_path, "eve")
    git(root, "checkout", "--quiet", "main")
    rules = RULES.replace("owners:", "owners:\n  allowed_signers: .github/signers")
    write(root, {".github/signers": f"{ANN} {public}\n", "state/site.yaml": rules}, ANN)
    git(root, "checkout", "--quiet", "-B", "work")
    write(root, {"state/profiles/x.yaml": "memory: 1GiB\n"}, EVE, *signed_by(ann))
    assert check_owners(root, "state", "main..HEAD").by_signature
    assert found(root) == []
    write(root, {"state/profiles/x.yaml": "memory: 2GiB\n"}, ANN, *signed_by(eve))
    write(root, {"state/profiles/x.yaml": "memory: 3GiB\n", ".github/signers": "eve x\n"}, ANN)
    assert found(root) == [(f"{ANN}, without a valid signature", "state/profiles/x.yaml")] * 2
