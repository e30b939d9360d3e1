"""`dtnctl init --ci`: what a new repository gets, and what one that is there already gets."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import yaml

from dtnctl import __version__
from dtnctl.ci import files
from tests.cli.small_site import run

WORKFLOWS = [f".github/workflows/{name}.yml" for name in ("plan", "claims", "owners", "apply", "drift")]
PLACEHOLDER = re.compile(r"@[a-zA-Z0-9]+@")


class Installed:
    """A distribution as pip left it."""

    def __init__(self, recorded: str | None) -> None:
        self._recorded = recorded

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self._recorded


@pytest.mark.parametrize(("platform", "expected"), [("github", WORKFLOWS), ("gitlab", [".gitlab-ci.yml"])])
def test_new_repository_is_valid_and_has_its_workflows(tmp_path: Path, platform: str, expected: list[str]) -> None:
    ran = run(tmp_path, "init", "lab", "--ci", platform)
    assert ran.returncode == 0, ran.stderr
    assert [*expected, ".gitignore", "README.md"] == ran.stdout.splitlines()[-len(expected) - 2 :]
    assert run(tmp_path / "lab", "validate").returncode == 0
    assert (tmp_path / "lab" / ".gitignore").read_text() == "/.secrets/\n/build/\n"
    for name in expected:
        text = (tmp_path / "lab" / name).read_text()
        assert not PLACEHOLDER.search(text)
        assert f'DTNCTL_VERSION: "{__version__}"' in text
    readme = (tmp_path / "lab" / "README.md").read_text()
    assert readme.startswith("# lab\n")
    assert not PLACEHOLDER.search(readme)


def test_repository_that_has_a_state_gets_the_rest_alone_and_keeps_its_readme(tmp_path: Path) -> None:
    run(tmp_path, "init", ".")
    (tmp_path / "README.md").write_text("ours\n")
    site = (tmp_path / "state" / "site.yaml").read_text()
    ran = run(tmp_path, "init", ".", "--ci", "github")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [*WORKFLOWS, ".gitignore"]
    assert "note: README.md is there already and stays" in ran.stderr
    assert (tmp_path / "state" / "site.yaml").read_text() == site
    assert (tmp_path / "README.md").read_text() == "ours\n"


def test_workflow_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / WORKFLOWS[0]).write_text("ours\n")
    ran = run(tmp_path, "init", ".", "--ci", "github")
    assert ran.returncode == 64
    assert f"these files exist already: {WORKFLOWS[0]}" in ran.stderr
    assert not (tmp_path / "state").exists()


def test_secrets_that_the_readme_names_are_those_that_the_workflows_read() -> None:
    for platform in ("github", "gitlab"):
        texts = files.ci_files(platform, "lab")
        readme = texts.pop("README.md")
        named = set(re.findall(r"`(DTNCTL_\w+)", readme)) - {"DTNCTL_JOB"}
        scripts = "".join(path.read_text() for path in (files.FOLDER.parent / "steps").iterdir())
        assert [name for name in sorted(named) if name not in "".join(texts.values()) + scripts] == [], platform


def test_gitlab_pipeline_is_pinned() -> None:
    text = files.ci_files("gitlab", "lab", "ab" * 32)[".gitlab-ci.yml"].replace("!reference", "")
    assert yaml.safe_load(text)["variables"]["DTNCTL_SHA256"] == "ab" * 32


@pytest.mark.parametrize(
    ("recorded", "digest"),
    [
        (json.dumps({"url": "file:///d.whl", "archive_info": {"hash": f"sha256={'ab' * 32}"}}), "ab" * 32),
        (json.dumps({"url": "file:///d.whl", "archive_info": {}}), ""),
        (json.dumps({"url": "file:///d.whl", "archive_info": {"hash": 'sha256="; rm -rf'}}), ""),
        (json.dumps({"url": "file:///clone", "dir_info": {"editable": True}}), ""),
        (None, ""),
    ],
)
def test_hash_of_the_wheel_is_the_one_that_pip_recorded(monkeypatch: pytest.MonkeyPatch, recorded: str | None, digest: str) -> None:
    monkeypatch.setattr(files, "distribution", lambda name: Installed(recorded))
    assert files.wheel_digest() == digest


def test_without_an_installed_package_there_is_no_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Installed:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(files, "distribution", missing)
    assert files.wheel_digest() == ""
