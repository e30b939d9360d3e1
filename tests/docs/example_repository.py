"""The repository that examples in Python run in: two engines in memory and a session on both; nothing is applied."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.engine import World

STATE = {
    "site.yaml": "name: demo\nid: d3a0c5e71f42\n",
    "profiles/dtn.yaml": """\
# How our data transfer nodes run.
volumes:
  - source: data
    target: /data
    mode: rw
user: dtnaas
memory: 4GiB
pull: never
ctrl_port_range: [30000, 30100]
data_port_range: [50100, 50199]
""",
    "sessions/climate.yaml": "# For the climate group.\nendpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: dtn\nstate: started\n",
}


@contextlib.contextmanager
def example_repository(folder: Path) -> Iterator[World]:
    """Write the repository into the folder; its endpoints answer while the context lasts."""
    with World(["dtn1", "dtn2"]) as world:
        world.add_image("dtn:1", {"Cmd": ["serve"]})
        endpoints = {
            f"endpoints/{name}.yaml": f"docker: unix://{world.sockets[name]}\nhost: {name}.example.net\n" for name in ("dtn1", "dtn2")
        }
        for name, text in (STATE | endpoints).items():
            file = folder / "state" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        yield world
