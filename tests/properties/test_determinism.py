"""Equal facts give equal bytes, in whatever order an engine tells them and whatever Python's hash seed is."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from dtn_agent.protocol import Host as Machine
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.plan import Plan
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.planner import make_plan
from dtnctl.render.context import RenderContext
from dtnctl.render.json import plan_document, render_json
from dtnctl.render.terminal import render_plan
from dtnctl.repository.load import load_site
from tests.cases.cases import folders, plan_text
from tests.cases.seen import NOW, read_seen, scope_of, snapshot_of
from tests.planning.building import plan
from tests.properties.sites import HASH_SEEDS, Event, events, few_in_each_run, happen, sites
from tests.properties.test_convergence import new_world

Value = TypeVar("Value")
ROOT = Path(__file__).parents[2]
SHUFFLES = 200


def bytes_of(made: Plan) -> str:
    """Everything that anybody reads of a plan."""
    context = RenderContext(width=120, show_all=True)
    return render_plan(made, context) + render_json(plan_document(made, context)) + made.hash


def shuffled(snapshot: Snapshot, shuffle: Callable[[list[object]], None]) -> Snapshot:
    """The same facts in another order."""

    def items(values: tuple[Value, ...]) -> tuple[Value, ...]:
        found: list[object] = list(values)
        shuffle(found)
        return tuple(found)  # type: ignore[arg-type]  # the same values

    def mapping(values: Mapping[str, Value]) -> dict[str, Value]:
        return dict(items(tuple(values.items())))

    def machine(host: Machine | None) -> Machine | None:
        if host is None:
            return None
        facts, held = host.facts, host.held
        interfaces = tuple(
            item if item.sriov is None else item.model_copy(update={"sriov": item.sriov.model_copy(update={"vfs": items(item.sriov.vfs)})})
            for item in facts.interfaces
        )
        told = {
            "interfaces": items(interfaces),
            "rdma": items(facts.rdma),
            "listeners": items(facts.listeners),
            "block_devices": items(facts.block_devices),
        }
        kept = {"pfs": items(held.pfs), "vfs": items(held.vfs), "vlans": items(held.vlans)}
        return host.model_copy(update={"facts": facts.model_copy(update=told), "held": held.model_copy(update=kept)})

    def endpoint(seen: EndpointSeen) -> EndpointSeen:
        return replace(
            seen,
            containers=items(tuple(replace(item, labels=mapping(item.labels)) for item in seen.containers)),
            networks=items(tuple(replace(item, labels=mapping(item.labels)) for item in seen.networks)),
            foreign=items(
                tuple(replace(item, host_ports=items(item.host_ports), addresses=items(item.addresses)) for item in seen.foreign)
            ),
            foreign_networks=items(seen.foreign_networks),
            images=mapping(seen.images),
            remote_digests=mapping(seen.remote_digests),
            ledger=replace(seen.ledger, attempts=items(seen.ledger.attempts)),
            host=machine(seen.host),
        )

    return replace(
        snapshot,
        endpoints=mapping({name: endpoint(seen) for name, seen in snapshot.endpoints.items()}),
        progress=mapping(snapshot.progress),
    )


@few_in_each_run
@given(sites, events, sites, st.randoms(use_true_random=False))
def test_the_order_of_observation_changes_no_byte(before: Site, happenings: list[Event], after: Site, chance: random.Random) -> None:
    world = new_world()
    world.apply(plan(before, world))
    for event in happenings:
        happen(event, world)
    snapshot = world.observe()
    assert bytes_of(plan(after, shuffled(snapshot, chance.shuffle))) == bytes_of(plan(after, snapshot))


def test_200_shuffles_of_every_case_give_the_same_bytes() -> None:
    """The seed of each shuffle is its number: a failure names it."""
    chosen = folders()
    loaded = [(folder, load_site(folder, "state", NOW), read_seen(folder / "seen.yaml")) for folder in chosen]
    for folder, declared, seen in loaded:
        snapshot, scope = snapshot_of(declared, seen), scope_of(seen)
        expected = bytes_of(make_plan(declared, snapshot, now=NOW, scope=scope))
        for seed in range(SHUFFLES // len(chosen) + 1):
            again = make_plan(declared, shuffled(snapshot, random.Random(seed).shuffle), now=NOW, scope=scope)
            assert bytes_of(again) == expected, f"{folder.name}, shuffle {seed}"


def print_digest() -> None:
    """What the runs with other hash seeds print: a digest of every fourth case."""
    print(hashlib.sha256("".join(plan_text(folder) for folder in folders()[::4]).encode()).hexdigest())


def digest_under(seed: int) -> str:
    command = [sys.executable, "-c", "from tests.properties.test_determinism import print_digest; print_digest()"]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def test_hash_seeds_give_the_same_bytes() -> None:
    with ThreadPoolExecutor(max_workers=2) as pool:
        digests = set(pool.map(digest_under, range(HASH_SEEDS)))
    assert len(digests) == 1
