"""A lab comes up and goes without a trace, however it ends, and leaves the machine's own network and engine alone."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from lab import Lab, LabError, processes
from lab.anchor import find_anchor
from lab.builder import Builder
from lab.cgroups import find_groups
from lab.layout import CLONE, Layout
from tests.lab.docker_command import Docker

pytestmark = pytest.mark.lab
PATIENCE_SECONDS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a lab; a lab that a failed test leaves there is removed."""
    folder = tmp_path / "lab"
    yield folder
    Lab(folder).down()


def traces(layout: Layout) -> list[str]:
    """Everything on this machine that belongs to the lab, in words."""
    words = (str(layout.folder), layout.cgroup)
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if any(word in line for word in words)]
    programs = [f"process {pid}" for pid in processes.find_marked(layout.identity)]
    mentioned = [f"process {pid}: {line}" for pid, line in command_lines() if any(word in line for word in words)]
    files = [str(path) for path in (layout.folder, layout.short_link) if path.exists() or path.is_symlink()]
    return [*mounts, *programs, *mentioned, *files, *(str(group) for group in find_groups(layout.cgroup))]


def command_lines() -> Iterator[tuple[int, str]]:
    """Every process but this one and its parents (whose arguments may name the folder)."""
    spared = {os.getpid(), os.getppid()}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in spared:
            try:
                yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue


def network_namespaces(pids: list[int]) -> set[str]:
    """The network namespaces of these processes; those that ended meanwhile have none."""
    found = set()
    for pid in pids:
        try:
            found.add(str(Path(f"/proc/{pid}/ns/net").readlink()))
        except OSError:
            continue
    return found


def all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def machine_network() -> dict[str, str]:
    """What the lab must not change on the machine: its interfaces, firewall, forwarding and named namespaces."""
    commands = {"links": "ip -oneline link | cut -d: -f2", "firewall": "iptables-save | grep -v '^#'", "names": "ip netns list"}
    outputs = {name: subprocess.getoutput(command) for name, command in commands.items()}
    return {**outputs, "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text()}


def lab_command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "lab", words[0], "--dir", str(folder), *words[1:]]


def run_lab(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(lab_command(folder, *words), cwd=CLONE, text=True, capture_output=True, check=False)


@contextmanager
def ended_process(pid: int) -> Iterator[None]:
    """Wait, after the block, until this process has ended."""
    handle = os.pidfd_open(pid)
    try:
        yield
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        assert poll.poll(PATIENCE_SECONDS * 1000), f"process {pid} did not end"
    finally:
        os.close(handle)


def test_down_leaves_nothing(folder: Path) -> None:
    before = machine_network()
    lab = Lab(folder, 2, image="tiny").up()
    for name in ("dtn1", "dtn2"):
        docker = Docker(lab, name)
        docker("network", "create", "named")
        docker.container("left", "--network=named", "--publish=8080:80", "tiny:1")
    namespaces = network_namespaces(processes.find_marked(lab.layout.identity)) - network_namespaces([os.getpid()])
    assert len(namespaces) == 4, "the lab's own, the controller's and one for each endpoint"
    assert machine_network() == before, "a running lab changes nothing on the machine either"
    there = set(all_pids())
    lab.down()
    assert traces(lab.layout) == []
    # of those that were there: the kernel gives the number of a namespace that is gone to the next one, such as that of another lab
    assert not namespaces & network_namespaces([pid for pid in all_pids() if pid in there])
    assert machine_network() == before


@pytest.mark.parametrize("moment", ["keys, disks and networks", "engines of"])
def test_down_leaves_nothing_of_an_up_that_was_killed(folder: Path, moment: str) -> None:
    Lab(folder, 1, image="tiny").up().down()  # the images are there, so that the moments are those of a usual run
    command = lab_command(folder, "up", "2", "--image", "tiny")
    with subprocess.Popen(command, cwd=CLONE, text=True, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert any(moment in line for line in process.stderr)
        process.kill()
    assert traces(Lab(folder).layout) != []
    assert run_lab(folder, "down").returncode == 0
    assert traces(Lab(folder).layout) == []


def test_down_leaves_nothing_of_an_image_build_that_was_killed(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    builder = Builder(cache)
    environment = {**os.environ, "DTN_LAB_CACHE": str(cache)}
    command = lab_command(folder, "up", "1", "--image", "tiny")
    with subprocess.Popen(command, cwd=CLONE, env=environment, text=True, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert any("from busybox" in line for line in process.stderr)
        process.kill()
    assert builder.folder.exists()
    Lab(folder, cache=cache).down()
    assert processes.find_marked(builder.identity) == []
    assert find_groups(builder.cgroup) == []
    assert list(cache.iterdir()) == []


def test_down_leaves_nothing_after_engines_were_killed(folder: Path) -> None:
    lab = Lab(folder, 2, image="tiny").up()
    Docker(lab, "dtn1").container("left", "tiny:1")
    engines = [pid for pid, line in command_lines() if line.startswith("dockerd ") and lab.layout.cgroup in line]
    assert len(engines) == 2
    for pid in engines:
        os.kill(pid, signal.SIGKILL)
    lab.down()
    assert traces(lab.layout) == []


def test_lab_of_a_killed_owner_ends_with_it(folder: Path) -> None:
    program = "import lab, signal, sys; lab.Lab(sys.argv[1], 1, image='tiny').up(tied=True); print('up', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], cwd=CLONE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        anchor = find_anchor(Lab(folder).layout)
        assert anchor is not None
        with ended_process(anchor):
            owner.kill()
    assert processes.find_init(Lab(folder).layout.identity, "dtn1") is None


def test_down_twice_is_the_same_as_once(folder: Path) -> None:
    Lab(folder, 1, image="tiny").up()
    assert [run_lab(folder, "down").returncode for _ in range(2)] == [0, 0]
    assert traces(Lab(folder).layout) == []


def test_up_replaces_what_an_earlier_run_left(folder: Path) -> None:
    Docker(Lab(folder, 2, image="tiny").up(), "dtn1").container("left", "tiny:1")
    lab = Lab(folder, 1, image="tiny").up()
    assert Docker(lab, "dtn1")("ps", "--all", "--quiet") == ""
    assert processes.find_init(lab.layout.identity, "dtn2") is None


def test_two_labs_do_not_meet(folder: Path, tmp_path: Path) -> None:
    with Lab(tmp_path / "other", 1, image="tiny") as other:
        with Lab(folder, 1, image="tiny") as lab:
            Docker(lab, "dtn1").container("mine", "tiny:1")
            Docker(other, "dtn1").container("theirs", "tiny:1")
            assert Docker(lab, "dtn1")("ps", "--format={{.Names}}") == "mine"
        assert traces(lab.layout) == []
        assert Docker(other, "dtn1")("ps", "--format={{.Names}}") == "theirs"
    assert traces(other.layout) == []


def test_lab_in_a_folder_with_a_long_name_has_short_sockets(tmp_path: Path) -> None:
    with Lab(tmp_path / ("long" * 30) / "lab", 1, image="tiny") as lab:
        assert len(str(lab.endpoint("dtn1").socket)) < 100
        assert Docker(lab, "dtn1")("info", "--format={{.Name}}") == "dtn1"
    assert traces(lab.layout) == []


def test_folder_with_other_files_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(LabError, match="not empty and not a lab's"):
        Lab(tmp_path, 1, image="tiny").up()
    Lab(tmp_path).down()
    assert (tmp_path / "letter.txt").read_text() == "dear reader"


def test_folder_that_endpoints_could_not_see_is_refused() -> None:
    with pytest.raises(LabError, match="endpoints have a /run of their own"):
        Lab("/run/lab-of-a-test", 1)


def test_engine_that_does_not_start_is_reported_and_leaves_nothing(folder: Path) -> None:
    with pytest.raises(LabError, match=r"(?s)dtn1: the engine did not start:.*failed to start"):
        Lab(folder, 1, image="tiny", disk="64k").up()
    assert traces(Lab(folder).layout) == [str(folder)]


def test_commands_show_the_lab_and_its_state_files(folder: Path, tmp_path: Path) -> None:
    up = run_lab(folder, "up", "2", "--image", "tiny")
    assert "2 endpoints in" in up.stderr
    Lab.open(folder).stop_engine("dtn2")
    rows = [line.split() for line in run_lab(folder, "status").stdout.splitlines()[1:3]]
    assert [row[:2] for row in rows] == [["dtn1", "running"], ["dtn2", "off"]]
    assert run_lab(folder, "exec", "dtn1", "--", "hostname").stdout == "dtn1\n"
    printed = run_lab(folder, "state", "--transport", "ssh").stdout
    assert [document["docker"] for document in yaml.safe_load_all(printed)] == ["ssh://root@10.10.0.11", "ssh://root@10.10.0.12"]
    run_lab(folder, "state", "--transport", "unix", "--write", str(tmp_path / "state"))
    written = yaml.safe_load((tmp_path / "state" / "endpoints" / "dtn2.yaml").read_text())
    assert written["docker"] == Lab(folder).endpoint("dtn2").unix_url
