"""Logins of clusters, and what is said where one does not work: never what the kubeconfig holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
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
from dtnctl.providers.kubernetes.login_program import program_of
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.shared import Shared
from dtnctl.providers.timeouts import Timeouts
from lab.kubernetes import KubernetesApi
from tests.providers.kubernetes.small_server import SmallServer, kubeconfig, refused, serving

SOON = Timeouts(connect=5.0, answer=5.0, read=10.0, write=10.0, login=10.0)
V1 = "client.authentication.k8s.io/v1"
NODE = (200, {"metadata": {"uid": "n-1"}, "status": {"capacity": {"cpu": "8"}}})
NOT_THERE = refused(404, "not found")
LEASE = "/apis/coordination.k8s.io/v1/namespaces/dtn/leases/s.control.lease.dtn1"
QUIET: dict[str, tuple[int, Any]] = {
    "/api/v1/nodes/n1": NODE,
    "/version": (200, {"gitVersion": "v1.36.4", "major": "1", "minor": "36+"}),
    LEASE: NOT_THERE,
    LEASE.replace("dtn/", "other/"): NOT_THERE,
}


@contextmanager
def observer(
    kubeconfig: str | Secret,
    environment: dict[str, str] | None = None,
    context: str = "lab",
    timeouts: Timeouts = SOON,
    namespace: str = "dtn",
    shared: Shared | None = None,
) -> Iterator[KubernetesObserver]:
    endpoint = Endpoint(
        kubernetes=KubernetesAddress(node="n1", namespace=namespace, context=context, kubeconfig=kubeconfig), host="192.0.2.3"
    )
    access = EndpointAccess("dtn1", endpoint, "s", {}, Path("/"), timeouts, secrets=SecretSource(environment=environment or {}))
    made = KubernetesObserver(replace(access, shared=shared or Shared()))
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
    assert silence == "kubernetes://lab/dtn/n1: the login's program failed: sh ended with 3"


def test_program_that_hangs_is_ended_and_named(tmp_path: Path) -> None:
    plugin = {"apiVersion": V1, "command": "sh", "args": ["-c", "echo canary-secret; exec sleep 900"]}
    with serving(QUIET) as (_, url):
        file = str(kubeconfig(tmp_path, url, {"exec": plugin}))
        with observer(file, timeouts=replace(SOON, login=0.2)) as made:
            silence = made.observe(Wanted()).silence
    assert silence == "kubernetes://lab/dtn/n1: the login's program gave no token within 0.2 s: sh was ended"


def test_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with serving(QUIET) as (_, url):
        silence = seen(kubeconfig(tmp_path, url, {"exec": {"apiVersion": V1, "command": "./not-there"}})).silence
    assert silence.endswith("the login's program cannot be started: not-there: No such file or directory")


def test_program_is_asked_once_by_all_and_again_when_its_token_is_refused(tmp_path: Path) -> None:
    (program := tmp_path / "login").write_text(f'#!/bin/sh\necho asked >>{tmp_path}/log\necho \'{{"status": {{"token": "t"}}}}\'\n')
    program.chmod(0o755)
    with serving(QUIET) as (server, url):
        file = str(kubeconfig(tmp_path, url, {"exec": {"apiVersion": V1, "command": "./login"}}))
        with observer(file) as made:
            assert made.observe(Wanted()).silence == ""
            assert (tmp_path / "log").read_text() == "asked\n"
            server.answers |= {"/api/v1/nodes/n1": refused(401, "Unauthorized")}
            assert made.engine_id() == f"{url}/n1"
    assert (tmp_path / "log").read_text() == "asked\n" * 2


def test_program_gets_its_cluster_where_it_asks_for_that(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("certificates")
    cluster = {"server": "https://a", "certificate-authority": "ca.pem", "tls-server-name": "b"}
    program = program_of({"apiVersion": V1, "command": "login", "provideClusterInfo": True}, cluster, tmp_path / "kubeconfig")
    info = {"server": "https://a", "certificate-authority-data": "Y2VydGlmaWNhdGVz", "tls-server-name": "b"}
    assert json.loads(program.environment["KUBERNETES_EXEC_INFO"])["spec"] == {"interactive": False, "cluster": info}


def test_file_of_a_token_is_beside_its_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    assert {login for _, login in calls_with(tmp_path, {"tokenFile": "token"})} == {"Bearer from-a-file"}


def test_context_without_a_user_logs_in_as_nobody(tmp_path: Path) -> None:
    with serving(QUIET) as (server, url):
        assert seen(kubeconfig(tmp_path, url), "nobody").silence == ""
    assert {login for _, login in server.calls} == {""}


def test_server_is_asked_through_the_proxy_of_its_kubeconfig(tmp_path: Path) -> None:
    through = {f"http://cluster.invalid{path}": answer for path, answer in QUIET.items()}
    with serving(through) as (proxy, url):
        found = seen(kubeconfig(tmp_path, "http://cluster.invalid", None, **{"proxy-url": url}))
    assert (found.silence, found.api_version) == ("", "1.36")
    assert {call.partition("/namespaces")[0] for call, _ in proxy.calls} >= {"GET http://cluster.invalid/version"}


def test_certificate_must_have_the_name_that_the_kubeconfig_says(tmp_path: Path, cluster_api: KubernetesApi) -> None:
    def named(name: str) -> str:
        trusted = {"certificate-authority": str(cluster_api.certificate), "tls-server-name": name}
        return str(kubeconfig(tmp_path, cluster_api.url, {"token": cluster_api.token}, **trusted))

    with observer(named("localhost")) as made:
        assert made._cluster.connection.get("version")["gitVersion"] == "v1.36.4"
    with observer(named("another.invalid")) as made, pytest.raises(UnreachableError, match="is another host's"):
        made._cluster.connection.get("version")


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [
        ({"token": "canary", "as": "canary"}, {}, "`as` of the kubeconfig's user is not possible with dtnctl"),
        ({"auth-provider": {"name": "canary"}}, {}, "`auth-provider` of the kubeconfig's user is not possible"),
        ({}, {"proxy-url": "socks5://canary"}, "`proxy-url` of the kubeconfig's cluster is neither http:// nor https://"),
        ({}, {"certificate-authority": "nowhere/ca.pem"}, "the certificates or the key of the kubeconfig cannot be used: No such file"),
        ({"client-certificate-data": "canary"}, {}, "the certificates or the key of the kubeconfig cannot be used"),
    ],
)
def test_what_is_not_possible_with_a_kubeconfig_is_refused(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], words: str
) -> None:
    silence = seen(kubeconfig(tmp_path, "https://127.0.0.1:1", user, **cluster)).silence
    assert words in silence
    assert "canary" not in silence


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
        ("canary: [", "lab", "the file is no kubeconfig"),
        ("canary", "lab", "the file is no kubeconfig"),
        ("contexts: []", "lab", "the file is no kubeconfig"),
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
        "the cluster refuses to show it: Unauthorized: the cluster does not know this login; has its token or certificate expired?"
    )


def test_node_that_is_not_there_is_silence_in_the_servers_words(tmp_path: Path) -> None:
    with serving(QUIET | {"/api/v1/nodes/n1": refused(404, 'nodes "n1" not found')}) as (_, url):
        assert seen(kubeconfig(tmp_path, url)).silence.endswith('nodes "n1" not found')


def test_node_that_the_cluster_has_no_word_of_is_silent(tmp_path: Path) -> None:
    def condition(status: str) -> tuple[int, Any]:
        ready = {"type": "Ready", "status": status, "message": "Kubelet stopped posting node status."}
        return 200, {"metadata": {"uid": "n-1"}, "status": {"conditions": [{"type": "DiskPressure", "status": "Unknown"}, ready]}}

    with serving(QUIET | {"/api/v1/nodes/n1": condition("Unknown")}) as (_, url):
        assert seen(kubeconfig(tmp_path, url)).silence.endswith(
            "the node n1 does not report to its cluster: Kubelet stopped posting node status."
        )
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
    ("status", "kind"), [(404, NotFoundError), (410, EngineError), (409, ConflictError), (422, EngineError), (500, EngineError)]
)
def test_refusals_have_kinds_and_the_servers_words(status: int, kind: type[EngineError]) -> None:
    error = refusal(status, json.dumps({"message": "because"}).encode())
    assert (type(error), str(error), error.status) == (kind, "because", status)


def test_server_that_is_too_busy_is_asked_again_when_it_says_so(tmp_path: Path) -> None:
    busy = refused(429, "too many requests")
    with serving(QUIET | {"/api/v1/nodes/n1": [busy, busy, NODE]}) as (server, url), observer(str(kubeconfig(tmp_path, url))) as made:
        server.headers["Retry-After"] = "0"
        assert made.engine_id() == "n-1"
        assert [call for call, _ in server.calls] == ["GET /api/v1/nodes/n1"] * 3


def test_server_that_stays_busy_has_refused(tmp_path: Path) -> None:
    with serving(QUIET | {"/api/v1/nodes/n1": refused(429, "too many requests")}) as (server, url):
        file = str(kubeconfig(tmp_path, url))
        with observer(file, timeouts=replace(SOON, read=0.5)) as made, pytest.raises(EngineError, match="has too much to do"):
            made._cluster.connection.get("api/v1/nodes/n1")
        assert len(server.calls) == 1, "without a word of the server's the next one would be a second later"


def test_list_that_grew_too_old_between_two_pages_is_read_from_the_start(tmp_path: Path) -> None:
    first = (200, {"items": [{"n": 1}], "metadata": {"continue": "more"}})
    path, gone = "/api/v1/things", refused(410, "The provided continue parameter is too old")
    with serving({path: [first, gone, first, (200, {"items": [{"n": 2}]})]}) as (_, url), observer(str(kubeconfig(tmp_path, url))) as made:
        assert made._cluster.connection.items("api/v1/things") == [{"n": 1}, {"n": 2}]
    with serving({path: [first, gone] * 4}) as (_, url), observer(str(kubeconfig(tmp_path, url))) as made:
        with pytest.raises(EngineError, match="too old") as caught:
            made._cluster.connection.items("api/v1/things")
        assert not isinstance(caught.value, NotFoundError), "what is not there would be a cluster without Multus"


@pytest.mark.parametrize(("minor", "words"), [("28+", "Kubernetes 1.28 is older than 1.29"), ("29", ""), ("", "")])
def test_cluster_that_is_too_old_gets_no_plan(tmp_path: Path, minor: str, words: str) -> None:
    with serving(QUIET | {"/version": (200, {"gitVersion": f"v1.{minor}.0", "major": "1", "minor": minor})}) as (_, url):
        assert seen(kubeconfig(tmp_path, url)).silence == (
            f"kubernetes://lab/dtn/n1: {words}, the oldest that dtnctl works with" if words else ""
        )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refused(404, "not found"), "the cluster has no namespace dtn: its admin has to create it"),
        ((200, {"metadata": {"deletionTimestamp": "2026-11-30T00:00:00Z"}}), "the namespace dtn is being deleted"),
        (refused(403, "forbidden"), ""),
        (refused(500, "broken"), "the cluster refuses to show it: broken"),
    ],
)
def test_namespace_that_is_not_there_is_no_empty_one(tmp_path: Path, answer: tuple[int, Any], words: str) -> None:
    with serving(QUIET | {"/api/v1/namespaces/dtn": answer}) as (_, url):
        silence = seen(kubeconfig(tmp_path, url)).silence
    assert words in silence
    assert bool(silence) is bool(words)


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
