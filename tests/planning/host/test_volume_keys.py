"""Keys of volumes over NVMe-oF: both ends get them by reference, a plan shows that they changed and never what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dtnctl.model.actions import HostRequest
from dtnctl.model.plan import Plan, as_data
from dtnctl.model.resources import Snapshot
from dtnctl.model.secrets import SecretVariables
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope
from dtnctl.planning.secret_uses import secret_uses
from tests.planning.building import NOW, plan
from tests.planning.dtns import session
from tests.planning.host.volume_lab import SCRATCH, after, before, codes, lab, reads
from tests.planning.listing import changes, details, notes, says, steps
from tests.properties.world import World

ONE_WAY = SCRATCH + "auth: {host_key: {secret: env:HOST_KEY}}\n"
BOTH_WAYS = SCRATCH + "auth: {host_key: {secret: env:HOST_KEY}, controller_key: {secret: 'file:target.key'}}\n"
EXTERNAL = (
    "# volumes/scratch\ntarget: {external: {address: 10.20.0.9, nqn: 'nqn.2001-01.com.example:a', uuid: "
    "11111111-2222-4333-8444-555555555555}}\nfilesystem: xfs\nauth: {host_key: {secret: env:HOST_KEY}}\n"
)
FIRST = {"env:HOST_KEY": "k1:" + "1" * 32, "file:target.key": "k1:" + "2" * 32}
OTHER = {**FIRST, "env:HOST_KEY": "k1:" + "3" * 32}


def looked_at(seen: World, found: Mapping[str, str] = FIRST) -> Snapshot:
    """What is there, where the keys have these fingerprints."""
    return Snapshot({name: replace(item, secrets=found) for name, item in seen.observe().endpoints.items()})


def made(volume: str, found: Mapping[str, str] = FIRST) -> World:
    """As apply leaves it."""
    world = before(lab(volume, reads()))
    world.apply(plan(lab(volume, reads()), looked_at(world, found)))
    return world


def secrets_of(found: Plan) -> dict[str, SecretVariables]:
    return {step.id: step.action.secrets for step in found.steps if isinstance(step.action, HostRequest) and step.action.secrets}


def test_both_ends_are_made_with_the_keys_and_then_nothing_is_left_to_do() -> None:
    declared = lab(BOTH_WAYS, reads())
    first = plan(declared, looked_at(before(declared)))
    known = [("host_key", FIRST["env:HOST_KEY"], "env:HOST_KEY"), ("controller_key", FIRST["file:target.key"], "file:target.key")]
    for secrets in (found := secrets_of(first)).values():
        assert [(item.name, item.fingerprint, item.reference) for item in secrets] == known
    assert set(found) == {"b/export-volume/scratch", "a/connect-volume/scratch"}
    assert any("DH-HMAC-CHAP, of both ends" in line for line in details(first))
    assert plan(declared, looked_at(made(BOTH_WAYS))).is_empty


def test_steps_for_programs_name_the_references_and_hold_no_key() -> None:
    declared = lab(ONE_WAY, reads())
    found = plan(declared, looked_at(before(declared)))
    (step,) = [item for item in found.steps if item.id == "a/connect-volume/scratch"]
    data = as_data(step.action)
    assert (data["host_key"], data["secrets"][0]["reference"], data["fingerprint"]) == (None, "env:HOST_KEY", FIRST["env:HOST_KEY"])
    assert any("DH-HMAC-CHAP, of the host" in line for line in details(found))


def test_a_changed_key_cuts_off_who_has_the_volume_and_is_shown_as_changed() -> None:
    declared = lab(ONE_WAY, reads())
    found = plan(declared, looked_at(made(ONE_WAY), OTHER))
    says(
        [line for line in steps(found) if "volume" in line],
        """
        a/unmount-volume/scratch <- a/stop/lab.one
        a/disconnect-volume/scratch <- a/unmount-volume/scratch
        b/export-volume/scratch <- a/disconnect-volume/scratch
        a/connect-volume/scratch <- a/disconnect-volume/scratch, b/export-volume/scratch
        a/mount-volume/scratch <- a/connect-volume/scratch
        a/start/lab.one <- a/stop/lab.one, a/mount-volume/scratch (or back)
        """,
    )
    shown = {(item.field, item.before, item.after) for change in found.changes for item in change.fields if item.field == "auth"}
    assert shown == {("auth", "(secret)", "(secret, changed)")}
    assert not any(change.is_drift for change in found.changes)


def test_keys_that_are_declared_later_or_no_more_are_changes_too() -> None:
    with_keys, without = lab(ONE_WAY, reads()), lab(reads())
    shown = [(item.before, item.after) for change in plan(with_keys, looked_at(after(without))).changes for item in change.fields]
    assert ("none", "(secret)") in shown
    shown = [(item.before, item.after) for change in plan(without, looked_at(made(ONE_WAY))).changes for item in change.fields]
    assert ("(secret)", "none") in shown


def test_keys_that_were_not_looked_at_are_taken_as_unchanged_and_noted() -> None:
    declared = lab(BOTH_WAYS, reads())
    found = plan(declared, looked_at(made(BOTH_WAYS), {}))
    assert found.is_empty
    assert "auth.host_key of volume scratch (env:HOST_KEY): (secret, not looked at), taken as unchanged" in notes(found)
    first = plan(declared, looked_at(before(declared), {"env:HOST_KEY": FIRST["env:HOST_KEY"]}))
    assert "auth.controller_key of volume scratch (file:target.key): (secret, not looked at), apply will need it" in notes(first)
    assert [item.fingerprint for item in secrets_of(first)["a/connect-volume/scratch"]] == ["", ""]


def test_a_volume_that_is_given_up_needs_no_key() -> None:
    found = plan(lab(ONE_WAY), looked_at(made(ONE_WAY), {}))
    assert [line for line in notes(found) if "secret" in line] == []
    assert secrets_of(found) == {}
    assert changes(found) != []


def test_both_ends_look_the_keys_up_and_an_external_target_only_one() -> None:
    uses = secret_uses(lab(ONE_WAY, reads()), NOW, Scope())
    assert [(use.endpoint, use.variable, use.reference, use.is_key) for use in uses] == [
        ("a", "auth.host_key of volume scratch", "env:HOST_KEY", True),
        ("b", "auth.host_key of volume scratch", "env:HOST_KEY", True),
    ]
    assert [use.endpoint for use in secret_uses(lab(EXTERNAL, reads()), NOW, Scope())] == ["a"]
    assert secret_uses(lab(reads()), NOW, Scope()) == ()


def test_only_keys_of_what_a_run_is_about_are_looked_up() -> None:
    declared = lab(ONE_WAY, reads())
    assert secret_uses(declared, NOW, Scope(targets=("session/other",))) == ()
    assert {use.endpoint for use in secret_uses(declared, NOW, Scope(targets=("volume/scratch",)))} == {"a", "b"}


# --- a target has one pair of keys for each host ------------------------------------------------------------

HOME = ONE_WAY.replace("scratch", "home").replace("nvme1n1", "nvme2n1")
READS_HOME = '{volumes: ["nvme:home:/home"]}'


def two(*, on: str = "a") -> Site:
    """Sessions `one` and `two`, each with a volume of `b`."""
    return lab(ONE_WAY, HOME, reads(), session("two", READS_HOME, on=on))


def made_both(declared: Site) -> World:
    world = before(declared)
    world.apply(plan(declared, looked_at(world)))
    return world


KEPT = "b has one pair of keys for each host: other keys of volume {} are also those of volume {}, to which a could not connect again"


def test_other_keys_are_refused_while_another_volume_of_the_host_is_left_out() -> None:
    """The target changed the keys of both, and what was left out could not connect again."""
    declared = two()
    made = made_both(declared)
    for scope in ({"targets": ("session/one",)}, {"excludes": ("session/two", "volume/home")}):
        found = plan(declared, looked_at(made, OTHER), **scope)
        assert found.steps == ()
        assert KEPT.format("scratch", "home") in codes(found)[0]
        assert {change.fix for change in found.changes} == {"include session/two in this run"}
    found = plan(declared, looked_at(made, OTHER), targets=("session/one", "session/two"))
    assert (codes(found), {"b/export-volume/scratch", "b/export-volume/home"} - {step.id for step in found.steps}) == ([], set())


def test_a_new_volume_of_the_host_is_refused_where_it_would_change_the_keys_of_the_old_one() -> None:
    made_one = made(ONE_WAY)
    found = plan(two(), looked_at(made_one, OTHER), targets=("session/two",))
    assert KEPT.format("home", "scratch") in codes(found)[0]
    assert codes(plan(two(), looked_at(made_one), targets=("session/two",))) == []


def test_a_new_volume_of_the_host_is_planned_without_secrets_and_refused_if_it_has_no_keys() -> None:
    """A plan of a pull request has no secrets: what was not looked at is no difference."""
    made_one = made(ONE_WAY)
    found = plan(two(), looked_at(made_one, {}))
    assert codes(found) == []
    assert {"b/export-volume/home", "a/connect-volume/home", "a/start/lab.two"} <= {step.id for step in found.steps}
    assert "auth.host_key of volume home (env:HOST_KEY): (secret, not looked at), apply will need it" in notes(found)
    without_keys = lab(SCRATCH, HOME.partition("auth:")[0], reads(), session("two", READS_HOME))
    found = plan(without_keys, looked_at(made_one, {}), targets=("session/two",))
    assert KEPT.format("home", "scratch") in codes(found)[0]


def test_of_three_volumes_all_are_refused_if_one_is_left_out() -> None:
    third = ONE_WAY.replace("scratch", "work").replace("nvme1n1", "nvme3n1")
    declared = lab(ONE_WAY, HOME, third, reads(), session("two", READS_HOME), session("three", '{volumes: ["nvme:work:/work"]}'))
    found = plan(declared, looked_at(made_both(declared), OTHER), excludes=("session/three", "volume/work"))
    assert (found.steps, {text.partition(":")[0] for text in codes(found)}) == (
        (),
        {f"E0455 volume/{name} @ {end}" for name in ("home", "scratch") for end in "ab"},
    )


def test_a_volume_that_no_session_names_is_itself_what_has_to_be_included() -> None:
    made = made_both(two())
    found = plan(lab(ONE_WAY, reads()), looked_at(made, OTHER), excludes=("volume/home", "session/two"))
    assert {change.fix for change in found.changes} == {"include volume/home in this run"}


def test_volumes_of_different_hosts_have_keys_of_their_own() -> None:
    declared = two(on="c")
    found = plan(declared, looked_at(made_both(declared), OTHER), targets=("session/one",))
    assert (codes(found), "b/export-volume/scratch" in {step.id for step in found.steps}) == ([], True)
