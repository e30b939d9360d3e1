"""What a backend cannot do is blocked before anything is touched, with the line that asks for it and what to write instead."""

from __future__ import annotations

import pytest

from dtnctl.model.actions import CreateContainer, CreateNetwork
from dtnctl.model.backends import BACKENDS, KUBERNETES
from dtnctl.model.profile import ProfileFields
from dtnctl.model.site import Network
from dtnctl.planning.containers.powers import network_powers
from dtnctl.planning.planner import make_plan
from tests.planning.building import NOW, plan, site, world
from tests.planning.listing import changes

NODE = """
# endpoints/a
kubernetes: {node: dtn-3, namespace: dtn, context: prod}
host: a.example.net
interfaces: {}
allow: {mounts: [/], volumes: ['*'], foreign_volumes: ['*'], devices: ['*'], capabilities: ['*']}
"""
SESSION = "# sessions/s\nendpoints: [a]\nimage: dtn:1\nsettings:\n"
ASKS = {
    "cpu_set": "0-1",
    "devices": "[/dev/fuse]",
    "limits": "{memlock: -1}",
    "memory_nodes": "'0'",
    "mgmt_net": "null",
    "near": "any\n  cpus: 2",
    "pull": "always",
    "qos": "{rate: 1gbit}",
    "restart": "on-failure",
    "systemd": "true",
    "volumes": "[{source: disk, target: /d, driver: local, driver_opts: {type: nfs, device: ':/x', o: addr=10.0.0.1}}]",
}
FITS = {"mgmt_net": "host", "pull": "missing", "restart": "always", "volumes": "['/nvme:/data', {source: claim, target: /d}]"}
NETWORK = "# networks/data\ndriver: {}\nsubnet: 10.0.0.0/24\n"
ON_DATA = SESSION + "  data_nets: [data]\n"
DATA_NODE = NODE.replace("{}", "{data: eth1}")


def refusals(text: str) -> list[str]:
    """Place, code and words of what is blocked."""
    declared = site(text)
    return [f"{item.cause.file}:{item.cause.line} {item.code} {item.cause.text}" for item in plan(declared, world(declared)).blocked]


@pytest.mark.parametrize("field", sorted(KUBERNETES.lacks))
def test_a_field_that_the_backend_lacks_is_blocked_by_its_line(field: str) -> None:
    said = f"state/sessions/s.yaml:4 E0481 `{field}` is not possible on a, which is Kubernetes: {KUBERNETES.lacks[field].words}"
    assert refusals(f"{NODE}{SESSION}  {field}: {ASKS[field]}\n") == [said]


@pytest.mark.parametrize("field", sorted(FITS))
def test_what_it_can_do_of_such_a_field_is_not(field: str) -> None:
    assert refusals(f"{NODE}{SESSION}  {field}: {FITS[field]}\n") == []


def test_an_engine_lacks_none_of_it() -> None:
    text = f"{SESSION}  cpu_set: 0-1\n  limits: {{memlock: -1}}\n  restart: on-failure\n"
    assert (refusals(text), BACKENDS["Docker"].lacks, list(BACKENDS["Docker"].network_lacks)) == ([], {}, ["driver"])


def test_an_interface_itself_and_a_vlan_of_it_are_moved_into_pods_alone() -> None:
    of_a_vlan = NETWORK.format("host-device\nvlan: 5") + ON_DATA
    assert refusals(DATA_NODE + of_a_vlan) == []
    engine = "# endpoints/a\ndocker: ssh://a\nhost: a\ninterfaces: {data: eth1}\n"
    (said,) = refusals(engine + of_a_vlan)
    assert "`driver` of network data is not possible on a, which is Docker: an engine moves no interface" in said
    row = BACKENDS["Podman"].network_lacks["driver"]
    assert [row.asks(name) for name in ("host-device", "sriov", "macvlan")] == [True, True, False]


def test_a_network_of_a_vlan_uses_it_by_a_name_that_no_sub_interface_has() -> None:
    declared = site(DATA_NODE + NETWORK.format("host-device\nvlan: 5") + ON_DATA)
    found = plan(declared, world(declared))
    made = next(step.action for step in found.steps if isinstance(step.action, CreateNetwork))
    assert (made.spec.driver, made.spec.parent) == ("host-device", "eth1 VLAN 5")
    (power,) = network_powers(made.spec)
    assert power.value == "eth1 VLAN 5, the whole of it (host-device)"


def test_a_network_that_it_cannot_make_is_blocked_by_the_line_of_its_file() -> None:
    said = "E0481 `{}` of network data is not possible on a, which is Kubernetes: {}"
    functions = said.format("driver", KUBERNETES.network_lacks["driver"].words)
    vlan = said.format("vlan", KUBERNETES.network_lacks["vlan"].words)
    assert refusals(DATA_NODE + NETWORK.format("sriov") + ON_DATA) == [f"state/networks/data.yaml:1 {functions}"]
    assert refusals(DATA_NODE + NETWORK.format("macvlan\nvlan: 5") + ON_DATA) == [f"state/networks/data.yaml:2 {vlan}"]
    assert refusals(DATA_NODE + NETWORK.format("macvlan") + ON_DATA) == []


@pytest.mark.parametrize(("backend", "is_blocked"), [("Podman", True), ("Docker", False)])
def test_a_network_that_has_the_name_of_the_backends_own_is_blocked(backend: str, is_blocked: bool) -> None:
    declared = site("# networks/podman\ndriver: bridge\n" + SESSION + "  data_nets: [podman]\n")
    there = world(declared)
    there.hosts["a"].backend = backend
    said = "network podman is not possible on a, which is Podman: its own network has this name"
    assert [item.cause.text for item in plan(declared, there).blocked] == [said] * is_blocked


RESOURCES = "context: prod, resources: {rdma_cm: rdma/hca, uverbs: rdma/hca, eth1: example.net/eth1_vfs}"
WITH_RESOURCES = DATA_NODE.replace("context: prod", RESOURCES)


def test_resources_of_the_node_make_up_for_devices_and_functions() -> None:
    text = WITH_RESOURCES + NETWORK.format("sriov") + ON_DATA
    assert refusals(f"{text}  devices: [rdma_cm, uverbs]\n") == []
    assert len(refusals(f"{text}  devices: [rdma_cm, /dev/fuse]\n")) == 1
    assert len(refusals(text.replace("{data: eth1}", "{data: eth2}"))) == 1


def test_what_the_cluster_sets_of_functions_is_not_taken_from_a_file() -> None:
    settings = {"mac": "keep", "max_rate": 5, "min_rate": 5, "mtu": 9000, "spoofchk": "true", "trust": "true", "vlan": 5}
    for field, value in settings.items():
        found = refusals(WITH_RESOURCES + NETWORK.format(f"sriov\n{field}: {value}") + ON_DATA)
        said = f"`{field}` of network data is not possible on a, which is Kubernetes: {KUBERNETES.function_lacks[field].words}"
        assert found == [f"state/networks/data.yaml:2 E0481 {said}"]


def test_a_service_with_rdma_asks_a_cluster_for_devices_and_for_no_limit() -> None:
    node = NODE.replace("context: prod", RESOURCES)
    declared = site(f"{node}{SESSION}  devices: [rdma_cm, uverbs]\n")
    (made,) = (step.action.spec for step in plan(declared, world(declared)).steps if isinstance(step.action, CreateContainer))
    assert [item.host for item in made.devices] == ["/dev/infiniband/rdma_cm", "uverbs"]
    assert (made.ulimits, made.cap_add) == ((), ("IPC_LOCK",))


def test_an_agent_makes_up_for_some_of_it() -> None:
    with_agent = DATA_NODE.replace("host:", "agent: https://a:5050\nagent_token_env: T\nhost:")
    assert refusals(with_agent + NETWORK.format("macvlan\nvlan: 5") + ON_DATA) == []


def test_a_pull_request_learns_of_it_before_the_cluster_is_asked() -> None:
    declared = site(f"{NODE}{SESSION}  cpu_set: 0-1\n")
    silent = world(declared)
    silent.hosts["a"].silence = "no answer"
    found = make_plan(declared, silent.observe(), now=NOW)
    assert changes(found) == ["blocked session/s @ a: E0481"]
    assert [item.fix for item in found.blocked] == [KUBERNETES.lacks["cpu_set"].fix]


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_what_a_row_lacks_is_a_field_that_people_write(name: str) -> None:
    assert set(BACKENDS[name].lacks) <= set(ProfileFields.model_fields)
    assert {*BACKENDS[name].network_lacks, *BACKENDS[name].function_lacks} <= set(Network.model_fields)
