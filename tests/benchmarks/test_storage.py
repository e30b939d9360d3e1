"""Which volumes a benchmark of storage measures, the session that carries it, and its table."""

from __future__ import annotations

import json
from dataclasses import replace

from dtnctl.benchmarks.fio import DiskSample, Shape
from dtnctl.benchmarks.machines import Machine
from dtnctl.benchmarks.rows import BENCH, Basis, basis_of
from dtnctl.benchmarks.storage import DiskFigures, Place, PlaceLeftOut, StorageFigures, places, shapes, storage_site
from dtnctl.benchmarks.storage_table import BUFFERED_NOTE, row_label, size_text, storage_table
from dtnctl.model.actions import CreateContainer
from dtnctl.model.resources import Snapshot, VolumeSeen
from dtnctl.model.site import Site
from dtnctl.render.bench import render_table, storage_document
from dtnctl.render.context import RenderContext
from tests.planning.building import NOW, plan, site, world

TEXT = """
    # networks/data
    driver: macvlan
    subnet: 10.20.0.0/24
    # sessions/run
    endpoints: [a, b]
    image: dtn:1
    settings:
      data_nets: [data]
      volumes:
        - /nvme:/data
        - {source: scratch, target: /scratch}
        - {target: /dev/shm2, size: 1GiB}
        - /usr:/usr:ro
    overrides: {b: {volumes: [/nvme:/data]}}
"""

REMOTE = """
    # volumes/far
    target: {endpoint: b, device: /dev/nvme1n1, address: 10.20.0.12}
    transport: rdma
    filesystem: xfs
    # volumes/theirs
    target: {external: {address: 10.20.0.9, nqn: "nqn.2001-01.com.example:x", uuid: 11111111-2222-4333-8444-555555555555}}
    filesystem: xfs
    # volumes/raw
    target: {endpoint: b, device: /dev/nvme2n1, address: 10.20.0.12}
    # sessions/remote
    endpoints: [a]
    image: dtn:1
    settings:
      volumes: ["nvme:far:/far:rw", "nvme:theirs:/theirs:rw", "nvme:raw:/dev/raw:rw"]
    # endpoints/a
    docker: unix:///run/a.sock
    agent: unix:///run/a-agent.sock
    host: a.example.net
    interfaces: {data: eth1}
    allow: {mounts: [/], volumes: ["*"]}
    # endpoints/b
    docker: unix:///run/b.sock
    agent: unix:///run/b-agent.sock
    host: b.example.net
    interfaces: {data: eth1}
"""


def basis(declared: Site) -> Basis:
    return basis_of(declared, ("a", "b"), NOW, session="run")


def seen(declared: Site, *volumes: str) -> Snapshot:
    found = world(declared).observe()
    there = {name: VolumeSeen(name) for name in volumes}
    return Snapshot({name: replace(item, volumes=there) for name, item in found.endpoints.items()})


def test_declared_volumes_are_measured_but_not_those_that_are_read_only_or_not_there() -> None:
    declared = site(TEXT)
    chosen, left = places(declared, basis(declared), seen(declared), ("a", "b"))
    assert [(place.label, place.source) for place in chosen] == [("a:/data", "/nvme"), ("a:/dev/shm2", "tmpfs"), ("b:/data", "/nvme")]
    assert [(item.place.label, item.why.partition(",")[0].partition(";")[0]) for item in left] == [
        ("a:/scratch", "the volume is not there yet"),
        ("a:/usr", "it is mounted read-only"),
    ]


def test_a_volume_that_is_there_is_measured_and_only_named_ones_if_some_are_named() -> None:
    declared = site(TEXT)
    chosen, left = places(declared, basis(declared), seen(declared, "scratch"), ("a",), ["/scratch", "/usr"])
    assert ([place.label for place in chosen], [item.place.label for item in left]) == (["a:/scratch"], ["a:/usr"])
    assert places(declared, Basis("x:1"), seen(declared), ("a",)) == ((), ())


def test_volumes_over_nvme_are_measured_by_how_they_are_reached_but_not_devices_that_may_hold_anything() -> None:
    declared = site(TEXT + REMOTE)
    chosen, left = places(declared, basis_of(declared, ("a",), NOW, session="remote"), seen(declared), ("a",))
    assert [(place.label, place.source) for place in chosen] == [
        ("a:/far", "nvme:far, over RDMA from b"),
        ("a:/theirs", "nvme:theirs, over TCP from an external target"),
    ]
    assert [(item.place.label, item.why.partition(" without")[0]) for item in left] == [("a:/dev/raw", "it is a block device")]


def test_its_session_has_those_volumes_and_read_only_folders_and_no_network_and_removes_its_files_when_it_is_stopped() -> None:
    declared = site(TEXT)
    measured = (Place("a", "/data", "/nvme"), Place("b", "/data", "/nvme"))
    wanted = storage_site(declared, basis(declared), measured, "0-1")
    steps = plan(wanted, world(wanted), targets=(f"session/{BENCH}",)).steps
    specs = [step.action.spec for step in steps if isinstance(step.action, CreateContainer)]
    assert [(spec.network, spec.attachments, spec.cpu_set) for spec in specs] == [("none", (), "0-1")] * 2
    assert [[mount.target for mount in spec.mounts] for spec in specs] == [["/data", "/usr"], ["/data"]]
    assert 'rm -f "/data/.dtnctl-bench-lab-a"/fio.*' in (specs[0].command or ("",))[0]
    assert measured[1].folder("lab") == "/data/.dtnctl-bench-lab-b"


def test_every_block_and_number_of_jobs_is_written_and_then_read() -> None:
    found = shapes([4096, 1048576], [1], 2**30, 5)
    assert [(shape.way, shape.block) for shape in found] == [("write", 4096), ("read", 4096), ("write", 1048576), ("read", 1048576)]


# --- the table ----------------------------------------------------------------------------------------------

DATA, NFS = Place("a", "/data", "/nvme"), Place("a", "/nfs", "share")
FAST = DiskFigures(DATA, Shape("write", 2**20, 4, 2**30, 5), True, (DiskSample(2e9, 1907.0, 0.25), DiskSample(1e9, 953.0, 0.35)))
DEAD = DiskFigures(NFS, Shape("read", 4096, 1, 2**30, 5), False, (), ("fio ended with 1: no space", "fio ended with 1: no space"))
LEFT = (PlaceLeftOut(Place("a", "/usr", "/usr"), "it is mounted read-only"),)


def figures(*rows: DiskFigures, is_whole: bool = True) -> StorageFigures:
    return StorageFigures("run", "dtn:1", 2**30, 5, 2, rows, LEFT, (Machine("a", "20.10"),), is_whole)


def test_a_row_has_its_volume_shape_and_statistics() -> None:
    table = storage_table(figures(FAST, DEAD))
    assert table.heading == "session run: fio, 1 GiB, 5 s a test, 2 rounds, image dtn:1"
    assert table.rows == (
        ("a:/data", "write", "1 MiB", "4", "direct", "1.50 GB/s", "1.00 GB/s", "2.00 GB/s", "66.7%", "1430", "0.30", "2 of 2"),
        ("a:/nfs", "read", "4 KiB", "1", "buffered", "-", "-", "-", "-", "-", "-", "0 of 2"),
    )
    assert table.below[:4] == (
        "a:/nfs read 4 KiB × 1 failed: fio ended with 1: no space",
        "a:/usr is left out: it is mounted read-only",
        "a:/data is /nvme",
        "a:/nfs is share",
    )
    assert BUFFERED_NOTE in table.below
    assert BUFFERED_NOTE not in storage_table(figures(FAST)).below


def test_a_run_that_was_stopped_says_so_and_one_without_rows_explains_nothing() -> None:
    assert storage_table(figures(FAST, is_whole=False)).below[0].startswith("stopped before")
    assert storage_table(figures()).below[-1].startswith("a: ")


def test_sizes_are_as_typed_and_rows_have_a_label_for_the_chart() -> None:
    assert [size_text(size) for size in (2**31, 3 * 2**20, 4096, 512, 1500)] == ["2 GiB", "3 MiB", "4 KiB", "512 B", "1500 B"]
    assert row_label(FAST) == "a:/data write 1 MiB × 4"
    slow = replace(FAST, samples=(DiskSample(312.5e6, 1.0, 1.0),))
    assert storage_table(figures(slow)).rows[0][5] == "312.5 MB/s"
    assert slow.megabytes is not None
    assert slow.megabytes.median == 312.5
    assert DEAD.megabytes is None


def test_the_document_has_every_sample_and_text_fits_the_terminal() -> None:
    document = json.loads(json.dumps(storage_document(figures(FAST, DEAD))))
    fast, dead = document["rows"]
    assert fast["rate"] == {"count": 2, "median": 1.5e9, "low": 1e9, "high": 2e9, "spread": 2 / 3}
    assert (len(fast["samples"]), dead["rate"], dead["direct"]) == (2, None, False)
    assert document["left_out"] == [{"endpoint": "a", "volume": "/usr", "reason": "it is mounted read-only"}]
    text = render_table(storage_table(figures(FAST, DEAD)), RenderContext(width=80))
    assert max(map(len, text.splitlines())) <= 80
