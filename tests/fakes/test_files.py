"""Files in and out of containers, the host's folders that outlive them, images from tars and from registries."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import docker
import pytest
from docker.errors import APIError, NotFound

from tests.fakes.engine import RegistryImage, World
from tests.fakes.raw_client import tar


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


def test_bound_folder_outlives_containers_and_prunes(dtn1: docker.APIClient) -> None:
    with_ledger(dtn1, "first")
    assert dtn1.put_archive("first", "/ledger", tar({"claim": b"mine"}))
    dtn1.prune_containers()
    dtn1.prune_volumes()
    with_ledger(dtn1, "second")
    assert read(dtn1, "second", "/ledger/claim") == b"mine"


def test_two_containers_share_a_bound_folder_but_two_endpoints_do_not(dtn1: docker.APIClient, dtn2: docker.APIClient) -> None:
    for client, name in ((dtn1, "first"), (dtn1, "second"), (dtn2, "third")):
        with_ledger(client, name)
    dtn1.put_archive("first", "/ledger", tar({"claim": b"mine"}))
    assert read(dtn1, "second", "/ledger/claim") == b"mine"
    with pytest.raises(NotFound):
        dtn2.get_archive("third", "/ledger/claim")


def test_named_volume_does_not_survive_the_volume_prune(dtn1: docker.APIClient) -> None:
    host = dtn1.create_host_config(binds=["books:/books"])
    dtn1.create_container("tiny:1", name="reader", host_config=host)
    dtn1.remove_container("reader", v=True)
    assert [volume["Name"] for volume in dtn1.volumes()["Volumes"]] == ["books"]
    dtn1.prune_volumes()
    assert dtn1.volumes()["Volumes"] == []


def test_streamed_archive_arrives_whole(dtn1: docker.APIClient) -> None:
    dtn1.create_container("tiny:1", name="box")
    content = b"0123456789" * 100_000
    data = tar({"large": content})
    chunks = (data[start : start + 65536] for start in range(0, len(data), 65536))
    assert dtn1.put_archive("box", "/etc", chunks)
    assert read(dtn1, "box", "/etc/large") == content


def test_folder_comes_back_with_everything_below_it(dtn1: docker.APIClient) -> None:
    dtn1.create_container("tiny:1", name="box")
    dtn1.put_archive("box", "/etc", tar({"keys/": b"", "keys/one": b"1", "keys/deep/": b"", "keys/deep/two": b"2"}))
    stream, stat = dtn1.get_archive("box", "/etc/keys")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        assert archive.getnames() == ["keys", "keys/deep", "keys/deep/two", "keys/one"]
    assert stat["name"] == "keys"


def test_symbolic_link_is_followed_in_folders_and_shown_at_the_end(dtn1: docker.APIClient) -> None:
    dtn1.create_container("tiny:1", name="box")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "real"
        archive.addfile(link)
    dtn1.put_archive("box", "/etc", tar({"real/": b"", "real/file": b"x"}))
    dtn1.put_archive("box", "/etc", buffer.getvalue())
    assert read(dtn1, "box", "/etc/link/file") == b"x"
    _, stat = dtn1.get_archive("box", "/etc/link")
    assert stat["linkTarget"] == "real"


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


def test_unknown_image_and_unknown_registry_are_errors_before_the_stream(world: World, dtn1: docker.APIClient) -> None:
    with pytest.raises(APIError, match="no such host") as unreachable:
        dtn1.pull("registry.example.net/app", "1")
    assert unreachable.value.status_code == 500
    world.engine("dtn1").machine.registry["registry.example.net/app:2"] = RegistryImage()
    with pytest.raises(NotFound, match="manifest unknown"):
        dtn1.pull("registry.example.net/app", "1")


def test_pull_that_breaks_half_way_is_an_error_line_of_a_good_answer(world: World, dtn1: docker.APIClient) -> None:
    world.engine("dtn1").machine.registry["app:1"] = RegistryImage(broken="unexpected EOF")
    assert pull(dtn1, "app", "1")[-1] == {"errorDetail": {"message": "unexpected EOF"}, "error": "unexpected EOF"}
    with pytest.raises(NotFound):
        image(dtn1, "app:1")


def test_private_image_needs_its_login_and_the_login_is_written_nowhere(world: World, dtn1: docker.APIClient) -> None:
    world.engine("dtn1").machine.registry["private/app:1"] = RegistryImage(username="robot", password="s3cret")
    with pytest.raises(NotFound, match="pull access denied for private/app"):
        dtn1.pull("private/app", "1")
    pull(dtn1, "private/app", "1", auth_config={"username": "robot", "password": "s3cret"})
    calls = world.journal.report()
    assert [call["authenticated"] for call in calls if call["path"] == "/images/create"] == [False, True]
    assert "s3cret" not in json.dumps([calls, world.dump(), world.view()])


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


def test_last_tag_of_a_repository_takes_its_digest_along(world: World, dtn1: docker.APIClient) -> None:
    world.engine("dtn1").machine.registry["app:1"] = RegistryImage({"Cmd": ["x"]})
    pull(dtn1, "app", "1")
    dtn1.tag("app:1", "other", "1")
    untagged = [entry["Untagged"] for entry in dtn1.remove_image("app:1")]
    assert untagged == ["app:1", f"app@{world.registry_digest('dtn1', 'app:1')}"]
    assert image(dtn1, "other:1")["RepoDigests"] == []


def test_imported_tar_is_an_image_without_configuration(dtn1: docker.APIClient) -> None:
    dtn1.import_image_from_data(tar({"only": b"this"}), repository="empty", tag="1")
    dtn1.create_container("empty:1", command=["never"], name="lease")
    assert read(dtn1, "lease", "/only") == b"this"
    assert dtn1.inspect_container("lease")["Config"]["Env"] is None


def test_used_image_is_kept(dtn1: docker.APIClient) -> None:
    dtn1.create_container("tiny:1", name="user")
    with pytest.raises(APIError, match=r"container [0-9a-f]{12} is using its referenced image") as refused:
        dtn1.remove_image("tiny:1")
    assert refused.value.status_code == 409
