"""Networks: there while a service uses them, made anew when they change, never under somebody who is to be left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dtn_agent.protocol import Interface

from dtnctl.model.resources import Attachment, ForeignSeen, NetworkSeen, NetworkSpec, Subnet
from tests.planning.building import applied, change, plan, site, world
from tests.planning.dtns import after, before, dtn, session
from tests.planning.listing import changes, details, notes, says, steps
from tests.planning.machines import machine
from tests.properties.agent import Agent
from tests.properties.world import KilledError, World

DATA = "# networks/data\ndriver: macvlan\nsubnet: 10.0.0.0/24\nmtu: 1500\n"
JUMBO = DATA.replace("1500", "9000")


def sessions(*names: str, settings: str = "{data_nets: [data]}", endpoints: str = "a") -> str:
    return "".join(f"# sessions/{name}\nendpoints: [{endpoints}]\nimage: dtn:1\nsettings: {settings}\n" for name in names)


def test_a_changed_network_is_made_anew_with_everything_on_it() -> None:
    made = applied(site(DATA + sessions("one", "two") + sessions("three", settings="{}")))
    declared = site(JUMBO + sessions("one", "two") + sessions("three", settings="{}"))
    rebuilding = plan(declared, made)
    says(
        details(rebuilding),
        """
        replace network/data @ a: recreates network data
          because mtu differs (state/networks/data.yaml:3)
          mtu: 1500 -> 9000 ! (state/networks/data.yaml:3)
          interrupts: every service on data at a is recreated
        replace session/one @ a: replaces container lab.one
          because network data is recreated (state/networks/data.yaml:1)
          network data: there -> recreated ! (state/networks/data.yaml:1)
          image = dtn:1
          ctrl_port = 30000
          bridge = address by the engine
          data = 10.0.0.2
          memory = 8 GiB
          interrupts: one on a is down while its container is recreated
        replace session/two @ a: replaces container lab.two
          because network data is recreated (state/networks/data.yaml:1)
          network data: there -> recreated ! (state/networks/data.yaml:1)
          image = dtn:1
          ctrl_port = 30002
          bridge = address by the engine
          data = 10.0.0.3
          memory = 8 GiB
          interrupts: two on a is down while its container is recreated
        """,
    )
    says(
        steps(rebuilding),
        """
        a/stop/lab.one
        a/remove/lab.one <- a/stop/lab.one
        a/stop/lab.two
        a/remove/lab.two <- a/stop/lab.two
        a/remove-network/data <- a/remove/lab.one, a/remove/lab.two
        a/network/data <- a/remove-network/data
        a/create/lab.one <- a/remove/lab.one, a/network/data
        a/connect.bridge/lab.one <- a/create/lab.one
        a/create/lab.two <- a/remove/lab.two, a/network/data
        a/connect.bridge/lab.two <- a/create/lab.two
        a/start/lab.one <- a/connect.bridge/lab.one
        a/start/lab.two <- a/connect.bridge/lab.two
        a/wait/lab.one <- a/start/lab.one
        a/wait/lab.two <- a/start/lab.two
        """,
    )
    made.apply(rebuilding)
    made.check()
    assert plan(declared, made).is_empty


def test_a_network_that_was_changed_by_hand_is_drift_and_so_is_what_follows() -> None:
    declared = site(DATA + sessions("one"))
    made = applied(declared)
    host = made.hosts["a"]
    network = host.network("data")
    assert network is not None
    host.networks[network.id] = replace(network, spec=replace(network.spec, internal=False, mtu=0, mode="", parent=""))
    repair = plan(declared, made)
    assert [(item.kind, item.is_drift) for item in repair.changes] == [("network", True), ("session", True)]
    assert [(item.field, item.before, item.after) for item in repair.changes[0].fields] == [
        ("internal", "no", "yes"),
        ("mtu", "none", "1500"),
        ("mode", "none", "bridge"),
        ("parent", "none", "eth1"),
    ]


def test_an_option_of_the_engine_that_is_never_asked_for_is_drift() -> None:
    declared = site(DATA + sessions("one"))
    made = applied(declared)
    host = made.hosts["a"]
    network = host.network("data")
    assert network is not None
    host.networks[network.id] = replace(network, spec=replace(network.spec, others=(("strange", "x"),)))
    repair = plan(declared, made).changes[0]
    assert (repair.is_drift, [(item.field, item.before, item.after) for item in repair.fields]) == (True, [("strange", "x", "none")])


def test_a_subnet_that_is_declared_no_more_is_a_difference() -> None:
    bridge = "# networks/data\ndriver: bridge\nsubnet: 172.30.0.0/24\n"
    made = applied(site(bridge + sessions("one", settings="{mgmt_net: data}")))
    assert changes(plan(site("# networks/data\ndriver: bridge\n" + sessions("one", settings="{mgmt_net: data}")), made)) == [
        "replace network/data @ a: recreates network data",
        "replace session/one @ a: replaces container lab.one",
    ]


def engine_tells_gateway(made: World, gateway: str) -> None:
    host = made.hosts["a"]
    (key,) = (name for name, item in host.networks.items() if item.name == "data")
    seen = host.networks[key]
    spec = replace(seen.spec, subnets=tuple(replace(subnet, gateway=gateway) for subnet in seen.spec.subnets))
    host.networks[key] = replace(seen, spec=spec)


@pytest.mark.parametrize(("gateway", "is_right"), [("10.1.0.1", True), ("10.1.0.9", False)])
def test_a_gateway_that_the_engine_made_up_is_no_difference(gateway: str, is_right: bool) -> None:
    """After its restart the engine told the first address of a subnet without one; network and sessions were to be made anew."""
    declared = site("# networks/data\ndriver: macvlan\nsubnet: 10.1.0.0/24\n" + sessions("one", settings="{data_nets: [data]}"))
    made = applied(declared)
    engine_tells_gateway(made, gateway)
    assert plan(declared, made).is_empty == is_right


@pytest.mark.parametrize("effects", range(2, 9))
def test_a_replacement_and_a_rebuilding_that_were_cut_off_are_continued(effects: int) -> None:
    """The old container was set aside on the very network that is to be made anew: nobody may wait for each other."""
    made = applied(site(DATA + sessions("one")))
    made.budget = 2
    with pytest.raises(KilledError):
        made.apply(plan(site(DATA + sessions("one", settings="{data_nets: [data], init: true}")), made))
    declared = site(JUMBO + sessions("one", settings="{data_nets: [data], init: true}"))
    made.budget = effects
    try:
        made.apply(plan(declared, made))
    except KilledError:
        made.budget = None
        made.apply(plan(declared, made))
    made.budget = None
    assert plan(declared, made).is_empty


def test_with_somebody_elses_container_on_it_nothing_is_touched() -> None:
    made = applied(site(DATA + sessions("one")))
    made.hosts["a"].foreign.append(ForeignSeen("theirs", "f1", (), (Attachment("data", "10.0.0.9"),)))
    says(
        details(plan(site(JUMBO + sessions("one")), made)),
        """
        blocked session/one @ a: E0422
          because network data on a differs, but theirs, not ours, uses it (state/networks/data.yaml:1)
          fix: use another network
        """,
    )
    assert not plan(site(JUMBO + sessions("one")), made).steps


@pytest.mark.parametrize("scope", [{"targets": ("session/one",)}, {"excludes": ("session/two",)}, {"targets": ("one",)}])
def test_a_session_that_is_left_alone_keeps_its_network_under_it(scope: dict[str, tuple[str, ...]]) -> None:
    made = applied(site(DATA + sessions("one", "two")))
    blocked = plan(site(JUMBO + sessions("one", "two")), made, **scope)
    assert [(item.name, item.code, item.cause.text) for item in blocked.changes] == [
        ("one", "E0422", "network data on a differs, but session two, which this plan leaves as it is, uses it")
    ]
    assert not blocked.steps


def test_a_blocked_session_keeps_its_network_under_it_and_blocks_who_wants_the_new_one() -> None:
    made = applied(site(DATA + sessions("one", "two")))
    text = JUMBO + sessions("one") + sessions("two", settings="{data_nets: [data], pull: never, init: true}")
    made.hosts["a"].images.clear()
    blocked = plan(site(text), made)
    assert [(item.name, item.code) for item in blocked.changes] == [("one", "E0422"), ("two", "E0430")]
    assert not blocked.steps


def test_a_network_that_no_session_of_the_run_wants_is_left_as_it_is() -> None:
    made = applied(site(DATA + sessions("one") + sessions("two", settings="{}")))
    declared = site(JUMBO + sessions("one") + sessions("two", settings="{}"))
    assert plan(declared, made, targets=("session/two",)).is_empty
    assert plan(declared, made, excludes=("session/one",)).is_empty


def test_a_targeted_network_is_blocked_by_sessions_that_are_not() -> None:
    made = applied(site(DATA + sessions("one")))
    says(
        details(plan(site(JUMBO + sessions("one")), made, targets=("network/data",))),
        """
        blocked network/data @ a: E0422
          because network data on a differs, but session one, which this plan leaves as it is, uses it
              (state/networks/data.yaml:1)
          fix: use another network, or include those sessions in this run
        """,
    )


def test_an_excluded_network_blocks_who_needs_another_one() -> None:
    made = applied(site(DATA + sessions("one")))
    declared = site(JUMBO + sessions("one"))
    assert plan(declared, made, excludes=("network/data",)).changes[0].cause.text == "network data on a differs, but it is excluded"
    refused = plan(declared, world(declared), excludes=("network/data",))
    assert refused.changes[0].cause.text == "network data on a is not there, but it is excluded"
    assert refused.changes[0].fix == "leave it out of --exclude, or use another network"
    gone = plan(site(JUMBO), made, excludes=("network/data",))
    assert [step.id for step in gone.steps] == ["a/stop/lab.one", "a/remove/lab.one"]


def test_an_unused_network_goes_after_the_last_container_and_an_excluded_one_stays() -> None:
    made = applied(site(DATA + sessions("one", "two")))
    assert steps(plan(site(DATA), made, prune="100%"))[-1] == "a/remove-network/data <- a/remove/lab.one, a/remove/lab.two"
    assert "remove-network" not in str(steps(plan(site(DATA), made, prune="100%", excludes=("session/two",))))


def test_a_network_stays_while_a_blocked_session_is_still_on_it() -> None:
    """Git moved the session to another network, and it cannot go there."""
    other = "# networks/san\ndriver: ipvlan\nsubnet: 10.9.0.0/24\n"
    made = applied(site(DATA + other + sessions("one")))
    made.hosts["a"].images.clear()
    blocked = plan(site(DATA + other + sessions("one", settings="{data_nets: [san], pull: never}")), made)
    assert [item.mark for item in blocked.changes] == ["blocked"]
    assert not blocked.steps


def test_a_network_that_is_gone_below_a_stopped_session_is_made_again() -> None:
    declared = site(
        DATA + sessions("one") + "# sessions/two\nendpoints: [a]\nimage: dtn:1\nstate: stopped\nsettings: {data_nets: [data]}\n"
    )
    made = applied(declared)
    change(made, "a", "lab.one", state="exited")
    made.hosts["a"].networks.clear()
    again = plan(declared, made)
    assert steps(again)[:2] == ["a/network/data", "a/start/lab.one <- a/network/data"]
    made.apply(again)
    assert plan(declared, made).is_empty


# --- names, interfaces and subnets that only one can have ---------------------------------------------------

RENAMED = DATA.replace("networks/data", "networks/wan")


def interfaces(text: str) -> str:
    endpoint = "docker: unix:///{0}\nhost: {0}\ninterfaces: {{data: eth1, wan: eth1}}\n"
    files = "".join(f"# endpoints/{name}\n{endpoint.format(name)}" for name in "ab")
    return files + (DATA if "networks/data" not in text else "") + (RENAMED if "networks/wan" not in text else "") + text


def test_a_renamed_network_is_made_after_the_old_one_is_gone() -> None:
    """An engine takes no interface and no subnet twice."""
    made = applied(site(interfaces(sessions("one"))))
    declared = site(interfaces(sessions("one", settings="{data_nets: [wan]}")))
    renaming = plan(declared, made)
    says(
        details(renaming),
        """
        destroy network/data @ a: removes network data
          because no service here uses it
        replace session/one @ a: replaces container lab.one
          because attachments differs (state/sessions/one.yaml:3)
          attachments: bridge, data 10.0.0.2 -> bridge, wan 10.0.0.2 ! (state/sessions/one.yaml:3)
          network: data -> wan ! (state/sessions/one.yaml:3)
          network data: there -> gone, for wan ! (state/networks/wan.yaml:1)
          wan = 10.0.0.2
          image = dtn:1
          ctrl_port = 30000
          bridge = address by the engine
          memory = 8 GiB
          interrupts: one on a is down while its container is recreated
        create network/wan @ a: creates network wan
          because used, not there (state/networks/wan.yaml:1)
          driver = macvlan
          mtu = 1500
          mode = bridge
          parent = eth1
          subnet = 10.0.0.0/24
          default route = none
        """,
    )
    says(
        steps(renaming),
        """
        a/stop/lab.one
        a/remove/lab.one <- a/stop/lab.one
        a/remove-network/data <- a/remove/lab.one
        a/network/wan <- a/remove-network/data
        a/create/lab.one <- a/remove/lab.one, a/network/wan
        a/connect.bridge/lab.one <- a/create/lab.one
        a/start/lab.one <- a/connect.bridge/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    made.apply(renaming)
    assert plan(declared, made).is_empty


def test_a_network_cannot_be_made_while_one_that_stays_has_its_interface() -> None:
    made = applied(site(interfaces(sessions("one", "two"))))
    declared = site(interfaces(sessions("one", "two", settings="{data_nets: [wan]}")))
    blocked = plan(declared, made, targets=("session/one",))
    assert blocked.changes[0].cause.text == "network wan cannot be made on a: interface eth1 is taken by network data, which stays"
    assert not blocked.steps


def test_a_network_cannot_be_made_where_a_foreign_one_has_its_addresses() -> None:
    declared = site(DATA + sessions("one"))
    made = world(declared)
    made.hosts["a"].foreign_networks.append(NetworkSeen("theirs", "n1", {}, NetworkSpec("bridge", subnets=(Subnet("10.0.0.0/16"),))))
    (blocked,) = plan(declared, made).changes
    assert blocked.cause.text == "network data cannot be made on a: subnet 10.0.0.0/24 is taken by network theirs, which stays"
    assert blocked.fix == (
        "use another network, or remove theirs there if nothing needs it any more: dtnctl did not make it and leaves it alone"
    )


def test_a_network_that_changes_to_a_foreign_subnet_stays_as_it_is() -> None:
    made = applied(site(DATA + sessions("one")))
    made.hosts["a"].foreign_networks.append(NetworkSeen("theirs", "n1", {}, NetworkSpec("bridge", subnets=(Subnet("10.7.0.0/16"),))))
    blocked = plan(site(DATA.replace("10.0.0.0", "10.7.0.0") + sessions("one")), made)
    assert [item.code for item in blocked.changes] == ["E0422"]


def test_two_networks_swap_their_interfaces() -> None:
    def declared(one: str, two: str) -> str:
        files = "".join(
            f"# endpoints/{name}\ndocker: unix:///{name}\nhost: {name}\ninterfaces: {{data: {one}, lan: {two}}}\n" for name in "ab"
        )
        return (
            files + DATA + "# networks/lan\ndriver: macvlan\nsubnet: 10.1.0.0/24\n" + sessions("one", settings="{data_nets: [data, lan]}")
        )

    made = applied(site(declared("eth1", "eth2")))
    swap = plan(site(declared("eth2", "eth1")), made)
    made.apply(swap)
    assert plan(site(declared("eth2", "eth1")), made).is_empty


def test_a_network_of_somebody_else_with_our_name_is_an_error() -> None:
    declared = site(DATA + sessions("one"))
    made = world(declared)
    made.hosts["a"].foreign_networks.append(NetworkSeen("data", "n1", {}, NetworkSpec("bridge")))
    assert [(item.code, item.cause.text) for item in plan(declared, made).changes] == [("E0421", "a network named data on a is not ours")]


def test_networks_are_described_with_what_matters() -> None:
    text = """
        # networks/lan
        driver: ipvlan
        mode: l3
        subnet: 10.1.0.0/24
        subnet6: fd00:1::/64
        # networks/out
        driver: macvlan
        subnet: 10.2.0.0/24
        gateway: 10.2.0.1
        default_route: true
        # networks/plain
        driver: bridge
        # sessions/one
        endpoints: [a]
        image: dtn:1
        settings: {data_nets: [lan], mgmt_net: null}
        # sessions/two
        endpoints: [a]
        image: dtn:1
        settings: {data_nets: [out], mgmt_net: null}
        # sessions/three
        endpoints: [a]
        image: dtn:1
        settings: {mgmt_net: plain}
    """
    declared = site(text)
    made = plan(declared, world(declared))
    says(
        details(replace(made, changes=tuple(item for item in made.changes if item.kind == "network"))),
        """
        create network/lan @ a: creates network lan
          because used, not there (state/networks/lan.yaml:1)
          driver = ipvlan
          mode = l3
          parent = eth1
          subnet = 10.1.0.0/24
          subnet = fd00:1::/64
        create network/out @ a: creates network out
          because used, not there (state/networks/out.yaml:1)
          driver = macvlan
          mode = bridge
          parent = eth2
          subnet = 10.2.0.0/24
          gateway = 10.2.0.1
        create network/plain @ a: creates network plain
          because used, not there (state/networks/plain.yaml:1)
          driver = bridge
        """,
    )


def test_pulls_come_before_a_network_only_if_all_its_users_wait_for_them() -> None:
    text = DATA + sessions("one") + sessions("two").replace("dtn:1", "dtn:2")
    declared = site(text)
    assert "a/network/data" in steps(plan(declared, world(declared)))
    shared = plan(site(DATA + sessions("one", "two")), world(site(text), images=()))
    assert "a/network/data <- a/pull/dtn:1" in steps(shared)
    assert [step.id for step in shared.steps].count("a/pull/dtn:1") == 1
    assert "a/network/data <- a/pull/dtn:1" in steps(plan(site(DATA + sessions("one")), world(site(text), images=())))


def test_notes_of_networks_name_who_is_on_them() -> None:
    made: World = applied(site(DATA + sessions("one")))
    made.hosts["a"].foreign.append(ForeignSeen("theirs", "f1", (), (Attachment("data", "10.0.0.9"),)))
    assert notes(plan(site(DATA), made)) == ["network data on a is used no more but stays: theirs, not ours, is on it"]


@pytest.mark.parametrize(
    ("interface", "addresses", "subnet", "is_refused"),
    [
        ("eth0", ("10.1.0.11/24",), "10.1.0.0/16", True),
        ("eth0", ("10.1.0.11/16",), "10.1.7.0/24", True),
        ("br0", ("fe80::1/64", "10.1.0.11/24"), "10.1.0.0/24", True),
        ("eth0", ("10.1.0.11/24", "fd00::1/64"), "10.2.0.0/24", False),
        ("docker0", ("10.1.0.1/24",), "10.1.0.0/24", False),
    ],
)
def test_a_bridge_takes_no_subnet_from_an_interface_of_the_host(
    interface: str, addresses: tuple[str, ...], subnet: str, is_refused: bool
) -> None:
    """The engine would make it, and the host would look for its own gateway in the bridge."""
    declared = dtn(f"# networks/mgmt\ndriver: bridge\nsubnet: {subnet}\n", session(settings="{mgmt_net: mgmt}"))
    made = before(declared, Interface(name=interface, index=7, addresses=addresses))
    found = [(item.code, item.cause.text, item.fix) for item in plan(declared, made).blocked]
    text = f"network mgmt cannot be made on a: subnet {subnet} is that of interface {interface} ({addresses[-1]}), and the host needs it"
    assert found == ([("E0422", text, "use another subnet")] if is_refused else [])


def test_a_bridge_that_is_there_is_not_in_its_own_way_when_it_is_recreated() -> None:
    text = "# networks/mgmt\ndriver: bridge\nsubnet: 10.1.0.0/24\n"
    declared = dtn(text, session(settings="{mgmt_net: mgmt}"))
    made = after(declared)
    (network,) = made.hosts["a"].networks.values()
    wider = dtn(f"{text}mtu: 1400\n", session(settings="{mgmt_net: mgmt}"))
    made.hosts["a"].agent = Agent(machine(Interface(name=f"br-{network.id[:12]}", index=8, addresses=("10.1.0.1/24",))))
    assert not plan(wider, made).blocked
