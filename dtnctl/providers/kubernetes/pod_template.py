"""A container of a plan as the template of a pod: one container in it, pinned to its node. Pure.

The scheduler places it (by the node's own name, never by `nodeName`), so that ports, resources and taints are checked. CPUs and memory
are asked for and limited alike: with both set the pod is Guaranteed, and a node with the static CPU manager then gives whole CPUs to it
alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dtnctl.model.drivers import ENGINE_BRIDGE, HOST_NETWORK
from dtnctl.model.resources import NO_HEALTH, Attachment, ContainerSpec, Health, PortBinding
from dtnctl.model.secrets import LABEL_SECRETS, secrets_label
from dtnctl.providers.kubernetes.attachments import NETWORKS_NOTE, networks_text
from dtnctl.providers.kubernetes.claims import claims_of, pod_claims
from dtnctl.providers.kubernetes.identity import Object, object_name, short_digest
from dtnctl.providers.kubernetes.node_ports import PORTS_NOTE, ports_text
from dtnctl.providers.kubernetes.place import Place
from dtnctl.providers.kubernetes.quantities import cpu_text
from dtnctl.providers.kubernetes.volumes import pod_volumes, volume_mounts

CONTAINER = "main"
USUAL_STOP_SIGNAL = "SIGTERM"
JOINED = "container:"  # the network of another container
SHELL = ("/bin/sh", "-c")
ALWAYS = ("always", "unless-stopped")
# Of taints, those that a node gets by itself are not tolerated: an evicted pod waits, and the plan says for what.
DTN_TAINT = {"key": "dtn", "operator": "Exists"}


def is_host_networked(spec: ContainerSpec, place: Place) -> bool:
    """Whether it uses the host's network; one that joins a service's does what that one does, since pods share no network otherwise."""
    joined = spec.network.removeprefix(JOINED) if spec.network.startswith(JOINED) else ""
    return spec.network == HOST_NETWORK or joined in place.host_networked


def pod_annotations(spec: ContainerSpec, place: Place) -> dict[str, str]:
    """Its networks, ports that a Service publishes, and the fingerprints of its secrets: a new value is a new pod."""
    networks = networks_text(spec.attachments, place)
    notes = {NETWORKS_NOTE: networks} if networks else {}
    notes |= {PORTS_NOTE: ports_text(spec.ports)} if spec.ports and place.node_ports else {}
    return notes | ({LABEL_SECRETS: secrets_label(spec.secrets)} if spec.secrets else {})


def pod_spec(name: str, spec: ContainerSpec, place: Place) -> Object:
    """The pod for the container that plans call `name`."""
    hosted = is_host_networked(spec, place)
    pod: Object = {
        "affinity": {"nodeAffinity": pinned_to(place.node)},
        "tolerations": [DTN_TAINT],
        "restartPolicy": _policy(spec.restart),
        "terminationGracePeriodSeconds": spec.stop_timeout,
        "automountServiceAccountToken": False,  # a DTN's service has no business with the cluster
        "enableServiceLinks": False,  # variables of other people's services are not in the spec
        "containers": [_container(name, spec, place)],
        **_dns(spec, hosted=hosted),
    }
    said = {
        "hostname": spec.hostname if not hosted else "",
        "hostNetwork": hosted,
        "shareProcessNamespace": spec.init,  # the pause process is the pod's init then
        "resourceClaims": pod_claims(name, spec, place),
        "volumes": pod_volumes(spec),
        "os": {"name": "linux"} if _stop_signal(spec) else {},  # without it a server takes no signal
        "securityContext": {"sysctls": [{"name": key, "value": value} for key, value in spec.sysctls]} if spec.sysctls else {},
    }
    return pod | {key: value for key, value in said.items() if value}


def pinned_to(node: str) -> Object:
    """The node of this name and no other. A label, also that of the host's name, may be set to anything."""
    by_name = {"key": "metadata.name", "operator": "In", "values": [node]}
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [by_name]}]}}


def _policy(restart: str) -> str:
    """A Deployment's pods have the first one alone, a Job's the last."""
    if restart in ALWAYS:
        return "Always"
    return "Never" if restart == "no" else "OnFailure"


def _dns(spec: ContainerSpec, *, hosted: bool) -> Object:
    if spec.dns:
        return {"dnsPolicy": "None", "dnsConfig": {"nameservers": list(spec.dns)}}
    return {"dnsPolicy": "ClusterFirstWithHostNet" if hosted else "ClusterFirst"}


def _stop_signal(spec: ContainerSpec) -> str:
    return spec.stop_signal if spec.stop_signal != USUAL_STOP_SIGNAL else ""


# --- the container ------------------------------------------------------------------------------------------


def _container(name: str, spec: ContainerSpec, place: Place) -> Object:
    container: Object = {"name": CONTAINER, "image": spec.image}
    stop_signal = _stop_signal(spec)
    said = {
        "command": [escaped(word) for word in spec.entrypoint or ()],
        "args": [escaped(word) for word in spec.command or ()],
        "env": [*_variables(spec), *_secret_variables(name, spec, place)],
        "tty": spec.tty,
        "ports": [_port(port, place) for port in spec.ports],
        "resources": _resources(spec, place),
        "volumeMounts": volume_mounts(spec),
        "securityContext": _security(spec),
        "readinessProbe": _probe(spec.health),
        "lifecycle": {"stopSignal": stop_signal} if stop_signal else {},
    }
    return container | {key: value for key, value in said.items() if value}


def escaped(text: str) -> str:
    """Without what a server would fill in for `$(NAME)`."""
    return text.replace("$", "$$")


def _variables(spec: ContainerSpec) -> Iterator[Object]:
    yield from ({"name": name, "value": escaped(value)} if value else {"name": name} for name, value in spec.env)


def _secret_variables(name: str, spec: ContainerSpec, place: Place) -> Iterator[Object]:
    secret = secret_name(name, spec, place)
    yield from ({"name": item.name, "valueFrom": {"secretKeyRef": {"name": secret, "key": item.name}}} for item in spec.secrets)


def secret_name(name: str, spec: ContainerSpec, place: Place) -> str:
    """Of the object that holds the values of a container's secret variables: other values are another object."""
    return object_name(f"{name}.env-{short_digest(secrets_label(spec.secrets))}", place.endpoint)


def _port(port: PortBinding, place: Place) -> Object:
    plain = {"containerPort": port.container, "protocol": port.protocol.upper()}
    return plain if place.node_ports else plain | {"hostPort": port.host}


def _security(spec: ContainerSpec) -> Object:
    capabilities = {"add": list(spec.cap_add), "drop": list(spec.cap_drop)}
    said = {"privileged": spec.privileged, "capabilities": {key: value for key, value in capabilities.items() if value}}
    return {key: value for key, value in said.items() if value}


def _resources(spec: ContainerSpec, place: Place) -> Object:
    limits = {
        **({"cpu": cpu_text(spec.cpus)} if spec.cpus else {}),
        **({"memory": str(spec.memory)} if spec.memory else {}),
        **{name: str(count) for name, count in sorted(extended_resources(spec, place).items())},
    }
    claimed = [{"name": claim.name} for claim in claims_of(spec, place)]
    return ({"limits": limits, "requests": dict(limits)} if limits else {}) | ({"claims": claimed} if claimed else {})


def extended_resources(spec: ContainerSpec, place: Place) -> dict[str, int]:
    """Extended resources by name: one function for each attachment to a network of functions, one share of each RDMA device plugin."""
    counts = {place.resources[item.host]: 1 for item in spec.devices if item.host in place.resources}
    for attachment in spec.attachments:
        resource = _resource(attachment, place)
        if resource:
            counts[resource] = counts.get(resource, 0) + 1
    return counts


def _resource(attachment: Attachment, place: Place) -> str:
    link = place.links.get(attachment.network)
    return link.resource if link is not None and link.pf not in place.claims and attachment.network != ENGINE_BRIDGE else ""


def _probe(health: Health | None) -> Object:
    """Readiness by the health check, its numbers by the defaults of HEALTHCHECK. An unhealthy container is not restarted: no liveness."""
    if health is None or health == NO_HEALTH:
        return {}
    kind, *words = health.test
    command = [*SHELL, *words] if kind == "CMD-SHELL" else words
    times = {"periodSeconds": health.interval or 30, "timeoutSeconds": health.timeout or 30, "failureThreshold": health.retries or 3}
    return {"exec": {"command": [escaped(word) for word in command]}, **{key: math.ceil(value) for key, value in times.items()}}
