"""More is asked for than there is: branches compete by their number for what is chosen when planning."""

from __future__ import annotations

from dtnctl.planning.branches.spans import is_within, joined, meet, rows_of, runs, size, without
from tests.planning.branches.scene import check, declared, lines, with_session
from tests.planning.building import site

FUNCTIONS = """
# endpoints/a
docker: unix:///run/a.sock
host: a.example.net
agent: unix:///run/agent.sock
interfaces: {fast: eth1}
vfs: {eth1: 3}
# endpoints/b
docker: ssh://dtn@b.example.net
host: b.example.net
agent: ssh
interfaces: {fast: eth2}
vfs: {eth2: 4}
# endpoints/c
docker: ssh://dtn@c.example.net
agent: ssh
interfaces: {fast: eth3}
# networks/fast
driver: sriov
subnet: 10.0.0.0/24
"""


def functions(name: str, endpoints: str = "a", settings: str = "data_nets: [fast]") -> str:
    return f"{FUNCTIONS}# sessions/{name}\nendpoints: [{endpoints}]\nimage: dtn:1\nsettings: {{{settings}}}\n"


def test_two_branches_want_the_last_virtual_functions_of_an_interface() -> None:
    base = with_session(declared(site(FUNCTIONS)), functions("old"))
    first = with_session(with_session(base, functions("x1")), functions("x2"))
    second = with_session(base, functions("y"))
    branches = {"first": first, "second": second}
    assert lines(check(base, branches, "second")) == [
        "✖ second: virtual functions of eth1 on a; there are 3, and 4 are claimed: 1 by the base, 1 by this branch, 2 by first; "
        "try 0 left for this branch; more of them by `vfs: {eth1: …}` in state/endpoints/a.yaml, or b, which has 4 left on eth2"
    ]
    assert lines(check(base, branches, "first")) == [
        "! first: virtual functions of eth1 on a; there are 3, and 4 are claimed: 1 by the base, 2 by this branch, 1 by second (later); "
        "try 1 left for this branch; more of them by `vfs: {eth1: …}` in state/endpoints/a.yaml, or b, which has 4 left on eth2"
    ]
    assert lines(check(base, {"second": second}, "second")) == []


def test_the_base_alone_may_have_taken_all() -> None:
    base = declared(site(FUNCTIONS))
    for name in ("o1", "o2", "o3"):
        base = with_session(base, functions(name, "a, b"))
    report = check(base, {"more": with_session(base, functions("more", "a, b"))}, "more")
    assert lines(report) == [
        "✖ more: virtual functions of eth1 on a; there are 3, and 4 are claimed: 3 by the base, 1 by this branch; "
        "try 0 left for this branch; more of them by `vfs: {eth1: …}` in state/endpoints/a.yaml"
    ]
    assert report.collisions[0].holders == ()


def test_functions_and_cpus_of_which_the_number_is_not_declared_are_not_decided() -> None:
    base = declared(site(FUNCTIONS))
    branch = with_session(base, functions("s", "c", "data_nets: [fast], cpus: 8, near: any, ctrl_port_range: null"))
    report = check(base, {"s": branch}, "s")
    assert [(item.what, item.amount) for item in report.undecided] == [("CPUs on c", 8), ("virtual functions of eth3 on c", 1)]
    assert [claim.text for claim in report.claims] == ["1 of 10.0.0.2-10.0.0.254", "8", "1"]


def test_services_that_are_given_a_port_of_one_range_compete_by_number() -> None:
    base = declared(site(""))
    session = "# sessions/{0}\nendpoints: [a]\nimage: dtn:1\nsettings: {{ctrl_port_range: [30000, 30001]}}\n"
    base = with_session(base, session.format("old"))
    one, two = (with_session(base, session.format(name)) for name in ("one", "two"))
    (line,) = lines(check(base, {"one": one, "two": two}, "two"))
    assert line == (
        "✖ two: ports 30000-30001/tcp on a; there are 2, and 3 are claimed: 1 by the base, 1 by this branch, 1 by one; "
        "try 0 left for this branch; a wider range"
    )
    # the same session in both branches is one service
    assert lines(check(base, {"one": one, "same": with_session(base, session.format("one"))})) == []


def test_a_port_by_name_may_take_the_last_one_of_a_range_from_others() -> None:
    session = "# sessions/old\nendpoints: [a]\nimage: dtn:1\nsettings: {ctrl_port_range: [30000, 30001]}\n"
    base = with_session(declared(site("")), session)
    text = "# sessions/new\nendpoints: [a]\nimage: dtn:1\nsettings: {ctrl_port_range: null, exposed_ports: [30000-30001]}\n"
    (line,) = lines(check(base, {"new": with_session(base, text)}, "new"))
    assert line == (
        "✖ new: ports 30000-30001/tcp on a; there are 2, and 3 are claimed: 1 by the base, 2 by this branch; "
        "try 1 left for this branch; a wider range"
    )


def test_addresses_of_a_pool_and_of_a_list_run_out() -> None:
    text = "# networks/data\ndriver: macvlan\nsubnet: 10.0.0.0/24\naddresses: 10.0.0.64-10.0.0.65\n"
    base = declared(site(text))
    session = "# sessions/{0}\nendpoints: [a]\nimage: dtn:1\nsettings: {{mgmt_net: null, data_nets: [{1}]}}\n"
    lists = "{name: data, ipv4: [10.0.0.70, 10.0.0.72]}"
    for net, what in (("data", "addresses 10.0.0.64-10.0.0.65 of network data"), (lists, "addresses 10.0.0.70-10.0.0.72 of network data")):
        branches = {name: with_session(base, text + session.format(name, net)) for name in ("one", "two", "three")}
        (collision,) = check(base, branches, "three").collisions
        assert collision.what == what
        assert collision.fix == "0 left for this branch; a wider pool (`addresses` of the network)"
        assert [holder.branches for holder in collision.holders] == [("one",), ("two",)]


def test_a_wider_pool_is_no_new_claim_of_the_sessions_that_use_it() -> None:
    base = with_session(declared(site(FUNCTIONS)), functions("old"))
    wider = with_session(declared(site(FUNCTIONS.replace("eth1: 3", "eth1: 8"))), functions("old").replace("eth1: 3", "eth1: 8"))
    report = check(base, {"wider": wider}, "wider")
    assert (report.claims, report.collisions) == ((), ())


def test_a_branch_that_removes_a_session_claims_nothing() -> None:
    base = with_session(declared(site(FUNCTIONS)), functions("old"))
    assert check(base, {"less": declared(site(FUNCTIONS))}, "less").claims == ()


def test_bridges_leave_addresses_to_the_engine() -> None:
    text = "# networks/inner\ndriver: bridge\nsubnet: 10.9.0.0/24\n"
    base = declared(site(text))
    branch = with_session(base, text + "# sessions/s\nendpoints: [a]\nimage: dtn:1\nsettings: {mgmt_net: inner, ctrl_port_range: null}\n")
    assert check(base, {"s": branch}, "s").claims == ()


def test_spans_are_sets_of_numbers() -> None:
    assert runs([5, 3, 4, 9]) == ((3, 5), (9, 9))
    assert joined([(1, 2), (2, 4), (9, 9)]) == ((1, 4), (9, 9))
    assert without(((1, 10),), [(0, 2), (5, 5), (9, 20)]) == ((3, 4), (6, 8))
    assert without(((1, 10),), [(20, 30)]) == ((1, 10),)
    assert size(((1, 4), (9, 9))) == 5
    assert meet(((1, 4),), ((4, 5),))
    assert not meet(((1, 4),), ((5, 5),))
    assert is_within(((2, 3),), ((1, 4),))
    assert not is_within(((2, 5),), ((1, 4),))
    assert rows_of(((1, 100),), 10, 75, 3) == ((76, 85), (86, 95), (1, 10))
