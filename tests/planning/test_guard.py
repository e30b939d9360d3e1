"""What is refused before anything is called: the owner's guard rails, names of others, routes that would be wrong, too many removals."""

from __future__ import annotations

import pytest

from dtnctl.model.resources import ForeignSeen, VolumeSeen
from tests.planning.building import applied, change, plan, site, world
from tests.planning.listing import changes, details, says, steps

NETS = "# networks/data\ndriver: macvlan\nsubnet: 10.0.0.0/24\n# networks/mgmt\ndriver: bridge\n"


def asked(settings: str, allow: str = "{}") -> str:
    """A session that asks, and an owner."""
    owner = "".join(
        f"# endpoints/{name}\ndocker: unix:///{name}\nhost: {name}\ninterfaces: {{data: eth1}}\nallow: {allow}\n" for name in "ab"
    )
    return f"{owner}{NETS}# sessions/one\nendpoints: [a]\nimage: reg.example.net/dtn:1\nsettings: {settings}\n"


@pytest.mark.parametrize(
    ("settings", "allow", "code", "what"),
    [
        ("{privileged: true}", "{}", "E0501", "a privileged container"),
        ("{}", "{images: ['dtnaas/*']}", "E0502", "image reg.example.net/dtn:1"),
        ("{volumes: [/etc]}", "{mounts: [/nvme]}", "E0503", "the mount of /etc"),
        ("{volumes: [/nvme2]}", "{mounts: [/nvme]}", "E0503", "the mount of /nvme2"),
        (
            "{volumes: [{source: vol, target: /x, driver: local, driver_opts: {type: none, o: bind, device: /etc}}]}",
            "{mounts: [/nvme]}",
            "E0503",
            "the mount of /etc",
        ),
        ("{devices: [/dev/fuse]}", "{devices: [rdma_cm]}", "E0504", "device /dev/fuse"),
        ("{capabilities: {add: [CAP_SYS_ADMIN]}}", "{capabilities: [NET_ADMIN]}", "E0505", "capability SYS_ADMIN"),
        ("{mgmt_net: host}", "{networks: [bridge]}", "E0506", "network host"),
        ("{data_nets: [data]}", "{networks: [bridge]}", "E0506", "network data"),
        ("{exposed_ports: [80]}", "{}", "E0507", "port 80/tcp"),
        ("{mgmt_net: host, data_port_range: [50000, 50002]}", "{ports: [[30000, 50001]], networks: [host]}", "E0507", "port 50002/tcp"),
    ],
)
def test_what_the_owner_does_not_allow_is_refused_with_the_owners_line(settings: str, allow: str, code: str, what: str) -> None:
    declared = site(asked(settings, allow))
    (blocked,) = plan(declared, world(declared)).changes
    assert (blocked.mark, blocked.code, blocked.cause.file) == ("blocked", code, "state/endpoints/a.yaml")
    assert blocked.cause.text.startswith(f"the owner of a does not allow {what}, asked for at state/sessions/one.yaml:")
    assert blocked.fix.startswith("ask the owner to extend allow.")


@pytest.mark.parametrize(
    ("settings", "allow"),
    [
        ("{privileged: true}", "{privileged: true}"),
        ("{volumes: [/nvme/a, {type: tmpfs, target: /t}, 'named:/n']}", "{mounts: [/nvme]}"),
        ("{volumes: [{source: vol, target: /x, driver_opts: {type: nfs, device: ':/export'}}]}", "{volumes: [nfs]}"),
        ("{devices: [rdma_cm, '/dev/nvme0n1:/dev/disk:r']}", "{devices: [rdma_cm, '/dev/nvme*']}"),
        ("{capabilities: {add: [net_admin], drop: [ALL]}}", "{capabilities: [CAP_NET_ADMIN]}"),
        ("{data_nets: [data]}", "{networks: ['da*', bridge]}"),
        ("{exposed_ports: [8080]}", "{ports: [[30000, 30010], 8080]}"),
        ("{}", "{images: ['reg.example.net/*']}"),
    ],
)
def test_what_the_owner_allows_is_planned(settings: str, allow: str) -> None:
    declared = site(asked(settings, allow))
    assert not plan(declared, world(declared)).blocked


def test_one_refused_service_blocks_its_session_on_all_endpoints() -> None:
    """Also what is left of it elsewhere stays: nothing is taken away before the new one can be."""
    text = "# sessions/one\nendpoints: [a, b]\nimage: dtn:1\n"
    made = applied(site(text))
    declared = site(
        "# sessions/one\nendpoints: [b]\nimage: dtn:1\nsettings: {init: true, pull: never}\n# sessions/two\nendpoints: [a]\nimage: dtn:1\n"
    )
    made.hosts["b"].images.clear()
    assert changes(plan(declared, made)) == [
        "blocked session/one @ b: E0430",
        "create session/two @ a: creates container lab.two",
    ]


def test_an_endpoint_that_does_not_answer_blocks_by_what_is_known_of_it() -> None:
    declared = site(asked("{volumes: [/etc]}", "{mounts: [/nvme]}").replace("endpoints: [a]", "endpoints: [a, b]"))
    made = world(declared)
    made.hosts["b"].silence = "no answer within 10 s"
    assert [item.endpoint for item in plan(declared, made).blocked] == ["a", "b"]


@pytest.mark.parametrize("name", ["lab.one", "lab.one..old", "lab.one..new"])
def test_a_container_of_somebody_else_with_our_name_is_an_error(name: str) -> None:
    declared = site("# sessions/one\nendpoints: [a]\nimage: dtn:1\n")
    made = world(declared)
    made.hosts["a"].foreign.append(ForeignSeen(name, "f1"))
    (blocked,) = plan(declared, made).changes
    assert (blocked.code, blocked.cause.text) == ("E0420", f"a container named {name} on a is not ours")


@pytest.mark.parametrize(
    ("found", "has"),
    [
        (
            VolumeSeen("vol", "local", (("device", "/etc"), ("o", "bind"), ("type", "none"))),
            "driver local, options device=/etc, o=bind, type=none",
        ),
        (VolumeSeen("vol", "local", (("device", "none"), ("type", "proc"))), "driver local, options device=none, type=proc"),
        (VolumeSeen("vol", "rexray/s3fs"), "driver rexray/s3fs, options none"),
        (VolumeSeen("vol"), "driver local, options none"),
    ],
)
def test_a_volume_that_is_there_otherwise_than_declared_blocks_whoever_made_it(found: VolumeSeen, has: str) -> None:
    """The engine mounts it as it is, whatever options a container asks for."""
    options = "" if found.options or found.driver != "local" else ", driver_opts: {type: tmpfs, device: tmpfs}"
    declared = site(f"# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings:\n  volumes: [{{source: vol, target: /x{options}}}]\n")
    made = world(declared)
    made.hosts["a"].volumes["vol"] = found
    (blocked,) = plan(declared, made).changes
    asked_at = "the volume vol on a is not as declared at state/sessions/one.yaml:4"
    wanted = f"driver local, options {'device=tmpfs, type=tmpfs' if options else 'none'}"
    assert (blocked.code, blocked.cause.text) == ("E0509", f"{asked_at}: it has {has}; it should have {wanted}")
    assert "`docker volume rm vol`" in blocked.fix


VOLUMES = "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings:\n  volumes: ['vol:/x', {source: other, target: /y, driver: any}]\n"


def test_a_volume_that_is_there_as_declared_and_ours_is_used() -> None:
    declared = site(VOLUMES)
    made = world(declared)
    made.hosts["a"].volumes |= {"vol": VolumeSeen("vol", is_ours=True), "other": VolumeSeen("other", "any", is_ours=True)}
    assert not plan(declared, made).blocked


def test_a_volume_of_another_application_is_its_data_and_needs_the_owners_word() -> None:
    """A name is all that one would need to know for reading what a database beside the session keeps."""
    declared = site(VOLUMES)
    made = world(declared)
    made.hosts["a"].volumes |= {"vol": VolumeSeen("vol"), "other": VolumeSeen("other", "any", is_ours=True)}
    (blocked,) = plan(declared, made).changes
    asked_at = "is there already and not made by dtnctl for this site, asked for at state/sessions/one.yaml:4"
    assert (blocked.code, blocked.cause.file) == ("E0508", "state/endpoints/a.yaml")
    assert blocked.cause.text == f"the owner of a does not allow volume vol, which {asked_at}"
    assert blocked.fix == "another name for the volume, or ask the owner to extend allow.foreign_volumes in state/endpoints/a.yaml"
    for allowed, is_blocked in (("vol", False), ("v*", False), ("*", False), ("volume", True), ("nfs", True)):
        owner = f"# endpoints/a\ndocker: unix:///a\nhost: a\nallow: {{volumes: [any], foreign_volumes: ['{allowed}']}}\n"
        assert bool(plan(site(owner + VOLUMES), made).blocked) is is_blocked


def test_a_volume_that_a_container_of_ours_has_is_ours_also_without_labels() -> None:
    """An older dtnctl let the engine make it with the container."""
    made = applied(site(VOLUMES))
    made.hosts["a"].volumes |= {"vol": VolumeSeen("vol"), "other": VolumeSeen("other", "any")}
    (changed,) = plan(site(VOLUMES + "  init: true\n"), made).changes
    assert changed.mark == "replace"


@pytest.mark.parametrize(
    ("written", "used"), [("bind", "bind,private"), ("ro,rbind", "ro,rbind,rprivate"), ("bind,private", "bind,private")]
)
def test_a_folder_as_a_volume_is_mounted_so_that_unmounting_it_takes_nothing_of_the_host_along(written: str, used: str) -> None:
    text = "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {volumes: [{source: vol, target: /x, driver_opts: %s}]}\n"
    options = f"{{type: none, device: /nvme, o: '{written}'}}"
    made = applied(site(text % options))
    assert dict(made.hosts["a"].volumes["vol"].options)["o"] == used
    assert plan(site(text % options), made).is_empty


def test_every_reason_is_named_at_once() -> None:
    """Those of the files, of what lives there, and those that would show once the others are gone; none of them twice."""
    settings = "{privileged: true, pull: never, exposed_ports: [8080], volumes: [/etc, /etc/x]}"
    declared = site(asked(settings) + "# sessions/two\nendpoints: [a]\nimage: dtn:1\n")
    made = world(declared)
    made.hosts["a"].foreign += [ForeignSeen("lab.one", "f1"), ForeignSeen("web", "f2", host_ports=((8080, "tcp"),))]
    planned = plan(declared, made)
    assert changes(planned) == [
        "blocked session/one @ a: E0501",
        "blocked session/one @ a: E0503",
        "blocked session/one @ a: E0503",
        "blocked session/one @ a: E0420",
        "blocked session/one @ a: E0430",
        "blocked session/one @ a: E0412",
        "create session/two @ a: creates container lab.two",
    ]


# --- default routes -----------------------------------------------------------------------------------------

ROUTED = "# networks/aaa\ndriver: macvlan\nsubnet: 10.0.0.0/24\ngateway: 10.0.0.1\n"


def test_a_default_route_that_the_engine_would_get_wrong_is_refused_with_the_fix() -> None:
    declared = site(ROUTED + "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {data_nets: [aaa]}\n")
    says(
        details(plan(declared, world(declared))),
        """
        blocked session/one @ a: E0460
          because the default route should be on bridge, but Docker takes the first network by name and would put it on aaa;
              published ports would not answer (state/sessions/one.yaml:1)
          fix: `default_route: false` in state/networks/aaa.yaml, or another name for it
        """,
    )
    fixed = site(ROUTED + "default_route: false\n# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {data_nets: [aaa]}\n")
    assert not plan(fixed, world(fixed)).blocked


ALIKE = ROUTED.replace("aaa", "data-1") + ROUTED.replace("aaa", "data-2").replace("10.0.0.", "10.0.1.")
TWO_ALIKE = "{data_nets: [data-1, data-2], mgmt_net: null}"


@pytest.mark.parametrize(
    ("networks", "settings", "backend", "says_of_it", "fix"),
    [
        (
            ROUTED.replace("aaa", "net"),
            "{data_nets: [net], default_route: net}",
            "Docker",
            "would put it on bridge;",
            "`default_route: bridge`, or a network of state/networks in place of bridge, with a name that comes after net",
        ),
        (
            ALIKE,
            TWO_ALIKE,
            "Podman",
            "could put it on another one;",
            "another name for data-1, or `default_route: false` in the networks that begin like it",
        ),
    ],
)
def test_the_fix_is_one_that_can_be_written(networks: str, settings: str, backend: str, says_of_it: str, fix: str) -> None:
    """No file of the state is called as a network of the engine itself is, nor as none."""
    declared = site(networks + f"# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {settings}\n")
    made = world(declared)
    made.hosts["a"].backend = backend
    (blocked,) = plan(declared, made).changes
    assert blocked.code == "E0460"
    assert says_of_it in blocked.cause.text
    assert blocked.fix == fix


@pytest.mark.parametrize(
    ("settings", "is_right"),
    [
        ("{data_nets: [aaa], mgmt_net: null}", True),
        ("{data_nets: [aaa], default_route: aaa}", True),
        ("{data_nets: [aaa], default_route: bridge}", False),
        ("{mgmt_net: null}", True),
    ],
)
def test_the_declared_default_route_is_the_one_that_counts(settings: str, is_right: bool) -> None:
    declared = site(ROUTED + f"# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {settings}\n")
    assert bool(plan(declared, world(declared)).blocked) is not is_right


# --- removals -----------------------------------------------------------------------------------------------


def many(*names: str, head: str = "") -> str:
    return head + "".join(f"# sessions/{name}\nendpoints: [a]\nimage: dtn:1\nsettings: {{mgmt_net: mgmt}}\n" for name in names)


ALL = tuple("abcdefgh")


def test_more_removals_than_the_budget_are_all_blocked() -> None:
    """A wrong folder must not empty a site: what else goes with sessions stays too."""
    made = applied(site(NETS + many(*ALL)))
    says(
        details(plan(site(NETS + many(*ALL[:5])), made))[:3],
        """
        blocked session/f @ a: E0440
          because 3 of 8 sessions would be removed, the limit is 2 (state/site.yaml:1)
          fix: --max-prune 3 if it is meant
        """,
    )
    emptied = plan(site("# site\nname: lab\nlimits:\n  max_prune: 7\n"), made)
    assert {(item.code, item.cause.place) for item in emptied.changes} == {("E0443", "state/site.yaml:1")}
    assert emptied.steps == ()
    fewer = plan(site("# site\nname: lab\nlimits:\n  max_prune: 6\n" + NETS + many("a")), made)
    assert {(item.code, item.cause.place) for item in fewer.changes} == {("E0440", "state/site.yaml:3")}


def test_removals_within_the_budget_are_carried_out() -> None:
    made = applied(site(NETS + many(*ALL)))
    assert len(steps(plan(site(NETS + many(*ALL[:6])), made))) == 4
    assert len(steps(plan(site(NETS + many(*ALL[:5])), made, prune=3))) == 6
    assert len(steps(plan(site(NETS + many(*ALL[:5])), made, prune="40%"))) == 6


def test_one_session_may_always_go() -> None:
    made = applied(site(NETS + many("a", "b")))
    zero = "# site\nname: lab\nlimits: {max_prune: 0}\n"
    assert changes(plan(site(zero + NETS + many("a")), made)) == ["destroy session/b @ a: removes container lab.b, running"]


def test_what_stays_over_the_budget_keeps_its_ports() -> None:
    made = applied(site(NETS + many(*ALL)))
    settings = "{ctrl_port_range: [30001, 30001]}"
    declared = site(NETS + many("a") + f"# sessions/new\nendpoints: [a]\nimage: dtn:1\nsettings: {settings}\n")
    new = next(item for item in plan(declared, made).changes if item.name == "new")
    assert new.cause.text == "no free port in 30001-30001 on a: held are 30001 by session b on a"


def test_a_removal_says_why_and_what_ends() -> None:
    where = {"gone": "a", "late": "a", "moved": "a, b"}
    text = "".join(f"# sessions/{name}\nendpoints: [{endpoints}]\nimage: dtn:1\n" for name, endpoints in where.items())
    made = applied(site(text))
    change(made, "a", "lab.gone", state="exited", exit_code=3)
    after = """
        # sessions/late
        endpoints: [a]
        image: dtn:1
        expires: 2026-06-01T00:00:00Z
        # sessions/moved
        endpoints:
          - b
        image: dtn:1
    """
    says(
        details(plan(site(after), made, prune="100%")),
        """
        destroy session/gone @ a: removes container lab.gone, exited (exit code 3)
          because no file state/sessions/gone.yaml any more
        destroy session/late @ a: removes container lab.late, running
          because the session has expired (state/sessions/late.yaml:3)
          interrupts: late on a ends
        destroy session/moved @ a: removes container lab.moved, running
          because the session does not name this endpoint any more (state/sessions/moved.yaml:1)
          interrupts: moved on a ends
        """,
    )


@pytest.mark.parametrize("name", ["lab.one..old", "lab.one..new"])
def test_a_container_beside_a_service_goes_with_its_session(name: str) -> None:
    made = applied(site("# sessions/one\nendpoints: [a]\nimage: dtn:1\n"))
    change(made, "a", "lab.one", name=name)
    assert changes(plan(site("# profiles/default\n{}\n"), made)) == [f"destroy session/one @ a: removes container {name}, running"]


# --- destroy ------------------------------------------------------------------------------------------------


def test_destroy_removes_everything_that_is_ours_in_the_right_order() -> None:
    text = (
        NETS
        + """
# sessions/one
endpoints: [a, b]
image: dtn:1
user: dtn
settings: {data_nets: [data], volumes: [data:/x]}
# transfers/t
from: a:/x
to: b:/x
tool: gridftp
"""
    )
    made = applied(site(text))
    destroying = plan(site(text), made, destroy=True)
    says(
        details(destroying),
        """
        destroy ledger/lab.control.ledger @ a: removes container lab.control.ledger; the record of transfers stays on the host
          because destroy was asked for
        destroy network/data @ a: removes network data
          because no service here uses it
        destroy session/one @ a: removes container lab.one, running
          because destroy was asked for
          interrupts: one on a ends
        destroy network/data @ b: removes network data
          because no service here uses it
        destroy session/one @ b: removes container lab.one, running
          because destroy was asked for
          interrupts: one on b ends
        """,
    )
    says(
        steps(destroying),
        """
        a/stop/lab.one
        a/remove/lab.one <- a/stop/lab.one
        a/remove-network/data <- a/remove/lab.one
        a/remove/lab.control.ledger
        b/stop/lab.one
        b/remove/lab.one <- b/stop/lab.one
        b/remove-network/data <- b/remove/lab.one
        """,
    )
    made.apply(destroying)
    assert [host.containers or host.networks for host in made.hosts.values()] == [{}, {}]
    assert plan(site(text), made, destroy=True).is_empty


def test_destroy_of_one_session_leaves_the_others_and_the_ledger() -> None:
    text = "# sessions/one\nendpoints: [a]\nimage: dtn:1\n# sessions/two\nendpoints: [a]\nimage: dtn:1\n"
    made = applied(site(text))
    assert steps(plan(site(text), made, destroy=True, targets=("session/one",))) == [
        "a/stop/lab.one",
        "a/remove/lab.one <- a/stop/lab.one",
    ]


def test_patterns_name_objects_kinds_and_endpoints() -> None:
    text = "# sessions/one\nendpoints: [a, b]\nimage: dtn:1\n# sessions/two\nendpoints: [a]\nimage: dtn:1\n"
    declared = site(text)
    made = world(declared)

    def named(**scope: tuple[str, ...]) -> list[str]:
        return [f"{item.name}@{item.endpoint}" for item in plan(declared, made, **scope).changes]

    assert named(targets=("one",)) == ["one@a", "one@b"]
    assert named(targets=("session/t*",)) == ["two@a"]
    assert named(targets=("endpoint/b",)) == ["one@b"]
    assert named(targets=("transfer/one",)) == []
    assert named(targets=("one",), excludes=("endpoint/a",)) == ["one@b"]
    assert named(excludes=("t*",)) == ["one@a", "one@b"]
