"""What of an endpoint is written into its inventory, and how: the fields listed here and no other, so that a new one keeps out by itself.

Texts that may hold a secret (values of variables and options, arguments of commands, messages) are written only if the state files have
them too. Any other is replaced by a number: equal texts of one endpoint have equal numbers, so comparisons stay right. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any

from dtnctl.model.ledger import Attempt, LedgerSeen
from dtnctl.model.resources import (
    Attachment,
    ContainerSeen,
    ContainerSpec,
    Device,
    EndpointSeen,
    ForeignSeen,
    Health,
    ImageSeen,
    Mount,
    NetworkSeen,
    NetworkSpec,
    PortBinding,
    Subnet,
    Ulimit,
    VolumeSeen,
    own_labels,
)
from dtnctl.model.secrets import SecretVariable

Json = dict[str, Any]
# Variables that dtnctl sets from the site and its choices: docs/state-reference.md, `env`.
OWN_VARIABLES = frozenset({"HOSTNAME", "DATA_PORTS", "USER_NAME", "PUBLIC_KEY", "DATA_IFACE", "CTRL_PORT", "SERV_PORT"})
TEST_WORDS = frozenset({"CMD", "CMD-SHELL", "NONE", ""})
NO_NUMBER = ""  # an empty text is no secret


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# As they are.
KEPT: Mapping[type, tuple[str, ...]] = {
    EndpointSeen: _names(
        "name backend engine_version api_version containers networks foreign foreign_networks images remote_digests volumes ledger"
    )
    + _names("engine_id identity cpus unseen damaged"),
    ContainerSeen: _names("name id spec image_id state health exit_code oom_killed disrupted started_at finished_at addresses")
    + _names("is_of_older_file anonymous_volumes"),
    ContainerSpec: _names("image hostname tty init privileged stop_signal stop_timeout health restart memory cpus cpu_set memory_nodes")
    + _names("shm_size mounts devices ulimits cap_add cap_drop sysctls dns network attachments ports secrets placement rollout"),
    SecretVariable: _names("name fingerprint"),
    Mount: _names("target kind source read_only driver size propagation"),
    Device: _names("host container permissions"),
    Ulimit: _names("name soft hard"),
    Health: _names("interval timeout retries start_period"),
    PortBinding: _names("host container protocol"),
    Attachment: _names("network ipv4 ipv6 vf"),
    ForeignSeen: _names("name id host_ports addresses"),
    NetworkSeen: _names("name id spec is_of_older_file"),
    NetworkSpec: _names("driver internal ipv6 subnets mtu default_route pf mode parent"),
    Subnet: _names("subnet gateway"),
    ImageSeen: _names("id digests stop_signal health"),
    VolumeSeen: _names("name driver is_ours"),
    LedgerSeen: _names("readable attempts is_unsigned"),
    Attempt: _names("transfer generation attempt container claimed_at released verdict retryable exit_code bytes files seconds finished_at")
    + _names("checksum verified commit uncommitted endpoint engine tool source destination image destination_image started_at recorded_at")
    + _names("rate streams retransmits resolution resolved_at verify_seconds sums resumed network_path path_verdict path_evidence"),
}
# Texts, and texts in tuples, that may be secrets.
COVERED: Mapping[type, tuple[str, ...]] = {
    ContainerSpec: _names("command entrypoint"),
    ImageSeen: _names("command entrypoint"),
    Health: _names("test"),
    ForeignSeen: _names("trouble"),
    VolumeSeen: _names("trouble"),
    LedgerSeen: _names("trouble"),
    Attempt: _names("cause reason resolved_by notified served"),
    EndpointSeen: _names("image_troubles"),
}
# Pairs whose second text may be one.
COVERED_PAIRS: Mapping[type, tuple[str, ...]] = {
    ContainerSpec: _names("env"),
    ImageSeen: _names("env"),
    Mount: _names("driver_opts"),
    VolumeSeen: _names("options"),
    NetworkSpec: _names("others"),
}
LABELLED = (ContainerSeen, NetworkSeen, ForeignSeen)  # of labels those of dtnctl
INTERFACE = _names(
    "name index mac permanent_mac addresses mtu max_mtu is_up carrier speed kind parent vlan master driver pci physfn numa_node"
)
HOST: Json = {
    "version": True,
    "agent": True,
    "held": True,
    "abilities": True,
    "readings": True,
    "facts": {
        "system": {"hostname", "kernel", "rdma_netns"},
        "cpus": {"sockets", "cores", "logical", "online", "isolated", "smt", "numa"},
        "memory": {"total"},
        "interfaces": {"__all__": {*INTERFACE, "local_cpus", "sriov"}},
        "rdma": True,
        "nvme": True,
        "block_devices": {"__all__": {"name", "size", "numa_node"}},
        "listeners": True,
        "containers": {"__all__": {"id", "name", "rdma"}},
    },
}


@dataclass(slots=True)
class Cover:
    """Numbers in place of texts that are not `known`."""

    known: frozenset[str]
    numbers: dict[str, int] = field(default_factory=dict)

    def __call__(self, text: str) -> str:
        """The text if the state files have it, else its number."""
        if text in self.known or text == NO_NUMBER:
            return text
        return f"(withheld {self.numbers.setdefault(text, len(self.numbers) + 1)})"

    def of_variable(self, name: str, value: str) -> str:
        """The same for an environment variable."""
        return value if name in OWN_VARIABLES else self(value)


def encode_endpoint(seen: EndpointSeen, known: frozenset[str]) -> Json:
    """The endpoint as plain values for JSON; what is at its default is left out."""
    cover = Cover(known)
    found = _encoded_fields(seen, cover)
    if seen.host is not None:
        host = seen.host.model_dump(mode="json", include=HOST, exclude_defaults=True)
        host["facts"]["memory"]["available"] = host["facts"]["memory"]["total"]  # it moves all the time, and no plan looks at it
        found["host"] = host
    return found


def _encoded(value: Any, cover: Cover) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _encoded_fields(value, cover)
    if isinstance(value, tuple):
        return [_encoded(item, cover) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _encoded(item, cover) for key, item in sorted(value.items())}
    assert value is None or isinstance(value, (str, int, float)), value
    return value


def _encoded_fields(value: Any, cover: Cover) -> Json:
    kind: Any = type(value)
    found: Json = {}
    for name, unsaid in _fields(kind):
        held = getattr(value, name)
        if unsaid is not MISSING and held == unsaid:
            continue
        if name in KEPT[kind]:
            found[name] = _encoded(held, cover)
        elif name in COVERED.get(kind, ()):
            found[name] = _covered(held, cover, kind)
        elif name in COVERED_PAIRS.get(kind, ()):
            found[name] = [[key, cover.of_variable(key, text) if name == "env" else cover(text)] for key, text in held]
        elif name == "labels" and kind in LABELLED:
            found[name] = dict(sorted(own_labels(held).items()))
    return found


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Names with their defaults, MISSING where there is none."""
    return tuple((item.name, _default(item)) for item in fields(kind))


def _default(item: Field[Any]) -> Any:
    return item.default_factory() if item.default_factory is not MISSING else item.default


def _covered(value: Any, cover: Cover, kind: type) -> Any:
    if isinstance(value, str):
        return value if kind is Health and value in TEST_WORDS else cover(value)
    if isinstance(value, Mapping):
        return {key: cover(text) for key, text in sorted(value.items())}
    return None if value is None else [_covered(item, cover, kind) for item in value]


def decode_endpoint(held: Mapping[str, Any]) -> EndpointSeen:
    """The endpoint that was written. ValueError if it is none."""
    seen: EndpointSeen = _reader()(held)
    return seen


@cache
def _reader() -> Callable[[Any], Any]:
    from dtn_agent.protocol import Host  # noqa: F401  # the annotation of `host` is resolved by this name
    from pydantic import TypeAdapter

    return TypeAdapter(EndpointSeen).validate_python
