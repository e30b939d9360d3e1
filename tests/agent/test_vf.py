"""VFs are taken, made what was asked for, and given back as they were; what others have stays theirs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import ConfigureVf, Held, HeldVf, ReleaseVf, SetVfCount, VfSettings
from dtn_agent.vf import VfHands
from dtn_agent.vf_hardware import VfHardware
from pyroute2 import IPRoute

from tests.agent.veth_card import PF_PCI, hardware, vf_pci

pytestmark = pytest.mark.lab
MAC = "02:00:00:00:00:0a"


def count(number: int, site: str = "play") -> SetVfCount:
    return SetVfCount(site=site, pf="pf0", count=number)


def configure(index: int = 0, session: str = "run", site: str = "play", **settings: object) -> ConfigureVf:
    return ConfigureVf.model_validate({"site": site, "session": session, "network": "data", "pf": "pf0", "index": index, **settings})


def release(index: int = 0, site: str = "play") -> ReleaseVf:
    return ReleaseVf(site=site, pf="pf0", index=index)


def seen(card: VfHardware) -> dict[str, object]:
    """All that a VF's release must bring back: the PF's table, and of each interface its name, MAC, MTU and whether it is up."""
    links = [(link.name, link.mac, link.mtu, link.is_up) for link in card.links.all() if not link.name.startswith("pf0r")]
    return {"table": card.links.vf_table("pf0"), "links": sorted(links)}


def row(card: VfHardware, index: int = 0) -> VfSettings:
    return card.links.vf_table("pf0")[index]


def interface_of(card: VfHardware, index: int) -> str:
    link = card.interface(vf_pci(index))
    assert link is not None
    return link.name


def refusal(code: str, *words: str) -> pytest.RaisesExc:  # type: ignore[name-defined]
    raise NotImplementedError
