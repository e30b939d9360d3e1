"""Ports and addresses: what is held stays, what others hold is avoided, and who cannot have any is told what is free."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.actions import CreateContainer
from dtnctl.model.plan import Plan
from dtnctl.model.resources import Attachment, ForeignSeen, main_name
from tests.planning.building import applied, change, drop, plan, site, world
from tests.planning.listing import changes, details, notes, says, steps
from tests.properties.host import ports_of
from tests.properties.world import World


def ports(made: World, endpoint: str = "a") -> dict[str, list[int]]:
    """Host ports by container."""
    return {item.name: sorted(port for port, _ in ports_of(item.spec)) for item in made.hosts[endpoint].containers.values()}


def created(made: Plan, variable: str) -> dict[str, str]:
    """A variable of every container that the plan creates."""
    specs = ((step.endpoint, step.action) for step in made.steps if isinstance(step.action, CreateContainer))
    return {f"{endpoint}/{main_name(action.container)}": dict(action.spec.env)[variable] for endpoint, action in specs}


def sessions(*names: str, on: str = "a", settings: str = "{}") -> str:
    return "".join(f"# sessions/{name}\nendpoints: [{on}]\nimage: dtn:1\nsettings: {settings}\n" for name in names)


def test_another_session_moves_nothing() -> None:
    """Neither one that comes before in name order nor one that goes."""
    made = applied(site(sessions("k", "m")))
    assert ports(made) == {"lab.k": [30000], "lab.m": [30001]}
    made.apply(plan(site(sessions("a", "k", "m")), made))
    assert ports(made) == {"lab.k": [30000], "lab.m": [30001], "lab.a": [30002]}
    made.apply(plan(site(sessions("a", "m")), made))
    assert ports(made) == {"lab.m": [30001], "lab.a": [30002]}


def test_a_number_that_was_its_own_behind_an_address_is_not_taken_from_who_has_the_endpoints_port() -> None:
    made = applied(site(sessions("first", settings="{mgmt_net: null}") + sessions("second")))
    assert ports(made) == {"lab.first": [], "lab.second": [30000]}
    made.apply(plan(site(sessions("first", "second")), made))
    assert ports(made) == {"lab.first": [30001], "lab.second": [30000]}


def test_a_session_that_comes_while_another_goes_does_not_wait_for_its_port() -> None:
    made = applied(site(sessions("old")))
    swap = plan(site(sessions("new")), made)
    assert created(swap, "CTRL_PORT") == {"a/lab.new": "30001"}
    says(
        steps(swap),
        """
        a/create/lab.new
        a/stop/lab.old
        a/remove/lab.old <- a/stop/lab.old
        a/start/lab.new <- a/create/lab.new
        a/wait/lab.new <- a/start/lab.new
        """,
    )


def test_who_asks_for_the_very_port_of_one_that_goes_starts_after_it_has_stopped() -> None:
    made = applied(site(sessions("old", settings="{ctrl_port_range: [12000, 12000]}")))
    declared = site(sessions("new", settings="{ctrl_port_range: [12000, 12000]}"))
    says(
        steps(plan(declared, made)),
        """
        a/create/lab.new
        a/stop/lab.old
        a/remove/lab.old <- a/stop/lab.old
        a/start/lab.new <- a/create/lab.new, a/stop/lab.old
        a/wait/lab.new <- a/start/lab.new
        """,
    )
    made.apply(plan(declared, made))
    assert ports(made) == {"lab.new": [12000]}


def test_two_sessions_swap_their_fixed_ports_in_one_apply() -> None:
    def declared(one: int, two: int) -> str:
        one_port, two_port = f"{{ctrl_port_range: [{one}, {one}]}}", f"{{ctrl_port_range: [{two}, {two}]}}"
        return sessions("one", settings=one_port) + sessions("two", settings=two_port)

    made = applied(site(declared(12000, 12001)))
    swap = plan(site(declared(12001, 12000)), made)
    says(
        steps(swap),
        """
        a/create/lab.one..new (or discard)
        a/create/lab.two..new (or discard)
        a/stop/lab.one <- a/create/lab.one..new (or back)
        a/retire/lab.one <- a/stop/lab.one (or back)
        a/promote/lab.one <- a/retire/lab.one (or back)
        a/stop/lab.two <- a/create/lab.two..new (or back)
        a/retire/lab.two <- a/stop/lab.two (or back)
        a/promote/lab.two <- a/retire/lab.two (or back)
        a/start/lab.one <- a/promote/lab.one, a/stop/lab.two (or back)
        a/wait/lab.one <- a/start/lab.one (or back)
        a/remove/lab.one..old <- a/wait/lab.one
        a/start/lab.two <- a/promote/lab.two, a/stop/lab.one (or back)
        a/wait/lab.two <- a/start/lab.two (or back)
        a/remove/lab.two..old <- a/wait/lab.two
        """,
    )
    made.apply(swap)
    made.check()
    assert ports(made) == {"lab.one": [12001], "lab.two": [12000]}


def test_two_sessions_swap_addresses_of_a_second_network_in_place() -> None:
    def declared(one: str, two: str) -> str:
        text = "# networks/data\ndriver: macvlan\nsubnet: 10.0.0.0/24\n# networks/lan\ndriver: ipvlan\nsubnet: 10.1.0.0/24\n"
        for name, address in (("one", one), ("two", two)):
            text += sessions(name, settings=f"{{data_nets: [data, {{name: lan, ipv4: {address}}}]}}")
        return text

    made = applied(site(declared("10.1.0.2", "10.1.0.3")))
    swap = plan(site(declared("10.1.0.3", "10.1.0.2")), made)
    says(
        steps(swap),
        """
        a/disconnect.lan/lab.one
        a/disconnect.lan/lab.two
        a/connect.lan/lab.one <- a/disconnect.lan/lab.one, a/disconnect.lan/lab.two
        a/connect.lan/lab.two <- a/disconnect.lan/lab.two, a/disconnect.lan/lab.one
        """,
    )
    made.apply(swap)
    made.check()


def test_host_networked_sessions_hand_their_ports_over_too() -> None:
    """Nothing is published there: the environment tells which ports are used."""
    host = "mgmt_net: host, data_port_range: [40000, 40001]"
    made = applied(site(sessions("old", settings=f"{{{host}, ctrl_port_range: [12000, 12000]}}")))
    declared = site(sessions("new", settings=f"{{{host}, ctrl_port_range: [12000, 12000]}}"))
    assert "a/start/lab.new <- a/create/lab.new, a/stop/lab.old" in steps(plan(declared, made))
    made.apply(plan(declared, made))
    made.check()


def test_a_new_published_range_does_not_push_a_session_off_its_port() -> None:
    """What lives stays; the newcomer is refused, with a range that is free."""
    made = applied(site(sessions("old")))
    declared = site(sessions("old") + sessions("new", settings="{data_port_range: [29990, 30010]}"))
    says(
        details(plan(declared, made)),
        """
        blocked session/new @ a: E0412
          because port 30000/tcp is held by session old on a (state/sessions/new.yaml:3)
          fix: data_port_range: [30001, 30021], free on a
        """,
    )


def test_a_port_that_is_to_be_published_for_data_is_no_control_port_any_more() -> None:
    """The container would publish one port twice."""
    made = applied(site(sessions("one")))
    declared = site(sessions("one", settings="{data_port_range: [30000, 30003]}"))
    made.apply(plan(declared, made))
    assert ports(made) == {"lab.one": [30000, 30001, 30002, 30003, 30004]}
    assert plan(declared, made).is_empty


def test_who_has_the_least_choice_chooses_first() -> None:
    """A session with a whole range leaves the port that another one is bound to, whatever their names."""
    declared = site(sessions("any") + sessions("bound", settings="{ctrl_port_range: [30000, 30000]}"))
    assert created(plan(declared, world(declared)), "CTRL_PORT") == {"a/lab.any": "30001", "a/lab.bound": "30000"}


def test_behind_an_address_of_its_own_a_container_has_all_ports_to_itself() -> None:
    """Also those that the owner of the endpoint does not give; control and service port still differ."""
    settings = "{mgmt_net: net, ctrl_port_range: [22, 23], serv_port_range: [22, 23]}"
    declared = site("# networks/net\ndriver: macvlan\nsubnet: 10.0.0.0/24\n" + sessions("one", "two", settings=settings))
    made = plan(declared, world(declared))
    assert created(made, "CTRL_PORT") == {"a/lab.one": "22", "a/lab.two": "22"}
    assert created(made, "SERV_PORT") == {"a/lab.one": "23", "a/lab.two": "23"}


def test_no_port_is_taken_where_the_range_says_none() -> None:
    declared = site(sessions("one", settings="{ctrl_port_range: null}"))
    made = plan(declared, world(declared))
    assert created(made, "CTRL_PORT") == {"a/lab.one": ""}


def test_a_live_port_that_is_not_allowed_or_not_in_the_range_any_more_is_given_up() -> None:
    made = applied(site(sessions("one")))
    assert created(plan(site(sessions("one", settings="{ctrl_port_range: [30005, 30009]}")), made), "CTRL_PORT") == {"a/lab.one": "30005"}
    owner = "# endpoints/a\ndocker: unix:///a\nhost: a\nallow: {ports: [[30007, 30008]]}\n"
    assert created(plan(site(owner + sessions("one")), made), "CTRL_PORT") == {"a/lab.one": "30007"}


def test_a_live_variable_that_is_no_port_is_not_kept() -> None:
    declared = site(sessions("one"))
    made = applied(declared)
    change(made, "a", "lab.one", env=(("CTRL_PORT", "many"),))
    assert created(plan(declared, made), "CTRL_PORT") == {"a/lab.one": "30001"}


def test_a_port_that_somebody_took_while_the_session_was_stopped_is_given_up() -> None:
    declared = site(sessions("one"))
    made = applied(declared)
    change(made, "a", "lab.one", state="exited")
    made.hosts["a"].foreign.append(ForeignSeen("web", "f1", ((30000, "tcp"),)))
    assert created(plan(declared, made), "CTRL_PORT") == {"a/lab.one": "30001"}


def test_an_exhausted_range_says_who_has_it_and_what_is_free() -> None:
    settings = "{ctrl_port_range: [30000, 30001]}"
    declared = site(sessions("one", "two", "zzz", settings=settings))
    says(
        details(plan(declared, applied(site(sessions("one", "two", settings=settings))))),
        """
        blocked session/zzz @ a: E0413
          because no free port in 30000-30001 on a: held are 30000 by session one on a, 30001 by session two on a
              (state/sessions/zzz.yaml:3)
          fix: ctrl_port_range: [30000, 30002]; 30002 is free on a
        """,
    )


def test_a_wide_range_names_the_first_holders_and_how_many_more_there_are() -> None:
    settings = "{ctrl_port_range: [30000, 30011], serv_port_range: [30000, 30011]}"
    declared = site(sessions("a", "b", "c", "d", "e", "f", "g", settings=settings))
    refused = plan(declared, applied(site(sessions("a", "b", "c", "d", "e", "f", settings=settings))))
    assert {change.cause.text for change in refused.blocked} == {
        "no free port in 30000-30011 on a: held are 30000 and 1 more by session a on a, 30002 and 1 more by session b on a, "
        "30004 and 1 more by session c on a, 30006 and 1 more by session d on a, and others by 2 more"
    }


def test_every_choice_that_is_not_free_is_a_reason_of_its_own() -> None:
    declared = site(sessions("zzz", settings="{ctrl_port_range: [30000, 30000], serv_port_range: [30001, 30001]}"))
    made = world(declared)
    made.hosts["a"].foreign.append(ForeignSeen("web", "f1", ((30000, "tcp"), (30001, "tcp"))))
    refused = plan(declared, made)
    assert [(change.name, change.code, change.cause.text.partition(":")[0]) for change in refused.blocked] == [
        ("zzz", "E0413", "no free port in 30000-30000 on a"),
        ("zzz", "E0413", "no free port in 30001-30001 on a"),
    ]


def test_an_exhausted_range_says_whose_allowance_is_to_blame() -> None:
    owner = "# endpoints/a\ndocker: unix:///a\nhost: a\nallow:\n  ports: [[30000, 30001], [40000, 40001]]\n"
    settings = "{ctrl_port_range: [30000, 30100]}"
    declared = site(owner + sessions("one", "two", "zzz", settings=settings))
    refused = plan(declared, world(declared))
    says(
        details(replace(refused, changes=refused.blocked)),
        """
        blocked session/zzz @ a: E0413
          because no free port in 30000-30100 on a: held are 30000 by session one on a, 30001 by session two on a; its owner
              allows only those of state/endpoints/a.yaml:4 (state/sessions/zzz.yaml:3)
          fix: ctrl_port_range: [30000, 40000]; 40000 is free on a
        """,
    )


def test_where_nothing_is_left_another_endpoint_is_named() -> None:
    owner = "# endpoints/a\ndocker: unix:///a\nhost: a\nallow: {ports: [[30000, 30001]]}\n"
    declared = site(owner + sessions("one", "two", "zzz"))
    assert plan(declared, world(declared)).blocked[0].fix == "another endpoint; a has no port left"
    declared = site(owner + sessions("one", settings="{exposed_ports: [30000-30001]}"))
    made = world(declared)
    made.hosts["a"].foreign.append(ForeignSeen("web", "f1", ((30000, "tcp"),)))
    assert plan(declared, made).blocked[0].fix == "another endpoint; a has no range of that length left"


def test_a_free_range_below_is_named_when_there_is_none_above() -> None:
    declared = site(sessions("one", settings="{exposed_ports: [65534-65535/udp, 8080]}"))
    made = world(declared)
    made.hosts["a"].foreign.append(ForeignSeen("dns", "f1", ((65535, "udp"),)))
    made.hosts["a"].foreign.append(ForeignSeen("web", "f2", ((8080, "tcp"),)))
    assert plan(declared, made).blocked[0].fix == "exposed_ports with 1024-1025 instead, free on a"
    made.hosts["a"].foreign.pop(0)
    assert plan(declared, made).blocked[0].fix == "exposed_ports with 8081 instead, free on a"


# --- addresses ----------------------------------------------------------------------------------------------

POOL = """
# networks/data
driver: macvlan
subnet: 10.0.0.0/24
addresses: 10.0.0.2-10.0.0.5
subnet6: fd00::/64
addresses6: [fd00::10, fd00::20-fd00::2f]
"""


def addresses(made: Plan) -> dict[str, list[str]]:
    """Addresses on `data` of every container that the plan creates."""
    specs = ((step.endpoint, step.action) for step in made.steps if isinstance(step.action, CreateContainer))
    return {
        f"{endpoint}/{main_name(action.container)}": [
            address for item in action.spec.attachments if item.network == "data" for address in (item.ipv4, item.ipv6)
        ]
        for endpoint, action in specs
    }


def test_both_families_come_from_their_pools_over_all_endpoints() -> None:
    declared = site(POOL + sessions("one", on="a, b", settings="{data_nets: [data]}"))
    assert addresses(plan(declared, world(declared))) == {"a/lab.one": ["10.0.0.2", "fd00::10"], "b/lab.one": ["10.0.0.3", "fd00::20"]}


def test_addresses_of_strangers_are_avoided_on_every_endpoint() -> None:
    declared = site(POOL + sessions("one", on="a", settings="{data_nets: [data]}"))
    made = world(declared)
    made.hosts["b"].foreign.append(ForeignSeen("theirs", "f1", (), (Attachment("data", "10.0.0.2", "fd00::10"),)))
    assert addresses(plan(declared, made)) == {"a/lab.one": ["10.0.0.3", "fd00::20"]}


def test_what_a_silent_endpoint_holds_is_kept_for_it_and_the_guess_is_said() -> None:
    """The new session's name comes first in order, and still it does not get the address of the one that cannot be seen."""
    made = applied(site(POOL + sessions("s", on="a, b", settings="{data_nets: [data]}")))
    made.hosts["b"].silence = "no answer within 10 s"
    declared = site(
        POOL + sessions("new", on="a", settings="{data_nets: [data]}") + sessions("s", on="a, b", settings="{data_nets: [data]}")
    )
    meanwhile = plan(declared, made)
    assert addresses(meanwhile) == {"a/lab.new": ["10.0.0.4", "fd00::21"]}
    says(
        notes(meanwhile),
        """
        b does not answer: what session s there needs is unknown, and left alone until it does
        session new on a gets new addresses while others do not answer, who hold presumably on data: 10.0.0.3 (session s on b),
              fd00::20 (session s on b)
        """,
    )
    made.apply(meanwhile)
    made.hosts["b"].silence = ""
    made.check()
    assert plan(declared, made).is_empty


def test_nothing_is_guessed_where_nothing_new_is_chosen() -> None:
    declared = site(POOL + sessions("s", on="a, b", settings="{data_nets: [data]}"))
    made = applied(declared)
    made.hosts["b"].silence = "no answer within 10 s"
    assert notes(plan(declared, made)) == ["b does not answer: what session s there needs is unknown, and left alone until it does"]


def test_a_pool_without_a_free_address_says_what_is_free_beside_it() -> None:
    declared = site(POOL + sessions("s1", "s2", "s3", "s4", "s5", settings="{data_nets: [data]}"))
    refused = plan(declared, world(declared))
    says(
        details(replace(refused, changes=refused.blocked)),
        """
        blocked session/s5 @ a: E0414
          because no free address in network data: held are 10.0.0.2 by session s1 on a, 10.0.0.3 by session s2 on a, 10.0.0.4
              by session s3 on a, 10.0.0.5 by session s4 on a (state/sessions/s5.yaml:3)
          fix: 10.0.0.6 is free in 10.0.0.0/24
        """,
    )


def test_a_full_subnet_needs_a_larger_one() -> None:
    text = "# networks/data\ndriver: macvlan\nsubnet: 10.0.0.0/30\n" + sessions("s1", "s2", settings="{data_nets: [data]}")
    declared = site(text)
    assert plan(declared, world(declared)).blocked[0].fix == "a larger subnet; 10.0.0.0/30 is full"


def test_an_address_out_of_the_pool_or_made_a_gateway_is_given_up() -> None:
    made = applied(site(POOL + sessions("one", settings="{data_nets: [data]}")))
    moved = site(POOL.replace("10.0.0.2-10.0.0.5", "10.0.0.7-10.0.0.9") + sessions("one", settings="{data_nets: [data]}"))
    assert addresses(plan(moved, made)) == {"a/lab.one": ["10.0.0.7", "fd00::10"]}
    gateway = site(POOL + "gateway: 10.0.0.2\ndefault_route: false\n" + sessions("one", settings="{data_nets: [data]}"))
    assert addresses(plan(gateway, made)) == {"a/lab.one": ["10.0.0.3", "fd00::10"]}


def test_an_address_of_a_fixed_list_stays_the_same_one() -> None:
    text = POOL + sessions("one", "two", settings="{data_nets: [{name: data, ipv4: [10.0.0.3, 10.0.0.4]}]}")
    made = applied(site(text))
    drop(made, "a", "lab.one")
    again = plan(site(text), made)
    assert addresses(again) == {"a/lab.one": ["10.0.0.3", "fd00::10"]}
    assert changes(again) == ["create session/one @ a: creates container lab.one"]


def test_the_engine_chooses_on_a_bridge_without_a_pool_and_its_choice_is_not_given_to_others() -> None:
    text = "# networks/mgmt\ndriver: bridge\nsubnet: 172.30.0.0/24\n" + sessions("one", settings="{mgmt_net: mgmt}")
    made = applied(site(text))
    change(made, "a", "lab.one", addresses=(Attachment("mgmt", "172.30.0.2"),))
    assert plan(site(text), made).is_empty
    declared = site(text + sessions("two", settings="{mgmt_net: {name: mgmt, ipv4: 172.30.0.2}}"))
    assert [change.cause.text for change in plan(declared, made).blocked] == [
        "none of 172.30.0.2 is free: held are 172.30.0.2 by session one on a"
    ]


def test_a_session_of_another_file_that_stays_keeps_what_it_has() -> None:
    """The old session is not targeted, so that it does not go, and its port is not free."""
    settings = "{ctrl_port_range: [12000, 12000]}"
    made = applied(site(sessions("old", settings=settings)))
    declared = site(sessions("new", settings=settings))
    says(
        details(plan(declared, made, targets=("session/new",))),
        """
        blocked session/new @ a: E0413
          because no free port in 12000-12000 on a: held are 12000 by session old on a (state/sessions/new.yaml:3)
          fix: ctrl_port_range: [12000, 12001]; 12001 is free on a
        """,
    )
    assert not plan(declared, made, targets=("session/new",)).steps
