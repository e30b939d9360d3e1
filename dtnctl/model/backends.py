"""In what kinds of container engines differ, as far as a plan depends on it: a row each. A plan asks the row, never a kind by name.

Which row an endpoint has is decided by its file, and once it has answered by what answered: `docker:` may name a Podman.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from dtnctl.model.drivers import ENGINE_BRIDGE
from dtnctl.model.lacks import OF_DEFINITIONS, OF_ENGINES_NETWORKS, OF_FUNCTIONS, OF_PODMAN, OF_PODMANS_NETWORKS, OF_PODS, Lacks


@dataclass(frozen=True, slots=True)
class Backend:
    """`name` is how people know it.

    `updates`: fields of a container that it changes while that runs. `never_lifts`: those limits among them that it can set and change so,
    but not lift. `routed`: which of several networks carries a container's default route, by their names; `routed_rule` says it in words.
    `own_interfaces`: the interfaces of the host that it makes for the networks with these ids.
    `remove_volume`: the command that removes a volume, for a name. `oldest`: the oldest version of it that dtnctl works with.

    `ledger`: what holds the record of transfers, in words; `{folder}` is the host's.
    `renames`: a container that is kept under another name can be distinguished from its replacement; else one is replaced in one step.
    `connects`: it attaches a container that is there to a network; else all its networks are part of its spec.
    `pulls`: it is asked to pull an image, and shows what is in one; else it pulls by itself when a container starts.
    `checks_by_itself`: it runs health checks whatever its host is; else they are asked for while a plan waits for one.
    `equipped_by_agent`: containers get functions, devices and volumes of other hosts by an agent; else by what the backend itself has.
    `own_network`: what it itself calls the network that files call `bridge`: no other network there has this name.
    `lacks`, `network_lacks`: what it cannot do, by field of a profile and of a network; `function_lacks` of one of virtual functions.
    `shortfalls`: what else others do and it does not, by name, each with a sentence for people.
    """

    name: str
    updates: frozenset[str]
    never_lifts: frozenset[str]
    routed: Callable[[Iterable[str]], str]
    routed_rule: str
    own_interfaces: Callable[[Iterable[str]], frozenset[str]]
    remove_volume: str
    oldest: tuple[int, int]
    ledger: str = "the ledger's container (never started) over {folder}"
    renames: bool = True
    connects: bool = True
    pulls: bool = True
    checks_by_itself: bool = True
    equipped_by_agent: bool = True
    own_network: str = ENGINE_BRIDGE
    lacks: Lacks = field(default_factory=dict)
    network_lacks: Lacks = field(default_factory=dict)
    function_lacks: Lacks = field(default_factory=dict)
    shortfalls: Mapping[str, str] = field(default_factory=dict)


def _first_by_name(networks: Iterable[str]) -> str:
    """libnetwork orders the networks of a container by name; seen on 20.10. Empty for none."""
    return min(networks, default="")


def _bridges(network_ids: Iterable[str]) -> frozenset[str]:
    return frozenset({"docker0", *(f"br-{network_id[:12]}" for network_id in network_ids)})


DOCKER = Backend(
    name="Docker",
    updates=frozenset({"memory", "cpus", "cpu_set", "memory_nodes", "restart"}),
    never_lifts=frozenset({"memory", "cpus", "cpu_set", "memory_nodes"}),  # an update takes 0 and "" as "leave alone"
    routed=_first_by_name,
    routed_rule="takes the first network by name",
    own_interfaces=_bridges,
    remove_volume="docker volume rm",
    oldest=(20, 10),
    network_lacks=OF_ENGINES_NETWORKS,
)


def _pod_network(networks: Iterable[str]) -> str:
    """A pod's default route is that of the cluster's own network, which dtnctl calls bridge. Empty without it."""
    return next((name for name in networks if name == ENGINE_BRIDGE), "")


def _no_bridges(_: Iterable[str]) -> frozenset[str]:
    return frozenset()


KUBERNETES = Backend(
    name="Kubernetes",
    updates=frozenset(),  # what changes in a pod's template is a new pod
    never_lifts=frozenset(),
    routed=_pod_network,
    routed_rule="gives it to the cluster's own network",
    own_interfaces=_no_bridges,
    remove_volume="kubectl delete pvc",
    oldest=(1, 29),  # the first whose Jobs wait for the end of a pod before they count it as failed (podReplacementPolicy)
    ledger="the ledger, ConfigMaps of the namespace",
    renames=False,  # an object's name is its identity
    connects=False,  # networks are in the pod's template
    pulls=False,  # the kubelet does
    equipped_by_agent=False,  # device plugins, and the cluster's own storage
    lacks=OF_PODS,
    network_lacks=OF_DEFINITIONS,
    function_lacks=OF_FUNCTIONS,
)
ROUTE_CHARACTERS = 5  # of a network's name: as many as fit into a route's metric of 32 bits
IN_NAMES = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"  # in the order of names
MOST_BRIDGES = 100  # of Podman that were there before others were removed
PODMANS_METRIC = 100  # of the default route over a network that dtnctl did not make


def route_metric(network: str) -> int:
    """The metric of the default route over a network that dtnctl makes on Podman, which has no rule of its own: the first by name."""
    places = [IN_NAMES.find(character) + 1 for character in network[:ROUTE_CHARACTERS].ljust(ROUTE_CHARACTERS)]
    metric = 0
    for place in places:
        metric = metric * (len(IN_NAMES) + 1) + place
    return PODMANS_METRIC + 1 + metric


def _least_metric(networks: Iterable[str]) -> str:
    """Empty for none, and where two begin alike: the kernel then takes either."""
    metrics = [(PODMANS_METRIC if name == ENGINE_BRIDGE else route_metric(name), name) for name in networks]
    least = [name for metric, name in metrics if metric == min(metrics)[0]]
    return least[0] if len(least) == 1 else ""


def _podman_bridges(network_ids: Iterable[str]) -> frozenset[str]:
    """They have numbers, the lowest free one each."""
    return frozenset(f"podman{number}" for number in range(MOST_BRIDGES + len(tuple(network_ids))))


PODMAN = Backend(
    name="Podman",
    updates=DOCKER.updates,
    never_lifts=DOCKER.never_lifts,
    routed=_least_metric,
    routed_rule=f"takes its own network, then the first by the first {ROUTE_CHARACTERS} characters of their names",
    own_interfaces=_podman_bridges,
    remove_volume="podman volume rm",
    oldest=(5, 0),
    checks_by_itself=False,  # systemd's timers do
    own_network="podman",
    lacks=OF_PODMAN,
    network_lacks=OF_PODMANS_NETWORKS,
    shortfalls={
        "identity": "it has no id of its own: two endpoints of one engine are not noticed, and a host of the same name is taken for it",
        "addresses of the stopped": "it shows no fixed addresses of containers that do not run, unless dtnctl made them",
        "limits at creation": "a limit that the host cannot give is refused at the start, not at the creation",
        "nameless volumes": "volumes without a name that others made by its Docker API stay when their container is removed",
        "registry digests": "it does not say what a registry calls an image now",
    },
)
BACKENDS: Mapping[str, Backend] = {row.name: row for row in (DOCKER, PODMAN, KUBERNETES)}


def row_of(name: str) -> Backend:
    """The row of a backend by the name that people know it by."""
    return BACKENDS[name]
