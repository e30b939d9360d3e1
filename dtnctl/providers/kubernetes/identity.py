"""How objects of dtnctl are named and marked in a cluster. Pure.

A namespace may serve several endpoints (nodes of one cluster), so an object's name has the endpoint's in it. What dtnctl calls
labels are annotations, since a label's value takes no `/` and 63 characters; those that a list is filtered by are labels, too.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dtnctl.model.resources import LABEL_KIND, LABEL_NAME, LABEL_PREFIX, LABEL_SITE, Pairs

Json = Mapping[str, Any]
Object = dict[str, Any]
NOTHING: Json = MappingProxyType({})

FIELD_MANAGER = "dtnctl"
MANAGED_BY = "app.kubernetes.io/managed-by"
LABEL_ENDPOINT = "dtnctl.endpoint"
LABEL_OBJECT = "dtnctl.object"  # the object's own name, of its pods, too
NAME_NOTE = "dtnctl/name"  # the name that plans use
TEMPLATE_NOTE = "dtnctl/template"  # of a template and its pods: which of an object's pods are made by what is applied now
STARTED_NOTE = "dtnctl/started"  # of a service that was started once
SELECTABLE = (LABEL_SITE, LABEL_KIND, LABEL_NAME)
LONGEST_NAME = 63  # of a Job, whose name becomes a label's value
DIGEST_LENGTH = 10
PART_OF = "applyset.kubernetes.io/part-of"
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9.-]+")


def object_name(name: str, endpoint: str) -> str:
    """The cluster's name for what plans call `name` on this endpoint: readable where it fits, and always distinct."""
    whole = f"{name}.{endpoint}"
    parts = (part.strip("-") for part in _NOT_IN_NAMES.sub("-", whole.lower()).split("."))
    plain = ".".join(part for part in parts if part)
    if plain == whole and len(whole) <= LONGEST_NAME:
        return whole
    return f"{plain[: LONGEST_NAME - DIGEST_LENGTH - 1].rstrip('-.')}-{short_digest(whole)}"


def short_digest(text: str) -> str:
    """A few characters that another text has not."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def inventory_name(site: str) -> str:
    """What plans would call the list of all that dtnctl made on an endpoint."""
    return f"{site}.control.inventory"


def applyset_id(name: str, namespace: str) -> str:
    """The id of the ApplySet whose parent is the ConfigMap of this name, as kubectl computes it."""
    digest = hashlib.sha256(f"{name}.{namespace}.ConfigMap.".encode()).digest()
    return f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"


def metadata(name: str, endpoint: str, namespace: str, labels: Pairs) -> Object:
    """Name, labels and annotations of an object that plans call `name`; a label says which ApplySet it is a part of."""
    site = dict(labels).get(LABEL_SITE, "")
    part_of = {PART_OF: applyset_id(object_name(inventory_name(site), endpoint), namespace)}
    return {
        "name": object_name(name, endpoint),
        "namespace": namespace,
        "labels": object_labels(name, endpoint, labels) | part_of,
        "annotations": {NAME_NOTE: name, **dict(labels)},
    }


def object_labels(name: str, endpoint: str, labels: Pairs) -> dict[str, str]:
    """The labels that lists are filtered by."""
    selectable = {key: value for key, value in labels if key in SELECTABLE}
    marks = {LABEL_ENDPOINT: endpoint, LABEL_OBJECT: object_name(name, endpoint), **selectable}
    return {MANAGED_BY: FIELD_MANAGER, **{key: label_value(value) for key, value in sorted(marks.items())}}


def label_value(text: str) -> str:
    """The text where a cluster takes it as a label's value, else its digest: an object without the label would be in no list."""
    return text if _LABEL_VALUE.fullmatch(text) else short_digest(text)


def labels_of(raw: Json) -> dict[str, str]:
    """What dtnctl calls the labels of a live object."""
    return {key: value for key, value in annotations_of(raw).items() if key.startswith(LABEL_PREFIX)}


def name_of(raw: Json) -> str:
    """The name that plans use; the cluster's own for what dtnctl did not make."""
    return str(annotations_of(raw).get(NAME_NOTE) or raw["metadata"]["name"])


def annotations_of(raw: Json) -> Mapping[str, str]:
    return (raw.get("metadata") or NOTHING).get("annotations") or NOTHING
