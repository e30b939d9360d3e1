"""What holds ports of the node without being a container of the endpoint: pods of others, and pods that outlived what made them. Pure."""

from __future__ import annotations

from typing import Any

import pytest

from dtnctl.providers.kubernetes.lists import Lists
from dtnctl.providers.kubernetes.seen import strangers
from tests.providers.kubernetes.scenes import PLACE

OBJECT = "scinet.web.dtn-3"


def pod(**labels: str) -> dict[str, Any]:
    container = {"name": "main", "image": "w", "ports": [{"containerPort": 22, "hostPort": 30000}]}
    metadata = {"name": f"{OBJECT}-x1", "namespace": PLACE.namespace, "uid": "7", "labels": {"dtnctl.object": OBJECT, **labels}}
    return {"metadata": metadata, "spec": {"containers": [container]}, "status": {"phase": "Running"}}


def named(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": PLACE.namespace, "labels": labels}}


def held_by(lists: Lists) -> list[tuple[tuple[int, str], ...]]:
    return [item.host_ports for item in strangers(lists, PLACE)]


def lists_of(pod: dict[str, Any], deployments: tuple[Any, ...] = (), held: tuple[Any, ...] = ()) -> Lists:
    return Lists(deployments, (), held, (pod,), (pod,), None, (), None)


@pytest.mark.parametrize("kind", ["deployments", "held"])
def test_pod_of_a_container_that_is_shown_is_no_stranger(kind: str) -> None:
    assert held_by(lists_of(pod(), **{kind: (named(OBJECT),)})) == []


@pytest.mark.parametrize("others", [(), (named("scinet.other.dtn-3"),), (named(OBJECT, **{"dtnctl.endpoint": "elsewhere"}),)])
def test_pod_that_outlived_its_deployment_holds_its_ports(others: tuple[Any, ...]) -> None:
    """`kubectl delete --cascade=orphan` leaves it running: its ports and addresses counted as free."""
    assert held_by(lists_of(pod(), others)) == [((30000, "tcp"),)]


def test_pod_of_ours_that_ends_holds_nothing_for_long() -> None:
    going = pod()
    going["metadata"]["deletionTimestamp"] = "2026-11-30T11:00:00Z"
    assert held_by(lists_of(going)) == []
