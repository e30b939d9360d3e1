"""What dtnctl writes into the labels of an object that it makes, and reads from those of a transfer's container. Frozen values, no I/O.

Whose an object is, is decided by site, self-reference and repository alone (resources.is_owned, docs/decisions/0001 and 0013).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from dtnctl.model.resources import (
    LABEL_ATTEMPT,
    LABEL_GENERATION,
    LABEL_KIND,
    LABEL_NAME,
    LABEL_PORTS,
    LABEL_SELF,
    LABEL_SITE,
    LABEL_SPEC,
    ContainerSpec,
    Kind,
    NetworkSpec,
    Pairs,
    self_reference,
    transfer_name,
)
from dtnctl.model.secrets import secrets_label

LABEL_COMMIT = "dtnctl.commit"  # the commit of the state that the container was made for; `+uncommitted` where files differed from it
_NUMBER = re.compile(r"[0-9]{1,18}")
_NAME_WITHOUT_LABELS = re.compile(r"[^.]+\.[^.]+\.g([0-9]{1,18})a([0-9]{1,18})")  # as transfer_name makes it


def spec_digest(spec: ContainerSpec | NetworkSpec) -> str:
    """Short digest of a spec, for the label that distinguishes drift from a change in Git."""
    secrets = spec.secrets if isinstance(spec, ContainerSpec) else ()
    text = f"{spec!r}{secrets_label(secrets)}" if secrets else repr(spec)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def labels(site: str, endpoint: str, kind: Kind, name: str, object_name: str, digest: str = "") -> Pairs:
    """The labels that make an object ours."""
    pairs = {
        LABEL_SITE: site,
        LABEL_KIND: kind,
        LABEL_NAME: name,
        LABEL_SELF: self_reference(endpoint, object_name),
        LABEL_SPEC: digest,
    }
    return tuple(sorted((key, value) for key, value in pairs.items() if value))


def transfer_labels(site: str, endpoint: str, transfer: str, generation: int, attempt: int, digest: str = "") -> Pairs:
    """The labels of the container of one attempt: they say which attempt it is."""
    pairs = labels(site, endpoint, "transfer", transfer, transfer_name(site, transfer, generation, attempt), digest)
    return tuple(sorted((*pairs, (LABEL_GENERATION, str(generation)), (LABEL_ATTEMPT, str(attempt)))))


def server_name(site: str, transfer: str, generation: int, attempt: int) -> str:
    """The engine's name of the server of one attempt, on the destination's endpoint."""
    return f"{transfer_name(site, transfer, generation, attempt)}.server"


def server_labels(
    site: str, endpoint: str, transfer: str, generation: int, attempt: int, ports: tuple[int, ...], digest: str = ""
) -> Pairs:
    """The labels of the container of an attempt's server."""
    name = server_name(site, transfer, generation, attempt)
    attempt_pairs = ((LABEL_GENERATION, str(generation)), (LABEL_ATTEMPT, str(attempt)), (LABEL_PORTS, ",".join(map(str, ports))))
    return tuple(sorted((*labels(site, endpoint, "server", transfer, name, digest), *attempt_pairs)))


def server_ports(found: Mapping[str, str]) -> tuple[int, ...]:
    """The ports that the server of an attempt listens on, by its labels."""
    return tuple(int(text) for text in found.get(LABEL_PORTS, "").split(",") if _NUMBER.fullmatch(text))


def generation_and_attempt(found: Mapping[str, str], object_name: str) -> tuple[int, int] | None:
    """Which attempt a transfer's container is, by its labels; None if nothing says it.

    A container that was made before dtnctl wrote these two labels has them in its name alone: `SITE.TRANSFER.gGENERATIONaATTEMPT`.
    """
    texts: tuple[str, ...] = (found.get(LABEL_GENERATION, ""), found.get(LABEL_ATTEMPT, ""))
    if not any(texts) and (named := _NAME_WITHOUT_LABELS.fullmatch(object_name)) is not None:
        texts = named.groups()
    if not all(_NUMBER.fullmatch(text) for text in texts):
        return None
    generation, attempt = map(int, texts)
    return generation, attempt
