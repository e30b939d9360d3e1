"""Whole CPUs: near the data network's interface, nobody else's, sticky; and what crosses from one socket to another is told."""

from __future__ import annotations

import pytest
from dtn_agent.protocol import BlockDevice, Cpus, Host, Interface, Irq, Mounted, NumaNode

from dtnctl.model.actions import UpdateContainer
from dtnctl.model.hardware import cpu_numbers, cpu_text, disks_below, interrupt_cpus, nodes_of, pinned_by_node
from tests.planning.building import change, plan
from tests.planning.dtns import STAR, after, before, carry_out, dtn, endpoint, live, session
from tests.planning.listing import changes, details, notes, says, steps
from tests.planning.machines import machine, pf
from tests.properties.world import World

PINNED = "{data_nets: [star], mgmt_net: null, cpus: 4, near: data_net}"
ANYWHERE = "{cpus: 4, near: any}"


def cpus(made: World) -> dict[str, str]:
    """By container, the CPUs and memory nodes that it is pinned to."""
    found = {item.name: item.spec for item in made.hosts["a"].containers.values()}
    return {name: f"{spec.cpu_set} @ {spec.memory_nodes}" for name, spec in sorted(found.items())}


def many(*names: str, settings: str = PINNED) -> str:
    return "".join(session(name, settings) for name in names)


def test_pinned_cpus_are_of_the_interfaces_node_with_its_memory_and_nobody_elses() -> None:
    declared = dtn(STAR, many("one", "two"))
    made = after(declared)
    assert cpus(made) == {"lab.one": "8-11 @ 1", "lab.two": "12-15 @ 1"}
    assert live(made).spec.cpus == 0.0  # whole ones, not a share of time


def test_the_plan_names_the_cpus_and_counts_them_by_node() -> None:
    declared = dtn(STAR, many("one"))
    first = plan(declared, before(declared))
    assert dict(first.changes[1].allocations)["cpus"] == "8-11 (node 1)"
    assert [(node, usage.before, usage.after, usage.total) for node, usage in first.endpoints[0].cpus] == [(0, 0, 0, 16), (1, 0, 4, 16)]


def test_other_sessions_that_come_and_go_move_no_cpu() -> None:
    made = after(dtn(STAR, many("k", "m")))
    carry_out(dtn(STAR, many("a", "k", "m")), made)
    assert cpus(made) == {"lab.k": "8-11 @ 1", "lab.m": "12-15 @ 1", "lab.a": "24-27 @ 1"}
    carry_out(dtn(STAR, many("a", "m")), made)
    carry_out(dtn(STAR, many("a", "m", "z")), made)
    assert cpus(made) == {"lab.a": "24-27 @ 1", "lab.m": "12-15 @ 1", "lab.z": "8-11 @ 1"}


def test_another_number_is_changed_in_place() -> None:
    made = after(dtn(STAR, many("one", "two")))
    declared = dtn(STAR, many("one").replace("4", "6") + many("two"))
    growing = plan(declared, made)
    says(
        details(growing),
        """
        update session/one @ a: changes container lab.one in place
          because cpu_set differs (state/sessions/one.yaml:4)
          cpu_set: 8-11 -> 8-11,24-25 (state/sessions/one.yaml:4)
        """,
    )
    assert [(node, usage.before, usage.after) for node, usage in growing.endpoints[0].cpus] == [(0, 0, 0), (1, 8, 10)]
    carry_out(declared, made)


def test_cpus_that_somebody_changed_by_hand_are_drift() -> None:
    declared = dtn(STAR, many("one"))
    made = after(declared)
    change(made, "a", "lab.one", cpu_set="0-3", memory_nodes="0")
    (repair,) = plan(declared, made).changes
    assert repair.is_drift
    carry_out(declared, made)
    assert cpus(made) == {"lab.one": "8-11 @ 1"}


def test_a_service_that_is_not_pinned_any_more_is_made_anew_since_engines_do_not_lift_that() -> None:
    made = after(dtn(STAR, many("one")))
    declared = dtn(STAR, session())
    assert plan(declared, made).changes[0].mark == "replace"
    carry_out(declared, made)
    assert cpus(made) == {"lab.one": " @ "}


# --- whose they are -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reserved", "expected"), [("8-9", "10-13 @ 1"), ("irq", "9-12 @ 1")])
def test_cpus_that_the_owner_keeps_are_never_given(reserved: str, expected: str) -> None:
    """The interface's interrupts are served by CPU 8."""
    declared = dtn(STAR, many("one"), on=endpoint(more=f"reserved_cpus: {reserved}\n"))
    assert cpus(after(declared)) == {"lab.one": expected}


def test_cpus_that_the_owner_keeps_from_now_on_are_left() -> None:
    made = after(dtn(STAR, many("one")))
    carry_out(dtn(STAR, many("one"), on=endpoint(more="reserved_cpus: 8-9\n")), made)
    assert cpus(made) == {"lab.one": "10-13 @ 1"}


def test_cpus_that_another_session_names_are_avoided_and_left() -> None:
    named = session("named", "{cpu_set: '9,24-25'}")
    made = after(dtn(STAR, many("one"), named))
    assert cpus(made)["lab.one"] == "8,10-12 @ 1"
    other = after(dtn(STAR, many("one")))
    carry_out(dtn(STAR, many("one"), named), other)
    assert cpus(other)["lab.one"] == "8,10-12 @ 1"


def test_not_enough_cpus_block_and_name_who_has_them() -> None:
    declared = dtn(STAR, many("one", "two").replace("cpus: 4", "cpus: 7"), on=endpoint(more="reserved_cpus: 8-9\n"))
    made = after(declared)
    more = dtn(STAR, many("one", "three", "two").replace("cpus: 4", "cpus: 7"), on=endpoint(more="reserved_cpus: 8-9\n"))
    says(
        details(plan(more, made)),
        """
        blocked session/three @ a: E0473
          because 7 CPUs near ens1f0 of a are asked for, 0 of 16 are free; held by session one, session two, the endpoint's
              `reserved_cpus` (state/sessions/three.yaml:4)
          fix: `near: any`, or another endpoint
        """,
    )
    fewer = dtn(STAR, many("one", "two").replace("cpus: 4", "cpus: 9"))
    (blocked,) = plan(fewer, before(fewer)).blocked
    assert (blocked.name, blocked.fix) == ("two", "`cpus: 7`")


def test_a_session_that_goes_makes_room_in_the_same_plan() -> None:
    made = after(dtn(STAR, many("old").replace("cpus: 4", "cpus: 16")))
    carry_out(dtn(STAR, many("new").replace("cpus: 4", "cpus: 16")), made)
    assert cpus(made) == {"lab.new": "8-15,24-31 @ 1"}


def test_blocked_sessions_keep_their_cpus() -> None:
    """One asks for more than there are, so it stays as it is; nobody gets what it has."""
    made = after(dtn(STAR, many("a")))
    declared = dtn(STAR, many("a").replace("cpus: 4", "cpus: 17"), many("b"))
    made_plan = plan(declared, made)
    assert changes(made_plan) == ["blocked session/a @ a: E0473", "create session/b @ a: creates container lab.b"]
    made.apply(made_plan)
    assert cpus(made) == {"lab.a": "8-11 @ 1", "lab.b": "12-15 @ 1"}


def test_excluded_sessions_and_those_over_the_budget_keep_their_cpus() -> None:
    made = after(dtn(STAR, many("old", "other")))
    declared = dtn(STAR, many("new", "other"))
    made.apply(plan(declared, made, excludes=("session/old",)))
    assert cpus(made) == {"lab.new": "24-27 @ 1", "lab.old": "8-11 @ 1", "lab.other": "12-15 @ 1"}


def test_a_half_done_replacement_goes_on_with_the_cpus_of_the_old_container() -> None:
    made = after(dtn(STAR, many("one", "two")))
    declared = dtn(STAR, many("one").replace("}", ", init: true}") + many("two"))
    for step in plan(declared, made).steps[:3]:
        made.perform(step)
    carry_out(declared, made)
    assert cpus(made) == {"lab.one": "8-11 @ 1", "lab.two": "12-15 @ 1"}


# --- where they are -----------------------------------------------------------------------------------------


def test_any_cpus_are_of_one_node_if_that_has_enough() -> None:
    declared = dtn(session("big", "{cpus: 14, near: any}"), session("small", ANYWHERE), session("tiny", "{cpus: 2, near: any}"))
    made = after(declared)
    assert cpus(made) == {"lab.big": "0-7,16-21 @ 0", "lab.small": "8-11 @ 1", "lab.tiny": "22-23 @ 0"}


def test_any_cpus_are_of_several_nodes_if_none_has_enough() -> None:
    made = after(dtn(session("big", "{cpus: 20, near: any}")))
    assert cpus(made) == {"lab.big": "0-19 @ 0-1"}
    blocked = dtn(session("big", "{cpus: 33, near: any}"))
    assert "33 CPUs on a are asked for, 32 of 32 are free" in plan(blocked, before(blocked)).blocked[0].cause.text


def test_memory_nodes_that_are_written_count() -> None:
    declared = dtn(STAR, many("one").replace("near", "memory_nodes: '0-1', near"))
    assert cpus(after(declared)) == {"lab.one": "8-11 @ 0-1"}


def test_on_the_hosts_network_the_only_interface_tells_what_is_near() -> None:
    settings = "{mgmt_net: host, cpus: 2, near: data_net}"
    declared = dtn(STAR, session(settings=settings))
    assert cpus(after(declared)) == {"lab.one": "8-9 @ 1"}
    two = dtn(
        STAR,
        STAR.replace("star", "moon").replace("10.2", "10.3"),
        session(settings=settings),
        on=endpoint(interfaces="{star: ens1f0, moon: ens2f0}"),
    )
    made = before(two, pf("ens1f0", 1), pf("ens2f0", 0))
    assert plan(two, made).changes[0].notes == ("which interface it uses on a is not known, so its CPUs are any",)
    carry_out(two, made)
    assert cpus(made) == {"lab.one": "0-1 @ 0"}


@pytest.mark.parametrize(
    "nic",
    [
        pf("ens1f0", 1).model_copy(update={"numa_node": None}),
        pf("ens1f0", 1).model_copy(update={"local_cpus": ""}),
        pf("ens1f0", 1).model_copy(update={"local_cpus": "64-127"}),
    ],
)
def test_an_interface_that_does_not_tell_what_is_near_means_any_cpus(nic: Interface) -> None:
    made = after(dtn(STAR, many("one")), nic)
    assert cpus(made) == {"lab.one": "0-3 @ 0"}


def test_a_host_without_nodes_has_cpus_all_the_same() -> None:
    told = machine(pf("ens1f0", 1).model_copy(update={"numa_node": None, "local_cpus": ""}))
    facts = told.facts.model_copy(update={"cpus": Cpus(logical=8, online="0-7")})
    declared = dtn(STAR, many("one"), session("two", ANYWHERE))
    made = after(declared, told=told.model_copy(update={"facts": facts}))
    assert cpus(made) == {"lab.one": "0-3 @ ", "lab.two": "4-7 @ "}
    (row,) = plan(declared, made).endpoints
    assert row.cpus == ()


def test_cpus_that_are_switched_off_are_not_given() -> None:
    told = machine(pf("ens1f0", 1))
    facts = told.facts.model_copy(update={"cpus": told.facts.cpus.model_copy(update={"online": "0-9,12-31"})})
    made = after(dtn(STAR, many("one")), told=told.model_copy(update={"facts": facts}))
    assert cpus(made) == {"lab.one": "8-9,12-13 @ 1"}


# --- warnings -----------------------------------------------------------------------------------------------


def warned(declared_settings: str, *, node: int = 1, disks: tuple[BlockDevice, ...] = ()) -> tuple[str, ...]:
    declared = dtn(STAR, session(settings=declared_settings))
    made = before(declared, told=machine(pf("ens1f0", node), disks=disks))
    (change_,) = (item for item in plan(declared, made).changes if item.kind == "session")
    return change_.notes


def test_cpus_on_another_socket_than_the_interface_are_told() -> None:
    far = "its CPUs are on NUMA node 0, interface ens1f0 is on node 1 (cross-socket)"
    assert warned("{data_nets: [star], cpu_set: 0-3}") == (far,)
    assert warned("{data_nets: [star], cpus: 2, near: any}") == (far,)
    both = "its CPUs are on NUMA node 0-1, interface ens1f0 is on node 1 (cross-socket)"
    assert warned("{data_nets: [star], cpu_set: '7,8'}") == (both,)
    assert warned("{data_nets: [star], cpu_set: 8-11}") == ()
    assert warned("{data_nets: [star]}") == ()


def test_disks_on_another_socket_than_the_interface_are_told() -> None:
    text = "{data_nets: [star], volumes: ['/nvme/data:/data', '/scratch', 'named:/x', {target: /tmp/x}]}"
    assert warned(text, node=0) == ("/nvme/data is on nvme0n1 at NUMA node 1, interface ens1f0 is on node 0 (cross-socket)",)
    assert warned(text) == ()
    unknown = BlockDevice(name="sda", size=1, mounts=(Mounted(target="/", filesystem="ext4"),))
    assert warned(text, node=0, disks=(unknown,)) == ()


def test_services_that_need_nothing_of_the_agent_are_told_as_well() -> None:
    lan = "# networks/lan\ndriver: macvlan\nsubnet: 10.7.0.0/24\n"
    settings = "{data_nets: [lan], mgmt_net: null, cpu_set: 8-11, volumes: ['/nvme/data:/data']}"
    declared = dtn(lan, session(settings=settings), on=endpoint(interfaces="{lan: ens1f0}"))
    (change_,) = (item for item in plan(declared, before(declared, pf("ens1f0", 0))).changes if item.kind == "session")
    assert change_.notes == (
        "its CPUs are on NUMA node 1, interface ens1f0 is on node 0 (cross-socket)",
        "/nvme/data is on nvme0n1 at NUMA node 1, interface ens1f0 is on node 0 (cross-socket)",
    )


def array(name: str, *nodes: int) -> tuple[BlockDevice, ...]:
    """An array or a logical volume at /nvme, and its disks: the agent tells the mount of each, and of the array no node."""
    mounts = (Mounted(target="/nvme", filesystem="xfs"),)
    disks = (BlockDevice(name=f"nvme{index}n1", size=1, numa_node=node, mounts=mounts) for index, node in enumerate(nodes))
    return BlockDevice(name=name, size=1, mounts=mounts), *disks


def test_disks_below_an_array_or_a_logical_volume_are_told() -> None:
    """`dm-0` and `md0` come before `nvme0n1` in the order of names, and sit on no node."""
    text = "{data_nets: [star], volumes: ['/nvme/data:/data']}"
    for name in ("dm-0", "md0"):
        far = "/nvme/data is on nvme1n1, nvme2n1 at NUMA node 1, interface ens1f0 is on node 0 (cross-socket)"
        assert warned(text, node=0, disks=array(name, 0, 1, 1)) == (far,)
        assert warned(text, node=0, disks=array(name, 0, 0)) == ()


def test_services_that_are_on_no_interface_are_warned_of_nothing() -> None:
    declared = dtn(STAR, session(settings="{cpu_set: 0-3, volumes: ['/nvme/data:/data']}"))
    assert plan(declared, before(declared)).changes[0].notes == ()


def test_warnings_are_no_reason_to_do_anything() -> None:
    declared = dtn(STAR, session(settings="{data_nets: [star], cpu_set: 0-3}"))
    assert notes(plan(declared, after(declared))) == []


# --- the table ----------------------------------------------------------------------------------------------


def test_the_table_counts_cpus_that_go_with_their_sessions() -> None:
    made = after(dtn(STAR, many("one", "two")))
    (row,) = plan(dtn(STAR, many("two")), made).endpoints
    assert [(node, usage.before, usage.after) for node, usage in row.cpus] == [(0, 0, 0), (1, 8, 4)]
    (row,) = plan(dtn(STAR, many("two")), made, excludes=("*",)).endpoints
    assert [(node, usage.before, usage.after) for node, usage in row.cpus] == [(0, 0, 0), (1, 8, 8)]


def test_other_changes_in_place_count_for_nothing() -> None:
    made = after(dtn(STAR, many("one")))
    changing = plan(dtn(STAR, many("one").replace("near", "memory: 1GiB, near")), made)
    assert [step.action for step in changing.steps] == [UpdateContainer("lab.one", memory=1024**3)]
    assert [(usage.before, usage.after) for _, usage in changing.endpoints[0].cpus] == [(0, 0), (4, 4)]


# --- reading facts ------------------------------------------------------------------------------------------


def told(**values: object) -> Host:
    plain = machine()
    return plain.model_copy(update={"facts": plain.facts.model_copy(update=values)})


def test_lists_of_cpus_are_read_and_written_as_the_kernel_does() -> None:
    assert cpu_numbers("0-3,8") == (0, 1, 2, 3, 8)
    assert cpu_numbers("") == ()
    assert cpu_text((8, 3, 2, 1, 0, 8)) == "0-3,8"
    assert cpu_text(()) == ""
    assert nodes_of(machine(), (7, 8)) == (0, 1)
    assert pinned_by_node(machine(), ("0-1", "1-8")) == {0: 8, 1: 1}


def test_a_folder_is_on_the_disk_with_the_longest_mount_point_above_it() -> None:
    def disk(name: str, *targets: str) -> BlockDevice:
        return BlockDevice(name=name, size=1, mounts=tuple(Mounted(target=target, filesystem="xfs") for target in targets))

    host = told(block_devices=(disk("sda", "/"), disk("nvme0n1", "/nvme", "/nvme/deep"), disk("nvme1n1", "/nv")))
    found = [disks_below(host, path) for path in ("/nvme", "/nvme/x", "/nvmex", "/nv/y", "/nvme/deep/z")]
    assert [[item.name for item in items] for items in found] == [["nvme0n1"], ["nvme0n1"], [], ["nvme1n1"], ["nvme0n1"]]
    assert [item.name for item in disks_below(host, "/")] == ["sda"]
    assert disks_below(told(block_devices=()), "/x") == ()


def test_interrupts_are_those_of_the_named_interfaces() -> None:
    nics = (
        Interface(name="a", index=1, irqs=(Irq(number=1, cpus="0-1"), Irq(number=2, cpus="3"))),
        Interface(name="b", index=2, irqs=(Irq(number=3, cpus="9"),)),
    )
    assert interrupt_cpus(told(interfaces=nics), ["a", "c"]) == (0, 1, 3)


def test_nodes_without_cpus_are_no_place_to_be_pinned_to() -> None:
    plain = machine(pf("ens1f0", 1))
    numa = (*plain.facts.cpus.numa, NumaNode(node=2, cpus=""))
    facts = plain.facts.model_copy(update={"cpus": plain.facts.cpus.model_copy(update={"numa": numa})})
    declared = dtn(session("one", ANYWHERE))
    made = after(declared, told=plain.model_copy(update={"facts": facts}))
    assert cpus(made) == {"lab.one": "0-3 @ 0"}
    assert steps(plan(declared, made)) == []
