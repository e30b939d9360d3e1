"""`dtnctl plan` prints the same bytes over 200 orders of engine answers and other hash seeds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import docker
import pytest

from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope
from dtnctl.render.context import RenderContext
from dtnctl.render.json import plan_document, render_json
from dtnctl.render.markdown import render_plan_comment
from dtnctl.render.terminal import render_plan
from dtnctl.repository.load import load_site
from dtnctl.runtime.reconcile import look_and_plan
from tests.docker_clients import connect
from tests.fakes.engine import World
from tests.properties.sites import HASH_SEEDS

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMES = ("dtn1", "dtn2")
SHUFFLES = 200
SESSIONS = ("climate", "ocean", "storm", "tide")


def write_state(root: Path, world: World) -> None:
    files = {
        "site.yaml": "name: lab\nlimits: {max_prune: 100%}\n",
        "networks/data.yaml": "driver: macvlan\nsubnet: 10.20.0.0/24\naddresses: 10.20.0.100-10.20.0.199\n",
        "profiles/dtn.yaml": "volumes: [data:/data]\ndata_nets: [data]\nuser: dtn\nserv_port_range: [40000, 40100]\n",
        "transfers/run14.yaml": "from: dtn1:/data/x\nto: dtn2:/data/x\ntool: gridftp\nsession: climate\n",
    }
    for name in NAMES:
        files[f"endpoints/{name}.yaml"] = f"docker: unix://{world.sockets[name]}\nhost: {name}\ninterfaces: {{data: eth1}}\n"
    for name in SESSIONS:
        files[f"sessions/{name}.yaml"] = "endpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: dtn\n"
    for file, text in files.items():
        path = root / "state" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def dtnctl(root: Path, *arguments: str, hash_seed: int = 0) -> str:
    """What the program prints; anything but exit code 0 or 4 fails."""
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT), "CI": ""}
    ran = subprocess.run(
        [sys.executable, "-m", "dtnctl", *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, World]]:
    """Two engines that the site was applied to, and on which things happened since."""
    root = tmp_path_factory.mktemp("site")
    with World(NAMES) as world:
        world.add_image("dtn:1", {"Cmd": ["serve"]})
        write_state(root, world)
        (root / "state" / "transfers" / "run14.yaml").unlink()
        dtnctl(root, "apply", "--yes")
        write_state(root, world)
        (root / "state" / "sessions" / "tide.yaml").unlink()
        engine = docker.APIClient(base_url=f"unix://{world.sockets['dtn1']}", version="1.41")
        engine.remove_container("lab.climate", force=True)
        engine.stop("lab.ocean", timeout=1)
        engine.update_container("lab.storm", mem_limit=64 * 1024**2, memswap_limit=128 * 1024**2)
        for name in ("theirs", "others"):
            engine.start(engine.create_container("dtn:1", ["serve"], name=name)["Id"])
        engine.close()
        yield root, world


def everything(site: Site) -> str:
    """The plan in all its forms."""
    observers = {
        name: connect(name, document.value, site=site.name, registries={}, read_only=True, root=ROOT)
        for name, document in site.endpoints.items()
    }
    try:
        plan, _ = look_and_plan(site, observers, NOW, Scope())
    finally:
        for observer in observers.values():
            observer.close()
    context = RenderContext(width=120, show_all=True)
    return render_plan(plan, context) + render_plan_comment(plan, context) + render_json(plan_document(plan, context))


def listed(world: World) -> tuple[str, ...]:
    """In which order the first engine lists its containers now."""
    engine = docker.APIClient(base_url=f"unix://{world.sockets['dtn1']}", version="1.41")
    try:
        return tuple(item["Names"][0] for item in engine.containers(all=True))
    finally:
        engine.close()


def test_the_plan_is_the_same_over_200_orders_of_engine_answers(lived_in: tuple[Path, World]) -> None:
    root, world = lived_in
    site = load_site(root, "state", NOW)
    expected = everything(site)
    assert all(word in expected for word in ("climate", "ocean", "storm", "tide", "run14"))
    orders = set()
    for seed in range(SHUFFLES):
        world.shuffler.seed(seed)
        orders.add(listed(world))
        assert everything(site) == expected, f"order {seed}"
    world.shuffler.seed(None)
    assert len(orders) > SHUFFLES // 4  # of 6 containers, 720 orders are to be had


def test_the_command_prints_the_same_under_other_hash_seeds(lived_in: tuple[Path, World]) -> None:
    root, world = lived_in
    world.shuffler.seed(7)
    with ThreadPoolExecutor(max_workers=2) as pool:
        printed = set(pool.map(lambda seed: dtnctl(root, "plan", hash_seed=seed), range(HASH_SEEDS)))
    world.shuffler.seed(None)
    assert len(printed) == 1
