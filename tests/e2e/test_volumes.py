"""Named volumes on a real engine: what only carries storage works, and every way to the host's own files is refused beforehand."""

from __future__ import annotations

import pytest

from tests.e2e.playground import Playground
from tests.engine_choice import every_engine

pytestmark = pytest.mark.lab

TMPFS = {"type": "tmpfs", "device": "tmpfs"}
# Each of these was mounted by an engine, or shows the host by what the kernel does with it.
WAYS_TO_THE_HOST = {
    "bind-as-tmpfs": {"type": "tmpfs", "device": "/etc", "o": "bind"},
    "rbind-as-tmpfs": {"type": "tmpfs", "device": "/etc", "o": "rbind"},
    "bind-as-nfs": {"type": "nfs", "device": "/etc", "o": "bind"},
    "rbind-as-nfs": {"type": "nfs", "device": "/etc", "o": "rbind,ro"},
    "bind-as-cifs": {"type": "cifs", "device": "/etc", "o": "bind"},
    "rbind-as-cifs": {"type": "cifs", "device": "/etc", "o": "rbind"},
    "remount": {**TMPFS, "o": "remount"},
    "shared": {"type": "none", "device": "/data", "o": "bind,rshared"},
    "overlay": {"type": "overlay", "device": "overlay", "o": "lowerdir=/etc:/root"},
    **{
        kind: {"type": kind, "device": "none", "o": "ro"}
        for kind in ("proc", "sysfs", "devtmpfs", "debugfs", "tracefs", "securityfs", "bpf", "cgroup2", "devpts", "mqueue", "ext4")
    },
}
STORAGE = {
    "disk": {},
    "memory": {**TMPFS, "o": "size=1m,mode=0750,uid=7,gid=8,nr_inodes=100,nosuid,nodev,noexec"},
    "folder": {"type": "none", "device": "/data", "o": "bind,ro"},
}


def volumes(play: Playground) -> list[str]:
    return sorted(volume["Name"] for volume in play.engines["dtn1"].volumes()["Volumes"] or ())


@every_engine
def test_every_way_to_the_hosts_files_is_refused_and_nothing_is_made(play: Playground) -> None:
    play.endpoint("dtn1", allow={"mounts": ["/data"], "volumes": ["nfs", "cifs"]})
    for name, options in WAYS_TO_THE_HOST.items():
        play.session(name, settings={"volumes": [{"source": f"v-{name}", "target": "/x", "driver_opts": options}]})
    applied = play.run("apply", "--yes", "-o", "json").expect(4)
    assert applied.json["summary"]["blocked"] == len(WAYS_TO_THE_HOST)
    validated = play.run("validate").expect(4)
    for name in WAYS_TO_THE_HOST:
        assert f"state/sessions/{name}.yaml:" in validated.err
    assert volumes(play) == []
    assert play.engines["dtn1"].containers(all=True) == []


@every_engine
def test_what_only_carries_storage_is_mounted_as_that(play: Playground) -> None:
    mounts = [{"source": f"v-{name}", "target": f"/{name}", "driver_opts": options} for name, options in STORAGE.items()]
    play.session("run", settings={"volumes": mounts})
    play.converge()
    container = play.engines["dtn1"].containers()[0]["Id"]
    engine = play.engines["dtn1"]
    ran = play.run_in(container, "cat", "/proc/mounts").stdout.decode()
    lines = {line.split()[1]: line.split() for line in ran.splitlines()}
    assert lines["/memory"][2:4] == ["tmpfs", "rw,nosuid,nodev,noexec,relatime,size=1024k,nr_inodes=100,mode=750,uid=7,gid=8"]
    assert lines["/folder"][3].startswith("ro,")
    assert dict(engine.inspect_volume("v-folder")["Options"])["o"] == "bind,ro,private"
    assert "/disk" in lines


def test_a_volume_that_somebody_made_of_the_hosts_files_blocks_and_stays(play: Playground) -> None:
    play.endpoint("dtn1", allow={"mounts": ["/data"], "foreign_volumes": ["*"]})
    ways = {"folder": {"type": "none", "device": "/etc", "o": "bind"}, "processes": {"type": "proc", "device": "proc"}}
    for name, options in ways.items():
        play.engines["dtn1"].create_volume(name, driver="local", driver_opts=options)
        play.session(name, settings={"volumes": [f"{name}:/x"]})
    planned = play.run("plan").expect(0)
    assert planned.out.count("E0509") == len(ways)
    assert "device=/etc, o=bind, type=none" in planned.out
    play.run("apply", "--yes").expect(4)
    assert play.engines["dtn1"].containers(all=True) == []
    assert volumes(play) == sorted(ways)
    for name in ways:
        play.engines["dtn1"].remove_volume(name)
    play.converge()
    assert volumes(play) == sorted(ways)


@every_engine
def test_a_volume_of_an_earlier_session_is_not_taken_for_another_one(play: Playground) -> None:
    play.session("early", settings={"volumes": [{"source": "cache", "target": "/x", "driver_opts": STORAGE["folder"]}]})
    play.converge()
    play.remove("sessions/early")
    play.converge()
    play.endpoint("dtn1", allow={})
    play.session("late", settings={"volumes": ["cache:/x"]})
    assert "E0509" in play.run("apply", "--yes").expect(4).out
    assert play.engines["dtn1"].containers(all=True) == []


def test_what_another_application_keeps_in_a_volume_needs_the_owners_word(play: Playground) -> None:
    play.engines["dtn1"].create_volume("database")
    play.session("run", settings={"volumes": ["database:/x", "own:/y"]})
    assert "E0508" in play.run("apply", "--yes").expect(4).out
    play.endpoint("dtn1", allow={"foreign_volumes": ["database"]})
    play.converge()
    play.remove("sessions/run")
    play.converge()
    play.endpoint("dtn1", allow={})
    play.session("again", settings={"volumes": ["own:/y"]})  # its labels say that it is ours
    play.converge()
    assert volumes(play) == ["database", "own"]


@every_engine
@pytest.mark.parametrize("bind", ["bind", "rbind"])
def test_removing_a_session_unmounts_nothing_of_the_host(play: Playground, bind: str) -> None:
    """What is mounted below a folder before or while a session has it as a volume; mounts of the host are shared, as systemd's are."""
    script = "mkdir -p /data/{0} && mount -t tmpfs {0} /data/{0} && touch /data/{0}/precious"
    before, later = f"{bind}-before", f"{bind}-later"
    play.lab.exec("dtn1", ["sh", "-c", "mount --make-shared /data && " + script.format(before)])
    play.session(
        "run", settings={"volumes": [{"source": "vol", "target": "/x", "driver_opts": {"type": "none", "device": "/data", "o": bind}}]}
    )
    play.converge()
    play.lab.exec("dtn1", ["sh", "-c", script.format(later)])
    play.remove("sessions/run")
    play.apply().expect(0)
    assert play.engines["dtn1"].containers(all=True) == []
    kept = play.lab.exec("dtn1", ["sh", "-c", f"ls /data/{before} /data/{later}; umount /data/{before} /data/{later}"])
    assert kept.stdout.count("precious") == 2
