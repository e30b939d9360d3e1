"""The API server of the tests: a real one, with real server-side apply, and gone when it is no longer needed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lab import LabError
from lab.kubernetes import KubernetesApi, kubernetes_api, missing
from lab.layout import default_cache

APPLY = "application/apply-patch+yaml"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
NETWORKS = "/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions"


def config_map(value: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"key": value}}


def test_another_field_manager_conflicts(cluster_api: KubernetesApi) -> None:
    cluster_api.call("PATCH", f"{CONFIG_MAPS}/a?fieldManager=first", config_map("one"), APPLY)
    with pytest.raises(LabError, match=r'409 .*conflict with \\"first\\"'):
        cluster_api.call("PATCH", f"{CONFIG_MAPS}/a?fieldManager=second", config_map("two"), APPLY)
    cluster_api.call("DELETE", f"{CONFIG_MAPS}/a")


def test_networks_of_multus_are_served(cluster_api: KubernetesApi) -> None:
    network = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "data"},
        "spec": {"config": json.dumps({"cniVersion": "1.0.0", "type": "macvlan"})},
    }
    cluster_api.call("POST", NETWORKS, network)
    assert cluster_api.call("DELETE", f"{NETWORKS}/data")["status"] == "Success"


def test_a_server_ends_with_its_block(tmp_path: Path) -> None:
    if reason := missing():
        pytest.skip(reason)
    with kubernetes_api(tmp_path / "api", default_cache()) as api:
        assert running(tmp_path) == 2, "etcd and the server"
        assert json.loads(api.kubeconfig.read_text())["clusters"][0]["cluster"]["server"] == api.url
    assert not api.answers("/readyz")
    assert running(tmp_path) == 0


def running(folder: Path) -> int:
    """The processes whose command line has the folder in it."""
    lines = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                lines.append((process / "cmdline").read_bytes())
            except OSError:  # it ended meanwhile
                continue
    return sum(str(folder).encode() in line for line in lines)
