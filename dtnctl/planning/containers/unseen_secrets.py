"""What a plan notes of secrets that were not looked at, so that readers do not take them for unchanged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dtnctl.model.resources import EndpointSeen
from dtnctl.planning.containers.services import Situation


def unseen_secret_notes(situations: Iterable[Situation], answering: Mapping[str, EndpointSeen]) -> Iterator[str]:
    """A note for each variable whose value was not looked at: whether it has changed is unknown."""
    for situation in situations:
        found = answering[situation.service.endpoint.name].secrets
        for item in situation.spec.secrets:
            if item.reference not in found:
                then = "taken as unchanged" if item.fingerprint else "apply will need it"
                yield f"env.{item.name} of {situation.service} ({item.reference}): (secret, not looked at), {then}"
