"""`make dist`: what people install is whole, the same each time, and works on a machine without an index."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hack.man_pages import man_pages
from lab import Lab, unavailable
from lab.images import build_tar
from lab.layout import CLONE, default_cache
from lab.wheels import CONSTRAINTS, agent_requirements, controller_requirements
from tests.lab.docker_command import Docker
from tests.pulling.scene import Repository
from tests.release import built_release

PINNED = re.compile(r"^([a-z0-9._-]+)==", re.MULTILINE)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` makes here, but for the image: that is built by the lab's engine, below."""
    return built_release(tmp_path_factory)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wheel_of(dist: Path) -> Path:
    (wheel,) = dist.glob("dtnctl-*.whl")
    return wheel


def test_controller_needs_what_the_project_names_and_nothing_of_tests() -> None:
    names = set(PINNED.findall(controller_requirements(CONSTRAINTS.read_text())))
    assert {"docker", "gitpython", "gitdb", "pydantic", "typer", "cronsim"} <= names, "with what those need"
    assert names & {"pytest", "mypy", "ruff", "fastapi", "pyroute2"} == set()


def test_agent_needs_no_sdk() -> None:
    names = set(PINNED.findall(agent_requirements(CONSTRAINTS.read_text())))
    assert {"fastapi", "pyroute2", "uvicorn"} <= names
    assert names & {"docker", "gitpython", "typer"} == set()


@pytest.mark.slow
def test_same_commit_gives_the_same_wheel_and_sdist(dist: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--target", "wheel", "--directory", str(tmp_path)]
    epoch = subprocess.run(["git", "-C", CLONE, "log", "-1", "--format=%ct"], text=True, capture_output=True, check=True).stdout.strip()
    subprocess.run(command, cwd=CLONE, env={**os.environ, "SOURCE_DATE_EPOCH": epoch, "TZ": "Asia/Tokyo"}, capture_output=True, check=True)
    first, second = ({path.name: digest(path) for path in folder.glob("dtnctl-*")} for folder in (dist, tmp_path))
    assert len(first) == 2
    assert first == second


@pytest.mark.slow
def test_wheel_has_the_packages_and_their_data_and_the_sdist_no_tests(dist: Path) -> None:
    wheel = zipfile.ZipFile(wheel_of(dist)).namelist()
    assert {"dtnctl/cli/main.py", "dtn_agent/__main__.py", "dtnctl/repository/starter_site/state/site.yaml"} <= set(wheel)
    pages = {f"dtnctl/help/{path.name}" for path in (CLONE / "docs").glob("*.md")}
    assert pages <= set(wheel), "`dtnctl help` shows them"
    assert {name.rpartition("/")[2] for name in wheel if "/share/man/man1/" in name} == set(man_pages(0))
    (source,) = dist.glob("dtnctl-*.tar.gz")
    with tarfile.open(source) as archive:
        tops = {name.split("/")[1] for name in archive.getnames()}
    assert {"dtnctl", "agent", "pyproject.toml", "LICENSE"} <= tops
    assert tops & {"tests", "lab", "state"} == set()


@pytest.mark.slow
def test_checksums_are_of_every_file(dist: Path) -> None:
    ran = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=dist, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    named = {line.split()[1] for line in (dist / "SHA256SUMS").read_text().splitlines()}
    assert named == {str(path.relative_to(dist)) for path in dist.rglob("*") if path.is_file()} - {"SHA256SUMS", ".gitignore"}


@pytest.mark.slow
def test_folder_of_wheels_is_enough_and_a_changed_wheel_is_refused(dist: Path, tmp_path: Path) -> None:
    install = [*pip(tmp_path), "install", "--no-compile", "--no-index", f"--find-links={dist}/wheels", "--require-hashes"]
    requirements = (dist / "wheels" / "requirements.txt").read_text()
    forged = tmp_path / "forged.txt"
    forged.write_text(requirements.replace(digest(wheel_of(dist)), "0" * 64))
    ran = subprocess.run([*install, f"--requirement={forged}"], text=True, capture_output=True, check=False)
    assert ran.returncode != 0
    assert "DO NOT MATCH THE HASHES" in ran.stderr
    subprocess.run([*install, f"--requirement={dist}/wheels/requirements.txt"], check=True, capture_output=True)
    shown = subprocess.run([tmp_path / "venv" / "bin" / "dtnctl", "version"], text=True, capture_output=True, check=True).stdout
    assert shown.startswith("dtnctl ")
    environment = tmp_path / "venv"
    helped = subprocess.run([environment / "bin" / "dtnctl", "help", "glossary"], cwd=tmp_path, text=True, capture_output=True, check=True)
    assert helped.stdout.startswith("# Glossary\n"), "from the wheel, not from this clone"
    assert (environment / "share" / "man" / "man1" / "dtnctl-plan.1").is_file()


def pip(folder: Path) -> list[str]:
    """Of a fresh environment."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the folder is for Python 3.11")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    return [sys.executable, "-m", "pip", f"--python={folder}/venv/bin/python", "--quiet", "--disable-pip-version-check"]


@dataclass(frozen=True)
class Controller:
    """An engine of the lab that has the image, by the docker command, and the path of its socket."""

    docker: Docker
    socket: str


@pytest.fixture(scope="module")
def controller(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    if reason := unavailable():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("image")
    context, tar = folder / "context", folder / "dtnctl.tar"
    shutil.copytree(dist / "wheels", context)
    shutil.copy(CLONE / "images" / "controller" / "Dockerfile", context)
    build_tar(context, "dtnctl", tar, default_cache(), print)
    with Lab(folder / "lab", 1, image="tiny") as lab:
        docker = Docker(lab, "dtn1")
        docker("load", f"--input={tar}")
        yield Controller(docker, lab.endpoint("dtn1").unix_url.removeprefix("unix://"))


@pytest.mark.lab
@pytest.mark.slow
def test_image_has_all_that_a_controller_runs(controller: Controller) -> None:
    docker = controller.docker
    assert docker("run", "--rm", "dtnctl", "version").startswith("dtnctl ")
    script = "dtnctl init site && cd site && git init --quiet && ssh -V && dtnctl validate"
    assert "ok: 7 files; site site" in docker("run", "--rm", "--entrypoint=sh", "dtnctl", "-ec", script)
    zone = "from zoneinfo import ZoneInfo; print(ZoneInfo('Europe/Berlin'))"
    assert docker("run", "--rm", "--entrypoint=python3", "dtnctl", "-c", zone) == "Europe/Berlin", "freeze: and when: name zones"


# --- the pull loop from the image ---------------------------------------------------------------------------

SESSION = "endpoints: [dtn1]\nimage: tiny:1\nprofile: p\n"


def followed(folder: Path, controller: Controller) -> Repository:
    """A repository whose one endpoint is the engine that the loop's container runs on; git in that container reads it as any user."""
    repository = Repository(folder)
    files = {
        "site": "name: self\n",
        "endpoints/dtn1": f"docker: unix://{controller.socket}\nhost: 127.0.0.1\n",
        "profiles/p": "pull: never\nsettle: 100ms\n",
        "sessions/s": SESSION,
    }
    repository.push(files)
    return repository


def mounts(repository: Repository, controller: Controller) -> list[str]:
    """The test's repository is a folder, and the engine's socket the test's own."""
    return [f"--volume={repository.remote}:{repository.remote}:ro", f"--volume={controller.socket}:{controller.socket}"]


@pytest.mark.lab
@pytest.mark.slow
def test_loop_needs_no_root_no_capability_and_only_its_folder_to_write_to(controller: Controller, tmp_path: Path) -> None:
    """As the unit confines it: a user of its own in the group of the engine's socket, and a system that is read-only."""
    docker, repository = controller.docker, followed(tmp_path, controller)
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 65534, 65534)
    confined = [
        "--user=65534:65534",
        f"--group-add={Path(controller.socket).stat().st_gid}",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
    ]
    confined += ["--read-only", "--tmpfs=/tmp", f"--volume={state}:/state", "--env=HOME=/state", "--workdir=/"]
    words = ["reconcile", "--once", f"--repo={repository.url}", "--state-dir=/state"]
    try:
        ran = docker.run("run", "--rm", *confined, *mounts(repository, controller), "dtnctl", *words)
        assert (ran.returncode, "is applied: 1 change" in ran.stderr) == (0, True), ran.stderr
        assert (state / "journal.json").stat().st_uid == 65534
    finally:
        docker.run("rm", "--force", "self.s", "self.control.ledger")
