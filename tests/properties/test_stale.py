"""R17: a plan that was shown is refused after every mutation that makes it another one, with the cause named, and after no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dtnctl.model.basis import basis_of
from dtnctl.model.ledger import Attempt
from dtnctl.model.ownership import LABEL_COMMIT
from dtnctl.model.plan import Plan
from dtnctl.model.resources import ForeignSeen, NetworkSeen, NetworkSpec, Subnet
from dtnctl.planning.stale import Moved, OtherRun, what_moved
from tests.planning.building import applied, change, drop, plan, site
from tests.properties.host import MOMENT, image
from tests.properties.world import World

NET = "# networks/net\ndriver: bridge\nsubnet: 10.0.0.0/24\n"
PROFILE = (
    "# profiles/default\nvolumes: [data:/data]\ndata_port_range: [50100, 50103]\n# profiles/lone\nmemory: 1GiB\n"
    "# profiles/next\ndata_port_range: [50200, 50203]\nctrl_port_range: [30010, 30019]\n"
)
BEFORE = f"{NET}{PROFILE}# sessions/s\nendpoints: [a, b]\nimage: dtn:1\nuser: dtn\nsettings: {{data_nets: [net]}}\n"
# One of each is planned: a replacement, a session, a transfer to start.
NOW = (
    BEFORE.replace("data_nets: [net]", "data_nets: [net], init: true")
    + "# sessions/n\nendpoints: [a]\nimage: dtn:1\nprofile: next\n# transfers/t\nfrom: a:/data/x\nto: b:/data/x\nsession: s\ntool: rsync\n"
)


def scene() -> tuple[str, World]:
    """The site as it was applied, with the image of the new session there, and the ledger."""
    made = applied(site(BEFORE))
    made._ensure_ledger(made.hosts["a"])
    return NOW, made


def shown() -> Plan:
    text, made = scene()
    return plan(site(text), made)


# --- what is written ----------------------------------------------------------------------------------------

EDITS: dict[str, tuple[str, str, bool]] = {
    "another image": ("image: dtn:1\nprofile: next", "image: dtn:2\nprofile: next", True),
    "more memory": ("data_nets: [net], init: true", "data_nets: [net], init: true, memory: 1GiB", True),
    "other ports": ("[30010, 30019]", "[30015, 30019]", True),
    "another state": ("endpoints: [a]\n", "endpoints: [a]\nstate: stopped\n", True),
    "another endpoint": ("endpoints: [a]\n", "endpoints: [a, b]\n", True),
    "another user": ("user: dtn", "user: other", True),
    "another subnet": ("10.0.0.0/24", "10.9.0.0/24", True),
    "another path": ("to: b:/data/x", "to: b:/data/y", True),
    "another generation": ("tool: rsync\n", "tool: rsync\ngeneration: 2\n", True),
    "another tool": ("tool: rsync\n", "tool: gridftp\n", True),
    "no session any more": (NOW[NOW.index("# sessions/n") : NOW.index("# transfers/t")], "", True),
    "no transfer any more": (NOW[NOW.index("# transfers/t") :], "", True),
    "a comment": ("image: dtn:1\nprofile", "image: dtn:1  # the new one\nprofile", False),
    "another order": ("endpoints: [a]\nimage: dtn:1\n", "image: dtn:1\nendpoints: [a]\n", False),
    "a profile that no session has": ("memory: 1GiB", "memory: 2GiB", False),
    "how much runs at once": (NET, f"# site\nname: lab\nlimits: {{parallel: 3}}\n{NET}", False),
    "a budget that is not touched": (NET, f"# site\nname: lab\nlimits: {{max_prune: 50%}}\n{NET}", False),
    "where receipts go": (NET, f"# site\nname: lab\nreceipts: {{remote: origin}}\n{NET}", False),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_that_matters_makes_another_plan_and_no_other_does(name: str) -> None:
    old, new, matters = EDITS[name]
    text, made = scene()
    assert old in text
    assert (plan(site(text.replace(old, new)), made).hash != shown().hash) == matters


# --- what happens on the endpoints --------------------------------------------------------------------------


def _foreign_at(made: World, port: int) -> None:
    made.hosts["a"].foreign.append(ForeignSeen("theirs", "f1", ((port, "tcp"),)))


def _foreign_network(made: World, subnet: str) -> None:
    made.hosts["a"].foreign_networks.append(NetworkSeen("theirs", "n9", {}, NetworkSpec("bridge", subnets=(Subnet(subnet),))))


def _network(made: World) -> NetworkSeen:
    found = made.hosts["a"].network("net")
    assert found is not None
    return found


def _without_network(made: World) -> None:
    del made.hosts["a"].networks[_network(made).id]


def _other_subnet(made: World) -> None:
    seen = _network(made)
    made.hosts["a"].networks[seen.id] = replace(seen, spec=replace(seen.spec, subnets=(Subnet("10.7.0.0/24"),)))


def _silent(made: World) -> None:
    made.hosts["b"].silence = "no answer"


def _without_ledger(made: World) -> None:
    drop(made, "a", "lab.control.ledger")


def _same_engine(made: World) -> None:
    for host in made.hosts.values():
        host.engine_id = "one"


HOST: dict[str, tuple[Callable[[World], object], bool]] = {
    "a container is gone": (lambda made: drop(made, "b", "lab.s"), True),
    "a container has stopped": (lambda made: change(made, "a", "lab.s", state="exited", exit_code=1), True),
    "a port is taken": (lambda made: _foreign_at(made, 30010), True),
    "a network is gone": (_without_network, True),
    "a network was changed": (_other_subnet, True),
    "an endpoint is silent": (_silent, True),
    "the ledger is gone": (_without_ledger, True),
    "two addresses lead to one engine": (_same_engine, True),
    "the image is gone": (lambda made: made.hosts["a"].images.clear(), True),
    "a port that nothing wants is taken": (lambda made: _foreign_at(made, 9999), False),
    "another network is there": (lambda made: _foreign_network(made, "10.200.0.0/24"), False),
    "another image is there": (lambda made: made.hosts["a"].images.update({"other:1": image("other:1")}), False),
    "a check has passed": (lambda made: change(made, "b", "lab.s", health="healthy"), False),
    "an engine is newer": (lambda made: setattr(made.hosts["a"], "cpus", 64), False),
}


@pytest.mark.parametrize("name", HOST)
def test_every_event_on_an_endpoint_that_matters_is_refused_and_named(name: str) -> None:
    mutate, matters = HOST[name]
    text, made = scene()
    mutate(made)
    now = plan(site(text), made)
    assert (now.hash != shown().hash) == matters
    moved = _moved(now)
    if matters:
        assert moved.host, "it is said what the endpoint did"
        assert not moved.runs


# --- what another run did -----------------------------------------------------------------------------------


def _replaced(made: World) -> None:
    """Another run carried the replacement out."""
    text = BEFORE.replace("data_nets: [net]", "data_nets: [net], init: true")
    made.apply(plan(site(text), made))
    for name in "ab":
        seen = made.hosts[name].by_name("lab.s")
        assert seen is not None
        change(made, name, "lab.s", labels={**seen.labels, LABEL_COMMIT: "9f8e7d6c5b4a"})


def _created(made: World) -> None:
    made.apply(plan(site(NOW[: NOW.index("# transfers/t")].replace(", init: true", "")), made))


def _started(made: World) -> None:
    made.hosts["a"].records["t", 1, 1] = Attempt("t", 1, 1, "gone", MOMENT, verdict="succeeded", who="ops@there", commit="9f8e7d6c5b4a")


def _removed(made: World) -> None:
    made.apply(plan(site("# profiles/default\n{}\n"), made, prune="100%"))


OTHERS: dict[str, tuple[Callable[[World], None], tuple[str, ...], str]] = {
    "replaced": (_replaced, ("session/s @ a", "session/s @ b"), "a: container lab.s was made again, by another run of commit 9f8e7d6"),
    "created": (_created, (), "a: container lab.n is new"),
    "started": (
        _started,
        (),
        "a: record t, generation 1, try 1 is new (result succeeded), by another run by ops@there of commit 9f8e7d6",
    ),
    "removed": (_removed, ("session/s @ a", "session/s @ b"), "a: container lab.s is gone, by apply of ops"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_another_run_did_is_refused_and_named_as_that(name: str) -> None:
    mutate, touched, said = OTHERS[name]
    text, made = scene()
    mutate(made)
    now = plan(site(text), made)
    assert now.hash != shown().hash
    places = (item.replace(" @ ", "/").split("/") for item in touched if name == "removed")
    run = OtherRun("apply of ops", frozenset((kind, session, endpoint) for kind, session, endpoint in places))
    moved = _moved(now, run)
    assert any(line.startswith(said) for line in moved.runs), moved


def test_what_was_removed_by_hand_after_a_run_had_made_it_is_not_said_to_be_gone_by_that_run() -> None:
    text, made = scene()
    drop(made, "a", "lab.s")
    place = frozenset({("session", "s", "a")})
    moved = _moved(plan(site(text), made), OtherRun("the newest", place, left_there=place), OtherRun("an older one", place))
    assert moved.runs == ()
    assert "a: container lab.s is gone" in moved.host


def _moved(now: Plan, *runs: OtherRun) -> Moved:
    before = shown()
    assert before.snapshot is not None
    assert now.snapshot is not None
    return what_moved(basis_of(before.snapshot), basis_of(now.snapshot), runs)


def test_a_plan_that_nothing_happened_to_has_moved_nowhere() -> None:
    moved = _moved(shown())
    assert (moved.host, moved.runs) == ((), ())
