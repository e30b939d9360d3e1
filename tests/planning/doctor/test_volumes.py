"""Volumes over NVMe-oF in the doctor: what is not known is no fault, and what is another site's is not looked at."""

from __future__ import annotations

from tests.planning.doctor.faults import connection, export, facts
from tests.planning.doctor.scene import Scene, only

CHECKS = ("nvme.export", "nvme.connection", "nvme.paths", "nvme.queues", "nvme.mtu", "nvme.scheduler")


def severities(scene: Scene) -> dict[str, set[str]]:
    return {check: {str(finding.severity) for finding in only(scene, check)} for check in CHECKS}


def test_what_the_host_does_not_report_is_not_known() -> None:
    scene = Scene()
    facts(scene)["nvme"] = None
    facts(scene)["block_devices"].pop()
    connection(host_address=None)(scene)
    export(portal={"transport": "tcp", "address": "10.7.0.1", "port": 4420})(scene)
    assert severities(scene) == {"nvme.export": {"ok"}, "nvme.connection": {"ok"}} | {name: {"unknown"} for name in CHECKS[2:]}


def test_volume_of_another_site_is_not_looked_at() -> None:
    scene = Scene()
    connection(site="other")(scene)
    export(site="other")(scene)
    assert severities(scene) == {name: set() for name in CHECKS}


def test_place_is_the_file_of_the_volume_or_of_the_endpoint_where_none_declares_it() -> None:
    scene = Scene()
    scene.files["volumes/far"] = "target: {endpoint: b, device: /dev/nvme2n1, network: data}\nfilesystem: xfs\n"
    assert {finding.place.rpartition(":")[0] for finding in only(scene, "nvme.connection")} == {"state/volumes/far.yaml"}
    assert {finding.place.rpartition(":")[0] for finding in only(scene, "nvme.export")} == {"state/endpoints/a.yaml"}


def test_block_device_needs_no_mount() -> None:
    scene = Scene()
    connection(mount=None)(scene)
    assert severities(scene)["nvme.connection"] == {"ok"}
