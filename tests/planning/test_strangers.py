"""Objects that are not ours and have to do with us: what they keep us from, what is said of them, what is adopted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.actions import EnsureLedger
from dtnctl.model.ledger import LedgerSeen
from dtnctl.model.origin import origin_of, stranger_text
from dtnctl.model.resources import (
    LABEL_REPOSITORY,
    LABEL_SELF,
    LABEL_SITE,
    LABEL_SPEC,
    EndpointSeen,
    ForeignSeen,
    NetworkSeen,
    NetworkSpec,
    Snapshot,
    VolumeSeen,
    is_inherited,
    ledger_name,
)
from tests.planning.building import applied, plan, site, world
from tests.planning.listing import changes, details, notes, says
from tests.properties.world import World
from tests.repository.state_folder import SITE, problems

OURS, OTHER = "a1b2c3d4e5f6", "ffffffffffff"
ID = f"# site\nname: lab\nid: {OURS}\n"
ADOPTS = f"{ID}adopts: unlabelled\n"
SESSION = (
    "# networks/net\ndriver: bridge\n# sessions/one\nendpoints: [a]\nimage: dtn:1\nprofile: p\n# profiles/p\nuser: dtn\ndata_nets: [net]\n"
)
TRANSFER = "# transfers/t\nfrom: a:/d/x\nto: b:/d/x\ntool: gridftp\n"
MACVLAN = "driver: macvlan\nsubnet: 10.0.0.0/24"
BOTH = (
    SESSION.replace("driver: bridge", MACVLAN).replace("[a]", "[a, b]").replace("user: dtn", "user: dtn\nvolumes: [{target: /d}]")
    + TRANSFER
)


def labels(name: str, *, site: str = "lab", repository: str = "", endpoint: str = "a") -> dict[str, str]:
    found = {LABEL_SITE: site, LABEL_SELF: f"{endpoint}/{name}"}
    return found | ({LABEL_REPOSITORY: repository} if repository else {})


def with_foreign(made: World, *items: ForeignSeen) -> World:
    made.hosts["a"].foreign.extend(items)
    return made


def edited(made: World, **changed: object) -> Snapshot:
    """What is seen, with something else on endpoint a."""
    seen = made.observe()
    return Snapshot({**seen.endpoints, "a": replace(seen.endpoints["a"], **changed)})  # type: ignore[arg-type]  # fields of EndpointSeen


def foreign(name: str, **of: str) -> ForeignSeen:
    return ForeignSeen(name, f"id-{name}", labels=labels(name, **of))


# --- what it is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "repository", "words"),
    [
        (labels("lab.one", site="old", repository=OURS), OURS, "was made when this site was called old"),
        (labels("lab.one", repository=OTHER), OURS, f"is of the site lab of another repository (id {OTHER})"),
        (labels("lab.one", repository=OTHER), "", f"is of the site lab of another repository (id {OTHER})"),
        (labels("lab.two", repository=OURS), OURS, "was lab.two, renamed by hand"),
        (labels("lab.two"), "", "was lab.two, renamed by hand"),
        ({LABEL_SITE: "lab"}, "", "has this site's label and does not say what it was made as, so dtnctl did not make it like this"),
        (
            {LABEL_SITE: "lab", LABEL_SELF: "a/"},
            OURS,
            "has this site's label and does not say what it was made as, so dtnctl did not make it like this",
        ),
        (labels("lab.one", site="", repository=OURS), OURS, "was made by this repository and does not say for which site"),
        (labels("lab.one", repository=OURS, endpoint="z"), OURS, "was made as lab.one on the endpoint z"),
        (labels("lab.one"), OURS, "was made for the site lab by a repository without an id"),
        (labels("lab.one"), "", "was made for the site lab, which is another repository's on a"),
    ],
)
def test_an_object_that_is_not_ours_is_named_as_what_it_is(found: dict[str, str], repository: str, words: str) -> None:
    origin = origin_of(found, site="lab", repository=repository, endpoint="a", object_name="lab.one")
    assert origin is not None
    assert origin.text == words
    assert origin.fix


@pytest.mark.parametrize("found", [{}, labels("lab.one", site="else"), labels("lab.one", site="else", repository=OTHER)])
def test_an_object_that_has_nothing_to_do_with_us_is_not_spoken_of(found: dict[str, str]) -> None:
    assert origin_of(found, site="lab", repository=OURS, endpoint="a", object_name="lab.one") is None
    assert origin_of(found, site="lab", repository="", endpoint="a", object_name="lab.one") is None


def test_a_renamed_container_of_ours_is_named_and_never_touched() -> None:
    declared = site(ID + SESSION)
    taken = replace(foreign("mine"), labels=labels("lab.one", repository=OURS), host_ports=((8080, "tcp"),))
    found = plan(declared, with_foreign(applied(declared), taken))
    assert found.is_empty
    says(notes(found), "on a, not touched: container mine was lab.one, renamed by hand; try to rename it back, or to remove it")


def test_many_objects_of_another_repository_are_one_sentence() -> None:
    declared = site(ID + SESSION)
    made = with_foreign(applied(declared), *(foreign(f"lab.s{number}", repository=OTHER) for number in range(5)))
    (note,) = plan(declared, made).notes
    assert note.startswith(
        "on a, not touched: container lab.s0, container lab.s1, container lab.s2 and 2 more, each of which is of the site"
    )


@pytest.mark.parametrize(
    ("found", "words"), [({}, "that is not ours"), (labels("x", repository=OTHER), f"of another repository (id {OTHER})")]
)
def test_who_has_a_name_of_ours_is_said_as_far_as_it_is_known(found: dict[str, str], words: str) -> None:
    assert stranger_text(found, OURS) == words


def test_labels_are_inherited_only_where_all_of_ours_are_those_of_the_image() -> None:
    own = labels("lab.one")
    assert is_inherited({**own, "theirs": "1"}, own)
    assert not is_inherited({**own, LABEL_SPEC: "another"}, own)
    assert not is_inherited({"theirs": "1"}, {"theirs": "1"})


def test_to_adopt_needs_an_id_to_adopt_for(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {SITE: "name: lab\nadopts: unlabelled\n"})
    assert problem.startswith("state/site.yaml:1:1: E0207: `adopts:` needs `id:`")


@pytest.mark.parametrize("written", ["A1B2C3D4E5F6", "a1b2c3d4e5f", "a1b2c3d4e5f67", "g1b2c3d4e5f6", "''"])
def test_an_id_is_twelve_hexadecimal_digits(tmp_path: Path, written: str) -> None:
    (problem,) = problems(tmp_path, {SITE: f"name: lab\nid: {written}\n"})
    assert problem.startswith("state/site.yaml:2:5: E0206: `id`: ")


# --- what it keeps us from ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lab.one", "lab.one..old", "lab.one..new"])
def test_a_name_that_another_repository_has_blocks_the_session_with_its_id(name: str) -> None:
    declared = site(ID + SESSION)
    (blocked,) = plan(declared, with_foreign(world(declared), foreign(name, repository=OTHER))).blocked
    assert blocked.code == "E0420"
    assert blocked.cause.text == f"a container named {name} on a is of the site lab of another repository (id {OTHER})"
    assert blocked.fix == "another `name:` in state/site.yaml of one of the two repositories"


def test_a_network_that_was_made_under_the_sites_old_name_blocks_with_the_way_back() -> None:
    declared = site(ID + SESSION)
    made = world(declared)
    made.hosts["a"].foreign_networks.append(NetworkSeen("net", "id-net", labels("net", site="old", repository=OURS), NetworkSpec("bridge")))
    says(
        details(plan(declared, made)),
        """
        blocked session/one @ a: E0421
          because a network named net on a was made when this site was called old (state/networks/net.yaml:1)
          fix: `name: old` again, `dtnctl destroy`, then the new name
        """,
    )


def test_where_another_repository_keeps_its_records_one_without_an_id_does_nothing() -> None:
    declared = site(SESSION)
    (blocked,) = plan(declared, with_foreign(world(declared), foreign(ledger_name("lab"), repository=OTHER))).blocked
    assert (blocked.code, blocked.cause.place) == ("E0530", "state/site.yaml:1")
    assert blocked.cause.text == f"the site lab on a is that of another repository (id {OTHER})"


def test_where_another_repository_keeps_its_records_sessions_go_on_and_transfers_do_not() -> None:
    declared = site(ID + BOTH)
    found = plan(declared, with_foreign(world(declared), foreign(ledger_name("lab"), repository=OTHER)))
    assert [change.mark for change in found.changes if change.kind == "session"] == ["create", "create"]
    (blocked,) = found.blocked
    assert (blocked.kind, blocked.code) == ("transfer", "E0530")
    assert blocked.fix == "another `name:` in state/site.yaml of one of the two repositories"


def test_a_strangers_container_with_the_ledgers_name_blocks_transfers_alone() -> None:
    declared = site(BOTH)
    found = plan(declared, with_foreign(world(declared), ForeignSeen(ledger_name("lab"), "x")))
    (blocked,) = found.blocked
    assert (blocked.kind, blocked.code, blocked.fix) == ("transfer", "E0420", "to remove that container")


def test_a_container_of_ours_that_the_engine_does_not_show_blocks_its_session() -> None:
    declared = site(SESSION)
    hidden = replace(foreign("lab.one"), trouble="permission denied")
    (blocked,) = plan(declared, with_foreign(world(declared), hidden)).blocked
    assert (blocked.code, blocked.fix) == ("E0532", "to look at that engine")
    assert blocked.cause.text == "the engine of a does not show the container lab.one: permission denied"


def test_an_image_that_the_engine_does_not_take_blocks_its_services_alone() -> None:
    declared = site(SESSION + "# sessions/two\nendpoints: [a]\nimage: odd:1\n")
    found = plan(declared, edited(world(declared), image_troubles={"odd:1": "invalid reference"}))
    assert changes(found)[:1] == ["blocked session/two @ a: E0531"]
    assert any(line.startswith("create session/one @ a") for line in changes(found))


def test_a_volume_that_the_engine_does_not_show_blocks_its_services_alone() -> None:
    declared = site(SESSION.replace("user: dtn", "user: dtn\nvolumes: ['vol:/v']") + "# sessions/two\nendpoints: [a]\nimage: dtn:1\n")
    found = plan(declared, edited(world(declared), volumes={"vol": VolumeSeen("vol", trouble="permission denied")}))
    (blocked,) = found.blocked
    assert (blocked.name, blocked.code) == ("one", "E0533")
    assert blocked.cause.text == "the engine of a does not show the volume vol: permission denied"


def test_a_record_that_cannot_be_read_makes_its_transfers_unknown() -> None:
    declared = site(BOTH)
    made = applied(declared)
    found = plan(declared, edited(made, ledger=LedgerSeen(trouble="its records folder is a symbolic link")))
    assert found.is_empty
    says(notes(found), "t generation 1 unknown: its record on a cannot be read: its records folder is a symbolic link")


# --- two names of one engine --------------------------------------------------------------------------------


def test_nothing_is_planned_on_two_endpoints_that_are_one_engine() -> None:
    text = SESSION + "# sessions/two\nendpoints: [c]\nimage: dtn:1\n"
    text += "".join(f"# endpoints/{name}\ndocker: unix:///{name}\nhost: {name}\n" for name in "abc")
    made = applied(site(text))
    declared = site(text.replace("# sessions/one\nendpoints: [a]\nimage: dtn:1\nprofile: p\n", ""))
    made.hosts["a"].engine_id = made.hosts["b"].engine_id = "same"
    found = plan(declared, made)
    assert found.is_empty
    assert found.notes == ("a and b are one engine: nothing is planned on either",)
    assert found.silent == ()


def test_an_endpoint_that_has_containers_of_one_that_is_not_seen_may_be_its_engine_by_another_name() -> None:
    text = "".join(
        f"# endpoints/{name}\ndocker: unix:///{name}\nhost: {name}\nlabels: {{region: {region}}}\n"
        for name, region in (("a", "eu"), ("b", "us"))
    )
    declared = site(text + "# sessions/one\nendpoints: [a]\nimage: dtn:1\n# sessions/two\nendpoints: [b]\nimage: dtn:1\n")
    made = world(declared)
    made.apply(plan(declared, made, label="region=us"))
    (two,) = (item for item in made.hosts["b"].containers.values() if item.name == "lab.two")
    made.hosts["a"].foreign.append(ForeignSeen(two.name, two.id, labels=two.labels))
    assert not plan(declared, made).blocked, "b is seen, and is another engine"
    found = plan(declared, made, label="region=eu")
    assert [(item.code, item.endpoint, item.name) for item in found.blocked] == [("E0491", "a", "one")]
    (blocked,) = found.blocked
    assert blocked.cause.text == "a has the container lab.two of b, which was not seen: they may be one engine"
    assert blocked.fix.startswith("a run that asks b, too; if they are two engines, remove that container; else `docker:` of a or b with")
    assert found.notes == ("a has the container lab.two of b, which was not seen: they may be one engine: nothing is planned on it",)
    made.hosts["b"].silence = "no answer"
    assert {item.code for item in plan(declared, made).blocked} == {"E0491"}


@pytest.mark.parametrize("of", [{"site": "other"}, {"endpoint": "gone"}, {"repository": "0123456789ab"}])
def test_containers_of_other_sites_repositories_and_endpoints_without_a_file_make_no_twin(of: dict[str, str]) -> None:
    declared = site(SESSION)
    made = with_foreign(world(declared), foreign("lab.x", **({"endpoint": "b"} | of)))
    made.hosts["b"].silence = "no answer"
    assert not plan(declared, made).blocked
    assert [item.code for item in plan(declared, with_foreign(made, foreign("lab.y", endpoint="b"))).blocked] == ["E0491"]


# --- adoption -----------------------------------------------------------------------------------------------


def test_what_is_there_from_before_the_id_is_adopted_in_a_step_that_everybody_sees() -> None:
    made = applied(site(SESSION))
    declared = site(ADOPTS + SESSION)
    says(
        details(plan(declared, made)),
        f"""
        update ledger/lab.control.ledger @ a: adopts container lab.one, network net for the repository {OURS}; none of
              them is changed
          because made before the repository had an id (state/site.yaml:3)
        """,
    )
    assert [step.action for step in plan(declared, made).steps] == [EnsureLedger("/var/lib/dtnctl/lab")]


def adopted(made: World) -> World:
    """The placeholder containers carry the id, as a provider makes them."""
    for host in made.hosts.values():
        for key, item in host.containers.items():
            if item.name == ledger_name("lab"):
                host.containers[key] = replace(item, labels={**item.labels, LABEL_REPOSITORY: OURS})
    return made


def test_after_an_adoption_nothing_is_left_to_do() -> None:
    made = applied(site(BOTH))
    declared = site(ADOPTS + BOTH)
    made.apply(plan(declared, made))
    assert plan(declared, adopted(made)).is_empty


def test_a_transfer_waits_until_its_placeholder_container_is_made_with_the_id() -> None:
    made = applied(site(BOTH))
    declared = site(ADOPTS + BOTH + "generation: 2\n")
    seen = made.observe().endpoints["a"]
    found = plan(declared, edited(made, ledger=replace(seen.ledger, is_unsigned=True)))
    start = next(step for step in found.steps if step.id == "a/transfer/t")
    assert "a/ledger/ensure" in start.needs
    assert [step.id for step in found.steps].count("a/ledger/ensure") == 1


def test_where_nothing_is_there_nothing_is_adopted() -> None:
    assert [change.kind for change in plan(site(ADOPTS + SESSION), EMPTY).changes] == ["network", "session"]


def test_an_adoption_is_left_for_later_where_the_run_is_about_something_else() -> None:
    made = applied(site(SESSION))
    declared = site(ADOPTS + SESSION)
    assert plan(declared, made, targets=("session/one",)).is_empty
    assert [change.mark for change in plan(declared, made, destroy=True).changes] == ["destroy", "destroy"]


EMPTY = Snapshot({name: EndpointSeen(name) for name in "ab"})
