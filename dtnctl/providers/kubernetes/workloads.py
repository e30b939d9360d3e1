"""Services as Deployments and transfers as Jobs, in both directions. Pure.

A Deployment has one replica or, while its service is stopped, none; `Recreate`, since ports, functions and addresses are exclusive.
A Job runs once: its pod is never replaced and never restarted.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

from dtnctl.model.resources import LABEL_DEADLINE, ONE_POD, ContainerSpec, Pairs
from dtnctl.providers.kubernetes.claims import holds_network
from dtnctl.providers.kubernetes.identity import (
    LABEL_OBJECT,
    NAME_NOTE,
    NOTHING,
    TEMPLATE_NOTE,
    Json,
    Object,
    annotations_of,
    metadata,
    object_labels,
    object_name,
    short_digest,
)
from dtnctl.providers.kubernetes.noted import NOTES, Holds, notes_text, with_notes
from dtnctl.providers.kubernetes.place import Place
from dtnctl.providers.kubernetes.pod_seen import holds_device, spec_seen
from dtnctl.providers.kubernetes.pod_template import pod_annotations, pod_spec

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment"}
JOB = {"apiVersion": "batch/v1", "kind": "Job"}
STRATEGY = "Recreate"
RECORD_FINALIZER = "dtnctl/record"
LATE_SECONDS = 60  # after a transfer's deadline: its program has ended itself by then, and said so, unless its pod never ran
WHEN_DISRUPTED = {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def deployment(name: str, spec: ContainerSpec, labels: Pairs, place: Place, replicas: int) -> Object:
    """The Deployment of a service."""
    return {
        **DEPLOYMENT,
        "metadata": metadata(name, place.endpoint, place.namespace, labels),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 0,
            "strategy": {"type": STRATEGY},
            "paused": False,
            "selector": {"matchLabels": {LABEL_OBJECT: object_name(name, place.endpoint)}},
            "template": template(name, spec, labels, place),
        },
    }


def rollout_of(raw: Json) -> str:
    """ONE_POD for a Deployment as it is applied; else what somebody changed. Of two pods both would have the one address.

    A paused one makes no pod of what is applied.
    """
    spec: Json = raw["spec"]
    replicas, strategy = int(spec.get("replicas", 1)), str((spec.get("strategy") or NOTHING).get("type", STRATEGY))
    changed = (
        *([f"{replicas} replicas"] if replicas > 1 else ()),
        *([f"strategy {strategy}"] if strategy != STRATEGY else ()),
        *(["paused"] if spec.get("paused") else ()),
    )
    return ", ".join(changed) or ONE_POD


def job(name: str, spec: ContainerSpec, labels: Pairs, place: Place) -> Object:
    """The Job of one attempt of a transfer. A finalizer keeps its name taken until dtnctl removes it: it can never run twice.

    A pod that is evicted, preempted or lost with its node is not replaced: it may have written, and who runs it again has to look first.
    The policy for failures changes nothing of that, but says in the Job why its pod is gone.
    """
    deadline = dict(labels).get(LABEL_DEADLINE)
    made = metadata(name, place.endpoint, place.namespace, labels)
    return {
        **JOB,
        "metadata": made | {"finalizers": [RECORD_FINALIZER]},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": [WHEN_DISRUPTED]},
            **({"activeDeadlineSeconds": int(deadline) + LATE_SECONDS} if deadline is not None else {}),
            "template": template(name, spec, labels, place),
        },
    }


def template(name: str, spec: ContainerSpec, labels: Pairs, place: Place) -> Object:
    """The pod's template, with a note of what it holds less exactly than the spec."""
    plain = _unnoted(name, place, spec)
    notes = notes_text(spec, spec_seen(plain, _network_names(place), place))
    annotations = {**plain["metadata"]["annotations"], NAME_NOTE: name, **({NOTES: notes} if notes else {})}
    annotations[TEMPLATE_NOTE] = short_digest(json.dumps([annotations, plain["spec"]], sort_keys=True))
    return {"metadata": {"labels": object_labels(name, place.endpoint, labels), "annotations": annotations}, "spec": plain["spec"]}


def _unnoted(name: str, place: Place, spec: ContainerSpec) -> Object:
    return {"metadata": {"annotations": pod_annotations(spec, place)}, "spec": pod_spec(name, spec, place)}


def _network_names(place: Place) -> dict[str, str]:
    return {object_name(name, place.endpoint): name for name in place.links}


def spec_of(raw: Json, place: Place) -> ContainerSpec:
    """The container that a live Deployment or Job describes."""
    live = raw["spec"]["template"]
    name = annotations_of(live).get(NAME_NOTE, "")
    spec = spec_as_noted(raw, place, lambda device: holds_device(live, device, place))
    return replace(spec, attachments=tuple(item for item in spec.attachments if holds_network(live["spec"], name, item.network, place)))


def spec_as_noted(raw: Json, place: Place, holds: Holds) -> ContainerSpec:
    """The same with the devices that `holds` lets pass, whatever networks' functions come from."""
    live = raw["spec"]["template"]
    notes = annotations_of(live)
    seen = spec_seen(live, _network_names(place), place)
    return with_notes(seen, notes.get(NOTES, ""), partial(_unnoted, notes.get(NAME_NOTE, ""), place), holds)
