"""A real Kubernetes API server on loopback: k8s.io/apiserver and its etcd, without controllers, nodes, defaulting and RBAC.

The server is one binary that the project does not ship; `shared/k8s` beside a clone has it. Where it is missing, `missing()` is the reason.
"""

from __future__ import annotations

import http.client
import json
import lzma
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.builder import UNTIL_WE_END
from lab.engines import missing_programs
from lab.images import cache_lock
from lab.layout import CLONE, LabError

PACKED = Path("shared") / "k8s" / "miniapi-1.36.4-linux-amd64.xz"
TOKEN = "lab"  # noqa: S105  of a server that only this machine reaches
START_SECONDS = 60.0
# https://github.com/k8snetworkplumbingwg/multi-net-spec, 1.3: 3.4.1
NETWORK_ATTACHMENT = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "network-attachment-definitions.k8s.cni.cncf.io"},
    "spec": {
        "group": "k8s.cni.cncf.io",
        "scope": "Namespaced",
        "names": {
            "plural": "network-attachment-definitions",
            "singular": "network-attachment-definition",
            "kind": "NetworkAttachmentDefinition",
            "shortNames": ["net-attach-def"],
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": {"type": "object", "properties": {"config": {"type": "string"}}}},
                    }
                },
            }
        ],
    },
}
# This server has no such type built in, as one of 1.34 and newer has. A kind of the same group and form stands for it.
# https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-claim-template-v1/
_REQUEST = {
    "type": "object",
    "required": ["name", "exactly"],
    "properties": {
        "name": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        "exactly": {
            "type": "object",
            "required": ["deviceClassName"],
            "properties": {
                "deviceClassName": {"type": "string", "minLength": 1},
                "allocationMode": {"type": "string", "enum": ["ExactCount", "All"], "default": "ExactCount"},
                "count": {"type": "integer", "minimum": 1, "default": 1},
                "selectors": {
                    "type": "array",
                    "maxItems": 32,
                    "items": {
                        "type": "object",
                        "properties": {"cel": {"type": "object", "properties": {"expression": {"type": "string"}}}},
                    },
                },
            },
        },
    },
}
_CLAIM = {"type": "object", "properties": {"devices": {"type": "object", "properties": {"requests": {"type": "array", "items": _REQUEST}}}}}
CLAIM_TEMPLATE = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "resourceclaimtemplates.resource.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, it stands for a built-in type"},
    },
    "spec": {
        "group": "resource.k8s.io",
        "scope": "Namespaced",
        "names": {"plural": "resourceclaimtemplates", "singular": "resourceclaimtemplate", "kind": "ResourceClaimTemplate"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {"spec": _CLAIM},
                                "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "spec is immutable"}],
                            }
                        },
                    }
                },
            }
        ],
    },
}


@dataclass(frozen=True, slots=True)
class KubernetesApi:
    """A running API server: where it listens, whom it trusts, and a kubeconfig (namespace `default`) for clients."""

    port: int
    token: str
    certificate: Path
    kubeconfig: Path

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, content: str = "application/json") -> Any:
        """The JSON answer of a call by somebody else; LabError with the server's own words unless it succeeds."""
        status, text = self._ask(method, path, None if body is None else json.dumps(body), content)
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise LabError(f"{method} {path}: {status} {text}")
        return json.loads(text)

    def answers(self, path: str) -> bool:
        """Whether this path answers 200 by now."""
        try:
            return self._ask("GET", path, None, "application/json")[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False

    def _ask(self, method: str, path: str, body: str | None, content: str) -> tuple[int, str]:
        trusted = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20.0, context=trusted)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self.token}", "Content-Type": content})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def packed_server() -> Path | None:
    """The server's binary as it was built, in the nearest `shared` folder above or beside the clone."""
    return next((found for folder in CLONE.parents if (found := folder / PACKED).exists()), None)


def missing() -> str | None:
    """Why no API server can be started here, in words that a skipped test can show; None when one can."""
    if packed_server() is None:
        return (
            f"no Kubernetes API server here: {PACKED} is neither beside this clone nor above it; `make test-kubernetes` takes any cluster"
        )
    return missing_programs("etcd", "setpriv")


@contextmanager
def kubernetes_api(folder: Path, cache: Path) -> Iterator[KubernetesApi]:
    """An API server that serves NetworkAttachmentDefinitions and ResourceClaimTemplates, with its data in `folder`.

    It ends with the block, and with us.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (store, peer, port), certificates = _free_ports(3), folder / "certificates"
    certificate = certificates / "apiserver.crt"
    api = KubernetesApi(port, TOKEN, certificate, folder / "kubeconfig")
    api.kubeconfig.write_text(_kubeconfig(api))
    with ExitStack() as stack:
        stack.enter_context(_running(_etcd(folder / "etcd", store, peer), folder / "etcd.log"))
        options = [f"--etcd-servers=http://127.0.0.1:{store}", f"--secure-port={port}", f"--cert-dir={certificates}", f"--token={TOKEN}"]
        server = stack.enter_context(_running([str(_server(cache)), *options], folder / "api.log"))
        _wait(api, "/readyz", server, folder / "api.log")
        for definition in (NETWORK_ATTACHMENT, CLAIM_TEMPLATE):
            api.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        for path in ("k8s.cni.cncf.io/v1/network-attachment-definitions", "resource.k8s.io/v1/resourceclaimtemplates"):
            _wait(api, f"/apis/{path}", server, folder / "api.log")
        yield api


def _server(cache: Path) -> Path:
    packed = packed_server()
    assert packed is not None, missing()
    binary = cache / packed.stem
    if not binary.exists():
        with cache_lock(cache):
            part = binary.with_suffix(".part")
            part.write_bytes(lzma.decompress(packed.read_bytes()))
            part.chmod(0o755)
            part.rename(binary)
    return binary


def _etcd(data: Path, port: int, peer: int) -> list[str]:
    own, other = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    places = [f"--listen-client-urls={own}", f"--advertise-client-urls={own}", f"--listen-peer-urls={other}"]
    cluster = [f"--initial-advertise-peer-urls={other}", f"--initial-cluster=default={other}"]
    return ["etcd", f"--data-dir={data}", *places, *cluster, "--unsafe-no-fsync", "--log-level=error"]


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output, subprocess.Popen([*UNTIL_WE_END, *command], stdout=output, stderr=output) as process:
        try:
            yield process
        finally:
            process.kill()


def _wait(api: KubernetesApi, path: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (api.certificate.exists() and api.answers(path)):
        if time.monotonic() > deadline or server.poll() is not None:
            raise LabError(f"the Kubernetes API server did not serve {path}:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        plugs = [stack.enter_context(socket.socket()) for _ in range(count)]
        for plug in plugs:
            plug.bind(("127.0.0.1", 0))
        return [plug.getsockname()[1] for plug in plugs]


def _kubeconfig(api: KubernetesApi) -> str:
    """JSON is YAML, too."""
    cluster = {"server": api.url, "certificate-authority": str(api.certificate)}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": "lab", "user": {"token": api.token}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab", "namespace": "default"}}],
            "current-context": "lab",
        }
    )
