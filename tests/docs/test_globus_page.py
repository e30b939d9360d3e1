"""docs/globus.md shows the files and the plan of docs/globus, a repository that validates. No Globus service is asked."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from hack import globus_page
from tests.runtime.program import dtnctl

PAGE = globus_page.PAGE.read_text()
SHOWN = re.findall(r"^```yaml\n# (state/\S+), without its comments\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    shutil.copytree(globus_page.REPOSITORY / "state", tmp_path / "state")
    return tmp_path


def test_page_is_up_to_date() -> None:
    assert globus_page.main(["--check"]) == 0


@pytest.mark.parametrize(("path", "text"), SHOWN, ids=[path for path, _ in SHOWN])
def test_files_on_the_page_are_those_of_the_repository(path: str, text: str) -> None:
    assert yaml.safe_load(text) == yaml.safe_load((globus_page.REPOSITORY / path).read_text())


def test_both_files_are_shown() -> None:
    assert [path for path, _ in SHOWN] == ["state/profiles/globus.yaml", "state/sessions/globus.yaml"]


def test_repository_is_valid_and_in_its_standard_form(repository: Path) -> None:
    assert dtnctl(repository, "validate").out == "ok: 5 files; site transfer: 2 endpoints, 0 networks, 1 profile, 1 session, 0 transfers\n"
    assert dtnctl(repository, "fmt", "--check").code == 0


def test_plan_claims_the_ports_that_globus_needs_and_shows_no_secret() -> None:
    plan = globus_page.render_example()
    assert re.search(r"ctrl_port +443\n", plan)
    assert re.search(r"data_ports +50000-51000\n", plan)
    assert "DEPLOYMENT_KEY" in plan
    assert plan.count("(secret, not looked") == 4


@pytest.mark.parametrize(
    ("key", "given"), [("networks", ["bridge"]), ("ports", [[50000, 51000]]), ("mounts", ["/other"]), ("images", ["other:*"])]
)
def test_owner_who_does_not_give_one_of_these_refuses_the_node(repository: Path, key: str, given: list[object]) -> None:
    file = repository / "state/endpoints/dtn1.yaml"
    written = yaml.safe_load(file.read_text())
    written["allow"][key] = given
    file.write_text(yaml.safe_dump(written))
    ran = dtnctl(repository, "validate")
    assert ran.code == 4, ran.err
    assert "the owner of dtn1 does not allow" in ran.err
    assert f"`allow.{key}`" in ran.err


def test_second_session_that_wants_the_same_port_is_refused(repository: Path) -> None:
    (repository / "state/sessions/other.yaml").write_text("endpoints: [dtn1]\nprofile: globus\n")
    ran = dtnctl(repository, "validate")
    assert ran.code == 65
    assert "session other claims port 443/tcp on dtn1" in ran.err
