"""The manifests of rights that are shipped are enough, and have no verb too many: a life of sessions and transfers asks for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.kubernetes.conftest import NODE_READER, ROLE
from tests.kubernetes.relay import ApiRelay, Call
from tests.kubernetes.scene import SITE, Scene, service
from tests.kubernetes.test_transfers import docker_to_node_and_back

WHERE_ASKED = {
    Call("", "pods/exec", "create"),  # by API servers from 1.35 on, of one and the same call
    Call("", "namespaces", "get"),  # of a namespace in which nothing shows that it stands
}


def granted(manifest: Path) -> Iterator[Call]:
    """What the rules of the manifest allow."""
    role = next(item for item in yaml.safe_load_all(manifest.read_text()) if item["kind"] in ("Role", "ClusterRole"))
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                yield from (Call(group, resource, verb, namespaced=role["kind"] == "Role") for verb in rule["verbs"])


def test_rights_are_those_that_dtnctl_uses(data: Scene, relay: ApiRelay, tmp_path: Path) -> None:
    before = len(relay.calls)
    docker_to_node_and_back(data)
    (tmp_path / "password").write_text("canary-77aa")
    data.write("site", {"name": SITE, "fingerprint_key": {"secret": f"file:{tmp_path / 'key'}"}})
    (tmp_path / "key").write_text("k" * 64)
    secret = {"PASSWORD": {"secret": f"file:{tmp_path / 'password'}"}}
    data.profile("tiny", env=secret, memory="900GiB")
    data.session()
    refused = data.apply("--timeout", "20s")
    assert "Insufficient memory" in " ".join((refused.out + refused.err).split())
    data.profile("tiny", env=secret)
    data.converge()
    assert "canary-77aa" in data.cluster.sh(service("run"), "echo $PASSWORD")
    data.run("sessions", "logs", "run").expect(0)
    data.leave()
    asked = {call for call in relay.calls[before:] if call.resource}
    role, reader = set(granted(ROLE)), set(granted(NODE_READER))
    assert words(asked - role - reader) == ""
    assert words((role | reader) - asked - WHERE_ASKED) == ""


def words(calls: set[Call]) -> str:
    return ", ".join(f"{call.verb} {call.group}/{call.resource}{'' if call.namespaced else ' of the cluster'}" for call in sorted(calls))
