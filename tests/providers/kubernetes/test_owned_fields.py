"""What dtnctl applied is found in a live object: neither what others set nor what the server filled in."""

from __future__ import annotations

from typing import Any

from dtnctl.providers.kubernetes.owned_fields import applied_by_us

FIELDS = {
    "f:metadata": {"f:labels": {"f:a": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:ports": {
            'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}},
            'k:{"containerPort":53,"protocol":"UDP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
        },
        "f:finalizers": {'v:"ours"': {}},
        "f:gone": {},
    },
}


def live(*managers: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "uid": "1", "labels": {"a": "1", "theirs": "2"}, "managedFields": list(managers)},
        "spec": {
            "replicas": 1,
            "paused": False,
            "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP", "name": "x"}, {"containerPort": 9}],
            "finalizers": ["ours", "theirs"],
        },
    }


def test_only_what_was_applied_is_taken() -> None:
    ours = {"manager": "dtnctl", "operation": "Apply", "fieldsV1": FIELDS}
    others = {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}}
    assert applied_by_us(live(others, ours)) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "labels": {"a": "1"}},
        "spec": {
            "replicas": 1,
            "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}],
            "finalizers": ["ours"],
        },
    }


def test_object_that_was_not_applied_has_its_name_alone() -> None:
    updated = {"manager": "dtnctl", "operation": "Update", "fieldsV1": FIELDS}
    assert applied_by_us(live(updated)) == {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}}


def test_item_of_a_list_does_not_say_its_kind() -> None:
    listed = {key: value for key, value in live().items() if key not in ("apiVersion", "kind")}
    assert applied_by_us(listed) == {"metadata": {"name": "d", "namespace": "n"}}
