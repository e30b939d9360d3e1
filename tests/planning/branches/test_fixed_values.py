"""Two branches pin the same value: the later one is blocked, by name, and free values are proposed."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.branches import Branch, OpenBranch
from dtnctl.planning.branches.claims import claims_of
from dtnctl.planning.branches.collisions import find_collisions
from tests.planning.branches.scene import check, declared, lines, with_session
from tests.planning.building import NOW, site

DATA = """
# networks/data
driver: macvlan
subnet: 10.0.0.0/24
gateway: 10.0.0.1
addresses: 10.0.0.64-10.0.0.95
# profiles/p
mgmt_net: null
"""
BASE = declared(site(DATA))


def pinned(name: str, address: str, endpoint: str = "a") -> str:
    return f"""{DATA}
# sessions/{name}
endpoints: [{endpoint}]
image: dtn:1
profile: p
settings: {{data_nets: [{{name: data, ipv4: {address}}}]}}
"""


def ports(name: str, setting: str, endpoints: str = "a", more: str = "") -> str:
    return f"""{DATA}
# sessions/{name}
endpoints: [{endpoints}]
image: dtn:1
settings: {{{setting}}}
{more}
"""


def test_the_later_of_two_branches_that_pin_one_address_is_blocked_and_gets_free_ones() -> None:
    branches = {"run14": with_session(BASE, pinned("run14", "10.0.0.64")), "run15": with_session(BASE, pinned("run15", "10.0.0.64", "b"))}
    report = check(BASE, branches, "run15")
    assert lines(report) == [
        "✖ run15: 10.0.0.64 of network data; run14 claimed it first: session run14 on a (state/sessions/run14.yaml:4); "
        "try 10.0.0.65 or 10.0.0.66 for `data_nets`"
    ]
    assert report.collisions[0].claim.where == "state/sessions/run15.yaml:4"
    assert report.collisions[0].free == ("10.0.0.65", "10.0.0.66")


def test_the_earlier_one_is_only_informed() -> None:
    branches = {"run14": with_session(BASE, pinned("run14", "10.0.0.64")), "run15": with_session(BASE, pinned("run15", "10.0.0.64", "b"))}
    report = check(BASE, branches, "run14")
    assert lines(report) == [
        "! run14: 10.0.0.64 of network data; run15 claims it, too, later: session run15 on b (state/sessions/run15.yaml:4); "
        "try 10.0.0.65 or 10.0.0.66 for `data_nets`"
    ]
    assert (report.blocking, report.others) == ((), 0)
    bystander = check(BASE, branches | {"x": BASE}, "x")
    assert (bystander.collisions, bystander.others) == ((), 1)


def test_on_the_base_each_pair_is_shown_once_and_by_the_branch_that_has_to_give_way() -> None:
    branches = {"run14": with_session(BASE, pinned("run14", "10.0.0.64")), "run15": with_session(BASE, pinned("run15", "10.0.0.64", "b"))}
    report = check(BASE, branches)
    assert [item.branch for item in report.collisions] == ["run15"]
    assert report.claims == ()


def test_what_the_base_has_blocks_every_branch_whatever_it_does_later() -> None:
    base = with_session(BASE, pinned("old", "10.0.0.64"))
    report = check(base, {"new": with_session(base, pinned("new", "10.0.0.64", "b"))}, "new")
    assert lines(report) == [
        "✖ new: 10.0.0.64 of network data; session old on a (state/sessions/old.yaml:4) has it already; "
        "try 10.0.0.65 or 10.0.0.66 for `data_nets`"
    ]


def test_what_a_branch_releases_itself_is_free_for_it() -> None:
    base = with_session(BASE, pinned("old", "10.0.0.64"))
    renamed = with_session(BASE, pinned("new", "10.0.0.64"))
    assert lines(check(base, {"rename": renamed}, "rename")) == []


def test_a_branch_on_top_of_another_one_does_not_collide_with_it() -> None:
    lower = with_session(BASE, pinned("run14", "10.0.0.64"))
    upper = with_session(lower, pinned("run15", "10.0.0.65"))
    assert lines(check(BASE, {"lower": lower, "upper": upper})) == []


def test_what_two_branches_on_top_of_each_other_have_is_one_holder() -> None:
    lower = with_session(BASE, pinned("run14", "10.0.0.64"))
    upper = with_session(lower, pinned("run15", "10.0.0.65"))
    (collision,) = check(BASE, {"lower": lower, "upper": upper, "x": with_session(BASE, pinned("x", "10.0.0.64"))}, "x").collisions
    assert [holder.branches for holder in collision.holders] == [("lower", "upper")]


def test_sessions_of_one_branch_collide_with_each_other_once() -> None:
    both = with_session(with_session(BASE, pinned("a1", "10.0.0.64")), pinned("a2", "10.0.0.64", "b"))
    assert lines(check(BASE, {"both": both}, "both")) == [
        "✖ both: 10.0.0.64 of network data; session a1 on a (state/sessions/a1.yaml:4) of the same branch claims it, too; "
        "try 10.0.0.65 or 10.0.0.66 for `data_nets`"
    ]


def test_a_merge_queue_goes_before_what_is_not_in_it() -> None:
    early = OpenBranch(Branch("early", since=1), with_session(BASE, pinned("run14", "10.0.0.64")))
    queued = OpenBranch(Branch("queue", since=9, is_queued=True), with_session(BASE, pinned("run15", "10.0.0.64", "b")))
    report = find_collisions(Branch("main"), BASE, [early, queued], "queue", NOW)
    assert report.blocking == ()
    assert [item.branch for item in find_collisions(Branch("main"), BASE, [early, queued], "", NOW).blocking] == ["early"]


def test_the_same_ports_on_several_endpoints_are_one_collision_with_what_is_free_on_all() -> None:
    first = with_session(BASE, ports("run14", "data_port_range: [50100, 50199]", "a, b"))
    other = with_session(BASE, ports("x", "exposed_ports: [50250]", "b"))
    second = with_session(BASE, ports("run15", "data_port_range: [50150, 50249]", "a, b"))
    assert lines(check(BASE, {"first": first, "other": other, "second": second}, "second")) == [
        "✖ second: ports 50150-50199/tcp on a, b; first claimed it first: session run14 on a, b (state/sessions/run14.yaml:3); "
        "try 50251-50350 or 50351-50450 for `data_port_range`"
    ]


def test_an_owner_who_allows_no_other_ports_leaves_nothing_to_propose() -> None:
    text = "# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\nallow: {ports: [[8080, 8081]]}\n"
    base = declared(site(text))
    one = with_session(base, text + "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {exposed_ports: [8080-8081]}\n")
    two = with_session(base, text + "# sessions/two\nendpoints: [a]\nimage: dtn:1\nsettings: {exposed_ports: [8081]}\n")
    assert lines(check(base, {"one": one, "two": two}, "two")) == [
        "✖ two: port 8081/tcp on a; one claimed it first: session one on a (state/sessions/one.yaml:3); "
        "try another `exposed_ports`; nothing of that size is free there"
    ]


def test_ports_of_containers_with_addresses_of_their_own_do_not_meet() -> None:
    nets = "mgmt_net: null, data_nets: [data], exposed_ports: [8080]"
    one, two = with_session(BASE, ports("one", nets)), with_session(BASE, ports("two", nets))
    assert lines(check(BASE, {"one": one, "two": two})) == []


def test_ipv6_addresses_are_compared_and_proposed_and_a_pool_of_one_is_looked_past() -> None:
    text = "# networks/six\ndriver: macvlan\nsubnet6: fd00::/64\ngateway6: fd00::1\naddresses6: ['fd00::5']\n"
    base = declared(site(text))
    session = "# sessions/{0}\nendpoints: [a]\nimage: dtn:1\nsettings: {{mgmt_net: null, data_nets: [{{name: six, ipv6: 'fd00::5'}}]}}\n"
    one, two = (with_session(base, text + session.format(name)) for name in ("one", "two"))
    (collision,) = check(base, {"one": one, "two": two}, "two").collisions
    assert (collision.what, collision.free) == ("fd00::5 of network six", ("fd00::6", "fd00::7"))


def test_an_interface_that_one_container_gets_whole_is_wanted_by_two_branches() -> None:
    text = "# networks/whole\ndriver: macvlan\nmode: passthru\nsubnet: 10.1.0.0/24\n"
    base = declared(site(text))
    session = "# sessions/{0}\nendpoints: [a]\nimage: dtn:1\nsettings: {{data_nets: [whole]}}\n"
    one, two = (with_session(base, text + session.format(name)) for name in ("one", "two"))
    assert lines(check(base, {"one": one, "two": two}, "two")) == [
        "✖ two: interface eth1 on a; one claimed it first: session one on a (state/sessions/one.yaml:3); "
        "try another endpoint, or `mode: bridge` in the network"
    ]


def test_services_may_run_on_the_same_cpus_so_no_branch_is_blocked() -> None:
    one, two = with_session(BASE, ports("one", "cpu_set: 0-3")), with_session(BASE, ports("two", "cpu_set: '2,3,8'"))
    assert lines(check(BASE, {"one": one, "two": two}, "two")) == [
        "! two: 2-3 CPUs on a; one claimed it first: session one on a (state/sessions/one.yaml:3); "
        "try another `cpu_set`; nothing of that size is free there"
    ]


def test_a_changed_profile_changes_the_claims_of_its_sessions_and_of_no_other() -> None:
    text = DATA + "# profiles/web\nexposed_ports: [8080]\n# profiles/site\nextends: web\n"
    sessions = "# sessions/s\nendpoints: [a]\nimage: dtn:1\nprofile: site\n# sessions/t\nendpoints: [a]\nimage: dtn:1\nprofile: p\n"
    base = declared(site(text + sessions))
    other = replace(base, profiles={**base.profiles, "web": site(text.replace("8080", "8090") + sessions).profiles["web"]})
    before = claims_of(base, NOW)
    after = claims_of(other, NOW, base, before)
    assert after["t"] is before["t"]
    assert [claim.text for claim in after["s"]] == ["port 8090/tcp", "1 of 30000-30200"]


def test_a_changed_endpoint_or_network_is_asked_of_every_session() -> None:
    base = with_session(BASE, pinned("old", "10.0.0.64"))
    before = claims_of(base, NOW)
    for kind in ("endpoints", "networks"):
        other = replace(base, **{kind: getattr(declared(site(DATA)), kind)})
        assert claims_of(other, NOW, base, before)["old"] is not before["old"]


def test_services_whose_files_cannot_be_read_claim_nothing() -> None:
    base = with_session(BASE, pinned("old", "10.0.0.64") + "# sessions/far\nendpoints: [a, b]\nimage: dtn:1\n")
    endpoint = {name: item for name, item in base.endpoints.items() if name != "b"}
    broken = replace(base, networks={}, endpoints=endpoint, broken={"networks": frozenset({"data"}), "endpoints": frozenset({"b"})})
    found = claims_of(broken, NOW)
    assert found["old"] == ()
    assert {claim.endpoint for claim in found["far"]} == {"a"}


def test_new_claims_of_the_branch_are_listed() -> None:
    branch = with_session(BASE, ports("run", "serv_port_range: [60000, 60001], exposed_ports: [8080/udp], data_nets: [data], cpu_set: '3'"))
    report = check(BASE, {"run": branch}, "run")
    assert [(claim.resource.scope, claim.text) for claim in report.claims] == [
        ("data", "1 of 10.0.0.64-10.0.0.95"),
        ("a", "3"),
        ("a", "1 of 30000-30200"),
        ("a", "1 of 60000-60001"),
        ("a", "port 8080/udp"),
    ]
