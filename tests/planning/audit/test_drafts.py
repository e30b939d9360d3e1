"""The files that would declare a host: every setting that the findings ask for, and each network once."""

from __future__ import annotations

import pytest
from dtn_agent.protocol.tuning import Tune

from dtnctl.model.site import Endpoint, Network
from dtnctl.model.tuning import Tuning, tuning_items
from tests.planning.audit.undeclared import audited, interface, read, tuned, with_interfaces
from tests.planning.doctor.faults import FAULTS, Fault
from tests.planning.doctor.hosts import item
from tests.planning.doctor.scene import Scene

DRIVES = ("nvme0n1", "nvme1n1", "sda", "md0")


def test_endpoint_names_its_nics_and_networks_what_the_nics_show() -> None:
    nic = interface("ens1f0", mtu=9000, speed=100_000, addresses=["10.1.0.7/24"])
    vlan = interface("ens1f0.222", kind="vlan", parent="ens1f0", vlan=222, addresses=["2001:db8::7/64"])
    endpoint, plain, tagged = audited(read(with_interfaces(nic, vlan))).drafts
    assert (endpoint.kind, endpoint.name) == ("endpoints", "dtn1")
    assert {key: value for key, value in endpoint.fields.items() if key != "tuning"} == {
        "docker": "ssh://root@dtn1",
        "agent": "ssh",
        "interfaces": {"net-10-1-0-0-24": "ens1f0", "net-2001-db8-64": "ens1f0"},
    }
    assert endpoint.notes[0].startswith("`dtnctl endpoints add dtn1 --ssh ssh://root@dtn1` installs the agent")
    assert (plain.name, dict(plain.fields)) == ("net-10-1-0-0-24", {"driver": "macvlan", "subnet": "10.1.0.0/24", "mtu": 9000})
    assert (tagged.name, dict(tagged.fields)) == ("net-2001-db8-64", {"driver": "macvlan", "subnet6": "2001:db8::/64", "vlan": 222})
    for network in (plain, tagged):
        Network.model_validate(network.fields)


def test_host_without_an_address_gets_no_network_and_one_without_faults_no_tuning() -> None:
    (endpoint,) = audited(
        read(with_interfaces(interface("ens3", mtu=9000, qdiscs=[{"parent": "root", "kind": "fq", "handle": "1:"}])))
    ).drafts
    assert dict(endpoint.fields) == {"docker": "ssh://root@dtn1", "agent": "ssh"}


def test_network_of_two_hosts_is_one_with_the_smaller_frames() -> None:
    near, far = tuned(), tuned()
    item({"facts": far}, "interfaces", "ens1f0")["mtu"] = 8000
    drafts = audited(read(near), read(far, "dtn2")).drafts
    assert [(draft.kind, draft.name) for draft in drafts] == [("endpoints", "dtn1"), ("endpoints", "dtn2"), ("networks", "net-10-9-0-0-24")]
    assert drafts[2].fields["mtu"] == 8000


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.sentence)
def test_tuning_of_the_draft_is_what_dtnctl_reads_and_the_agent_takes(fault: Fault) -> None:
    """The doctor's own faults, on a host that is not declared: as many of them as do not need a declaration."""
    scene = Scene()
    fault.spoil(scene)
    assert scene.a is not None
    audit = audited(read(scene.a["facts"]), read(scene.b["facts"] if scene.b else tuned(), "dtn2"))
    endpoint = Endpoint.model_validate(audit.drafts[0].fields)
    for key, value in tuning_items(endpoint.tuning, DRIVES).items():
        assert Tune(site="lab", key=key, value=value).key == key


def test_settings_of_every_kind_stand_in_their_place() -> None:
    facts = tuned()
    facts["sysctls"]["net.ipv4.tcp_rmem"] = "4096 131072 6291456"
    facts["cpus"]["governors"] = ["powersave"]
    facts["system"]["irqbalance"] = True
    nic = item({"facts": facts}, "interfaces", "ens1f0")
    nic["rings"]["tx"] = 256
    nic["qdiscs"] = [{"parent": "root", "kind": "fq_codel", "handle": "1:"}]
    item({"facts": facts}, "block_devices", "nvme0n1")["scheduler"] = "mq-deadline"
    tuning = audited(read(facts)).drafts[0].fields["tuning"]
    assert tuning == {
        "sysctls": {"net.ipv4.tcp_rmem": "4096 131072 1073741824"},
        "interfaces": {"ens1f0": {"qdisc": "fq", "tx_ring": 8192}},
        "governor": "performance",
        "irqbalance": False,
        "block": {"nvme0n1": {"scheduler": "none"}},
    }
    Tuning.model_validate(tuning)
