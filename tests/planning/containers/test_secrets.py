"""Secrets of a container are compared by fingerprints: a plan shows that one changed, and never what it is."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.actions import CreateContainer
from dtnctl.model.plan import Plan
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope
from dtnctl.planning.resolve import wanted_by_endpoint
from dtnctl.planning.secret_uses import secret_uses, with_secrets
from tests.planning.building import NOW, change, plan, site, world
from tests.properties.world import World

FIRST, SECOND = "k1:" + "1" * 32, "k1:" + "2" * 32
DECLARED = """
# profiles/p
env: {TOKEN: {secret: env:TOKEN}, MODE: fast}
# sessions/s
endpoints: [a]
image: dtn:1
profile: p
"""


def looked_at(seen: World, fingerprint: str = FIRST) -> Snapshot:
    """What is there, where the secret has this fingerprint; empty: it was not looked at."""
    found = {"env:TOKEN": fingerprint} if fingerprint else {}
    return Snapshot({name: replace(item, secrets=found) for name, item in seen.observe().endpoints.items()})


def made(declared: Site, fingerprint: str = FIRST) -> World:
    """The site's endpoints as apply leaves them."""
    found = world(declared)
    found.apply(plan(declared, looked_at(found, fingerprint)))
    return found


def fields_of(found: Plan) -> list[tuple[str, str, str]]:
    return [(item.field, item.before, item.after) for change in found.changes for item in change.fields]


def test_a_secret_that_is_as_it_was_changes_nothing() -> None:
    declared = site(DECLARED)
    assert plan(declared, looked_at(made(declared))).is_empty


def test_a_secret_that_changed_makes_a_new_container_and_names_its_line() -> None:
    declared = site(DECLARED)
    found = plan(declared, looked_at(made(declared), SECOND))
    assert fields_of(found) == [("env.TOKEN", "(secret)", "(secret, changed)")]
    (item,) = found.changes
    assert item.mark == "replace"
    assert (item.fields[0].cause.file, item.fields[0].cause.line) == ("state/profiles/p.yaml", 1)


def test_the_hash_of_the_plan_changes_with_the_secret() -> None:
    declared = site(DECLARED)
    empty = world(declared)
    hashes = {plan(declared, looked_at(empty, text)).hash for text in (FIRST, SECOND, "")}
    assert len(hashes) == 3
    assert plan(declared, looked_at(empty)).hash == plan(declared, looked_at(empty)).hash


def test_a_container_is_created_with_the_reference_and_the_fingerprint_alone() -> None:
    declared = site(DECLARED)
    (create,) = [step.action for step in plan(declared, looked_at(world(declared))).steps if isinstance(step.action, CreateContainer)]
    (variable,) = create.spec.secrets
    assert (variable.name, variable.reference, variable.fingerprint) == ("TOKEN", "env:TOKEN", FIRST)
    assert "TOKEN" not in dict(create.spec.env)
    assert dict(create.spec.env)["MODE"] == "fast"


def test_a_secret_that_was_not_looked_at_is_taken_as_unchanged_and_noted() -> None:
    declared = site(DECLARED)
    found = plan(declared, looked_at(made(declared), ""))
    assert found.is_empty
    assert "env.TOKEN of session s on a (env:TOKEN): (secret, not looked at), taken as unchanged" in found.notes


def test_a_plan_for_another_change_has_the_same_hash_whether_an_unchanged_secret_was_looked_at_or_not() -> None:
    seen, declared = made(site(DECLARED)), site(DECLARED.replace("fast", "slow"))
    looked, unlooked = (plan(declared, looked_at(seen, text)) for text in (FIRST, ""))
    assert fields_of(looked) == fields_of(unlooked) == [("env.MODE", "fast", "slow")]
    assert looked.hash == unlooked.hash


def test_a_new_secret_that_was_not_looked_at_is_planned_all_the_same() -> None:
    declared = site(DECLARED)
    found = plan(declared, looked_at(world(declared), ""))
    assert [item.mark for item in found.changes if item.kind == "session"] == ["create"]
    assert "env.TOKEN of session s on a (env:TOKEN): (secret, not looked at), apply will need it" in found.notes


def test_a_variable_that_becomes_a_secret_does_not_show_what_it_was() -> None:
    seen = made(site(DECLARED.replace("{secret: env:TOKEN}", "in-the-open")))
    found = plan(site(DECLARED), looked_at(seen))
    assert fields_of(found) == [("env.TOKEN", "(not shown)", "(secret, new)")]
    assert fields_of(plan(site(DECLARED), looked_at(seen, ""))) == [("env.TOKEN", "(not shown)", "(secret, not looked at)")]


def test_a_secret_that_becomes_a_plain_variable_or_goes_does_not_show_what_it_was() -> None:
    seen = made(site(DECLARED))
    plain = plan(site(DECLARED.replace("{secret: env:TOKEN}", "open")), looked_at(seen))
    assert fields_of(plain) == [("env.TOKEN", "(secret)", "open")]
    gone = plan(site(DECLARED.replace("TOKEN: {secret: env:TOKEN}, ", "")), looked_at(seen))
    assert fields_of(gone) == [("env.TOKEN", "(secret)", "(not set)")]


def test_a_further_secret_is_new() -> None:
    seen = made(site(DECLARED.replace("TOKEN: {secret: env:TOKEN}, ", "")))
    assert fields_of(plan(site(DECLARED), looked_at(seen))) == [("env.TOKEN", "(not set)", "(secret, new)")]
    assert fields_of(plan(site(DECLARED), looked_at(seen, ""))) == [("env.TOKEN", "(not set)", "(secret, not looked at)")]


def test_another_reference_to_the_same_value_changes_nothing() -> None:
    seen, declared = made(site(DECLARED)), site(DECLARED.replace("env:TOKEN", "file:token"))
    snapshot = Snapshot({name: replace(item, secrets={"file:token": FIRST}) for name, item in seen.observe().endpoints.items()})
    assert plan(declared, snapshot).is_empty


def test_what_a_hand_changed_beside_an_unchanged_secret_is_drift() -> None:
    declared = site(DECLARED)
    seen = made(declared)
    change(seen, "a", "lab.s", memory=1024**3)
    (item,) = plan(declared, looked_at(seen)).changes
    assert item.is_drift


def test_a_secret_of_the_image_s_own_name_replaces_what_the_image_says() -> None:
    declared = site(DECLARED)
    empty = world(declared)
    for host in empty.hosts.values():
        host.images["dtn:1"] = replace(host.images["dtn:1"], env=(("TOKEN", "default"),))
    empty.apply(plan(declared, looked_at(empty)))
    assert plan(declared, looked_at(empty)).is_empty
    for host in empty.hosts.values():
        host.images = {}
    assert fields_of(plan(declared, looked_at(empty))) == []


def test_what_is_looked_up_is_what_covered_services_use_each_with_its_place() -> None:
    declared = site(
        DECLARED + "overrides:\n  a:\n    env:\n      KEY: {secret: 'sops:s.yaml#k'}\n# sessions/t\nendpoints: [b]\nimage: dtn:1\n"
    )
    uses = secret_uses(declared, NOW, Scope())
    assert [(use.reference, use.file, use.line, use.column) for use in uses] == [
        ("sops:s.yaml#k", "state/sessions/s.yaml", 7, 21),
        ("env:TOKEN", "state/profiles/p.yaml", 1, 23),
    ]
    wanted = with_secrets(wanted_by_endpoint(declared, NOW), uses)
    assert {name: item.secrets for name, item in wanted.items()} == {"a": {"env:TOKEN", "sops:s.yaml#k"}, "b": frozenset()}
    assert secret_uses(declared, NOW, Scope(targets=("session/t",))) == ()
    assert secret_uses(declared, NOW, Scope(destroy=True)) == ()


def test_the_deployment_key_may_be_a_secret_and_is_not_empty_beside_it() -> None:
    declared = site(DECLARED.replace("TOKEN: {", "DEPLOYMENT_KEY: {"))
    (made_step,) = [step.action for step in plan(declared, looked_at(world(declared))).steps if isinstance(step.action, CreateContainer)]
    assert [variable.name for variable in made_step.spec.secrets] == ["DEPLOYMENT_KEY"]
    assert "DEPLOYMENT_KEY" not in dict(made_step.spec.env)
    assert plan(declared, looked_at(made(declared))).is_empty
