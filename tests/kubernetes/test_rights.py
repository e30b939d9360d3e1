"""The Role that is shipped is enough, and has no verb too many: it is what a life of sessions and transfers asks for."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.kubernetes.conftest import ROLE
from tests.kubernetes.relay import ApiRelay, Call
from tests.kubernetes.scene import Scene


def granted(manifest: Path) -> set[Call]:
    """What the rules of the manifest allow."""
    role = next(item for item in yaml.safe_load_all(manifest.read_text()) if item["kind"] in ("Role", "ClusterRole"))
    return {
        Call(group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_role_allows_what_dtnctl_asks_for(scene: Scene, relay: ApiRelay) -> None:
    scene.session()
    scene.converge()
    asked = {call for call in relay.calls if call.resource}
    assert asked - granted(ROLE) <= {Call("", "nodes", "get")}, "a node's state is asked for, and may be refused"
