"""What users of Janus expect of a session: the acceptance scenarios of the talk's heir, as far as they need no agent."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.resources import Attachment, ForeignSeen, PortBinding
from tests.planning.building import applied, plan, site, world
from tests.planning.janus import MACVLAN, created
from tests.planning.listing import details, says


def test_default_profile_on_one_endpoint() -> None:
    """Scenario 1: a bridge, one control port with the same number inside and out, 8 GiB, a terminal, and what images expect."""
    declared = site("""
        # profiles/default
        {}
        # sessions/tools
        endpoints: [a]
        image: dtnaas/tools
        user: alice
        settings: {ssh_keys: [ssh-ed25519 AAAA alice]}
    """)
    made = world(declared, images=("dtnaas/tools",))
    spec = created(plan(declared, made), "lab.tools")
    assert (spec.network, spec.ports, spec.memory) == ("bridge", (PortBinding(30000, 30000),), 8589934592)
    assert (spec.privileged, spec.stop_signal, spec.tty, spec.hostname) == (False, "SIGTERM", True, "a")
    assert dict(spec.env) == {
        "HOSTNAME": "a.example.net",
        "CTRL_PORT": "30000",
        "SERV_PORT": "",
        "DATA_PORTS": "",
        "USER_NAME": "alice",
        "PUBLIC_KEY": "ssh-ed25519 AAAA alice",
        "DEPLOYMENT_KEY": "",
        "DATA_IFACE": "a.example.net",
    }
    made.apply(plan(declared, made))
    assert plan(declared, made).is_empty


def test_macvlan_data_network_over_two_endpoints() -> None:
    """Scenario 2: exactly that network on each, addresses that are never equal, and the bridge beside it for the control port."""
    declared = site(MACVLAN)
    made = plan(declared, world(declared))
    says(
        details(made),
        """
        create network/net3001 @ a: creates network net3001
          because used, not there (state/networks/net3001.yaml:1)
          driver = macvlan
          mtu = 9000
          mode = bridge
          parent = eth1.3001
          subnet = 10.33.1.0/24
          default route = none
        create session/one @ a: creates container lab.one
          because declared, not there (state/sessions/one.yaml:1)
          image = dtn:1
          ctrl_port = 30000
          bridge = address by the engine
          net3001 = 10.33.1.2
          memory = 8 GiB
        create network/net3001 @ b: creates network net3001
          because used, not there (state/networks/net3001.yaml:1)
          driver = macvlan
          mtu = 9000
          mode = bridge
          parent = eth1.3001
          subnet = 10.33.1.0/24
          default route = none
        create session/one @ b: creates container lab.one
          because declared, not there (state/sessions/one.yaml:1)
          image = dtn:1
          ctrl_port = 30000
          bridge = address by the engine
          net3001 = 10.33.1.3
          memory = 8 GiB
        """,
    )
    assert created(made, "lab.one").network == "net3001"
    assert created(made, "lab.one").ports == (PortBinding(30000, 30000),)
    assert dict(created(made, "lab.one").env)["DATA_IFACE"] == "10.33.1.2"
    assert dict(created(made, "lab.one", "b").env)["DATA_IFACE"] == "10.33.1.3"


def test_addresses_are_stable_over_plans_and_over_the_end_of_other_sessions() -> None:
    """Scenario 2: what lives keeps its address, and what was given back is given again."""
    both = site(MACVLAN + "    # sessions/two\n    endpoints: [a]\n    image: dtn:1\n    profile: data\n")
    made = applied(both)
    only_two = site(
        MACVLAN.replace("sessions/one", "sessions/three") + "    # sessions/two\n    endpoints: [a]\n    image: dtn:1\n    profile: data\n"
    )
    made.apply(plan(only_two, made, prune="100%"))
    addresses = {item.name: item.addresses[-1].ipv4 for item in made.hosts["a"].active}
    assert addresses == {"lab.two": "10.33.1.3", "lab.three": "10.33.1.5"}
    made.check()


def test_network_without_a_gateway_is_right_the_second_time_too() -> None:
    """Scenario 2: a missing gateway is no difference."""
    applied(site(MACVLAN.replace("    gateway: 10.33.1.1\n    default_route: false\n", "")))


def test_fixed_addresses_serve_so_many_sessions_and_the_next_one_is_refused() -> None:
    """Scenario 3: the first has .20, the second .21, the third is told who has them and what is free."""
    text = """
        # networks/lbnl
        driver: macvlan
        subnet: 10.33.1.0/24
        # profiles/lbnl-400g
        data_nets: [{name: lbnl, ipv4: [10.33.1.20, 10.33.1.21]}]
    """.rstrip(" ")
    for name in ("first", "second", "third"):
        text += f"        # sessions/{name}\n        endpoints: [a]\n        image: dtn:1\n        profile: lbnl-400g\n"
    declared = site(text)
    made = plan(declared, world(declared))
    assert created(made, "lab.first").attachments == (Attachment("bridge"), Attachment("lbnl", "10.33.1.20"))
    assert created(made, "lab.second").attachments == (Attachment("bridge"), Attachment("lbnl", "10.33.1.21"))
    says(
        details(replace(made, changes=made.blocked)),
        """
        blocked session/third @ a: E0414
          because none of 10.33.1.20, 10.33.1.21 is free: held are 10.33.1.20 by session first on a, 10.33.1.21 by session
              second on a (state/profiles/lbnl-400g.yaml:1)
          fix: 10.33.1.2 is free in 10.33.1.0/24
        """,
    )


def test_memory_in_words_and_bytes_and_no_limit_when_none_is_asked_for() -> None:
    """Scenario 6: null, false and 0 mean no limit, not 8 GiB."""
    for written, expected in (("68719476736", 64 * 1024**3), ("64GiB", 64 * 1024**3), ("null", 0), ("false", 0), ("0", 0)):
        declared = site(f"""
            # profiles/default
            memory: {written}
            # sessions/one
            endpoints: [a]
            image: dtn:1
        """)
        assert created(plan(declared, world(declared)), "lab.one").memory == expected


def test_host_networking_publishes_nothing_and_still_chooses_a_port_per_host() -> None:
    """Scenario 7: no binding and no limits; the control port is unique on the host, and the same number is free elsewhere."""
    declared = site("""
        # profiles/lbnl-400g-host
        cpus: null
        memory: null
        mgmt_net: host
        volumes: [/data, {type: tmpfs, target: /tmp}, '/proc:/host/proc:ro']
        # sessions/one
        endpoints: [a, b]
        image: dtn:1
        profile: lbnl-400g-host
        # sessions/two
        endpoints: [a]
        image: dtn:1
        profile: lbnl-400g-host
    """)
    made = plan(declared, world(declared))
    one, two, elsewhere = created(made, "lab.one"), created(made, "lab.two"), created(made, "lab.one", "b")
    assert (one.network, one.ports, one.memory, one.cpu_set, one.attachments) == ("host", (), 0, "", ())
    assert [dict(spec.env)["CTRL_PORT"] for spec in (one, two, elsewhere)] == ["30000", "30001", "30000"]
    assert [(mount.kind, mount.source, mount.target, mount.read_only) for mount in one.mounts] == [
        ("bind", "/data", "/data", False),
        ("bind", "/proc", "/host/proc", True),
        ("tmpfs", "", "/tmp", False),
    ]


def test_a_network_with_host_in_its_name_is_a_network_like_any_other() -> None:
    """Scenario 7: `ghost-net` is not host."""
    declared = site("""
        # networks/ghost-net
        driver: bridge
        # profiles/default
        mgmt_net: ghost-net
        # sessions/one
        endpoints: [a]
        image: dtn:1
    """)
    spec = created(plan(declared, world(declared)), "lab.one")
    assert (spec.network, spec.ports) == ("ghost-net", (PortBinding(30000, 30000),))


def test_the_control_port_maps_to_the_internal_port() -> None:
    """Scenario 8: a port of the range outside, 22 inside, and CTRL_PORT says the one outside."""
    declared = site("""
        # profiles/default
        ctrl_port_range: [10000, 10100]
        internal_port: 22
        # sessions/one
        endpoints: [a]
        image: dtn:1
    """)
    spec = created(plan(declared, world(declared)), "lab.one")
    assert spec.ports == (PortBinding(10000, 22),)
    assert dict(spec.env)["CTRL_PORT"] == "10000"


def test_two_sessions_get_different_service_ports() -> None:
    """Scenario 8: 60000 and 60001."""
    text = "\n        # profiles/default\n        serv_port_range: [60000, 60032]\n"
    for name in ("one", "two"):
        text += f"        # sessions/{name}\n        endpoints: [a]\n        image: dtn:1\n"
    made = plan(site(text), world(site(text)))
    assert [dict(created(made, f"lab.{name}").env)["SERV_PORT"] for name in ("one", "two")] == ["60000", "60001"]


def test_all_data_ports_are_published_on_a_bridge_and_none_on_macvlan() -> None:
    """Scenario 8: 33 ports one to one; on macvlan no binding and no crash."""
    for mgmt, expected in (("bridge", tuple(PortBinding(port, port) for port in (30000, *range(40000, 40033)))), ("net", ())):
        declared = site(f"""
            # networks/net
            driver: macvlan
            subnet: 10.0.0.0/24
            # profiles/default
            mgmt_net: {mgmt}
            data_port_range: [40000, 40032]
            # sessions/one
            endpoints: [a]
            image: dtn:1
        """)
        spec = created(plan(declared, world(declared)), "lab.one")
        assert spec.ports == expected
        assert dict(spec.env)["DATA_PORTS"] == "40000,40032"


def test_a_range_that_somebody_else_holds_a_port_of_is_refused_with_a_free_one() -> None:
    """Scenario 8: refused when planning, and not at start."""
    declared = site("""
        # profiles/default
        data_port_range: [40000, 40032]
        # sessions/one
        endpoints: [a]
        image: dtn:1
    """)
    made = world(declared)
    made.hosts["a"].foreign.append(ForeignSeen("web", "f1", ((40007, "tcp"),)))
    says(
        details(plan(declared, made)),
        """
        blocked session/one @ a: E0412
          because port 40007/tcp is held by container web on a, which is not ours (state/profiles/default.yaml:1)
          fix: data_port_range: [40008, 40040], free on a
        """,
    )


def test_ports_of_other_containers_are_avoided() -> None:
    """Scenario 8: a foreign container has 30000, so that 30001 is chosen."""
    declared = site("# sessions/one\nendpoints: [a]\nimage: dtn:1\n")
    made = world(declared)
    made.hosts["a"].foreign.append(ForeignSeen("web", "f1", ((30000, "tcp"),)))
    assert created(plan(declared, made), "lab.one").ports == (PortBinding(30001, 30001),)


def test_volumes_are_what_was_written() -> None:
    """Scenario 9: read-only where asked, a tmpfs, and a named volume with its driver."""
    declared = site("""
        # profiles/default
        volumes:
          - /sys/fs/cgroup:/sys/fs/cgroup:ro
          - {type: tmpfs, target: /tmp, size: 64MiB}
          - {source: dtnaas-1, target: /s3, driver: rexray/s3fs}
          - {source: /nvme/data, target: /data}
        # sessions/one
        endpoints: [a]
        image: dtn:1
    """)
    mounts = created(plan(declared, world(declared)), "lab.one").mounts
    assert [(item.target, item.kind, item.source, item.read_only, item.driver, item.size) for item in mounts] == [
        ("/data", "bind", "/nvme/data", False, "", 0),
        ("/s3", "volume", "dtnaas-1", False, "rexray/s3fs", 0),
        ("/sys/fs/cgroup", "bind", "/sys/fs/cgroup", True, "", 0),
        ("/tmp", "tmpfs", "", False, "", 64 * 1024**2),
    ]


def test_systemd_privileged_arguments_entry_point_and_name_servers_take_effect() -> None:
    """Scenario 10: the profile's, and the session's where it says otherwise."""
    declared = site("""
        # profiles/default
        privileged: true
        systemd: true
        arguments: sh -c 'sleep 5'
        entrypoint: [/init]
        dns: [10.0.0.53]
        # sessions/one
        endpoints: [a]
        image: dtn:1
        # sessions/two
        endpoints: [a]
        image: dtn:1
        settings: {arguments: [sleep, '9'], dns: [10.0.0.54]}
    """)
    made = plan(declared, world(declared))
    one, two = created(made, "lab.one"), created(made, "lab.two")
    assert (one.privileged, one.stop_signal, one.command, one.entrypoint) == (True, "SIGRTMIN+3", ("sh", "-c", "sleep 5"), ("/init",))
    assert (one.dns, two.command, two.dns) == (("10.0.0.53",), ("sleep", "9"), ("10.0.0.54",))
