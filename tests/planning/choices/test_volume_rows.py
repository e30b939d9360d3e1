"""What lists show of volumes over NVMe-oF: both ends of each, as agents report them beside what files declare."""

from __future__ import annotations

from dtnctl.model.site import Site
from dtnctl.model.volume_rows import VolumeRow
from dtnctl.planning.choices.volume_rows import UNDECLARED, volume_rows
from tests.planning.building import NOW
from tests.planning.dtns import agent, session
from tests.planning.host.volume_lab import RAW, WRITES, after, before, exported, lab, lost, reads
from tests.properties.world import World

THEIRS = "{address: 10.20.0.9, nqn: 'nqn.2001-01.com.example:x', uuid: 11111111-2222-4333-8444-555555555555}"
EXTERNAL = f"# volumes/scratch\ntarget: {{external: {THEIRS}}}\nfilesystem: xfs\n"
FOLDER = "/var/lib/dtn-agent/volumes/lab/scratch"


def rows(declared: Site, made: World) -> tuple[VolumeRow, ...]:
    return volume_rows(declared, made.observe(), NOW)


def states(declared: Site, made: World) -> list[tuple[str, str, str, str]]:
    return [(row.role, row.endpoint, row.state, row.words) for row in rows(declared, made)]


def test_both_ends_of_a_mounted_volume() -> None:
    declared = lab(session("one", WRITES), reads("two"))
    assert rows(declared, after(declared)) == (
        VolumeRow("scratch", "b", "target", "exported", "tcp", "10.20.0.12:4420", "/dev/nvme1n1"),
        VolumeRow("scratch", "a", "host", "mounted", "tcp", "10.20.0.12:4420", FOLDER, "rw", ("one", "two")),
    )


def test_what_is_declared_and_not_there() -> None:
    declared = lab(reads())
    assert rows(declared, before(declared)) == (
        VolumeRow("scratch", "b", "target", "not exported", "tcp", place="/dev/nvme1n1"),
        VolumeRow("scratch", "a", "host", "missing", "tcp", mode="ro", sessions=("one",)),
    )
    unused = lab()
    assert states(unused, before(unused)) == [("target", "b", "not exported", "no session mounts it")]


def test_block_device_is_connected_and_not_mounted() -> None:
    declared = lab(RAW, session("one", "{volumes: [{source: 'nvme:scratch', target: /dev/scratch}]}"))
    row = rows(declared, after(declared))[1]
    assert (row.state, row.place, row.mode) == ("connected", "/dev/nvme1n1", "ro")


def test_what_is_wrong_at_either_end() -> None:
    declared = lab(reads())
    made = after(declared)
    exported(made, fault="its port is not listening")
    lost(made, "a", is_mounted=False)
    assert states(declared, made) == [("target", "b", "faulty", "its port is not listening"), ("host", "a", "not mounted", "")]
    lost(made, "a", is_being_unmounted=True)
    assert states(declared, made)[1] == ("host", "a", "unmounting", "the kernel still writes what it held")
    lost(made, "a", state="gone")
    assert states(declared, made)[1] == ("host", "a", "gone", "the kernel gave up its target; apply connects it again")


def test_what_no_session_mounts_any_more_is_still_shown() -> None:
    made = after(lab(reads()))
    assert states(lab(), made) == [("target", "b", "exported", UNDECLARED), ("host", "a", "mounted", UNDECLARED)]


def test_of_an_agent_that_does_not_answer_nothing_is_known() -> None:
    declared = lab(reads())
    made = after(declared)
    for name in "ab":
        agent(made, name).silence = "connection refused"
    assert [(row.state, row.words) for row in rows(declared, made)] == [
        ("unknown", "the agent of b does not answer"),
        ("unknown", "the agent of a does not answer"),
    ]


def test_target_that_somebody_else_made_is_external() -> None:
    declared = lab(EXTERNAL, reads())
    assert rows(declared, before(declared))[0] == VolumeRow(
        "scratch", "", "target", "external", "tcp", "10.20.0.9:4420", "nqn.2001-01.com.example:x"
    )
