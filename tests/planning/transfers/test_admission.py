"""How many transfers run at the same time on an endpoint: who goes first, and what the others wait for."""

from __future__ import annotations

from tests.planning.building import ANYTHING, applied, plan, site
from tests.planning.listing import notes
from tests.planning.transfers.scene import SESSION, end_job, idle, running, transfer
from tests.properties.world import World

WIDE = SESSION.replace("50103", "50199")


def limited(limits: str, more: str = "", session: str = SESSION) -> str:
    """The session on endpoints a and b, of which b has the limits."""
    hosts = "".join(f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nallow: {ANYTHING}\n" for name in "ab")
    return f"{session}{hosts}limits: {limits}\n{more}"


def waits(text: str, made: World, **scope: object) -> list[str]:
    """Each start with the steps that it comes after, and what its change says of that."""
    found = plan(site(text), made, **scope)
    said = {change.name: change.notes for change in found.changes}
    lines = []
    for step in found.steps:
        if "/transfer/" in step.id:
            name = step.id.rpartition("/")[2]
            after = "".join(f" <- {', '.join(step.follows)}" if step.follows else "")
            lines += [f"{name}{after}", *(f"  {note}" for note in said[name])]
    return lines


def three(**fields: object) -> str:
    return "".join(transfer(name, **fields) for name in ("t", "u", "v"))


# --- transfers ----------------------------------------------------------------------------------------------


def test_without_a_limit_all_start_at_once() -> None:
    assert waits(SESSION + three(), idle()) == ["t", "u", "v"]


def test_over_the_limit_each_starts_when_an_earlier_one_has_ended() -> None:
    text = limited("{transfers: 2}", three() + transfer("w"))
    assert waits(text, idle()) == [
        "t",
        "u",
        "v <- a/finish/t",
        "  waits: b runs 2 of 2 transfers (t, u); starts after the end of t",
        "w <- a/finish/u",
        "  waits: b runs 2 of 2 transfers (u, v); starts after the end of u",
    ]
    made = idle()
    made.apply(plan(site(text), made))
    assert plan(site(text), made).is_empty


def test_a_high_priority_goes_first_and_equal_ones_go_by_name() -> None:
    text = limited("{transfers: 1}", transfer("t") + transfer("u", priority=1) + transfer("v", priority=5))
    assert [line for line in waits(text, idle()) if not line.startswith(" ")] == ["v", "t <- a/finish/v", "u <- a/finish/t"]


def test_what_a_high_priority_follows_goes_before_it() -> None:
    text = limited("{transfers: 1}", transfer("t") + transfer("u") + transfer("v", priority=5, after="u"))
    found = [step for step in plan(site(text), idle()).steps if "/transfer/" in step.id]
    assert [(step.id, step.needs, step.follows) for step in found] == [
        ("a/transfer/t", (), ()),
        ("a/transfer/u", (), ("a/finish/t",)),
        ("a/transfer/v", ("a/finish/u",), ("a/finish/u",)),
    ]


def test_transfers_of_an_earlier_apply_are_counted_until_they_have_ended() -> None:
    text = limited("{transfers: 1}", transfer("t"))
    made = running(text)
    more = text + transfer("u")
    expected = "u generation 1 waiting: b runs 1 of 1 transfers (t); the first apply after the end of one of them starts it"
    assert expected in notes(plan(site(more), made))
    assert waits(more, made) == []
    end_job(made)
    assert waits(more, made) == ["u"]


def test_one_of_two_places_is_left_beside_a_running_transfer() -> None:
    text = limited("{transfers: 2}", transfer("t"))
    assert waits(text + transfer("u") + transfer("v"), running(text)) == [
        "u",
        "v <- a/finish/u",
        "  waits: b runs 2 of 2 transfers (t, u); starts after the end of u",
    ]


def test_a_running_transfer_whose_file_is_gone_counts_where_it_runs() -> None:
    text = SESSION + transfer("t")
    made = running(text)
    hosts = "".join(
        f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nallow: {ANYTHING}\nlimits: {{transfers: 1}}\n"
        for name in "ab"
    )
    found = notes(plan(site(SESSION + hosts + transfer("u")), made, excludes=("t",)))
    assert "u generation 1 waiting: a runs 1 of 1 transfers (t); the first apply after the end of one of them starts it" in found


def test_of_many_only_the_first_are_named() -> None:
    names = [f"t{number}" for number in range(6)]
    text = limited("{transfers: 5}", "".join(transfer(name) for name in names), WIDE)
    assert waits(text, idle(WIDE))[-1] == "  waits: b runs 5 of 5 transfers (t0, t1, t2 and 2 more); starts after the end of t0"


def test_a_lower_limit_than_what_runs_gives_nothing_away() -> None:
    made = running(SESSION + transfer("t") + transfer("u"), name="lab.u.g1a1")
    found = notes(plan(site(limited("{transfers: 1}", three())), made))
    assert "v generation 1 waiting: b runs 2 of 1 transfers (t, u); the first apply after the end of one of them starts it" in found


# --- bandwidth and ports ------------------------------------------------------------------------------------


def test_declared_bandwidth_is_never_given_twice() -> None:
    sizes = {"t": "6gbit", "u": "4gbit", "v": "4gbit", "w": "2gbit"}
    text = limited("{bandwidth: 10gbit}", "".join(transfer(name, bandwidth=size) for name, size in sizes.items()) + transfer("x"), WIDE)
    assert waits(text, idle(WIDE)) == [
        "t",
        "u",
        "v <- a/finish/t",
        "  waits: transfers have 10000mbit of the 10000mbit of b (t, u), and it is declared with 4000mbit; starts after the end of t",
        "w <- a/finish/t",
        "  waits: transfers have 10000mbit of the 10000mbit of b (t, u, v), and it is declared with 2000mbit; starts after the end of t",
        "x",
    ]


def test_a_rate_that_is_not_exceeded_counts_as_bandwidth() -> None:
    files = "".join(transfer(name, tool="rsync", max_rate="6gbit") for name in "tu") + transfer("v", bandwidth="1gbit")
    starts = [line for line in waits(limited("{bandwidth: 10gbit}", files), idle()) if not line.startswith(" ")]
    assert starts == ["t", "u <- a/finish/t", "v <- a/finish/t"]


def test_data_ports_hold_what_runs_at_the_same_time() -> None:
    """The range has four."""
    text = SESSION + transfer("t", concurrency=3) + transfer("u") + transfer("v", concurrency=2)
    assert waits(text, idle()) == [
        "t",
        "u",
        "v <- a/finish/t",
        "  waits: session s on a uses 4 of 4 data ports (t, u), and it needs 2; "
        "session s on b uses 4 of 4 data ports (t, u), and it needs 2; starts after the end of t",
    ]


def test_a_session_without_a_range_has_ports_for_all() -> None:
    session = "# sessions/s\nendpoints: [a, b]\nimage: dtn:1\nuser: dtn\nsettings: {mgmt_net: host, volumes: [data:/data]}\n"
    made = applied(site(session))
    made._ensure_ledger(made.hosts["a"])
    assert waits(session + three(concurrency=64), made) == ["t", "u", "v"]


def test_a_tool_without_data_ports_needs_none_and_one_with_a_server_needs_one_at_the_destination() -> None:
    """The range has four; two rsync run beside a copy that has all of them, and a measurement waits for one."""
    memory = "# transfers/x\nfrom: a\nto: b\ntool: iperf3\n"
    text = SESSION + transfer("t", concurrency=4) + transfer("u", tool="rsync") + transfer("v", tool="rsync") + memory
    assert waits(text, idle()) == [
        "t",
        "u",
        "v",
        "x <- a/finish/t",
        "  waits: session s on b uses 4 of 4 data ports (t), and it needs 1; starts after the end of t",
    ]


def test_a_tool_of_the_site_and_a_protocol_with_a_server_are_counted_like_any_other() -> None:
    """The range has four ports: one is that of the site's own server, one that of rclone's, and a copy that needs three waits."""
    tool = '# tools/copier\nmoves: files\nclient: [copier, "{source}", "{data_host}:{port}"]\nserver: [copier, serve, "{port}"]\n'
    rclone = transfer("u", tool="rclone") + "options: {protocol: webdav}\n"
    text = SESSION + tool + transfer("t", tool="copier") + rclone + transfer("v", concurrency=3)
    assert waits(text, idle()) == [
        "t",
        "u",
        "v <- a/finish/t",
        "  waits: session s on b uses 2 of 4 data ports (t, u), and it needs 3; starts after the end of t",
    ]


def test_what_does_not_start_takes_nothing() -> None:
    text = limited("{transfers: 1}", transfer("t"))
    made = idle()
    made.apply(plan(site(text), made))
    assert waits(text + transfer("u"), made) == ["u"]
