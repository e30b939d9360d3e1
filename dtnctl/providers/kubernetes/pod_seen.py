"""A pod's template as the container of a plan, in the normal form that plans compare. Pure.

Servers fill in what nothing is said of, and other programs add to pods: only what `pod_template` would write is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dtnctl.model.drivers import ENGINE_BRIDGE, HOST_NETWORK
from dtnctl.model.resources import HERE, Attachment, ContainerSpec, Device, Health, Pairs, PortBinding
from dtnctl.model.secrets import LABEL_SECRETS, SecretVariable, secrets_in
from dtnctl.providers.kubernetes.attachments import NETWORKS_NOTE, attachments_seen
from dtnctl.providers.kubernetes.claims import holds_claim
from dtnctl.providers.kubernetes.identity import NOTHING, Json, annotations_of
from dtnctl.providers.kubernetes.node_ports import PORTS_NOTE, ports_in
from dtnctl.providers.kubernetes.place import Place
from dtnctl.providers.kubernetes.pod_template import CONTAINER, SHELL, pinned_to
from dtnctl.providers.kubernetes.quantities import amount, byte_count
from dtnctl.providers.kubernetes.volumes import mounts_seen

USUAL_GRACE = 30  # seconds: the server's, where nothing is said
USUAL_RETRIES, USUAL_TIMES = 3, {"periodSeconds": 10, "timeoutSeconds": 1}
RESTARTS = {"Always": "always", "OnFailure": "on-failure:0", "Never": "no"}


def spec_seen(template: Json, names: Mapping[str, str], place: Place) -> ContainerSpec:
    """What the template asks for. `names` are those of networks in plans, by the objects' names.

    Ports that are published otherwise than the endpoint's file says are not there.
    """
    pod = template["spec"]
    container = _main(pod)
    mounts, shm_size = mounts_seen(pod, container)
    hosted, notes = bool(pod.get("hostNetwork")), annotations_of(template)
    security, fingerprints = container.get("securityContext") or NOTHING, secrets_in({LABEL_SECRETS: notes.get(LABEL_SECRETS, "{}")})
    capabilities = security.get("capabilities") or NOTHING
    limits = (container.get("resources") or NOTHING).get("limits") or NOTHING
    return ContainerSpec(
        image=container["image"],
        hostname=pod.get("hostname") or "",
        command=tuple(plain(word) for word in container.get("args") or ()),
        entrypoint=tuple(plain(word) for word in container.get("command") or ()),
        env=_env(container),
        secrets=tuple(sorted(SecretVariable(name, fingerprints.get(name, "")) for name in _secret_names(container))),
        tty=bool(container.get("tty")),
        init=bool(pod.get("shareProcessNamespace")),
        privileged=bool(security.get("privileged")),
        stop_signal=(container.get("lifecycle") or NOTHING).get("stopSignal") or "",
        stop_timeout=_number(pod, "terminationGracePeriodSeconds", USUAL_GRACE),
        health=_health(container.get("readinessProbe")),
        restart=RESTARTS[pod.get("restartPolicy") or "Always"],
        memory=byte_count(limits.get("memory", 0)),
        cpus=float(amount(limits.get("cpu", 0))),
        shm_size=shm_size,
        mounts=mounts,
        cap_add=tuple(sorted(capabilities.get("add") or ())),
        cap_drop=tuple(sorted(capabilities.get("drop") or ())),
        sysctls=_sysctls(pod),
        dns=_dns(pod),
        network=HOST_NETWORK if hosted else ENGINE_BRIDGE,
        attachments=() if hosted else _attachments(notes, names, place.namespace),
        ports=ports_in(notes.get(PORTS_NOTE, "")) if place.node_ports else tuple(sorted(_ports(container, hosted=hosted))),
        placement=_placement(pod, place.node),
    )


def _placement(pod: Json, node: str) -> str:
    """HERE if it may be on this node alone, by its name; else what decides where it is, in words."""
    affinity = (pod.get("affinity") or NOTHING).get("nodeAffinity") or NOTHING
    if pinned_to(node).items() <= affinity.items():
        return HERE
    if pinned := pinned_node(affinity):
        return f"node {pinned}"
    labels = ", ".join(f"{key}={value}" for key, value in sorted((pod.get("nodeSelector") or NOTHING).items()))
    if labels:
        return f"nodes with {labels}"
    return "nodes by another rule" if affinity else "any node"


def pinned_node(affinity: Json) -> str:
    """The one node that a pod is pinned to by its name; empty if a rule of another form says where it runs."""
    try:
        name: str = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0]["matchFields"][0]["values"][0]
    except (KeyError, IndexError, TypeError):
        return ""
    return name if pinned_to(name).items() <= affinity.items() else ""


def _main(pod: Json) -> Json:
    """Our container, else the first one: a template that is not of our making is read as well as can be."""
    containers: list[Json] = pod["containers"]
    return next((item for item in containers if item["name"] == CONTAINER), containers[0])


def plain(text: str) -> str:
    """What a container gets of a text that has no `$(NAME)` in it."""
    return text.replace("$$", "$")


def _number(raw: Json, name: str, usual: int) -> int:
    found = raw.get(name)
    return usual if found is None else int(found)


def _env(container: Json) -> Pairs:
    variables = (item for item in container.get("env") or () if "valueFrom" not in item)
    return tuple(sorted((item["name"], plain(item.get("value") or "")) for item in variables))


def _secret_names(container: Json) -> Iterator[str]:
    yield from (item["name"] for item in container.get("env") or () if "secretKeyRef" in (item.get("valueFrom") or NOTHING))


def _health(probe: Json | None) -> Health | None:
    """The check, its program in the plain form: that a shell was meant is noted, not seen."""
    command = tuple(plain(word) for word in ((probe or NOTHING).get("exec") or NOTHING).get("command") or ())
    if probe is None or not command:
        return None
    test = ("CMD-SHELL", *command[2:]) if command[:2] == SHELL and len(command) == 3 else ("CMD", *command)
    times = (float(_number(probe, name, usual)) for name, usual in USUAL_TIMES.items())
    interval, timeout = times
    return Health(test, interval, timeout, _number(probe, "failureThreshold", USUAL_RETRIES), 0.0)


def _sysctls(pod: Json) -> Pairs:
    items = (pod.get("securityContext") or NOTHING).get("sysctls") or ()
    return tuple(sorted((item["name"], item["value"]) for item in items))


def _dns(pod: Json) -> tuple[str, ...]:
    return tuple((pod.get("dnsConfig") or NOTHING).get("nameservers") or ()) if pod.get("dnsPolicy") == "None" else ()


def _attachments(notes: Mapping[str, str], names: Mapping[str, str], namespace: str) -> tuple[Attachment, ...]:
    """Those that are asked for, and the cluster's own network, which each such pod has."""
    return tuple(sorted([Attachment(ENGINE_BRIDGE), *attachments_seen(notes.get(NETWORKS_NOTE, ""), names, namespace)]))


def _ports(container: Json, *, hosted: bool) -> Iterator[PortBinding]:
    """Published ports. On the host's network a server adds a host port to each port that is named, which publishes nothing."""
    ports: Iterable[Json] = () if hosted else container.get("ports") or ()
    yield from (
        PortBinding(port["hostPort"], port["containerPort"], (port.get("protocol") or "TCP").lower())
        for port in ports
        if port.get("hostPort")
    )


def holds_device(template: Json, device: Device, place: Place) -> bool:
    """Whether the container has a device: by the resource or class that stands for it, or because it has all of the host's."""
    container = _main(template["spec"])
    limits = (container.get("resources") or NOTHING).get("limits") or NOTHING
    if place.resources.get(device.host) in limits or holds_claim(template["spec"], device, place):
        return True
    return bool((container.get("securityContext") or NOTHING).get("privileged"))
