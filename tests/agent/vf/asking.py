"""Requests for the VFs of the tests' card, what the card shows, and a container to move an interface into."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.protocol.vfs import ConfigureVf, ReleaseVf, SetVfCount, VfSettings
from dtn_agent.vf.hardware import VfHardware
from pyroute2 import IPRoute
from pyroute2.netns import setns

from tests.agent.veth_card import vf_pci

MAC = "02:00:00:00:00:0a"


def count(number: int, site: str = "play") -> SetVfCount:
    return SetVfCount(site=site, pf="pf0", count=number)


def configure(index: int = 0, session: str = "run", site: str = "play", **settings: Any) -> ConfigureVf:
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


@contextmanager
def refused(code: str, *words: str) -> Iterator[None]:
    with pytest.raises(RefusedError) as told:
        yield
    assert told.value.code == code, told.value
    assert [word for word in words if word not in str(told.value)] == [], told.value


HERE = Path("/proc/thread-self/ns/net")


def move(name: str, source: Path, destination: Path, new_name: str) -> None:
    """Rename an interface and move it from one network namespace to another, as the engine does."""
    with source.open("rb") as source_file, destination.open("rb") as destination_file, ThreadPoolExecutor(1) as mover:
        mover.submit(_move, name, source_file.fileno(), destination_file.fileno(), new_name).result()


def _move(name: str, source: int, destination: int, new_name: str) -> None:
    setns(source)
    with IPRoute() as route:
        index = route.link_lookup(ifname=name)[0]
        route.link("set", index=index, state="down")
        route.link("set", index=index, ifname=new_name)
        route.link("set", index=index, net_ns_fd=destination)


@contextmanager
def container() -> Iterator[Path]:
    """A process in a network namespace of its own; the path of that namespace."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield Path(f"/proc/{process.pid}/ns/net")
        process.kill()
