"""P5: what `dtnctl --help` costs beside importing typer, and how long `dtnctl validate` takes for 100 files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, Options, Pairs, absolute, at_most, figure_of, in_turn, seconds
from bench.place import dtnctl, folder, time_of, write_state

FILES = 100
ENDPOINTS = ("dtn1", "dtn2", "dtn3")


def measure(options: Options) -> Iterator[Figure]:
    with folder() as root:
        write_hundred_files(root)
        dtnctl(root, "--help")
        dtnctl(root, "validate")
        pairs = Pairs(*in_turn(options.rounds_or(41), lambda: dtnctl(root, "--help"), lambda: _typer(root)))
        (times,) = in_turn(options.rounds_or(21), lambda: dtnctl(root, "validate"))
    yield figure_of("P5 dtnctl --help / import typer", pairs, at_most(1.3), seconds("dtnctl --help", "import typer", pairs))
    yield absolute(f"P5 dtnctl validate of {FILES} files, seconds", times, at_most(0.6))


def _typer(root: Path) -> float:
    return time_of([sys.executable, "-c", "import typer"], cwd=root)


def write_hundred_files(root: Path) -> None:
    """A site of a hundred files of every kind, most of them sessions and transfers, as sites are."""
    write_state(root, "site", {"name": "bench"})
    for number, name in enumerate(ENDPOINTS, 1):
        value = {"docker": f"unix:///run/{name}.sock", "host": f"192.0.2.{number}", "interfaces": {"data": "eth1"}}
        write_state(root, f"endpoints/{name}", value | {"allow": {"mounts": ["/data"]}})
    network = {"driver": "macvlan", "mtu": 9000, "subnet": "198.51.100.0/24", "addresses": "198.51.100.10-198.51.100.250"}
    write_state(root, "networks/data", network)
    profile = {"volumes": [{"source": "/data", "target": "/data"}], "user": "dtnaas", "memory": "4GiB", "data_nets": ["data"]}
    write_state(root, "profiles/dtn", profile | {"ctrl_port_range": [30000, 30200], "data_port_range": [50100, 50199]})
    rest = FILES - 3 - len(ENDPOINTS)
    for number in range(rest // 2):
        write_state(root, f"sessions/s{number:02}", {"endpoints": list(ENDPOINTS[:2]), "image": "dtn:1", "profile": "dtn"})
    for number in range(rest - rest // 2):
        ends = {"from": f"dtn1:/data/{number}", "to": f"dtn2:/data/{number}"}
        write_state(root, f"transfers/t{number:02}", {**ends, "tool": "gridftp", "session": f"s{number % (rest // 2):02}"})
