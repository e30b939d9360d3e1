"""What a backend cannot do of what people write, as data: a field, why, and what to write instead. A plan blocks what asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dtnctl.model.drivers import DRIVERS, ENGINE_BRIDGE, HOST_NETWORK
from dtnctl.model.engine_fields import UTS_SYSCTLS


@dataclass(frozen=True, slots=True)
class Lack:
    """`words` is why, `fix` what to write instead. `asks`: whether a value of the field asks for it; missing: whatever is written.

    `by_agent`: an agent of the endpoint makes up for it. `by_resource`: resources of its file do that name what is asked for.
    """

    words: str
    fix: str
    asks: Callable[[Any], bool] = bool
    by_agent: bool = False
    by_resource: bool = False


Lacks = Mapping[str, Lack]  # by field of a profile, or of a network


def _may_end(restart: str) -> bool:
    return restart in ("no", "on-failure")


def _is_pulled_by_rule(pull: str) -> bool:
    return pull != "missing"


def _is_always(pull: str) -> bool:
    return pull == "always"


def _limits_address_space(limits: Any) -> bool:
    return "as" in limits


def _is_of_names(sysctls: Any) -> bool:
    return not UTS_SYSCTLS.isdisjoint(sysctls)


def _is_elsewhere(mgmt_net: Any) -> bool:
    return mgmt_net is None or mgmt_net.name not in (ENGINE_BRIDGE, HOST_NETWORK)


def _has_driver(volumes: Any) -> bool:
    return any(volume.driver or volume.driver_opts for volume in volumes)


def _is_of_functions(driver: str) -> bool:
    return DRIVERS[driver].gives_functions


def _moves_interface(driver: str) -> bool:
    return DRIVERS[driver].moves_interface


def _is_no_drivers_of_podman(driver: str) -> bool:
    return _is_of_functions(driver) or _moves_interface(driver)


KUBELETS_CPUS = "whole `cpus` with `memory`: on a node with the static CPU manager such a pod has CPUs of its own"
OF_PODS: Lacks = MappingProxyType(
    {
        "cpu_set": Lack("the kubelet chooses a pod's CPUs", KUBELETS_CPUS),
        "devices": Lack(
            "a pod gets devices as resources of a device plugin",
            "`resources:` of the endpoint's `kubernetes:`, such as `rdma_cm: rdma/hca_shared`",
            by_resource=True,
        ),
        "limits": Lack(
            "a pod has no ulimits: they are those of the node's container runtime", "ask for them in the runtime's own settings"
        ),
        "memory_nodes": Lack("the kubelet chooses the NUMA nodes of a pod's memory", KUBELETS_CPUS),
        "mgmt_net": Lack(
            "each pod is on the cluster's own network, or on its host's",
            "`mgmt_net: bridge`, which is the cluster's own, or `host`; other networks in `data_nets`",
            _is_elsewhere,
        ),
        "near": Lack("the kubelet chooses a pod's CPUs", KUBELETS_CPUS),
        "pull": Lack(
            "the kubelet pulls images, by a rule of its own, and does not show the digest of a tag",
            "an image with its digest, and `pull: missing`",
            _is_pulled_by_rule,
        ),
        "qos": Lack("the agent shapes interfaces of an engine's containers, and not of pods", "without it"),
        "systemd": Lack("a pod is stopped by its image's own signal", "an image with `STOPSIGNAL SIGRTMIN+3`, without `systemd`"),
        "restart": Lack("a service is a Deployment, whose pod is always started again", "`restart: unless-stopped`, or `always`", _may_end),
        "volumes": Lack(
            "a named volume is a claim (PVC) that is there already, and what is behind it is the cluster's", "without `driver`", _has_driver
        ),
    }
)
OF_DEFINITIONS: Lacks = MappingProxyType(
    {
        "driver": Lack(
            "virtual functions come from a device plugin of the cluster, as resources",
            "`resources:` of the endpoint's `kubernetes:`, such as `ens1f0: example.net/ens1f0_vfs`",
            _is_of_functions,
            by_resource=True,
        ),
        "vlan": Lack(
            "pods are attached to the interface as it is, and nothing makes a sub-interface for a VLAN there",
            "`agent:` of the endpoint, an interface that is the VLAN's in its `interfaces`, without `vlan`, or `driver: host-device`, "
            "which gives the VLAN to one service",
            by_agent=True,
        ),
    }
)


def _is_written(value: object) -> bool:
    return value is not None


OF_FUNCTIONS: Lacks = MappingProxyType(
    dict.fromkeys(
        ("mac", "max_rate", "min_rate", "mtu", "spoofchk", "trust", "vlan", "vlan_priority"),
        Lack(
            "the cluster sets up the functions that its device plugin gives",
            "the setting in the cluster's own policy for that resource, and not here",
            _is_written,
        ),
    )
)
OF_ENGINES_NETWORKS: Lacks = MappingProxyType(
    {
        "driver": Lack(
            "an engine moves no interface of its host into a container", "`driver: macvlan` with `mode: passthru`", _moves_interface
        ),
    }
)
OF_PODMAN: Lacks = MappingProxyType(
    {
        "limits": Lack("Podman does not know the limit `as`", "without `as`; `memory` limits the container", _limits_address_space),
        "sysctls": Lack("Podman does not set `kernel.domainname`", "without it", _is_of_names),
        "pull": Lack(
            "Podman does not show the digest that a tag has in its registry now",
            "an image with its digest, and `pull: missing`",
            _is_always,
        ),
    }
)
OF_PODMANS_NETWORKS: Lacks = MappingProxyType(
    {
        "driver": Lack("Podman attaches by its own drivers alone", "macvlan or ipvlan", _is_no_drivers_of_podman),
    }
)
