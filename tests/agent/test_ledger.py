"""The agent's ledger: what a newer agent wrote stays, and a file that is no ledger is never overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dtn_agent.ledger import IDENTITY, Ledger
from dtn_agent.protocol import Held, HeldPf, HeldTuning, VfSettings
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


def test_every_list_of_the_ledger_has_what_tells_its_entries_apart() -> None:
    assert IDENTITY.keys() == Held.model_fields.keys()
