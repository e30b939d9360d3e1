"""Volumes over NVMe-oF: the target is made, then a host connects and mounts it, then services start; the reverse when they go."""

from __future__ import annotations

from typing import Any

import pytest
from dtn_agent.protocol import Held

from dtnctl.planning.nameable import nameable_objects
from tests.planning.building import plan, site
from tests.planning.dtns import agent, carry_out, session
from tests.planning.host.volume_lab import (
    DATA,
    ENDPOINTS,
    MAY_REMOVE,
    RAW,
    READS,
    SCRATCH,
    WRITES,
    after,
    before,
    codes,
    endpoint,
    exported,
    lab,
    lost,
    reads,
    told,
)
from tests.planning.listing import changes, details, notes, says, steps
from tests.planning.volumes import host_nqn

# --- made and removed ---------------------------------------------------------------------------------------


def test_target_connection_mount_and_service_come_one_after_the_other() -> None:
    declared = lab(reads())
    made = before(declared)
    first = carry_out(declared, made)
    says(
        steps(first),
        """
        b/export-volume/scratch
        a/connect-volume/scratch <- b/export-volume/scratch
        a/mount-volume/scratch <- a/connect-volume/scratch
        a/create/lab.one <- a/mount-volume/scratch
        a/start/lab.one <- a/create/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    assert [item.mode for item in (agent(made, "a").machine.held.volumes[0].mount,) if item is not None] == ["ro"]
    assert agent(made, "b").machine.held.exports[0].hosts == (host_nqn("a"),)


def test_the_reverse_when_no_file_names_it_any_more() -> None:
    made = after(lab(reads()))
    says(
        steps(carry_out(lab(), made)),
        """
        a/stop/lab.one
        a/remove/lab.one <- a/stop/lab.one
        a/unmount-volume/scratch <- a/remove/lab.one
        a/disconnect-volume/scratch <- a/unmount-volume/scratch
        b/withdraw-volume/scratch <- a/disconnect-volume/scratch
        """,
    )


def test_a_service_that_is_not_to_run_is_created_on_a_mounted_volume_and_two_share_one_mount() -> None:
    declared = lab(reads(state="initialized"), reads("two"))
    assert "a/create/lab.one <- a/mount-volume/scratch" in steps(plan(declared, before(declared)))
    carry_out(declared, before(declared))


def test_what_a_plan_shows_of_both_ends() -> None:
    declared = lab(session("one", WRITES))
    found = [line for line in details(plan(declared, before(declared))) if not line.startswith(("create session", "  note waits"))]
    says(
        found[found.index("create volume/scratch @ a: connects and mounts volume scratch") :],
        """
        create volume/scratch @ a: connects and mounts volume scratch
          because session one mounts it (state/sessions/one.yaml:4)
          target = 10.20.0.12 port 4420 (tcp)
          interface = ens1f0, node 1, mtu 9000
          at the target = ens1f0, node 1, mtu 9000
          file system = xfs, read-write
          mounted at = /var/lib/dtn-agent/volumes/lab/scratch
          direction = a writes to the target (push)
          note one writes to it over the network: over a distance reading is faster than writing, so a target where the data is
              and `mode: ro` where it goes to is the better way round
        create volume/scratch @ b: exports /dev/nvme1n1 to a
          because a session mounts it (state/volumes/scratch.yaml:1)
          device = /dev/nvme1n1
          listens at = 10.20.0.12 port 4420 (tcp)
          interface = ens1f0, node 1, mtu 9000
        """,
    )


def test_hosts_whose_numbers_do_not_go_together_are_noted() -> None:
    text = SCRATCH.replace("nvme1n1", "nvme0n1")
    declared = lab(text, session("one", '{volumes: ["nvme:scratch:/data"], cpu_set: "8-9"}'))
    near = told("a", nic={"numa_node": 0, "mtu": 1500})
    far = told("b", nic={"numa_node": 0})
    found = [item for change in plan(declared, before(declared, a=near, b=far)).changes if change.kind == "volume" for item in change.notes]
    assert found == [
        "interface ens1f0 has mtu 1500, ens1f0 at the target 9000: packets are as large as the smaller one",
        "CPUs of one are on node 1, interface ens1f0 is on node 0 (cross-socket)",
        "/dev/nvme0n1 is on node 1, interface ens1f0 is on node 0 (cross-socket)",
    ]


def test_a_volume_without_a_file_system_is_a_device_of_the_service() -> None:
    declared = lab(RAW, session("one", '{volumes: ["nvme:scratch:/dev/scratch"]}'))
    made = after(declared)
    (container,) = made.hosts["a"].containers.values()
    (device,) = container.spec.devices
    assert device.host.startswith("/dev/disk/by-id/nvme-uuid.")
    assert (device.container, device.permissions) == ("/dev/scratch", "r")
    assert container.spec.mounts == ()
    lost(made, "a", state="gone", device="")
    says(
        steps(carry_out(declared, made)),
        """
        a/stop/lab.one (or back)
        a/connect-volume/scratch <- a/stop/lab.one
        a/start/lab.one <- a/stop/lab.one, a/connect-volume/scratch (or back)
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(lab(RAW), made)
    assert agent(made, "b").machine.held == Held()


def test_targets_that_others_made_are_connected_to_and_left_alone() -> None:
    nqn, uuid = "nqn.2014-08.com.example:array", "0a1b2c3d-0000-4000-8000-000000000001"
    text = f"# volumes/scratch\ntarget: {{external: {{address: 10.20.0.99, nqn: '{nqn}', uuid: {uuid}}}}}\nfilesystem: ext4\n"
    declared = lab(text, reads())
    found = plan(declared, before(declared))
    assert "a/connect-volume/scratch" in steps(found)
    assert [change.endpoint for change in found.changes if change.kind == "volume"] == ["a"]


def test_a_file_is_exported_at_an_address_that_is_written() -> None:
    declared = lab(
        "# volumes/scratch\ntarget: {endpoint: b, file: /dev/x.img, size: 1GiB, address: 10.20.0.12}\nfilesystem: xfs\n", reads()
    )
    after(declared)
    wrong = lab("# volumes/scratch\ntarget: {endpoint: b, file: /dev/x.img, address: 10.20.0.77}\nfilesystem: xfs\n", reads())
    assert codes(plan(wrong, before(wrong)))[0] == "E0454 session/one @ a: b has no address 10.20.0.77"


# --- drift --------------------------------------------------------------------------------------------------


def test_a_lost_target_and_a_lost_connection_come_back_and_the_service_starts_again() -> None:
    declared = lab(reads())
    made = after(declared)
    exported(made, fault="the port has no subsystem")
    lost(made, "a", state="gone", device="")
    found = carry_out(declared, made)
    says(
        changes(found),
        """
        drift: update session/one @ a: restarts container lab.one
        drift: update volume/scratch @ a: unmounts, connects and mounts volume scratch
        drift: update volume/scratch @ b: changes the export of /dev/nvme1n1 to a
        """,
    )
    says(
        steps(found),
        """
        a/stop/lab.one (or back)
        a/unmount-volume/scratch <- a/stop/lab.one
        b/export-volume/scratch
        a/connect-volume/scratch <- a/unmount-volume/scratch, b/export-volume/scratch
        a/mount-volume/scratch <- a/connect-volume/scratch
        a/start/lab.one <- a/stop/lab.one, a/mount-volume/scratch (or back)
        a/wait/lab.one <- a/start/lab.one
        """,
    )


def test_a_connection_that_is_tried_again_is_waited_for_and_nothing_stops() -> None:
    declared = lab(reads())
    made = after(declared)
    lost(made, "a", state="connecting")
    assert steps(carry_out(declared, made)) == ["a/connect-volume/scratch"]


def test_what_is_about_to_be_unmounted_is_mounted_again() -> None:
    """The plan was empty, and the agent took the mount away before the container started."""
    declared = lab(reads())
    made = after(declared)
    lost(made, "a", is_being_unmounted=True)
    assert "a/mount-volume/scratch" in {step.id for step in plan(declared, made).steps}


def test_what_somebody_unmounted_is_mounted_again() -> None:
    declared = lab(reads())
    made = after(declared)
    lost(made, "a", is_mounted=False)
    assert changes(carry_out(declared, made))[1] == "drift: update volume/scratch @ a: mounts volume scratch"


def test_other_queues_are_a_new_connection_and_another_mode_a_new_mount() -> None:
    made = after(lab(reads()))
    found = carry_out(lab(SCRATCH + "queues: 4\n", reads()), made)
    assert "update volume/scratch @ a: unmounts, disconnects, connects and mounts volume scratch" in changes(found)
    assert "  io queues: the kernel's -> 4 (state/volumes/scratch.yaml:3)" in details(found)
    found = carry_out(lab(SCRATCH + "queues: 4\n", session("one", WRITES)), made)
    assert "update volume/scratch @ a: unmounts and mounts volume scratch" in changes(found)
    found = carry_out(lab(RAW + "queues: 4\n", session("one", '{volumes: ["nvme:scratch:/dev/scratch"]}')), made)
    assert "update volume/scratch @ a: unmounts volume scratch" in changes(found)
    found = carry_out(lab(SCRATCH + "queues: 4\n", reads()), made)
    assert "update volume/scratch @ a: mounts volume scratch" in changes(found)


def test_another_disk_is_exported_after_all_have_let_go_and_says_whose_volume_is_gone() -> None:
    declared = lab(session("one", READS, on="a, c"))
    made = after(declared)
    other = lab(SCRATCH.replace("nvme1n1", "nvme2n1"), session("one", READS, on="a, c"))
    found = carry_out(other, made)
    assert "b/export-volume/scratch <- a/disconnect-volume/scratch, c/disconnect-volume/scratch" in steps(found)
    gone = "volume scratch is gone for one on a, one on c while it is exported otherwise"
    assert gone in [change.interrupts for change in found.changes]
    assert not any(change.is_drift for change in found.changes)


# --- what does not answer, or cannot ------------------------------------------------------------------------


def test_a_silent_target_leaves_what_is_connected_and_refuses_what_is_new() -> None:
    made = after(lab(reads()))
    made.hosts["b"].silence = "no answer"
    found = plan(lab(reads(), reads("two", on="c")), made)
    assert codes(found) == ["E0451 session/two @ c: b does not answer, so whether it exports volume scratch is not known"]
    assert "b does not answer: whether it exports volume scratch to a is unknown, and left alone" in notes(found)
    assert not found.steps
    lost(made, "a", state="connecting")
    assert codes(plan(lab(reads()), made)) == [
        "E0451 volume/scratch @ a: b does not answer, so whether it exports volume scratch is not known"
    ]


def test_a_target_whose_agent_is_silent_is_as_good_as_silent() -> None:
    made = after(lab(reads()))
    agent(made, "b").silence = "no answer"
    lost(made, "a", state="connecting")
    text = "E0451 volume/scratch @ a: the agent of b does not answer, so whether it exports volume scratch is not known"
    assert codes(plan(lab(reads()), made)) == [text]
    note = "the agent of b does not answer: whether it exports volume scratch to a is unknown, and left alone"
    assert note in notes(plan(lab(reads()), made))


def test_a_service_whose_own_agent_is_silent_runs_on_and_no_other_starts() -> None:
    made = after(lab(reads()))
    agent(made, "a").silence = "no answer"
    found = plan(lab(reads(), reads("two")), made)
    assert codes(found) == ["E0470 session/two @ a: the agent of a does not answer, and volume scratch is mounted by it"]


def test_a_target_is_exported_as_long_as_a_silent_host_may_use_it() -> None:
    made = after(lab(reads()))
    made.hosts["a"].silence = "no answer"
    found = plan(lab(), made)
    assert "b goes on exporting volume scratch to 1 host: a may use it, and does not answer" in notes(found)
    assert not found.steps
    other = lab(SCRATCH.replace("nvme1n1", "nvme2n1"), reads(), reads("two", on="c"))
    assert "E0455 volume/scratch @ b: b exports volume scratch as before: a may use it, and does not answer" in codes(plan(other, made))


@pytest.mark.parametrize(
    ("on", "values", "reason"),
    [
        ("a", {"lacks": ["connect-tcp"]}, "E0450 session/one @ a: a cannot connect volumes by tcp: no such module"),
        ("a", {"lacks": ["mount-xfs"]}, "a cannot mount volumes by xfs: no such module"),
        ("b", {"lacks": ["export-tcp"]}, "b cannot export volumes by tcp: no such module"),
        ("a", {"nic": {"addresses": ("10.9.9.9/24",)}}, "a has no address of its own in 10.20.0.0/24 on ens1f0"),
        ("b", {"nic": {"addresses": ()}}, "b has no address of its own in 10.20.0.0/24 on ens1f0"),
    ],
)
def test_a_host_that_lacks_something_says_what(on: str, values: dict[str, Any], reason: str) -> None:
    declared = lab(reads())
    assert reason in codes(plan(declared, before(declared, **{on: told(on, **values)})))[0]


def test_a_subsystem_that_somebody_else_made_is_left_alone() -> None:
    declared = lab(reads())
    made = after(declared)
    nqn = agent(made, "b").machine.held.exports[0].nqn
    foreign = before(declared, b=told("b", exported=(nqn,)))
    assert codes(plan(declared, foreign))[0] == f"E0456 session/one @ a: b exports {nqn} already, and dtnctl did not make it"
    agent(made, "b").machine = agent(made, "b").machine.model_copy(
        update={"facts": agent(made, "b").machine.facts.model_copy(update={"nvme": told("b", exported=(nqn,)).facts.nvme})}
    )
    assert plan(declared, made).is_empty


def test_agents_that_are_older_know_nothing_of_it() -> None:
    declared = lab(reads())
    old = told("a")
    old = old.model_copy(update={"facts": old.facts.model_copy(update={"nvme": None}), "abilities": ()})
    assert "this agent does not know how" in codes(plan(declared, before(declared, a=old)))[0]


# --- what a run is about ------------------------------------------------------------------------------------


def test_a_run_about_a_session_brings_its_volume_and_one_about_the_volume_leaves_the_session() -> None:
    declared = lab(reads(), reads("two", on="c"))
    made = before(declared)
    found = plan(declared, made, targets=("session/one",))
    assert {change.endpoint for change in found.changes if change.kind == "volume"} == {"a", "b"}
    found = plan(declared, made, targets=("volume/scratch",))
    assert {(change.kind, change.endpoint) for change in found.changes} == {("volume", "a"), ("volume", "b"), ("volume", "c")}


def test_a_target_that_this_run_leaves_alone_is_not_connected_to() -> None:
    declared = lab(reads())
    found = plan(declared, before(declared), excludes=("endpoint/b",))
    text = "E0455 session/one @ a: b does not export volume scratch as it is needed, and this run leaves it as it is"
    assert codes(found) == [text]


def test_a_service_that_may_not_be_touched_keeps_its_volume() -> None:
    declared = lab(reads())
    made = after(declared)
    lost(made, "a", is_mounted=False)
    assert codes(plan(declared, made, targets=("volume/scratch",))) == [
        "E0452 volume/scratch @ a: volume scratch on a stays as it is: session one uses it, and nothing of that is changed now"
    ]
    made = after(declared)
    assert codes(plan(site(ENDPOINTS + DATA + MAY_REMOVE), made, excludes=("session/one",))) == [
        "E0452 volume/scratch @ a: volume scratch on a stays as it is: session one uses it, and nothing of that is changed now",
        "E0455 volume/scratch @ b: b exports volume scratch as before: a has it connected, and this run does not disconnect it",
    ]


def test_nothing_goes_while_too_many_sessions_would() -> None:
    made = after(lab(reads(), reads("two")))
    declared = site(ENDPOINTS + DATA + SCRATCH + "# site\nname: lab\nlimits: {max_prune: 1}\n")
    assert not plan(declared, made).steps


FROZEN = "freeze: [{from: 2020-01-01T00:00:00Z, to: 2099-01-01T00:00:00Z, reason: a race}]\n"


def test_a_frozen_target_blocks_who_would_need_it() -> None:
    declared = lab(reads(), endpoints=endpoint("a") + endpoint("b", more=FROZEN))
    found = codes(plan(declared, before(declared)))
    assert [text.partition(":")[0] for text in found] == ["E0442 session/one @ a", "E0442 volume/scratch @ b"]


def test_frozen_ends_keep_what_no_file_names_any_more() -> None:
    made = after(lab(reads()))
    for frozen in ("a", "b"):
        texts = [endpoint(name, more=FROZEN if name == frozen else "") for name in ("a", "b", "c")]
        found = plan(lab(endpoints="".join(texts)), made)
        assert f"volume/scratch @ {frozen}" in " ".join(codes(found))
        assert all(step.endpoint != frozen for step in found.steps)


def test_destroy_takes_both_ends_along() -> None:
    declared = lab(reads())
    made = after(declared)
    carry_out(declared, made, destroy=True)
    assert agent(made, "a").machine.held == agent(made, "b").machine.held == Held()


def test_a_volume_that_moves_to_another_host_lets_go_of_the_first() -> None:
    made = after(lab(reads()))
    found = carry_out(lab(SCRATCH.replace("endpoint: b", "endpoint: c"), reads()), made)
    assert {"b/withdraw-volume/scratch <- a/disconnect-volume/scratch", "c/export-volume/scratch"} <= set(steps(found))


def test_a_network_with_a_vlan_is_reached_over_its_sub_interface() -> None:
    vlan = DATA + "vlan: 222\n"
    declared = site(ENDPOINTS + vlan + MAY_REMOVE + SCRATCH + reads())
    found = codes(plan(declared, before(declared, a=told("a", nic={"addresses": ("fe80::1/64",)}))))
    assert "a has no address of its own in 10.20.0.0/24 on ens1f0.222 or ens1f0" in found[0]


def test_a_sub_interface_goes_after_the_volume_that_is_reached_over_it() -> None:
    vlan = "# networks/lab\ndriver: macvlan\nvlan: 310\nsubnet: 10.3.0.0/24\n"
    texts = [endpoint(name).replace("{data: ens1f0}", "{data: ens1f0, lab: ens1f0}") for name in ("a", "b", "c")]
    settings = '{data_nets: [lab], mgmt_net: null, volumes: ["nvme:scratch:/data"]}'
    made = after(lab(vlan, session("one", settings), endpoints="".join(texts)))
    found = carry_out(lab(vlan, endpoints="".join(texts)), made)
    assert "a/remove-vlan/ens1f0.310 <- a/remove-network/lab, a/disconnect-volume/scratch" in steps(found)


def test_who_waits_for_a_step_that_a_freeze_holds_back_is_held_back_too() -> None:
    texts = (endpoint("a"), endpoint("b", more=FROZEN), endpoint("c"))
    made = after(lab(session("one", READS, on="a, c")))
    held = agent(made, "a").machine.held.volumes[0].mount
    assert held is not None
    lost(made, "a", state="gone", mount=held.model_copy(update={"mode": "rw"}))
    lost(made, "c", is_mounted=False)
    exported(made, fault="the port has no subsystem")
    found = plan(lab(session("one", READS, on="a, c"), endpoints="".join(texts)), made)
    assert not found.steps
    blocked = [text.partition(":")[0] for text in codes(found)]
    assert blocked == ["E0442 volume/scratch @ a", "E0442 volume/scratch @ b", "E0457 volume/scratch @ c"]


def test_other_services_of_the_host_go_on_and_what_an_agent_has_can_be_named() -> None:
    plain = session("two", "{}")
    made = after(lab(reads(), plain))
    declared = lab(plain)
    assert ("volume", "scratch", "b") in nameable_objects(site(ENDPOINTS + DATA + MAY_REMOVE), made.observe())
    assert "lab.two" not in " ".join(steps(carry_out(declared, made)))


def test_owners_of_disks_are_asked() -> None:
    closed = endpoint("b").replace("exports: [/dev]", "exports: []")
    declared = lab(reads(), endpoints=endpoint("a") + closed)
    found = codes(plan(declared, before(declared)))
    assert found[0] == (
        "E0510 session/one @ a: the owner of b does not allow the export of /dev/nvme1n1, asked for at state/volumes/scratch.yaml:1"
    )
