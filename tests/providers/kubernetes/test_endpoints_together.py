"""Endpoints that are nodes of one cluster: what they ask for together, and what of each is its own."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dtnctl.model.resources import Wanted
from dtnctl.providers.kubernetes.api_server import ApiServer
from dtnctl.providers.kubernetes.login import Login
from dtnctl.providers.shared import Shared
from dtnctl.providers.timeouts import Timeouts
from tests.providers.kubernetes.small_server import kubeconfig, serving
from tests.providers.kubernetes.test_login import LEASE, QUIET, V1, observer, seen

STANDING = (200, {"items": [{"metadata": {"name": "x", "labels": {"dtnctl.endpoint": "other"}}}]})


def test_endpoints_of_one_cluster_log_in_once_and_ask_for_its_version_once(tmp_path: Path) -> None:
    (program := tmp_path / "login").write_text(f'#!/bin/sh\necho asked >>{tmp_path}/log\necho \'{{"status": {{"token": "t"}}}}\'\n')
    program.chmod(0o755)
    with serving(QUIET) as (server, url):
        file, shared = str(kubeconfig(tmp_path, url, {"exec": {"apiVersion": V1, "command": "./login"}})), Shared()
        with observer(file, shared=shared) as one, observer(file, shared=shared, namespace="other") as other:
            assert [made.observe(Wanted()).engine_version for made in (one, other)] == ["1.36.4", "1.36.4"]
            one.close()
            assert other.observe(Wanted()).silence == ""
    assert [call for call, _ in server.calls].count("GET /version") == 1
    assert (tmp_path / "log").read_text() == "asked\n"


def test_each_endpoint_of_a_cluster_that_cannot_be_reached_is_silent_by_its_own_name(tmp_path: Path) -> None:
    with serving({}) as (_, url):
        file, shared = str(kubeconfig(tmp_path, url, {"exec": {"apiVersion": V1, "command": "./not-there"}})), Shared()
    with observer(file, shared=shared) as one, observer(file, shared=shared, namespace="other") as other:
        silences = [made.observe(Wanted()).silence.partition(": ") for made in (one, other)]
    assert [address for address, _, _ in silences] == ["kubernetes://lab/dtn/n1", "kubernetes://lab/other/n1"]
    assert {words for _, _, words in silences} == {"the login's program cannot be started: not-there: No such file or directory"}


def test_endpoints_of_one_namespace_that_look_together_list_it_once(tmp_path: Path) -> None:
    with serving(QUIET | {"/api/v1/namespaces/dtn/pods": STANDING}) as (server, url), contextlib.ExitStack() as stack:
        file, shared = str(kubeconfig(tmp_path, url)), Shared()
        made = [stack.enter_context(observer(file, shared=shared)) for _ in range(4)]
        with ThreadPoolExecutor(len(made)) as pool:
            assert [seen.silence for seen in pool.map(lambda one: one.observe(Wanted()), made)] == [""] * 4
        listed = Counter(call for call, _ in server.calls)
        assert (listed["GET /version"], listed[f"GET {LEASE}"]) == (1, 4)
        assert listed["GET /api/v1/namespaces/dtn/pods"] < 4, "one where no thread is late"
        before = len(server.calls)
        assert made[0].observe(Wanted()).silence == ""
        assert len(server.calls) == before + 8, "the others do not look now"


def test_a_call_never_waits_for_the_answer_to_another_one(tmp_path: Path) -> None:
    """The server answers when all have asked; the usual client has 100 connections."""
    calls = 110
    together = threading.Barrier(calls)
    with serving({}) as (server, url), ThreadPoolExecutor(calls) as pool, contextlib.closing(ApiServer(Timeouts(connect=30.0))) as made:
        client, answer = made.client(Login(url)), server.answer

        def held(method: str, path: str, login: str) -> tuple[int, bytes]:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(30.0)
            return answer(method, path, login)

        server.answer = held  # type: ignore[method-assign]  # the same, when all have asked
        answers = list(pool.map(lambda _: client.get("/api/v1/nodes").json(), range(calls)))
    assert (answers, together.broken) == ([{"items": []}] * calls, False)


def test_a_look_at_what_stands_and_runs_no_transfer_is_nine_reads(tmp_path: Path) -> None:
    with serving(QUIET | {"/api/v1/namespaces/dtn/pods": STANDING}) as (server, url):
        assert seen(kubeconfig(tmp_path, url)).silence == ""
    assert sorted(call.removeprefix("GET ") for call, _ in server.calls) == [
        "/api/v1/namespaces/dtn/configmaps",
        "/api/v1/namespaces/dtn/pods",
        "/api/v1/namespaces/dtn/secrets",
        "/api/v1/nodes/n1",
        "/api/v1/pods",
        "/apis/apps/v1/namespaces/dtn/deployments",
        LEASE,
        "/apis/k8s.cni.cncf.io/v1/namespaces/dtn/network-attachment-definitions",
        "/version",
    ]
