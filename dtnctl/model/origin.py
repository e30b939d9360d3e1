"""Where an object comes from that is not ours although its labels have something to do with us. Pure.

What is said of it names the case, so that a person knows what to do; dtnctl itself never touches such an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dtnctl.model.resources import LABEL_REPOSITORY, LABEL_SELF, LABEL_SITE, EndpointSeen, ledger_name, main_name, self_reference


@dataclass(frozen=True, slots=True)
class Origin:
    """`text` follows the object's name in a sentence; `fix` is what to do about it. `is_another`: another repository's object."""

    text: str
    fix: str
    is_another: bool = False


def origin_of(labels: Mapping[str, str], *, site: str, repository: str, endpoint: str, object_name: str) -> Origin | None:
    """Where a foreign object comes from; None if nothing says that it has to do with this site.

    `labels` are the object's own: without those that a container has from its image.
    """
    found, its_site = labels.get(LABEL_REPOSITORY, ""), labels.get(LABEL_SITE, "")
    if repository and found == repository and not its_site:
        return Origin("was made by this repository and does not say for which site", "to remove it")
    if repository and found == repository and its_site != site:
        return Origin(f"was made when this site was called {its_site}", f"`name: {its_site}` again, `dtnctl destroy`, then the new name")
    if its_site != site:
        return None
    if found and found != repository:
        return _another(site, found, repository)
    if labels.get(LABEL_SELF) != self_reference(endpoint, main_name(object_name)):
        return _moved(labels.get(LABEL_SELF, ""), endpoint)
    if repository:
        return Origin(
            f"was made for the site {site} by a repository without an id",
            "`adopts: unlabelled` in state/site.yaml if it was this repository, else another `name:` there",
        )
    return Origin(f"was made for the site {site}, which is another repository's on {endpoint}", _other_name("another"))


def _another(site: str, found: str, repository: str) -> Origin:
    fix = (
        _other_name("another")
        if repository
        else f"`id: {found}` in state/site.yaml if this is a copy of that repository, else another `name:` there"
    )
    return Origin(f"is of the site {site} of another repository (id {found})", fix, is_another=True)


def _other_name(word: str) -> str:
    return f"{word} `name:` in state/site.yaml of one of the two repositories"


def _moved(self_label: str, endpoint: str) -> Origin:
    place, _, name = self_label.partition("/")
    if not place or not name:
        return Origin("has this site's label and does not say what it was made as, so dtnctl did not make it like this", "to remove it")
    if place == endpoint:
        return Origin(f"was {name}, renamed by hand", "to rename it back, or to remove it")
    return Origin(f"was made as {name} on the endpoint {place}", f"the endpoint's old name, {place}, or to remove it")


def stranger_text(labels: Mapping[str, str], repository: str) -> str:
    """What to say of an object that has a name of ours and is not ours."""
    found = labels.get(LABEL_REPOSITORY, "")
    return f"of another repository (id {found})" if found and found != repository else "that is not ours"


def claimed_by(seen: EndpointSeen, site: str, repository: str) -> str:
    """The id of the other repository whose placeholder container for records has this site's name on the endpoint; empty if none has."""
    name = ledger_name(site)
    labels = next((item.labels for item in seen.foreign if item.name == name), {})
    found = labels.get(LABEL_REPOSITORY, "")
    fits = labels.get(LABEL_SITE) == site and labels.get(LABEL_SELF) == self_reference(seen.name, name)
    return found if fits and found != repository else ""
