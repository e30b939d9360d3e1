"""A start that is refused before anything is made: what the services, paths, links and tools must be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dtnctl.errors import TransferError
from dtnctl.model.actions import JobEnd, StartTransfer
from dtnctl.model.resources import ContainerSpec, Mount
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.runtime.transfers.transfer import start_transfer
from tests.fakes.execs import ExecRun
from tests.runtime.transfers.transfer_world import HERE, IMAGE, SERVICE, SITE, THERE, TRANSFER, TransferWorld, transfer_world

JOB = "lab.run.g1a1"


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        scene.files(HERE).write("/data/in", b"x" * 1000)
        yield scene


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user": ""}, "lab.demo on dtn2 has no account for transfers; set `user` in the profile or the session"),
        ({"user": "nobody"}, "lab.demo on dtn2 has no account 'nobody' in its /etc/passwd"),
        ({"user": "sshd"}, "lab.demo on dtn2: 'sshd' may not log in, its shell is /usr/sbin/nologin"),
        ({"container": "lab.other"}, "lab.other on dtn2 is not there"),
        ({"path": "/data/../etc/x"}, "run: /data/../etc/x leads out of its folder"),
        ({"path": "/data"}, "run: /data on dtn2 is a folder; end it in / to copy into it"),
    ],
)
def test_a_destination_that_cannot_take_it_is_refused_before_anything_is_made(
    scene: TransferWorld, change: dict[str, Any], reason: str
) -> None:
    source, destination = scene.ends()
    scene.files(THERE).write("/data/old", b"")
    with pytest.raises(TransferError, match=re.escape(reason)):
        scene.start(ends=(source, replace(destination, **change)))
    assert scene.job_names() == []
    assert scene.records() == ()
    assert "dtnctl" not in scene.keys(HERE) + scene.keys(THERE)


def test_a_source_that_is_not_there_is_refused(scene: TransferWorld) -> None:
    with pytest.raises(TransferError, match="run: /data/nope does not exist on dtn1, or dtn may not look there"):
        scene.start(ends=scene.ends("/data/nope"))


def test_a_service_that_does_not_run_is_refused(scene: TransferWorld) -> None:
    scene.engines[THERE].stop(SERVICE, 1)
    with pytest.raises(TransferError, match=r"lab\.demo on dtn2 is exited; it must run to carry a transfer"):
        scene.start()


def test_a_service_without_host_keys_is_refused(scene: TransferWorld) -> None:
    scene.files(THERE).remove("/etc/ssh/ssh_host_ed25519_key.pub")
    with pytest.raises(TransferError, match=r"lab.demo on dtn2 has no /etc/ssh/ssh_host_\*_key.pub"):
        scene.start()


def test_a_service_that_has_just_started_is_waited_for(scene: TransferWorld) -> None:
    scene.answers_after = 4
    assert scene.start().started
    assert len(scene.clock.pauses) == 3


def test_a_service_that_never_answers_is_refused_after_a_minute(scene: TransferWorld) -> None:
    scene.answers_after = 10**6
    with pytest.raises(
        TransferError, match=r"no login is possible at 127.0.0.1:22 \(lab.demo on dtn1\) or 10.0.0.2:30001 \(lab.demo on dtn2\)"
    ):
        scene.start()
    assert 60 <= scene.clock.seconds < 61
    assert scene.job_names() == []


@pytest.mark.parametrize(("code", "silent"), [(11, r"127.0.0.1:22 \(lab.demo on dtn1\)"), (12, r"10.0.0.2:30001 \(lab.demo on dtn2\)")])
def test_the_end_that_never_answers_is_named_alone(scene: TransferWorld, code: int, silent: str) -> None:
    scene.answers_after, scene.refused = 10**6, code
    with pytest.raises(TransferError, match=f"no login is possible at {silent}: is sshd running there"):
        scene.start()


@pytest.mark.parametrize(("code", "reason"), [(2, "there is no such name"), (124, "its name servers did not answer within 10 s")])
@pytest.mark.parametrize("age", [0, 10**9])
def test_a_host_that_the_source_cannot_look_up_is_named_at_once(scene: TransferWorld, code: int, reason: str, age: int) -> None:
    scene.clock.seconds, scene.look_ups = age, [code]
    source, destination = scene.ends()
    what = rf"run: lab.demo on dtn1 cannot look up nosuch.example.net, the `host:` of dtn2: {reason}; try an address there"
    with pytest.raises(TransferError, match=what):
        scene.start(ends=(source, replace(destination, host="nosuch.example.net")))
    assert scene.clock.pauses == []
    assert scene.job_names() == []
    assert scene.records() == ()


@pytest.mark.parametrize("code", [0, 126, 127])
def test_a_name_that_is_known_or_cannot_be_asked_for_holds_nothing_back(scene: TransferWorld, code: int) -> None:
    scene.look_ups = [code]
    source, destination = scene.ends()
    assert scene.start(ends=(source, replace(destination, host="dtn2.example.net"))).started
    assert scene.look_ups == []


def test_services_that_have_run_for_long_are_not_asked(scene: TransferWorld) -> None:
    scene.clock.seconds = 10**9
    scene.start()
    assert "timeout" not in scene.commands


def test_what_already_ran_is_not_waited_for(scene: TransferWorld) -> None:
    scene.start()
    scene.finish()
    scene.commands.clear()
    scene.start()
    assert scene.commands == []


def test_a_home_in_memory_is_refused_because_no_key_gets_there(scene: TransferWorld) -> None:
    spec = ContainerSpec(image=IMAGE, mounts=(Mount("/home", "tmpfs"),))
    scene.add_service(THERE, "lab.memory", spec)
    source, destination = scene.ends()
    with pytest.raises(TransferError, match="the home of 'dtn' is on the tmpfs /home"):
        scene.start(ends=(source, replace(destination, container="lab.memory")))


def test_copying_onto_itself_is_refused_because_it_would_empty_the_source(scene: TransferWorld) -> None:
    source = scene.ends()[0]
    with pytest.raises(TransferError, match="/data/in on dtn1 is what is copied itself: writing there would damage /data/in"):
        scene.start(ends=(source, JobEnd(HERE, SERVICE, "/data/in", "10.0.0.1", 30001, "dtn")))
    assert scene.files(HERE).read("/data/in") == b"x" * 1000


@pytest.mark.parametrize(
    ("endpoint", "printed", "reason"),
    [
        (HERE, "f \0", "/data/in on dtn1 has what its user may not read: itself"),
        (THERE, "f \0", "/data/out on dtn2 has what its user may not write: itself"),
    ],
)
def test_what_may_not_be_read_or_written_is_said_before_anything_is_made(
    scene: TransferWorld, endpoint: str, printed: str, reason: str
) -> None:
    scene.files(THERE).write("/data/out", b"old")
    scene.hindered[endpoint] = printed
    with pytest.raises(TransferError, match=reason):
        scene.start()
    assert scene.job_names() == []
    assert scene.records() == ()


def test_links_in_a_folder_are_refused_unless_they_are_to_be_followed(scene: TransferWorld) -> None:
    scene.files(HERE).write("/data/tree/a", b"1")
    scene.hindered[HERE] = "l latest\0p pipe\0"
    ends = scene.ends("/data/tree/", "/data/tree/")
    with pytest.raises(TransferError, match="/data/tree/ on dtn1 has links: 'latest'; write `links: follow`"):
        scene.start(ends=ends, recursive="True")
    scene.hindered[HERE] = "p pipe\0"
    text = scene.start(ends=ends, recursive="True", links="follow").text
    assert text == "started: 1 bytes in 1 file; leaves out what is no file: 'pipe' (pipe)"


def test_a_folder_goes_to_the_same_path_of_another_endpoint(scene: TransferWorld) -> None:
    scene.files(HERE).write("/data/tree/a", b"1")
    assert scene.start(ends=scene.ends("/data/tree/", "/data/tree/"), recursive="True").started


def test_copying_a_folder_into_itself_is_refused(scene: TransferWorld) -> None:
    ends = (JobEnd(HERE, SERVICE, "/data/", "127.0.0.1", 22, "dtn"), JobEnd(HERE, SERVICE, "/data/sub/", "10.0.0.1", 30001, "dtn"))
    with pytest.raises(TransferError, match="/data/sub/ on dtn1 is inside of what is copied"):
        scene.start(ends=ends, recursive="True")


def test_a_folder_that_cannot_be_listed_whole_is_still_known_by_itself(scene: TransferWorld) -> None:
    """The find at the destination fails on a folder that it may not enter; the folder itself is the source."""
    find = scene.world.exec_programs["find"]
    listed: list[str] = []

    def fails_the_second_time(run: ExecRun) -> int:
        listed.append(run.argv[2])
        return find(run) if run.argv[2] == "/data/" else 1

    scene.world.exec_programs["find"] = fails_the_second_time
    scene.files(HERE).write("/other/x", b"x")
    stat = scene.world.exec_programs["stat"]

    def of_the_source(run: ExecRun) -> int:
        run.argv[-1] = "/data/"
        return stat(run)

    scene.world.exec_programs["stat"] = of_the_source
    ends = (JobEnd(HERE, SERVICE, "/data/", "127.0.0.1", 22, "dtn"), JobEnd(HERE, SERVICE, "/other/", "10.0.0.1", 30001, "dtn"))
    with pytest.raises(TransferError, match="/other/ on dtn1 is what is copied itself"):
        scene.start(ends=ends, recursive="True")


@pytest.mark.parametrize("end", [HERE, THERE])
@pytest.mark.parametrize(
    ("link", "target", "reason"),
    [
        ("/data/in", "/etc/passwd", "leads to /etc/passwd, which is in no volume of the container"),
        ("/data", "/home/dtn/.ssh", "leads to /home/dtn/.ssh/in, which is in no volume of the container"),
        ("/data", "/mnt/home/.ssh", "leads to /mnt/home/.ssh/in, which holds the keys of logins"),
        ("/data", "/mnt", ""),
    ],
)
def test_a_path_that_links_lead_out_of_the_volumes_is_refused(scene: TransferWorld, end: str, link: str, target: str, reason: str) -> None:
    for name in (HERE, THERE):
        mounts = tuple(Mount(f"/{name}", "volume", name) for name in ("data", "mnt"))
        scene.add_service(name, "lab.mounted", ContainerSpec(image=IMAGE, mounts=mounts))
        scene.files(name, "lab.mounted").write("/data/in", b"x")
    source, destination = (replace(item, container="lab.mounted") for item in scene.ends(destination="/data/in"))
    scene.links[end, link] = target
    if not reason:
        assert scene.start(ends=(source, destination)).started
        return
    with pytest.raises(TransferError, match=re.escape(f"run: /data/in on {end} {reason}; transfers copy data only")):
        scene.start(ends=(source, destination))
    assert scene.job_names() == []


def test_a_file_that_is_not_there_yet_is_judged_by_the_folder_that_is(scene: TransferWorld) -> None:
    scene.links[THERE, "/data/new"] = "/root/x"
    source, destination = scene.ends(destination="/data/new/a/b")
    with pytest.raises(TransferError, match="/data/new/a/b on dtn2 leads to /root/x/a/b, which is in no volume of the container"):
        scene.start(ends=(source, destination))


def test_a_folder_that_brings_a_logins_own_files_is_refused(scene: TransferWorld) -> None:
    """The path is data; one of the names below it would be the destination's login's keys."""
    scene.files(HERE).write("/data/set/dtn/.ssh/authorized_keys", b"mine")
    ends = (replace(scene.ends()[0], path="/data/set/"), replace(scene.ends()[1], path="/home/"))
    with pytest.raises(TransferError, match=r"/home/ on dtn2 would reach /home/dtn/\.ssh, which is a setting of a login"):
        scene.start(ends=ends, recursive="True")
    assert scene.start(ends=(ends[0], replace(ends[1], path="/data/copy/")), recursive="True").started


def test_an_image_that_cannot_say_where_links_lead_holds_nothing_back(scene: TransferWorld) -> None:
    del scene.world.exec_programs["readlink"]
    assert scene.start().started


def test_two_endpoints_that_are_one_engine_are_refused_by_their_container(scene: TransferWorld) -> None:
    source, destination = scene.ends()
    with pytest.raises(TransferError, match=r"dtn1 and dtn2 are one engine: lab\.demo there is one container"):
        scene.start(ends=(source, destination), engines={HERE: scene.engines[HERE], THERE: scene.engines[HERE]})


def test_a_folder_onto_a_file_is_refused(scene: TransferWorld) -> None:
    scene.files(THERE).write("/data/out", b"file")
    ends = (replace(scene.ends()[0], path="/data/"), replace(scene.ends()[1], path="/data/out"))
    with pytest.raises(TransferError, match="/data/out on dtn2 is no folder"):
        scene.start(ends=ends, recursive="True")


def test_an_unknown_tool_is_refused(scene: TransferWorld) -> None:
    action = StartTransfer(TRANSFER, 1, 1, "carrier-pigeon", *scene.ends(), IMAGE, TransferOptions())
    with pytest.raises(TransferError, match="no mover is called 'carrier-pigeon'; there are gridftp"):
        start_transfer(action, scene.engines, SITE, scene.clock)
