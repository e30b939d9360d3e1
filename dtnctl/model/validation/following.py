"""Checks what transfers say of each other: each name that one follows has a file, and none follows itself by way of others."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from dtnctl.model.site import Document
from dtnctl.model.transfer import Transfer
from dtnctl.model.validation.known import Known


def check_following(known: Known) -> None:
    """Reports unknown names of `after`, and each entry of it that is part of a circle."""
    transfers = known.site.transfers
    entangled = _without_a_beginning(transfers)
    for document in transfers.values():
        for index, name in enumerate(document.value.after):
            if name not in known.names("transfers"):
                hint = known.suggest(name, known.names("transfers") - {document.name}, f"to write transfers/{name}.yaml")
                known.report((document, ("after", index)), "E0340", f"there is no transfer `{name}`", hint)
            elif name in entangled and not known.is_full and document.name in _followed_by(name, transfers):
                in_turn = f"`{name}` follows `{document.name}` in turn, so that neither would ever start"
                what = in_turn if name != document.name else "a transfer cannot follow itself"
                known.report((document, ("after", index)), "E0341", what, "to remove one `after:`")


def _without_a_beginning(transfers: Mapping[str, Document[Transfer]]) -> AbstractSet[str]:
    """Transfers that are in a circle or follow one; empty as a rule."""
    waited = {name: {item for item in document.value.after if item in transfers} for name, document in transfers.items()}
    followers: dict[str, list[str]] = {name: [] for name in transfers}
    for name, items in waited.items():
        for item in items:
            followers[item].append(name)
    free = [name for name, items in waited.items() if not items]
    while free:
        done = free.pop()
        del waited[done]
        for name in followers[done]:
            waited[name].discard(done)
            if not waited[name]:
                free.append(name)
    return waited.keys()


def _followed_by(start: str, transfers: Mapping[str, Document[Transfer]]) -> AbstractSet[str]:
    """The transfer, all that it follows, all that these follow, and so on."""
    found, further = {start}, [start]
    while further:
        new = {item for item in transfers[further.pop()].value.after if item in transfers} - found
        found |= new
        further += new
    return found
