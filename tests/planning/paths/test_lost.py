"""What runs on a VLAN that no file says any more was made for a commit that may have had its path."""

from __future__ import annotations

from dataclasses import replace

from dtn_agent.protocol import Held, Owner
from dtn_agent.protocol.vfs import HeldVf, VfSettings

from dtnctl.model.ownership import LABEL_COMMIT
from dtnctl.model.resources import Snapshot
from dtnctl.planning.paths.lost import OnVlans, on_forgotten_vlans
from tests.planning.building import site
from tests.planning.machines import machine
from tests.planning.paths.scene import SESSION, SITE, WAN, declared, running

WITHOUT = site(SITE + SESSION.replace("data_nets: [wan], ", ""))


def applied(commit: str = "abc") -> Snapshot:
    """What runs over the path, with the label that apply gives it in a repository."""
    snapshot, labelled = running(declared()).observe(), {}
    for name, item in snapshot.endpoints.items():
        containers = (replace(container, labels={**container.labels, LABEL_COMMIT: commit}) for container in item.containers)
        labelled[name] = replace(item, containers=tuple(containers))
    return replace(snapshot, endpoints=labelled)


def found(commit: str = "abc", place: str = "a") -> tuple[OnVlans, ...]:
    return (OnVlans(f"session one on {place}", commit, frozenset({"wan"})),)


def test_services_on_vlans_of_networks_that_are_gone_name_their_commits() -> None:
    assert on_forgotten_vlans(WITHOUT, applied()) == found()
    assert on_forgotten_vlans(WITHOUT, applied("abc+uncommitted")) == found()


def test_a_network_that_is_declared_says_nothing() -> None:
    """Its path may have been released in order since the commit that its service was made for."""
    plain = site(SITE + WAN.replace("path: a2b", "vlan: 1790") + SESSION)
    assert (on_forgotten_vlans(plain, applied()), on_forgotten_vlans(declared(), applied())) == ((), ())


def test_services_without_a_commit_or_without_a_vlan_say_nothing() -> None:
    assert on_forgotten_vlans(WITHOUT, applied("")) == ()
    snapshot = applied()
    untagged = {
        name: replace(item, networks=tuple(replace(network, spec=replace(network.spec, parent="eth1")) for network in item.networks))
        for name, item in snapshot.endpoints.items()
    }
    assert on_forgotten_vlans(WITHOUT, replace(snapshot, endpoints=untagged)) == ()


def test_virtual_functions_with_a_vlan_count_too() -> None:
    owner = Owner(site="lab", session="one", network="wan")
    held = HeldVf(
        pf="eth9", pf_pci="0000:b1:00.0", index=0, pci="0000:b1:00.2", owner=owner, found=VfSettings(), wanted=VfSettings(vlan=1790)
    )
    snapshot = applied()
    host = machine().model_copy(update={"held": Held(vfs=(held,))})
    functions = {name: replace(item, networks=(), host=host if name == "b" else None) for name, item in snapshot.endpoints.items()}
    assert on_forgotten_vlans(WITHOUT, replace(snapshot, endpoints=functions)) == found(place="b")
