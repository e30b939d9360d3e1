"""Volumes over NVMe-oF as people write them: what a file may say, and the mounts that name one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.permission import export_request, refused_requests
from dtnctl.model.profile import ProfileFields
from dtnctl.model.site import Allow
from tests.model.sites import objects

TARGET = {"endpoint": "b", "device": "/dev/nvme1n1", "network": "data"}
EXTERNAL = {"address": "10.0.0.9", "nqn": "nqn.2014-08.com.example:a", "uuid": "0A1B2C3D-0000-4000-8000-000000000001"}


def volume(**values: Any) -> NvmeVolume:
    return NvmeVolume.model_validate({"target": TARGET, **values})


def test_a_file_needs_a_target_and_nothing_more() -> None:
    found = volume()
    assert (found.transport, found.filesystem, found.format, found.target.port, found.ctrl_loss) == ("tcp", None, "never", 4420, 60.0)


def test_a_target_that_is_there_has_its_uuid_in_one_form() -> None:
    external = volume(target={"external": EXTERNAL}).target.external
    assert external is not None
    assert (external.uuid, external.port) == ("0a1b2c3d-0000-4000-8000-000000000001", 4420)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"target": {**TARGET, "external": EXTERNAL}}, "`endpoint` belongs to a target that dtnctl exports"),
        ({"target": {"device": "/dev/x", "network": "data"}}, "write `endpoint` for a target that dtnctl exports, or `external`"),
        ({"target": {**TARGET, "file": "/x"}}, "write one of device and file"),
        ({"target": {**TARGET, "address": "10.0.0.1"}}, "write one of network and address"),
        ({"target": {**TARGET, "size": "1GiB"}}, "`size` belongs to a `file`"),
        ({"target": {"external": {**EXTERNAL, "nqn": "array"}}}, "`array` is not an NVMe qualified name"),
        ({"target": {"external": {**EXTERNAL, "nqn": "nqn.2014-08.org.example:a,ctrl_loss_tmo=-1"}}}, "is not an NVMe qualified name"),
        ({"target": {"external": {**EXTERNAL, "nqn": f"nqn.2014-08.{'x' * 215}"}}}, "is not an NVMe qualified name"),
        ({"target": {"external": {**EXTERNAL, "uuid": "1"}}}, "`1` is not a UUID"),
        ({"digests": ["data"], "transport": "rdma"}, "`digests` belong to transport tcp"),
        ({"format": "if-empty"}, "`format` makes a file system, and `filesystem` names none"),
        ({"reconnect_delay": "30s", "ctrl_loss": "10s"}, "`reconnect_delay` is above `ctrl_loss`"),
        ({"ctrl_loss": 0.5}, "the kernel counts whole seconds, and nothing waits for ever"),
        ({"keep_alive": "2h"}, "write 1s to 1h"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        volume(**values)
    assert reason in str(refused.value)


@pytest.mark.parametrize("written", ["nvme:scratch:/data", {"source": "nvme:scratch", "target": "/data", "type": "nvme"}])
def test_a_mount_that_names_a_volume_reads_unless_it_says_otherwise(written: Any) -> None:
    (mount,) = ProfileFields.model_validate({"volumes": [written]}).volumes
    assert (mount.kind, mount.nvme, mount.target, mount.mode) == ("nvme", "scratch", "/data", "ro")
    (mount,) = ProfileFields.model_validate({"volumes": ["nvme:scratch:/data:rw"]}).volumes
    assert mount.mode == "rw"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"source": "nvme:a/b", "target": "/data"}, "`a/b` is not a name"),
        ({"source": "scratch", "target": "/data", "type": "nvme"}, "a volume over NVMe-oF needs `source: nvme:NAME`"),
        ({"source": "nvme:scratch", "target": "/data", "size": "1GiB"}, "`size` belongs to tmpfs"),
        ({"source": "nvme:scratch", "target": "/data", "driver": "x"}, "`driver` belongs to named volumes"),
        ({"target": "/data", "type": "nvme"}, "a volume over NVMe-oF needs `source: nvme:NAME`"),
    ],
)
def test_a_mount_is_one_kind_or_another(written: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ProfileFields.model_validate({"volumes": [written]})
    assert reason in str(refused.value)


def test_other_mounts_name_no_volume() -> None:
    (mount,) = ProfileFields.model_validate({"volumes": ["/nvme:/data"]}).volumes
    assert (mount.kind, mount.nvme) == ("bind", "")


# --- the owners' rules --------------------------------------------------------------------------------------


def test_both_owners_are_asked() -> None:
    profile = ProfileFields.model_validate({"volumes": ["nvme:scratch:/data"]})
    (refused,) = refused_requests(Allow(), profile, objects({}).networks)
    assert (refused.code, refused.key, refused.what) == ("E0508", "volumes", "volume nvme:scratch")
    for allowed in ("nvme", "*"):
        assert not list(refused_requests(Allow(volumes=(allowed,)), profile, objects({}).networks))


@pytest.mark.parametrize(
    ("pattern", "is_allowed"),
    [
        ("/dev/nvme1n1", True),
        ("/dev/nvme*", True),
        ("/dev", True),
        ("/dev/", True),
        ("/dev/nvme2n1", False),
        ("/dev/nvme1n1/x", False),
        ("/d*/x", False),
    ],
)
def test_a_pattern_allows_devices_and_a_folder_all_below(pattern: str, is_allowed: bool) -> None:
    request = export_request(Allow.model_validate({"exports": [pattern]}), volume().target)
    assert request is not None
    assert (request.is_allowed, request.location) == (is_allowed, ("target", "device"))


def test_nothing_is_exported_of_a_target_that_others_made() -> None:
    assert export_request(Allow(), volume(target={"external": EXTERNAL}).target) is None
    request = export_request(Allow(), volume(target={"endpoint": "b", "file": "/x.img", "network": "data"}).target)
    assert request is not None
    assert request.location == ("target", "file")
