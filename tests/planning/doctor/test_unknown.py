"""What nobody knows is never a fault: VMs, agents that tell less, containers that the agent does not see, endpoints without an agent."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.findings import Examination
from tests.planning.doctor.hosts import Data, virtual_machine, well_tuned
from tests.planning.doctor.scene import FAULTS, Scene, lines

VM_FILES = {
    "endpoints/a": (
        "docker: unix:///run/a.sock\nhost: a.example.net\nagent: https://a.example.net\nagent_token_env: T\ninterfaces: {data: ens1f0}\n"
    ),
    "endpoints/b": (
        "docker: unix:///run/b.sock\nhost: b.example.net\nagent: https://b.example.net\nagent_token_env: T\ninterfaces: {data: ens1f0}\n"
    ),
    "profiles/p": "data_nets: [data]\n",
    "transfers/t": "from: a:/data/x\nto: b:/data/x\ntool: gridftp\n",
}
GRANT = "allow: {mounts: [/]}\n"


def vm() -> Scene:
    """The session on two VMs; its volume is a folder of a file system that the agent says nothing of."""
    scene = Scene(a=virtual_machine(), b=virtual_machine())
    scene.files |= VM_FILES | {name: VM_FILES[name] + GRANT for name in ("endpoints/a", "endpoints/b")}
    scene.files["profiles/p"] += 'volumes: ["/srv/data:/data"]\n'
    for name in ("virtual", "child", "wan"):
        del scene.files[f"networks/{name}"]
    return scene


def judged(examination: Examination) -> list[str]:
    return [f"{item.check} {item.subject}".strip() for item in examination.findings if item.severity == "ok"]


def test_vm_that_tells_little_has_no_faults() -> None:
    examination = vm().examine()
    assert [item for item in examination.findings if item.severity in FAULTS] == []
    assert examination.counts["unknown"] > 40
    assert (examination.nic, examination.speed) == ("", None)
    assert "nic.link ens1f0" in judged(examination)
    assert "container.mtu lab.s on data" in judged(examination)


def test_what_is_not_known_has_no_value_and_no_fix() -> None:
    unknown = [item for item in vm().examine().findings if item.severity == "unknown"]
    assert {(item.actual, item.fix) for item in unknown} == {("", "")}
    assert all(item.expected for item in unknown)


def removable(data: Data) -> Iterator[tuple[Data, str]]:
    """Everything of a host that an agent may not know, with the place that holds it."""
    facts = data["facts"]
    yield from ((facts["system"], key) for key in facts["system"] if key not in ("hostname", "kernel"))
    yield from ((facts["cpus"], key) for key in facts["cpus"])
    yield from ((facts["sysctls"], key) for key in facts["sysctls"])
    structure = {"name", "index", "is_up", "kind", "parent", "master", "pci", "physfn", "sriov"}
    for interface in facts["interfaces"]:
        yield from ((interface, key) for key in interface if key not in structure)
        for vf in (interface.get("sriov") or {}).get("vfs", ()):
            yield from ((vf, key) for key in ("spoofchk", "trust", "link_state"))
        for part in ("pcie", "counters", "offload_sizes"):
            yield from ((interface[part], key) for key in interface.get(part) or ())
    for disk in facts["block_devices"]:
        yield from ((disk, key) for key in disk if key not in ("name", "size"))
        yield from ((disk["settings"], key) for key in disk["settings"])
        yield from ((disk["pcie"], key) for key in disk.get("pcie") or ())
    for port in facts["rdma"][0]["ports"]:
        yield from ((port, key) for key in ("link_layer", "gids"))
    yield facts["rdma"][0], "ports"


COUNT = sum(1 for _ in removable(well_tuned()))


@given(st.sets(st.integers(0, COUNT - 1)), st.sets(st.sampled_from(["sysctls", "interfaces", "limits"])))
def test_less_knowledge_never_makes_a_fault(gone: set[int], gone_inside: set[str]) -> None:
    scene = Scene()
    assert scene.a is not None
    for index, (place, key) in enumerate(list(removable(scene.a))):
        if index in gone:
            place.pop(key, None)

    def forget(net: Data) -> None:
        for key in gone_inside:
            del net[key]

    scene.net = forget
    assert lines(scene.faults()) == []


@pytest.mark.parametrize("index", range(COUNT))
def test_each_single_thing_may_be_unknown(index: int) -> None:
    scene = Scene()
    assert scene.a is not None
    place, key = list(removable(scene.a))[index]
    place.pop(key)
    assert lines(scene.faults()) == []


@pytest.mark.parametrize(
    ("disabled", "others", "severity"),
    [(False, [], "unknown"), (True, [], "ok"), (False, [{"name": "C6", "latency": 133, "disabled": False}], "info")],
)
def test_idle_state_of_unknown_latency_is_neither_fast_nor_slow(disabled: bool, others: list[Data], severity: str) -> None:
    scene = Scene()
    assert scene.a is not None
    scene.a["facts"]["cpus"]["idle_states"] = [{"name": "C9", "latency": None, "disabled": disabled}, *others]
    assert [item.severity for item in scene.examine().findings if item.check == "cpu.idle_states"] == [severity]


# --- containers and peers -----------------------------------------------------------------------------------


def test_container_that_the_agent_does_not_see_is_unknown_inside() -> None:
    scene = Scene(net=None)
    unknown = {item.check for item in scene.examine().findings if item.severity == "unknown"}
    assert lines(scene.faults()) == []
    assert {"container.tcp_rmem", "container.tcp_sack", "container.mtu", "container.link", "container.memory"} <= unknown


def test_stopped_container_is_not_judged() -> None:
    scene = Scene(container={"state": "exited"})
    assert not [item for item in scene.examine().findings if item.check.startswith("container.")]


def test_limit_that_nobody_set_is_the_one_of_its_first_process() -> None:
    scene = Scene(spec={"ulimits": ()})
    assert lines(scene.faults()) == ["error container.memlock lab.s"]
    found = {item.check: item.actual for item in scene.examine().findings}
    assert (found["container.memlock"], found["container.nofile"]) == ("65536", "1048576")


def test_other_endpoint_that_is_silent_is_nobody_to_compare_with() -> None:
    checks = {item.check for item in Scene(b=None).examine().findings}
    assert not checks & {"nic.mtu_peers", "nic.slower_peer"}


def test_other_endpoint_without_the_interface_is_nobody_to_compare_with() -> None:
    scene = Scene()
    assert scene.b is not None
    scene.b["facts"]["interfaces"] = [{"name": "eno1", "index": 1}]
    assert not {item.check for item in scene.examine().findings} & {"nic.mtu_peers", "nic.slower_peer"}


# --- endpoints that cannot be examined ----------------------------------------------------------------------


def test_silent_agent_says_why() -> None:
    scene = Scene(a=None, agent_silence="connection refused")
    assert scene.examine() == Examination("a", silence="connection refused")


def test_agent_that_was_not_asked_is_told_so() -> None:
    assert Scene(a=None).examine().silence == "the agent was not asked"


def test_endpoint_without_an_agent_is_not_examined() -> None:
    scene = Scene(a=None)
    scene.files["endpoints/a"] = scene.files["endpoints/a"].replace("agent: https://a.example.net:5050\nagent_token_env: T\n", "")
    assert scene.examine().silence.startswith("no agent is declared")


def test_older_agent_that_tells_no_containers_is_understood() -> None:
    scene = Scene()
    assert scene.a is not None
    data: Any = copy.deepcopy(scene.a)
    del data["facts"]["containers"]
    scene.a, scene.net = data, None
    assert lines(scene.faults()) == []
