"""Files in and out of containers, the host's folders that outlive them, images from tars and from registries."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import docker
import pytest
from docker.errors import APIError, NotFound

from tests.fakes.client_program import tar
from tests.fakes.engine import RegistryImage, World


def image(client: docker.APIClient, name: str) -> dict[str, Any]:
    """What the engine tells of an image."""
    shown: dict[str, Any] = client.inspect_image(name)
    return shown


def read(client: docker.APIClient, container: str, path: str) -> bytes:
    """The content of one file, through the archive API."""
    stream, _ = client.get_archive(container, path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        member = archive.extractfile(archive.getmembers()[0])
        assert member is not None
        return member.read()


def with_ledger(client: docker.APIClient, name: str) -> str:
    host = client.create_host_config(binds=["/var/lib/ledger:/ledger"])
    made: str = client.create_container("tiny:1", name=name, host_config=host)["Id"]
    return made


def test_bound_folder_outlives_its_container(dtn1: docker.APIClient) -> None:
    with_ledger(dtn1, "first")
    assert dtn1.put_archive("first", "/ledger", tar({"claim": b"mine"}))
    dtn1.remove_container("first")
    with_ledger(dtn1, "second")
    assert read(dtn1, "second", "/ledger/claim") == b"mine"


def test_two_containers_share_a_bound_folder_but_two_endpoints_do_not(dtn1: docker.APIClient, dtn2: docker.APIClient) -> None:
    for client, name in ((dtn1, "first"), (dtn1, "second"), (dtn2, "third")):
        with_ledger(client, name)
    dtn1.put_archive("first", "/ledger", tar({"claim": b"mine"}))
    assert read(dtn1, "second", "/ledger/claim") == b"mine"
    with pytest.raises(NotFound):
        dtn2.get_archive("third", "/ledger/claim")


def test_folder_comes_back_with_everything_below_it(dtn1: docker.APIClient) -> None:
    dtn1.create_container("tiny:1", name="box")
    dtn1.put_archive("box", "/etc", tar({"keys/": b"", "keys/one": b"1", "keys/deep/": b"", "keys/deep/two": b"2"}))
    stream, stat = dtn1.get_archive("box", "/etc/keys")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        assert archive.getnames() == ["keys", "keys/deep", "keys/deep/two", "keys/one"]
    assert stat["name"] == "keys"


def test_program_sees_its_tmpfs_and_the_archive_does_not(world: World, dtn1: docker.APIClient) -> None:
    host = dtn1.create_host_config(tmpfs={"/fast": "size=1m"})
    dtn1.create_container("tiny:1", name="box", host_config=host)
    dtn1.start("box")
    dtn1.put_archive("box", "/fast", tar({"hidden": b"below"}))
    asked = dtn1.exec_create("box", ["cat", "/fast/hidden"])
    assert b"No such file" in dtn1.exec_start(asked["Id"])
    assert dtn1.exec_inspect(asked["Id"])["ExitCode"] == 1


def pull(client: docker.APIClient, name: str, tag: str, **more: Any) -> list[dict[str, Any]]:
    return list(client.pull(name, tag, stream=True, decode=True, **more))


def test_pull_brings_the_image_of_the_registry_and_its_digest(world: World, dtn1: docker.APIClient) -> None:
    world.engine("dtn1").machine.registry["dtnaas/ofed:latest"] = RegistryImage({"Cmd": ["run"]}, {"/x": b"1"})
    lines = pull(dtn1, "dtnaas/ofed", "latest")
    assert lines[-1]["status"] == "Status: Downloaded newer image for dtnaas/ofed:latest"
    digest = world.registry_digest("dtn1", "dtnaas/ofed:latest")
    assert image(dtn1, "dtnaas/ofed")["RepoDigests"] == [f"dtnaas/ofed@{digest}"]
    assert image(dtn1, f"dtnaas/ofed@{digest}")["RepoTags"] == ["dtnaas/ofed:latest"]
    assert pull(dtn1, "dtnaas/ofed", "latest")[-1]["status"] == "Status: Image is up to date for dtnaas/ofed:latest"


def test_pull_by_digest_brings_an_image_without_a_tag(world: World, dtn1: docker.APIClient) -> None:
    world.engine("dtn1").machine.registry["dtnaas/ofed:latest"] = RegistryImage({"Cmd": ["run"]})
    digest = world.registry_digest("dtn1", "dtnaas/ofed:latest")
    pull(dtn1, "dtnaas/ofed", digest)
    assert image(dtn1, f"dtnaas/ofed@{digest}")["RepoTags"] == []


def test_moved_tag_leaves_containers_on_the_old_image(world: World, dtn1: docker.APIClient) -> None:
    registry = world.engine("dtn1").machine.registry
    registry["app:1"] = RegistryImage({"Cmd": ["old"]})
    pull(dtn1, "app", "1")
    dtn1.create_container("app:1", name="service")
    registry["app:1"] = RegistryImage({"Cmd": ["new"]})
    pull(dtn1, "app", "1")
    (seen,) = dtn1.containers(all=True)
    assert seen["Image"] == seen["ImageID"] == dtn1.inspect_container("service")["Image"]
    assert image(dtn1, "app:1")["Id"] != seen["ImageID"]


def test_private_image_needs_its_login_and_the_login_is_written_nowhere(world: World, dtn1: docker.APIClient) -> None:
    world.engine("dtn1").machine.registry["private/app:1"] = RegistryImage(username="robot", password="s3cret")
    with pytest.raises(APIError, match="requested access to the resource is denied"):
        dtn1.pull("private/app", "1")
    pull(dtn1, "private/app", "1", auth_config={"username": "robot", "password": "s3cret"})
    calls = world.journal.report()
    assert [call["authenticated"] for call in calls if call["path"] == "/images/create"] == [False, True]
    assert "s3cret" not in json.dumps([calls, world.view()])


def test_private_registry_tells_its_digests_only_to_those_who_log_in(world: World, dtn1: docker.APIClient) -> None:
    name = "registry.example.net:5000/team/tool:2"
    world.engine("dtn1").machine.registry[name] = RegistryImage(username="robot", password="s3cret")
    for login, status in ((None, 500), ({"username": "robot", "password": "guess"}, 401)):
        with pytest.raises(APIError) as refused:
            dtn1.inspect_distribution(name, auth_config=login)
        assert refused.value.status_code == status
    login = {"username": "robot", "password": "s3cret"}
    told = dtn1.inspect_distribution(name, auth_config=login)
    assert told["Descriptor"]["digest"] == world.registry_digest("dtn1", name)
    with pytest.raises(NotFound, match="manifest unknown"):
        dtn1.inspect_distribution(name.replace("tool", "none"), auth_config=login)


def test_imported_tar_is_an_image_without_configuration(dtn1: docker.APIClient) -> None:
    dtn1.import_image_from_data(tar({"only": b"this"}), repository="empty", tag="1")
    dtn1.create_container("empty:1", command=["never"], name="lease")
    assert read(dtn1, "lease", "/only") == b"this"
    assert dtn1.inspect_container("lease")["Config"]["Env"] is None
