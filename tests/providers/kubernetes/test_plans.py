"""What a plan for a node makes there is what the next plan wants: planner and cluster have one form of every field that fits."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from dtnctl.model.actions import EnsureLedger, ReplaceContainer, WaitHealthy
from dtnctl.model.kubernetes_addresses import DeviceClaim
from dtnctl.model.plan import Plan
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope, make_plan
from dtnctl.planning.resolve import wanted_by_endpoint
from dtnctl.planning.secret_uses import secret_uses, with_secrets
from dtnctl.providers.kubernetes.engine import KubernetesEngine
from dtnctl.providers.kubernetes.pod_template import pinned_to
from tests.planning.building import NOW, site
from tests.planning.listing import details
from tests.providers.backends import ENDPOINT, SITE
from tests.providers.kubernetes.conftest import Namespace, access

HEAD = f"""
# site
name: {SITE}
# endpoints/{ENDPOINT}
kubernetes: {{node: NODE, namespace: dtn, context: lab, resources: {{rdma_cm: rdma/hca, uverbs: rdma/hca, eth3: example.net/eth3_vfs}}}}
host: 192.0.2.3
interfaces: {{data: eth1, other: eth2, functions: eth3, whole: eth4, tagged: eth5}}
allow: {{mounts: [/], volumes: ['*'], foreign_volumes: ['*'], devices: ['*'], capabilities: ['*'], privileged: true}}
# networks/data
driver: macvlan
mtu: 9000
subnet: 10.0.0.0/24
subnet6: 'fd00::/64'
# networks/other
driver: ipvlan
subnet: 10.0.1.0/24
gateway: 10.0.1.1
# networks/functions
driver: sriov
subnet: 10.0.3.0/24
# networks/whole
driver: host-device
subnet: 10.0.4.0/24
# networks/tagged
driver: host-device
vlan: 222
mtu: 9000
subnet: 10.0.5.0/24
# networks/inner
driver: bridge
subnet: 10.0.2.0/24
"""
PLAIN = f"# sessions/s\nendpoints: [{ENDPOINT}]\nimage: dtn:1\n"
CLAIMING = f"{PLAIN}settings: {{data_nets: [functions, data], devices: [rdma_cm, uverbs]}}\n"
RESOURCES = {"rdma_cm": "rdma/hca", "uverbs": "rdma/hca", "eth3": "example.net/eth3_vfs"}
CLAIMS = {name: DeviceClaim(device_class=f"{kind}.example.net") for name, kind in (("eth3", "vf"), ("rdma_cm", "rdma"), ("uverbs", "rdma"))}
SETTINGS = {
    "plain": "{}",
    "networks": "{data_nets: [data, other], data_port_range: [50100, 50103]}",
    "bridge": "{data_nets: [inner]}",
    "interfaces": "{data_nets: [whole, tagged]}",
    "functions": "{data_nets: [functions, data]}",
    "host": "{mgmt_net: host}",
    "program": "{arguments: ['sh', '-c', 'echo $(HOME) $$ && sleep 9'], entrypoint: [/usr/bin/env], tty: false, init: true}",
    "variables": "{env: {A: '1', EMPTY: null, TEXT: 'a $(b) \"c\"'}, user: dtn, ssh_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFzzzz x]}",
    "secrets": "{env: {TOKEN: {secret: env:TOKEN}}}",
    "resources": "{memory: 3GiB, cpus: 2.5, shm_size: 1GiB}",
    "unlimited": "{memory: null}",
    "mounts": "{volumes: ['/nvme:/data:ro', {target: /scratch, size: 2GiB}, {source: claim, target: /claim}]}",
    "devices": "{devices: [rdma_cm, uverbs]}",
    "powers": "{capabilities: {add: [IPC_LOCK], drop: [NET_RAW]}, sysctls: {net.ipv4.tcp_mtu_probing: 1}}",
    "privileged": "{privileged: true}",
    "health": "{health_check: {test: 'test -e /ready', interval: 2.5s, timeout: 500ms, retries: 2, start_period: 1s}, stop_timeout: 3s}",
    "names": "{dns: [10.0.0.53], exposed_ports: [8080, 5000-5002/udp], restart: always}",
}


def declared_on(namespace: Namespace, text: str = "") -> Site:
    """The endpoint, its networks, and what the text declares."""
    return site(HEAD.replace("NODE", namespace.node) + text)


def observed(declared: Site, engine: KubernetesEngine) -> Snapshot:
    wanted = with_secrets(wanted_by_endpoint(declared, NOW), secret_uses(declared, NOW, Scope()))
    return Snapshot({ENDPOINT: engine.observe(wanted[ENDPOINT])})


def planned(declared: Site, engine: KubernetesEngine) -> Plan:
    return make_plan(declared, observed(declared, engine), now=NOW)


def apply(declared: Site, engine: KubernetesEngine) -> Plan:
    """Carry out the plan; afterwards nothing is left to do."""
    plan = planned(declared, engine)
    assert not plan.blocked, details(plan)
    for step in plan.steps:
        if not isinstance(step.action, (WaitHealthy, EnsureLedger)):
            engine.perform(step.action)  # type: ignore[arg-type]  # what is left are the engine's
    left = planned(declared, engine)
    assert left.is_empty, details(left)
    return plan


def test_the_second_plan_is_empty_where_services_publish_the_ports_and_a_service_that_is_gone_is_drift(namespace: Namespace) -> None:
    engine = namespace.engine_of(publish="node-port")
    text = f"{PLAIN}settings: {{ctrl_port_range: [30200, 30209], data_port_range: [30210, 30213]}}\n"
    declared = declared_on(namespace, text)
    apply(declared, engine)
    services = f"/api/v1/namespaces/{namespace.name}/services"
    (service,) = namespace.api.call("GET", services)["items"]
    assert [port["nodePort"] for port in service["spec"]["ports"]] == [30200, 30210, 30211, 30212, 30213]
    namespace.api.call("DELETE", f"{services}/{service['metadata']['name']}")
    (change,) = planned(declared, engine).changes
    assert (change.is_drift, [item.field for item in change.fields]) == (True, ["ports"])
    apply(declared, engine)
    assert len(namespace.api.call("GET", services)["items"]) == 1


def test_another_way_of_publishing_is_a_change(namespace: Namespace) -> None:
    by_pods, by_services = namespace.engine_of(), namespace.engine_of(publish="node-port")
    declared = declared_on(namespace, PLAIN)
    services = f"/api/v1/namespaces/{namespace.name}/services"
    found = []
    for engine in (by_pods, by_services, by_pods):
        (change,) = apply(declared, engine).changes
        found.append((change.mark, change.is_drift or change.may_be_drift, len(namespace.api.call("GET", services)["items"])))
    assert found == [("create", False, 0), ("replace", False, 1), ("replace", False, 0)]


def test_another_node_in_the_file_is_a_change_and_in_the_cluster_it_is_drift(namespace: Namespace, engine: KubernetesEngine) -> None:
    declared, other = declared_on(namespace, PLAIN), f"{namespace.node}-other"
    apply(declared, engine)
    namespace.api.call("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": other}})
    there = KubernetesEngine(access(namespace.api, namespace.name, other))
    with contextlib.closing(there):
        (change,) = apply(declared, there).changes
        assert ([item.before for item in change.fields], change.is_drift) == ([f"node {namespace.node}"], False)
        (path,) = (item["metadata"]["name"] for item in namespace.api.call("GET", deployments(namespace))["items"])
        moved = {"spec": {"template": {"spec": {"affinity": {"nodeAffinity": pinned_to(namespace.node)}}}}}
        namespace.api.call("PATCH", f"{deployments(namespace)}/{path}", moved, "application/merge-patch+json")
        (change,) = planned(declared, there).changes
        assert ([item.before for item in change.fields], change.is_drift) == ([f"node {namespace.node}"], True)


def deployments(namespace: Namespace) -> str:
    return f"/apis/apps/v1/namespaces/{namespace.name}/deployments"


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_the_second_plan_is_empty(namespace: Namespace, settings: str) -> None:
    assert apply(declared_on(namespace, f"{PLAIN}settings: {settings}\n"), namespace.engine_of(resources=RESOURCES)).steps


def test_the_second_plan_is_empty_where_devices_and_functions_are_claimed(namespace: Namespace) -> None:
    declared = claiming(namespace)
    assert declared.endpoints[ENDPOINT].value.resources == CLAIMS.keys()
    assert apply(declared, namespace.engine_of(claims=CLAIMS)).steps


def claiming(namespace: Namespace) -> Site:
    """The same with classes in place of resources."""
    head = HEAD.replace("NODE", namespace.node)
    written = ", ".join(f"{name}: {{device_class: {claim.device_class}}}" for name, claim in CLAIMS.items())
    return site(head.replace(head[head.index("resources: {") : head.index("}}") + 1], f"claims: {{{written}}}") + CLAIMING)


def test_other_resources_in_the_file_are_a_change_and_in_the_cluster_they_are_drift(namespace: Namespace, engine: KubernetesEngine) -> None:
    declared = declared_on(namespace, f"{PLAIN}settings: {{devices: [rdma_cm, uverbs]}}\n")
    apply(declared, namespace.engine_of(resources=RESOURCES))
    other = namespace.engine_of(resources={**RESOURCES, "rdma_cm": "rdma/other", "uverbs": "rdma/other"})
    (change,) = apply(declared, other).changes
    assert (change.mark, [item.field for item in change.fields], change.is_drift or change.may_be_drift) == ("replace", ["devices"], False)
    asked = {"containers": [{"name": "main", "resources": {kind: {"rdma/other": None} for kind in ("limits", "requests")}}]}
    patch = {"spec": {"template": {"spec": asked}}}
    (name,) = (item["metadata"]["name"] for item in namespace.api.call("GET", deployments(namespace))["items"])
    namespace.api.call("PATCH", f"{deployments(namespace)}/{name}", patch, "application/strategic-merge-patch+json")
    (change,) = planned(declared, other).changes
    assert ([item.field for item in change.fields], change.is_drift) == (["devices"], True)


def test_another_resource_of_functions_in_the_file_is_a_change_of_their_network(namespace: Namespace) -> None:
    declared = declared_on(namespace, f"{PLAIN}settings: {{data_nets: [functions]}}\n")
    apply(declared, namespace.engine_of(resources=RESOURCES))
    plan = apply(declared, namespace.engine_of(resources={**RESOURCES, "eth3": "example.net/others"}))
    assert [(item.kind, item.mark, item.is_drift or item.may_be_drift) for item in plan.changes] == [
        ("network", "replace", False),
        ("session", "replace", False),
    ]


@pytest.mark.parametrize("names", [("eth3",), ("rdma_cm", "uverbs")])
def test_another_choice_of_devices_in_the_file_is_a_change(namespace: Namespace, names: tuple[str, ...]) -> None:
    declared = claiming(namespace)
    apply(declared, namespace.engine_of(claims=CLAIMS))
    selected = {name: CLAIMS[name].model_copy(update={"selectors": ("device.driver == 'x'",)}) for name in names}
    (change,) = apply(declared, namespace.engine_of(claims={**CLAIMS, **selected})).changes
    assert (change.kind, change.mark, change.is_drift or change.may_be_drift) == ("session", "replace", False)


def test_every_change_is_one_replacement_and_the_way_back_too(namespace: Namespace, engine: KubernetesEngine) -> None:
    for settings in (SETTINGS["plain"], SETTINGS["networks"], SETTINGS["health"], SETTINGS["plain"]):
        plan = apply(declared_on(namespace, f"{PLAIN}settings: {settings}\n"), engine)
    replaced = [step for step in plan.steps if isinstance(step.action, ReplaceContainer)]
    assert [type(step.undo) for step in replaced] == [ReplaceContainer]


def test_an_undone_replacement_is_as_it_was(namespace: Namespace, engine: KubernetesEngine) -> None:
    before = declared_on(namespace, f"{PLAIN}settings: {SETTINGS['secrets']}\n")
    apply(before, engine)
    plan = planned(declared_on(namespace, f"{PLAIN}settings: {{tty: false, env: {{TOKEN: {{secret: env:OTHER}}}}}}\n"), engine)
    (step,) = [step for step in plan.steps if isinstance(step.action, ReplaceContainer)]
    assert isinstance(step.action, ReplaceContainer)
    assert isinstance(step.undo, ReplaceContainer)
    engine.perform(step.action)
    engine.perform(step.undo)
    left = planned(before, engine)
    assert left.is_empty, details(left)


def test_what_is_no_longer_declared_goes_and_nothing_is_left(namespace: Namespace, engine: KubernetesEngine) -> None:
    apply(declared_on(namespace, f"{PLAIN}settings: {SETTINGS['networks']}\n"), engine)
    empty = declared_on(namespace)
    plan = make_plan(empty, observed(empty, engine), now=NOW, scope=Scope(allow_empty=True))
    for step in plan.steps:
        engine.perform(step.action)  # type: ignore[arg-type]  # all are the engine's
    seen = observed(empty, engine).endpoints[ENDPOINT]
    assert (seen.containers, seen.networks) == ((), ())


def test_drift_is_found_and_taken_back(namespace: Namespace, engine: KubernetesEngine) -> None:
    declared = declared_on(namespace, f"{PLAIN}settings: {SETTINGS['resources']}\n")
    apply(declared, engine)
    (live,) = observed(declared, engine).endpoints[ENDPOINT].containers
    labels = tuple(sorted(live.labels.items()))
    engine.perform(ReplaceContainer(live.name, live.id, replace(live.spec, memory=1024**3), labels, start=True))
    (change,) = planned(declared, engine).changes
    assert (change.mark, change.is_drift, [item.field for item in change.fields]) == ("replace", True, ["memory"])
    apply(declared, engine)
