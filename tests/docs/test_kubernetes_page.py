"""docs/kubernetes.md and the manifests that it offers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.kubernetes import KubernetesApi
from tests.kubernetes.given import given

CLONE = Path(__file__).parents[2]
PAGE = (CLONE / "docs/kubernetes.md").read_text()
AGENT = CLONE / "images/agent/daemonset.yaml"
MANIFESTS = (*sorted((CLONE / "docs/kubernetes").glob("*.yaml")), AGENT)
PLACES = {
    "Role": "apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
    "ClusterRole": "apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ServiceAccount": "api/v1/namespaces/default/serviceaccounts",
    "DaemonSet": "apis/apps/v1/namespaces/default/daemonsets",
}


def objects(manifest: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(manifest.read_text()))


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_an_api_server_knows_every_field_of_the_manifest(manifest: Path, cluster_api: KubernetesApi) -> None:
    for item in objects(manifest):
        cluster_api.call("POST", f"/{PLACES[item['kind']]}?fieldValidation=Strict&dryRun=All", item)


def test_every_manifest_is_on_the_page() -> None:
    assert [path.name for path in MANIFESTS if path.name not in PAGE] == []


def test_the_variables_on_the_page_are_those_that_the_scenarios_read() -> None:
    named = set(re.findall(r"(?:DTN_KUBERNETES|…)_([A-Z_]+)", PAGE))
    said = given({"KUBECONFIG": "a", **{f"DTN_KUBERNETES_{name}": name for name in named}})
    assert said is not None
    read = {name.upper() for name in said.__slots__ if name != "kubeconfig"}
    assert named == read
    assert [name for name in sorted(read) if getattr(said, name.lower()) != name] == []


def test_the_agent_has_the_same_capabilities_as_with_docker() -> None:
    (daemon_set,) = objects(AGENT)
    (container,) = daemon_set["spec"]["template"]["spec"]["containers"]
    recipe = (AGENT.parent / "Dockerfile").read_text()
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": re.findall(r"--cap-add ([A-Z_]+)", recipe)}
