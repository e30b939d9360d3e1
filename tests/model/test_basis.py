"""What a plan was made from, as short facts: everything that plans look at has one, and no secret is among them."""

from __future__ import annotations

from dtn_agent.protocol import Held, Listener, Owner
from dtn_agent.protocol.tuning import HeldTuning
from dtn_agent.protocol.vfs import HeldVf, VfSettings
from dtn_agent.protocol.vlans import HeldVlan

from dtnctl.model.basis import SeenObject, basis_of
from dtnctl.model.resources import EndpointSeen, Snapshot
from tests.planning.machines import machine, pf
from tests.repository.test_inventory import SECRET, secretive

OWNER = Owner(site="lab", session="one", network="star")


def objects(seen: EndpointSeen) -> dict[tuple[str, str], SeenObject]:
    return {(item.kind, item.name): item for item in basis_of(Snapshot({seen.name: seen}))}


def test_no_text_that_may_be_a_secret_is_a_fact() -> None:
    told = [item for item in basis_of(Snapshot({"a": secretive()})) if item.kind != "record"]  # which has who started it
    assert SECRET not in str(told)


def test_what_an_agent_reports_and_holds_is_among_them() -> None:
    held = Held(
        vfs=(
            HeldVf(pf="ens1f0", pf_pci="0000:b1:00.0", index=0, pci="0000:b1:00.2", owner=OWNER, found=VfSettings(), wanted=VfSettings()),
        ),
        vlans=(HeldVlan(name="ens1f0.310", parent="ens1f0", vlan=310, mtu=9000, site="lab"),),
        tuning=(HeldTuning(key="smt", site="lab", found="on", wanted="off", now="on"),),
    )
    host = machine(pf("ens1f0", 1, vfs=2), held=held)
    facts = host.facts.model_copy(update={"listeners": (Listener(protocol="tcp", address="0.0.0.0", port=5201, process="iperf3"),)})
    found = objects(EndpointSeen("a", host=host.model_copy(update={"facts": facts, "readings": {"smt": "on", "governor": None}})))
    assert found["setting", "smt"].facts == (("value", "on"),)
    assert found["setting", "governor"].facts == (("value", "(none)"),)
    assert dict(found["interface", "ens1f0"].facts)["virtual functions"] == "2"
    assert dict(found["virtual function", "0000:b1:00.3"].facts)["driver"] == "mlx5_core"
    assert found["port", "0.0.0.0:5201/tcp"].facts == (("process", "iperf3"),)
    assert (found["held function", "0000:b1:00.2"].owner, found["held setting", "smt"].facts) == ("one", (("wanted", "off"),))
    assert found["held VLAN", "ens1f0.310"].facts == (("mtu", "9000"),)


def test_an_agent_that_does_not_answer_is_one() -> None:
    assert objects(EndpointSeen("a", agent_silence="no answer"))["agent", ""].facts == (("silence", "no answer"),)


def test_of_a_silent_endpoint_that_is_all() -> None:
    assert list(objects(EndpointSeen("a", silence="no answer"))) == [("engine", "")]
