"""The kinds of things that the agent makes: together they take every request, and each has its own list of the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from dtn_agent import protocol as p
from dtn_agent.audit import SILENT
from dtn_agent.host_resource import AnyResource
from dtn_agent.ledger import SECTIONS, Ledger
from dtn_agent.protocol.tuning import HeldTuning
from dtn_agent.protocol.vfs import HeldVf
from dtn_agent.protocol.vlans import HeldVlan
from dtn_agent.resources import resources_of_this_host


def resources(folder: Path) -> tuple[AnyResource, ...]:
    return resources_of_this_host(Ledger(folder / "ledger.json"), folder / "engine.sock", SILENT)


def test_each_request_of_the_protocol_is_taken_by_one_resource(tmp_path: Path) -> None:
    taken = [kind.__name__ for resource in resources(tmp_path) for kind in resource.requests]
    assert sorted(taken) == sorted(kind.__name__ for kind in get_args(get_args(p.Request)[0]))


def test_each_resource_has_a_list_of_the_ledger_and_a_name_of_its_own(tmp_path: Path) -> None:
    found = resources(tmp_path)
    assert len({SECTIONS[resource.entry] for resource in found}) == len({resource.name for resource in found}) == len(found)


def test_settings_are_restored_before_what_has_at_most_the_mtu_of_its_interface(tmp_path: Path) -> None:
    entries = [resource.entry for resource in resources(tmp_path)]
    assert entries.index(HeldTuning) < min(entries.index(HeldVf), entries.index(HeldVlan))


def test_a_host_without_sr_iov_is_reported_to_lack_virtual_functions(tmp_path: Path) -> None:
    facts = p.Facts(system=p.System(hostname="dtn1", kernel="6.12"), cpus=p.Cpus(logical=1), memory=p.Memory(total=1, available=1))
    (vfs,) = (resource for resource in resources(tmp_path) if resource.entry is HeldVf)
    assert [ability.lacks for ability in vfs.abilities(facts)] == [
        "no network interface of this host has virtual functions (SR-IOV), or it is switched off"
    ]
    assert (vfs.held(), vfs.readings({"governor"}, facts)) == ((), {})
