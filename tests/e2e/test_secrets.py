"""A secret on a real engine: in the environment of its container, and in nothing else that the engine or dtnctl shows."""

from __future__ import annotations

import json

import pytest

from dtnctl.model.secrets import LABEL_SECRETS
from tests.e2e.playground import Playground
from tests.sops_program import prepare

pytestmark = pytest.mark.lab

FIRST, SECOND = "canary-first-0123456789", "canary-second-0123456789"
SOPS = "canary-sops-0123456789"


def test_a_secret_reaches_its_container_alone_and_a_changed_one_recreates_it(play: Playground) -> None:
    sops = prepare(play.root / "outside", play.root / "secrets.yaml", {"s3": {"token": SOPS}})
    env = {"TOKEN": {"secret": "env:LAB_TOKEN"}, "S3": {"secret": "sops:secrets.yaml#s3.token"}, "MODE": "fast"}
    play.profile("keeper", env=env)
    play.session("run", profile="keeper")
    said = ""
    for value in (FIRST, SECOND):
        variables = {**sops, "LAB_TOKEN": value}
        for command in (["plan", "--detailed-exitcode"], ["apply", "--yes", "--debug"], ["plan", "-o", "json", "--detailed-exitcode"]):
            ran = play.run(*command, env=variables).expect(2 if command[:2] == ["plan", "--detailed-exitcode"] else 0)
            said += ran.out + ran.err
        assert ran.json["summary"]["changes"] == 0
        inspected = play.container("run")
        assert {f"TOKEN={value}", f"S3={SOPS}", "MODE=fast"} <= set(inspected["Config"].pop("Env"))
        assert set(json.loads(inspected["Config"]["Labels"][LABEL_SECRETS])) == {"S3", "TOKEN"}
        said += json.dumps(inspected)
    assert "(secret) → (secret, changed)" in said
    assert not [canary for canary in (FIRST, SECOND, SOPS) if canary in said]
    play.run("apply", "--yes").expect(65)
