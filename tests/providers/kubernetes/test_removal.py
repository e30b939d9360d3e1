"""Objects are removed and let go by their uid: a refusal counts while that object is there, and is none once it is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dtnctl.errors import ConflictError
from dtnctl.model.kubernetes_addresses import KubernetesAddress
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.kubernetes.connection import Connection
from dtnctl.providers.kubernetes.engine import KubernetesEngine
from dtnctl.providers.timeouts import Timeouts
from tests.providers.kubernetes.small_server import kubeconfig, refused, serving

JOB = "apis/batch/v1/namespaces/dtn/jobs/run14"
BUSY = refused(409, "the object has been modified")
CHANGED = refused(422, "the server rejected our request due to an error in our request")
GONE = refused(404, "not found")
WRITES = {"remove": Connection.remove, "release": Connection.release}


def named(uid: str) -> tuple[int, dict[str, Any]]:
    return 200, {"metadata": {"uid": uid}}


@contextmanager
def connection(folder: Path, answers: Mapping[str, Any]) -> Iterator[Connection]:
    with serving(answers) as (_, url):
        address = KubernetesAddress(node="n1", namespace="dtn", context="lab", kubeconfig=str(kubeconfig(folder, url)))
        engine = KubernetesEngine(EndpointAccess("dtn1", Endpoint(kubernetes=address, host="192.0.2.3"), "s", {}, Path("/"), Timeouts()))
        try:
            yield engine._cluster.connection
        finally:
            engine.close()


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "answers", [[named("mine")], [refused(404, "not found")], [BUSY, refused(404, "not found")], [BUSY, named("other")]]
)
def test_what_is_done_gone_or_another_one_by_now_is_success(tmp_path: Path, write: str, answers: list[Any]) -> None:
    with connection(tmp_path, {f"/{JOB}": answers}) as made:
        WRITES[write](made, JOB, "mine")


@pytest.mark.parametrize("write", WRITES)
def test_refusal_of_an_object_that_is_still_there_is_one(tmp_path: Path, write: str) -> None:
    with connection(tmp_path, {f"/{JOB}": [BUSY, named("mine")]}) as made, pytest.raises(ConflictError, match="has been modified"):
        WRITES[write](made, JOB, "mine")


def test_finalizers_that_the_server_does_not_let_go_are_no_success(tmp_path: Path) -> None:
    with connection(tmp_path, {f"/{JOB}": [CHANGED, named("mine")]}) as made, pytest.raises(ConflictError, match="rejected our request"):
        made.release(JOB, "mine")
