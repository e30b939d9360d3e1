"""The agent's ledger: what a newer agent wrote stays, and a file that is no ledger is never overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dtn_agent.ledger import SECTIONS, Ledger
from dtn_agent.protocol import Held, HeldEntry
from dtn_agent.protocol.driver import HeldEndpoint, HeldNetwork
from dtn_agent.protocol.tuning import HeldTuning
from dtn_agent.protocol.vfs import HeldPf, VfSettings
from dtn_agent.protocol.vlans import HeldVlan
from hypothesis import given
from hypothesis import strategies as st

TUNING = {"key": "governor", "found": "powersave", "wanted": "performance", "now": None, "site": "demo"}
VF = {
    "pf": "ens1f0",
    "pf_pci": "0000:b1:00.0",
    "index": 0,
    "pci": "0000:b1:01.0",
    "owner": {"site": "demo", "session": "one", "network": "data", "team": "hep"},
    "found": {},
    "wanted": {"mtu": 9000, "rss": 4},
}


def stored(ledger: Ledger) -> Any:
    return json.loads(ledger.path.read_text())


def test_what_a_newer_agent_wrote_is_kept_at_the_top_and_in_entries_that_stay(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json")
    newer = {"version": 9, "leds": [{"port": 1}], "tuning": [{**TUNING, "why": "bios"}], "vfs": [VF]}
    ledger.path.write_text(json.dumps(newer))
    added = HeldPf(pf="ens1f0", pci="0000:b1:00.0", found=0, wanted=4, site="demo")
    ledger.write(lambda held: held.model_copy(update={"pfs": (added,)}))
    found = stored(ledger)
    assert (found["version"], found["leds"]) == (9, [{"port": 1}])
    assert found["tuning"][0]["why"] == "bios"
    assert (found["vfs"][0]["owner"]["team"], found["vfs"][0]["wanted"]["rss"]) == ("hep", 4)
    assert found["pfs"][0]["pci"] == added.pci


def test_a_ledger_of_protocol_2_keeps_its_values_under_their_new_names_over_writes(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json")
    settings = {"vlan": 222, "qos": 3}
    vf = VF | {"found": {"vlan": 0, "qos": 0}, "wanted": settings, "written": ["vlan", "qos"]}
    pf = {"interface": "ens1f0", "pci": "0000:b1:00.0", "found": 0, "wanted": 4, "site": "demo"}
    ledger.path.write_text(json.dumps({"pfs": [pf], "vfs": [vf]}))
    for _ in range(2):
        held = ledger.write(lambda held: held)
        assert (held.pfs[0].pf, held.vfs[0].written) == ("ens1f0", ("vlan", "vlan_priority"))
        assert (held.vfs[0].wanted.vlan_priority, held.vfs[0].found.vlan_priority) == (3, 0)
    changed = held.vfs[0].model_copy(update={"wanted": VfSettings(vlan=222)})
    ledger.write(lambda held: held.model_copy(update={"vfs": (changed,)}))
    assert ledger.read().vfs[0].wanted.vlan_priority is None, "an old name that is still in the file counts no more"


def test_what_is_forgotten_goes_with_all_that_was_said_of_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json")
    ledger.path.write_text(json.dumps({"tuning": [{**TUNING, "why": "bios"}]}))
    ledger.write(lambda held: held.model_copy(update={"tuning": ()}))
    ledger.write(lambda held: held.model_copy(update={"tuning": (HeldTuning.model_validate(TUNING),)}))
    assert "why" not in stored(ledger)["tuning"][0]


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda key: key not in Held.model_fields), st.integers() | st.text() | st.lists(st.booleans())
    )
)
def test_any_unknown_key_outlives_any_number_of_writes(tmp_path_factory: pytest.TempPathFactory, unknown: dict[str, Any]) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.json")
    ledger.path.write_text(json.dumps(unknown))
    for _ in range(2):
        ledger.write(lambda held: held)
    assert unknown.items() <= stored(ledger).items()


@pytest.mark.parametrize("text", ["", "null", "[]", '"x"', "{", '{"vfs": {}}', '{"tuning": [{"key": 1}]}', "[" * 100_000])
def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    ledger = Ledger(tmp_path / "ledger.json")
    ledger.path.write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011  pydantic's, json's and our own are all of this kind
        ledger.write(lambda held: held)
    assert ledger.path.read_text() == text


def test_every_list_of_the_ledger_has_entries_of_a_class_of_its_own() -> None:
    assert set(SECTIONS.values()) == Held.model_fields.keys()
    assert all(issubclass(kind, HeldEntry) for kind in SECTIONS)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.json")


def vlan(number: int, mtu: int | None = None) -> HeldVlan:
    return HeldVlan(name=f"ens1f0.{number}", parent="ens1f0", vlan=number, mtu=mtu, site="demo")


def pf(pci: str, wanted: int = 4) -> HeldPf:
    return HeldPf(pf=f"pf-{pci}", pci=pci, found=0, wanted=wanted, site="demo")


def test_an_entry_that_is_put_takes_the_place_of_the_one_with_its_identity(ledger: Ledger) -> None:
    vlans = ledger.section(HeldVlan)
    for entry in (vlan(300), vlan(100), vlan(200), vlan(300, mtu=9000)):
        vlans.put(entry)
    assert vlans.all() == ledger.read().vlans == (vlan(100), vlan(200), vlan(300, mtu=9000)), "by name"
    assert (vlans.get("ens1f0.300"), vlans.get("ens1f0.400")) == (vlan(300, mtu=9000), None)


def test_entries_without_a_rank_stand_as_they_came_and_one_can_be_made_the_last(ledger: Ledger) -> None:
    pfs = ledger.section(HeldPf)
    for pci in ("b", "a", "c"):
        pfs.put_last(pf(pci))
    pfs.put(pf("b", wanted=8))
    assert pfs.all() == (pf("b", wanted=8), pf("a"), pf("c"))
    pfs.put_last(pf("b"))
    assert pfs.all() == (pf("a"), pf("c"), pf("b"))


def test_a_change_of_fields_leaves_the_others_as_they_stand_and_makes_no_entry(ledger: Ledger) -> None:
    vlans = ledger.section(HeldVlan)
    vlans.put(vlan(100))
    vlans.change("ens1f0.100", mtu=1500)
    vlans.change("ens1f0.200", mtu=9000)
    assert vlans.all() == (vlan(100, mtu=1500),)


def test_what_is_dropped_is_gone_and_the_rest_is_not(ledger: Ledger) -> None:
    vlans, pfs = ledger.section(HeldVlan), ledger.section(HeldPf)
    for entry in (vlan(100), vlan(200)):
        vlans.put(entry)
    pfs.put(pf("a"))
    vlans.drop("ens1f0.100")
    vlans.drop("ens1f0.900")
    assert ledger.read() == Held(pfs=(pf("a"),), vlans=(vlan(200),))


class CountedLedger(Ledger):
    """Keeps what each write left."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.writes: list[Held] = []

    def write(self, edit: Callable[[Held], Held]) -> Held:
        self.writes.append(super().write(edit))
        return self.writes[-1]


def test_entries_of_several_classes_are_dropped_in_one_write(tmp_path: Path) -> None:
    network = HeldNetwork(id="net", pf="ens1f0")
    gone, kept = HeldEndpoint(id="one", network="net", vf="a"), HeldEndpoint(id="two", network="far", vf="b")
    ledger = CountedLedger(tmp_path / "ledger.json")
    before = Held(networks=(network,), endpoints=(gone, kept))
    ledger.write(lambda _: before)
    ledger.drop(network, gone)
    ledger.drop()
    assert ledger.writes == [before, Held(endpoints=(kept,))]


def test_unknown_keys_of_an_entry_stay_when_another_one_is_put_or_dropped(ledger: Ledger) -> None:
    first, second = ({**vlan(number).model_dump(), "color": number} for number in (100, 200))
    ledger.path.write_text(json.dumps({"vlans": [first, second]}))
    vlans = ledger.section(HeldVlan)
    vlans.put(vlan(150))
    vlans.drop("ens1f0.100")
    assert [entry.get("color") for entry in stored(ledger)["vlans"]] == [None, 200]
    vlans.change("ens1f0.200", mtu=9000)
    assert stored(ledger)["vlans"][1] == {**second, "mtu": 9000}
