"""A login of a cluster that this machine does not have is a mistake with its place, found before the cluster is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dtnctl.model.kubernetes_addresses import KubernetesAddress
from dtnctl.providers.kubernetes.login_faults import kubeconfig_paths, login_faults
from dtnctl.providers.local.files import find_local_problems
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.repository.load import load_site
from tests.repository.state_folder import ENDPOINT, NOW, write_state


def faults(root: Path, environment: Mapping[str, str], **login: Any) -> list[str]:
    context = {} if login.get("kubeconfig") == "in-cluster" else {"context": "c"}
    address = KubernetesAddress.model_validate({"node": "n", "namespace": "dtn", **context, **login})
    found = login_faults(address, root, environment, SecretSource(root, environment), root / "token")
    return [text.replace(f"{root}/", "") for text in found]


def test_a_login_that_can_be_read_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("x")
    (tmp_path / "token").write_text("x")
    assert faults(tmp_path, {}, kubeconfig="config") == []
    assert faults(tmp_path, {"KUBE": "x"}, kubeconfig={"secret": "env:KUBE"}) == []
    assert faults(tmp_path, {"KUBECONFIG": f"/none:{tmp_path}/config"}) == []
    assert faults(tmp_path, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, kubeconfig="in-cluster") == []


def test_without_a_file_kubectl_reads_the_one_of_the_user() -> None:
    assert kubeconfig_paths({"HOME": "/home/ann"}) == (Path("/home/ann/.kube/config"),)
    assert kubeconfig_paths({"KUBECONFIG": "/a::/b", "HOME": "/home/ann"}) == (Path("/a"), Path("/b"))


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ({"kubeconfig": "config"}, "cannot read config: no such file or directory"),
        ({"kubeconfig": {"secret": "env:KUBE"}}, "env:KUBE cannot be used: the environment variable KUBE is not set"),
        ({}, "cannot read .kube/config: no such file or directory"),
        (
            {"kubeconfig": "in-cluster"},
            "`kubeconfig: in-cluster` is for a dtnctl that runs in a pod with a service account, and this is none",
        ),
    ],
)
def test_one_that_cannot_is_named(tmp_path: Path, login: dict[str, Any], said: str) -> None:
    assert faults(tmp_path, {"HOME": str(tmp_path)}, **login) == [said]


def test_the_line_that_names_the_login_is_cited(tmp_path: Path) -> None:
    node = "kubernetes:\n  node: n\n  namespace: dtn\n  context: c\n  kubeconfig: none.yaml\nhost: h\n"
    write_state(tmp_path, {ENDPOINT: node + "interfaces: {data: eth1}\n"})
    (problem,) = find_local_problems(load_site(tmp_path, "state", NOW), tmp_path, {"PATH": "/usr/bin:/bin"})
    assert (problem.file, problem.line, problem.code) == (f"state/{ENDPOINT}", 5, "E0370")
