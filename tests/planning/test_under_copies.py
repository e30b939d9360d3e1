"""A link that a running copy uses is not taken down for a setting of the host: that waits, and all else is done."""

from __future__ import annotations

import pytest
from dtn_agent.protocol import Held, Host, Interface
from dtn_agent.protocol.vlans import HeldVlan

from dtnctl.model.plan import Plan
from tests.planning.building import drop, plan, site, world
from tests.planning.dtns import MAY_REMOVE, agent, endpoint, session
from tests.planning.listing import steps
from tests.planning.machines import machine, pf
from tests.planning.transfers.declared import job, running, transfer
from tests.properties.world import World

LAB = "# networks/lab\ndriver: macvlan\nvlan: 310\nmtu: 9000\nsubnet: 10.3.0.0/24\n"
BRIDGED = "{}"
ON_LAB = "{data_nets: [lab]}"
READINGS = {
    "interface/ens1f0/mtu": "1500",
    "interface/ens1f0/irqs": "0-3",
    "interface/ens1f1/mtu": "1500",
    "sysctl/net.core.rmem_max": "212992",
}
TUNING = "tuning: {interfaces: {ens1f0: {mtu: 9000, irqs: local}, ens1f1: {mtu: 9000}}, sysctls: {net.core.rmem_max: 2147483647}}\n"


def told(mtu: int = 9000) -> Host:
    vlan = Interface(name="ens1f0.310", index=60, kind="vlan", parent="ens1f0", vlan=310, mtu=mtu)
    made = machine(pf("ens1f0", 0, vfs=0), pf("ens1f1", 1, vfs=0), vlan)
    entry = HeldVlan(name="ens1f0.310", parent="ens1f0", vlan=310, mtu=9000, site="lab")
    return made.model_copy(update={"readings": READINGS, "held": Held(vlans=(entry,))})


def text(settings: str = ON_LAB, *, more: str = "", network: str = LAB, others: str = "", retries: int = 0) -> str:
    """Two endpoints with a session and a transfer; `more` is in the file of a."""
    on = "".join(endpoint(name, interfaces="{lab: ens1f0, spare: ens1f1}", more=more if name == "a" else "") for name in "ab")
    mover = session("s", settings, on="a, b").replace("image:", "user: dtn\nimage:")
    spare = "# networks/spare\ndriver: macvlan\nsubnet: 10.4.0.0/24\n"
    profile = "# profiles/default\nvolumes: [data:/data]\ndata_port_range: [50100, 50103]\n"
    return on + MAY_REMOVE + network + spare + profile + mover + others + transfer(retries=retries)


def copying(settings: str = ON_LAB) -> World:
    """A copy runs through the session, on machines that nothing tunes."""
    declared = text(settings)
    made = world(site(declared), machines=dict.fromkeys("ab", told()))
    made.apply(plan(site(declared.partition("# transfers/")[0]), made))
    made._ensure_ledger(made.hosts["a"])
    made = running(declared, made)
    assert job(made) is not None
    return made


def waiting(found: Plan) -> dict[tuple[str, str], str]:
    return {(item.kind, item.name): item.summary for item in found.blocked}


def test_settings_of_the_interface_that_a_copy_uses_wait_and_others_are_set() -> None:
    made, declared = copying(), site(text(more=TUNING))
    found = plan(declared, made)
    assert waiting(found) == {
        ("tuning", "a"): "tuning a on a waits: this change would stop transfer t, not resumable; changes interface/ens1f0/mtu, "
        "interface/ens1f0/irqs, because mtu is declared"
    }, "the second comes after the first"
    assert sorted(steps(found)) == ["a/tune/interface/ens1f1/mtu", "a/tune/sysctl/net.core.rmem_max"]
    [done] = [item for item in found.changes if item.mark == "update"]
    assert (done.summary, [item.field for item in done.fields]) == (
        "changes 2 settings of the host",
        ["sysctl/net.core.rmem_max", "interface/ens1f1/mtu"],
    )


def test_a_copy_over_a_bridge_may_use_any_interface() -> None:
    found = plan(site(text(BRIDGED, more=TUNING)), copying(BRIDGED))
    assert steps(found) == ["a/tune/sysctl/net.core.rmem_max"]
    assert "interface/ens1f1/mtu" in waiting(found)["tuning", "a"]


def test_a_network_without_a_vlan_is_on_top_of_its_interface_alone() -> None:
    found = plan(site(text("{data_nets: [spare]}", more=TUNING)), copying("{data_nets: [spare]}"))
    assert "a/tune/interface/ens1f0/mtu" in steps(found)
    assert "interface/ens1f1/mtu" in waiting(found)["tuning", "a"]


def test_a_single_setting_that_waits_leaves_no_change_behind() -> None:
    found = plan(site(text(more="tuning: {interfaces: {ens1f0: {mtu: 9000}}}\n")), copying())
    assert (steps(found), [item.mark for item in found.changes]) == ([], ["blocked"])


def test_settings_are_changed_under_a_copy_where_that_is_asked_for() -> None:
    found = plan(site(text(more=TUNING)), copying(), interrupt=("t",))
    assert not found.blocked
    assert "a/tune/interface/ens1f0/mtu" in [step.partition(" ")[0] for step in steps(found)]


def test_what_is_set_is_set_when_the_copy_has_ended() -> None:
    made, declared = copying(), site(text(more=TUNING))
    drop(made, "a", "lab.t.g1a1")
    assert not plan(declared, made).blocked


def test_functions_of_the_interface_that_a_copy_uses_are_not_made() -> None:
    found = plan(site(text(more="vfs: {ens1f0: 4, ens1f1: 2}\n")), copying())
    assert waiting(found).keys() == {("vfs", "ens1f0")}
    assert steps(found) == ["a/vfs/ens1f1"]


def test_the_vlan_that_a_copy_uses_keeps_its_mtu() -> None:
    made = copying()
    for name in "ab":
        agent(made, name).machine = told(1500)
    found = plan(site(text()), made)
    assert [(item.kind, item.endpoint, item.held) for item in found.blocked] == [("vlan", "a", "update"), ("vlan", "b", "update")]
    assert not found.steps, "the session itself has nothing to wait for"


def test_a_new_session_that_needs_what_waits_waits_with_it() -> None:
    wide = "# networks/wide\ndriver: macvlan\nvlan: 311\nmtu: 9000\nsubnet: 10.5.0.0/24\n"
    new = wide + session("new", "{data_nets: [wide], mgmt_net: null, data_port_range: [50200, 50203]}")
    on = "tuning: {interfaces: {ens1f0: {mtu: 9100}}}\n"
    declared = text(more=on, others=new).replace("spare: ens1f1}", "spare: ens1f1, wide: ens1f0}")
    found = plan(site(declared), copying())
    assert waiting(found)["session", "new"].startswith("session new on a waits: this change would stop transfer t, not resumable; it ")
    assert not any("lab.new" in step for step in steps(found))


def test_a_new_session_whose_virtual_function_cannot_be_made_under_the_copy_waits_with_it() -> None:
    fast = "# networks/fast\ndriver: sriov\nsubnet: 10.6.0.0/24\n"
    new = fast + session("new", "{data_nets: [fast], mgmt_net: null, data_port_range: [50200, 50203]}")
    declared = text(more="vfs: {ens1f0: 4}\n", others=new).replace("spare: ens1f1}", "spare: ens1f1, fast: ens1f0}")
    found = plan(site(declared), copying())
    assert "it needs a/vfs/ens1f0" in waiting(found)["session", "new"]
    assert ("vfs", "ens1f0") in waiting(found)
    assert not any("lab.new" in step for step in steps(found))


@pytest.mark.parametrize("mark", ["a/vlan/", "a/network/"])
def test_what_the_waiting_session_would_have_used_is_not_made(mark: str) -> None:
    wide = "# networks/wide\ndriver: macvlan\nvlan: 311\nmtu: 9000\nsubnet: 10.5.0.0/24\n"
    new = wide + session("new", "{data_nets: [wide], mgmt_net: null, data_port_range: [50200, 50203]}")
    on = "tuning: {interfaces: {ens1f0: {mtu: 9100}}}\n"
    declared = text(more=on, others=new).replace("spare: ens1f1}", "spare: ens1f1, wide: ens1f0}")
    assert not [step for step in steps(plan(site(declared), copying())) if step.startswith(mark)]


def test_a_copy_over_a_network_without_a_vlan_holds_its_interface_too() -> None:
    plain = LAB.replace("vlan: 310\n", "")
    declared = text(network=plain)
    made = world(site(declared), machines=dict.fromkeys("ab", machine(pf("ens1f0", 0, vfs=0), pf("ens1f1", 1, vfs=0))))
    made.apply(plan(site(declared.partition("# transfers/")[0]), made))
    made._ensure_ledger(made.hosts["a"])
    found = plan(site(text(network=plain, more="vfs: {ens1f0: 4, ens1f1: 2}\n")), running(declared, made))
    assert waiting(found).keys() == {("vfs", "ens1f0")}
    assert steps(found) == ["a/vfs/ens1f1"]
