"""Logins of clusters, and what is said where one does not work: never what the kubeconfig holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dtnctl.errors import ConflictError, EngineError, NotFoundError, UnreachableError
from dtnctl.model.kubernetes_addresses import KubernetesAddress
from dtnctl.model.resources import EndpointSeen, Wanted
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.kubernetes.engine import KubernetesObserver
from dtnctl.providers.kubernetes.errors import refusal
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.timeouts import Timeouts
from tests.providers.kubernetes.small_server import SmallServer, kubeconfig, refused, serving

SOON = Timeouts(connect=5.0, answer=5.0, read=10.0, write=10.0)
NODE = (200, {"metadata": {"uid": "n-1"}, "status": {"capacity": {"cpu": "8"}}})
NOT_THERE = refused(404, "not found")
LEASE, LEASE_MAP = (
    f"/{group}/namespaces/dtn/{kind}/s.control.lease.dtn1"
    for group, kind in (("apis/coordination.k8s.io/v1", "leases"), ("api/v1", "configmaps"))
)
QUIET: dict[str, tuple[int, Any]] = {
    "/api/v1/nodes/n1": NODE,
    "/version": (200, {"gitVersion": "v1.36.4", "major": "1", "minor": "36+"}),
    LEASE: NOT_THERE,
    LEASE_MAP: NOT_THERE,
}


@contextmanager
def observer(kubeconfig: str | Secret, environment: dict[str, str] | None = None, context: str = "lab") -> Iterator[KubernetesObserver]:
    address = KubernetesAddress(node="n1", namespace="dtn", context=context, kubeconfig=kubeconfig)
    source = SecretSource(environment=environment or {})
    access = EndpointAccess("dtn1", Endpoint(kubernetes=address, host="192.0.2.3"), "s", {}, Path("/"), SOON, secrets=source)
    made = KubernetesObserver(access)
    try:
        yield made
    finally:
        made.close()


def seen(file: Path | str, context: str = "lab") -> EndpointSeen:
    with observer(str(file), context=context) as made:
        return made.observe(Wanted(cpus=True))


def calls_with(tmp_path: Path, user: dict[str, Any]) -> list[tuple[str, str]]:
    with serving(QUIET) as (server, url):
        assert seen(kubeconfig(tmp_path, url, user)).silence == ""
        return server.calls


# --- logging in ---------------------------------------------------------------------------------------------


def test_token_of_the_kubeconfig_is_sent(tmp_path: Path) -> None:
    assert {login for _, login in calls_with(tmp_path, {"token": "canary-token"})} == {"Bearer canary-token"}


def test_program_of_the_kubeconfig_gives_the_token(tmp_path: Path) -> None:
    answer = json.dumps({"status": {"token": "from-a-program"}})
    plugin = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "echo", "args": [answer]}
    assert {login for _, login in calls_with(tmp_path, {"exec": plugin})} == {"Bearer from-a-program"}


def test_program_of_the_newest_version_is_asked_in_it_and_not_to_ask_on_the_terminal(tmp_path: Path) -> None:
    script = """case $KUBERNETES_EXEC_INFO in *k8s.io/v1\\"*'"interactive": false'*) echo '{"status": {"token": "asked"}}';; esac"""
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script]}
    assert {login for _, login in calls_with(tmp_path, {"exec": plugin})} == {"Bearer asked"}


def test_program_that_writes_no_token_is_silence(tmp_path: Path) -> None:
    for written in ("canary", '{"status": {}}'):
        plugin = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "echo", "args": [written]}
        with serving(QUIET) as (_, url):
            silence = seen(kubeconfig(tmp_path, url, {"exec": plugin})).silence
        assert silence == "kubernetes://lab/dtn/n1: the login's program writes no token"


def test_program_that_fails_is_named_and_not_quoted(tmp_path: Path) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": ["-c", "echo canary-secret >&2; exit 3"]}
    with serving(QUIET) as (_, url):
        silence = seen(kubeconfig(tmp_path, url, {"exec": plugin})).silence
    assert silence == "kubernetes://lab/dtn/n1: the login's program failed: Exec sh returned 3"


def test_kubeconfig_may_be_a_secret(tmp_path: Path) -> None:
    with serving(QUIET) as (server, url):
        content = kubeconfig(tmp_path, url).read_text()
        with observer(Secret(secret="env:KUBE"), {"KUBE": content}) as made:
            assert made.observe(Wanted()).engine_version == "1.36.4"
        assert server.calls


@pytest.mark.parametrize(
    ("text", "context", "words"),
    [
        (None, "lab", "not found"),
        ("canary: [", "lab", "the kubeconfig is none"),
        ("canary", "lab", "the kubeconfig is none"),
        ("contexts: []", "lab", "the kubeconfig is none"),
        ("whole", "other", "Context 'other' not found"),
        ("whole", "broken", "names a cluster or user that is not in it"),
    ],
)
def test_what_is_wrong_with_a_kubeconfig_is_said_without_its_content(tmp_path: Path, text: str | None, context: str, words: str) -> None:
    file = tmp_path / "kubeconfig"
    if text == "whole":
        kubeconfig(tmp_path, "http://127.0.0.1:1")
    elif text is not None:
        file.write_text(text)
    silence = seen(file, context).silence
    assert words in silence
    assert "canary" not in silence


def test_secret_that_cannot_be_looked_up_is_named() -> None:
    with observer(Secret(secret="env:KUBE")) as made:
        assert "cannot be looked up: the environment variable KUBE is not set" in made.observe(Wanted()).silence


# --- what is said -------------------------------------------------------------------------------------------


def test_server_that_is_not_there_is_silence(tmp_path: Path) -> None:
    with serving({}) as (_, url):
        file = kubeconfig(tmp_path, url)
    assert seen(file).silence == "kubernetes://lab/dtn/n1: no process listens there; does the API server run?"


def test_login_that_is_not_known_is_silence_with_what_to_check(tmp_path: Path) -> None:
    with serving({"/apis/apps/v1/namespaces/dtn/deployments": refused(401, "Unauthorized")}) as (_, url):
        silence = seen(kubeconfig(tmp_path, url)).silence
    assert silence.endswith(
        "the cluster refuses to tell: Unauthorized: the cluster does not know this login; has its token or certificate expired?"
    )


def test_node_that_is_not_there_is_silence_in_the_servers_words(tmp_path: Path) -> None:
    with serving(QUIET | {"/api/v1/nodes/n1": refused(404, 'nodes "n1" not found')}) as (_, url):
        assert seen(kubeconfig(tmp_path, url)).silence.endswith('nodes "n1" not found')


def test_node_that_the_cluster_has_no_word_of_is_silent(tmp_path: Path) -> None:
    def condition(status: str) -> tuple[int, Any]:
        ready = {"type": "Ready", "status": status, "message": "Kubelet stopped posting node status."}
        return 200, {"metadata": {"uid": "n-1"}, "status": {"conditions": [{"type": "DiskPressure", "status": "Unknown"}, ready]}}

    with serving(QUIET | {"/api/v1/nodes/n1": condition("Unknown")}) as (_, url):
        assert seen(kubeconfig(tmp_path, url)).silence.endswith("the cluster has no word of n1: Kubelet stopped posting node status.")
    with serving(QUIET | {"/api/v1/nodes/n1": condition("False")}) as (_, url):
        assert seen(kubeconfig(tmp_path, url)).silence == "", "its pods may run all the same"


def test_user_of_one_namespace_sees_it_and_not_the_rest(tmp_path: Path) -> None:
    forbidden = refused(403, "forbidden")
    with serving(QUIET | {"/api/v1/pods": forbidden, "/api/v1/nodes/n1": forbidden}) as (_, url):
        found = seen(kubeconfig(tmp_path, url))
        assert (found.silence, found.cpus) == ("", 0)
        assert found.engine_id == f"{url}/n1"
        assert found.unseen == (
            "pods of other namespaces on n1: their host ports are unknown",
            "the node n1: its CPUs and resources are unknown",
        )


def test_node_that_may_be_looked_at_says_its_cpus_and_its_id(tmp_path: Path) -> None:
    with serving(QUIET) as (_, url):
        found = seen(kubeconfig(tmp_path, url))
    assert (found.silence, found.cpus, found.engine_id, found.api_version) == ("", 8, "n-1", "1.36")


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFoundError), (410, NotFoundError), (409, ConflictError), (422, EngineError), (500, EngineError)]
)
def test_refusals_have_kinds_and_the_servers_words(status: int, kind: type[EngineError]) -> None:
    error = refusal(status, json.dumps({"message": "because"}).encode())
    assert (type(error), str(error), error.status) == (kind, "because", status)


@pytest.mark.parametrize(
    ("message", "is_hinted"),
    [
        ('jobs.batch is forbidden: User "x" cannot create resource "jobs"', True),
        ('pods "a" is forbidden: exceeded quota: dtn, requested: pods=1', False),
        ("unable to create new content in namespace dtn because it is being terminated", False),
    ],
)
def test_only_a_missing_right_is_called_one(message: str, is_hinted: bool) -> None:
    assert ("has the rights" in str(refusal(403, json.dumps({"message": message}).encode()))) is is_hinted


@pytest.mark.parametrize(("status", "message"), [(504, "Gateway Timeout"), (500, "etcdserver: request timed out")])
def test_server_whose_database_or_proxy_gives_no_answer_is_not_one_that_refuses(tmp_path: Path, status: int, message: str) -> None:
    with serving(QUIET | {"/api/v1/nodes/n1": refused(status, message)}) as (_, url), observer(str(kubeconfig(tmp_path, url))) as made:
        with pytest.raises(UnreachableError, match=message):
            made._cluster.connection.get("api/v1/nodes/n1")
        assert made.observe(Wanted()).silence == f"kubernetes://lab/dtn/n1: {message}"


def test_refusal_of_a_proxy_without_json_is_quoted() -> None:
    assert str(refusal(502, b"<html>Bad Gateway</html>")) == "<html>Bad Gateway</html>"
    assert str(refusal(502, b"")) == "status 502"


def test_connections_are_closed_and_opened_again(tmp_path: Path) -> None:
    with serving(QUIET) as (server, url), observer(str(kubeconfig(tmp_path, url))) as made:
        assert made.engine_id() == "n-1"
        assert isinstance(server, SmallServer)
        made.close()
        assert made.engine_id() == "n-1"
