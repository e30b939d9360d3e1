"""The stand-in's Kubernetes proxy: calls go on as the account that Portainer has in the cluster, and answers come back as they are."""

from __future__ import annotations

import http.client
import re
import ssl
from http import HTTPStatus
from typing import Any

from lab.kubernetes import KubernetesApi

KUBERNETES = re.compile(r"/api/endpoints/(\d+)/kubernetes(/.*)")
PASSED_ON = ("accept", "content-type", "user-agent")


def pass_on_to_cluster(client: Any, cluster: KubernetesApi, target: str, body: bytes) -> None:
    """Ask the API server. Where it does not answer, Portainer's reverse proxy says 502 and nothing else."""
    match = KUBERNETES.fullmatch(target)
    assert match is not None
    headers = {name: value for name, value in client.headers.items() if name.lower() in PASSED_ON}
    trusted = ssl.create_default_context(cafile=str(cluster.certificate)) if cluster.certificate.exists() else None
    server = http.client.HTTPSConnection("127.0.0.1", cluster.port, timeout=20.0, context=trusted)
    try:
        server.request(client.command, match[2], body or None, headers | {"Authorization": f"Bearer {cluster.token}"})
        answer = server.getresponse()
        status, kind, content = answer.status, answer.getheader("Content-Type", ""), answer.read()
    except OSError:
        status, kind, content = HTTPStatus.BAD_GATEWAY, "", b""
    finally:
        server.close()
    client.send_response(status)
    client.send_header("Content-Type", kind)
    client.send_header("Set-Cookie", "portainer_api_key=canary; Path=/; HttpOnly")  # whoever sends it back needs a token against CSRF
    client.send_header("Content-Length", str(len(content)))
    client.end_headers()
    client.wfile.write(content)
