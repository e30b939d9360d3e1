"""The engines that a lab can have: each is the one that its name says, and what cannot be had is said."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import docker
import pytest

from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.resources import Wanted
from dtnctl.model.site import Endpoint
from lab import EngineUnavailableError, Lab, LabError
from lab.builder import copy_layers
from lab.releases import RELEASES, Release, folder_name, own_version, release_named, system_folder
from tests.docker_clients import connect
from tests.engine_choice import PARAMS, Labs, every_engine, labs


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Labs]:
    with labs(request, 1, "tiny") as found:
        yield found


@every_engine
@pytest.mark.parametrize("name", PARAMS)
def test_an_engine_is_the_one_that_its_name_says_and_keeps_all_over_a_power_cut(running: Labs, name: str) -> None:
    lab, release = running.lab(name), RELEASES[name]
    version = (folder / "version").read_text() if (folder := system_folder(release, lab.cache, print)) else own_version()
    engine = docker.APIClient(base_url=lab.endpoint("dtn1").unix_url, version="1.41")
    container = engine.create_container("tiny:1", ["sleep", "1000"], name="kept")["Id"]
    before = identity(lab)
    lab.kill_engine("dtn1")
    lab.start_engine("dtn1")
    assert identity(lab) == before != ""
    if release.podman:
        assert engine.version()["Version"].startswith(f"{release.podman}.")
    else:
        assert f"Docker version {engine.version()['Version']}," in version
        assert engine.info()["Driver"] == ("overlayfs" if release.has_containerd_store else "overlay2")
    engine.start(container)
    assert engine.inspect_container("kept")["State"]["Running"]
    engine.close()


def identity(lab: Lab) -> str:
    """By which dtnctl tells the engine from any other."""
    place = Endpoint(docker=parse_engine(lab.endpoint("dtn1").unix_url), host="127.0.0.1")
    with closing(connect("dtn1", place, site="lab", registries={}, read_only=True, root=Path("/"))) as observer:
        return observer.observe(Wanted()).identity


def test_a_name_that_is_no_engines_is_answered_with_those_there_are() -> None:
    with pytest.raises(LabError, match="docker-19: no such engine; there are docker-20, docker-26, docker-28, docker-28-containerd"):
        release_named("docker-19")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Release, str], Path]:
    """A cache whose folder of that release holds an engine that calls itself so."""
    monkeypatch.setenv("PATH", "")  # nothing may be installed

    def folder(release: Release, version: str) -> Path:
        place = tmp_path / folder_name(release.suite)
        place.mkdir()
        (place / "version").write_text(version)
        return place

    return folder


def test_a_folder_in_the_cache_is_used_as_it_is(tmp_path: Path, kept: Callable[[Release, str], Path]) -> None:
    said: list[str] = []
    place = kept(RELEASES["docker-28"], "Docker version 28.5.2+dfsg4, build 1234\n")
    assert system_folder(RELEASES["docker-28"], tmp_path, said.append) == place
    assert system_folder(RELEASES["docker-28-containerd"], tmp_path, said.append) == place
    assert said == []


def test_another_version_than_the_name_says_cannot_be_had(tmp_path: Path, kept: Callable[[Release, str], Path]) -> None:
    kept(RELEASES["docker-28"], "Docker version 29.4.1, build 1234\n")
    with pytest.raises(EngineUnavailableError, match=r"docker-28: Debian forky has another engine by now: Docker version 29\.4\.1"):
        system_folder(RELEASES["docker-28"], tmp_path, print)


def test_a_release_that_cannot_be_installed_is_said_with_the_reason_and_leaves_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(EngineUnavailableError, match="docker-9: Debian no-such-suite cannot be installed here: mmdebstrap failed"):
        system_folder(Release("docker-9", 9, "no-such-suite"), tmp_path, said.append)
    assert said == [f"installing docker-9 from Debian no-such-suite in a folder, once (minutes at most); it is kept in {tmp_path}"]
    assert [path.name for path in tmp_path.iterdir()] == ["systems"]


def test_layers_are_copied_with_owners_and_with_devices_as_devices(tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer" / "file").write_text("x")
    os.chown(tmp_path / "layer" / "file", 1234, 5678)
    os.mknod(tmp_path / "layer" / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    copy_layers(tmp_path / "layer", tmp_path / "copy")
    owner = (tmp_path / "copy" / "file").stat()
    assert (owner.st_uid, owner.st_gid) == (1234, 5678)
    device = (tmp_path / "copy" / "null").stat()
    assert (stat.S_ISCHR(device.st_mode), device.st_rdev) == (True, os.makedev(1, 3))


def test_an_engine_that_cannot_be_had_is_tried_once_in_a_run_and_skipped_with_the_reason(tmp_path: Path) -> None:
    tries: list[str] = []

    def make(engine: str) -> Lab:
        tries.append(engine)
        lab = Lab(tmp_path / "lab", 1, cache=tmp_path / "cache")
        lab.release = Release("docker-9", 9, "no-such-suite")
        return lab

    missing: dict[str, str] = {}
    for _ in range(2):
        with ExitStack() as stack, pytest.raises(pytest.skip.Exception, match="Debian no-such-suite cannot be installed here"):
            Labs(stack, make, lambda text: None, missing).lab("docker-9")
    assert tries == ["docker-9"]
