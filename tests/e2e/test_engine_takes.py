"""What `validate` refuses is what a real engine refuses, or takes for something else; what it takes, an engine keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker
import pytest
from docker.errors import APIError

from dtnctl.model.profile import Profile
from dtnctl.model.source import Source
from dtnctl.repository.load import validate
from dtnctl.repository.yaml_source import parse_source
from tests.e2e.playground import Playground
from tests.engine_choice import every_engine

pytestmark = [pytest.mark.lab, every_engine]

IMAGE = "tiny:1"
CHECK = {"Test": ["CMD", "true"], "Interval": 10**9, "Timeout": 10**9, "Retries": 1}


def host(**values: object) -> dict[str, Any]:
    return {"HostConfig": values}


def mount_of(**values: object) -> dict[str, Any]:
    return {"Type": "bind", "Source": "/etc", "Target": "/v", **values}


def mount(**values: object) -> dict[str, Any]:
    return host(Mounts=[mount_of(**values)])


def device(path: str, inside: str, permissions: str) -> dict[str, Any]:
    return host(Devices=[{"PathOnHost": path, "PathInContainer": inside, "CgroupPermissions": permissions}])


Row = tuple[str, dict[str, Any]]

REFUSED_AT_CREATE: list[Row] = [
    ("capabilities: {add: [NET_ADMINN]}", host(CapAdd=["NET_ADMINN"])),
    ("memory: 4MiB", host(Memory=4 * 1024**2)),
    ('cpu_set: "1-0"', host(CpusetCpus="1-0")),
    ('cpu_set: "9000"', host(CpusetCpus="9000")),
    ("volumes: ['/etc:/']", mount(Target="/")),
    ("volumes: ['/etc:/.']", mount(Target="/.")),
    ("volumes: [{source: /etc, target: v}]", mount(Target="v")),
    ("volumes: [{type: bind, source: ~/x, target: /v}]", mount(Source="~/x")),
    ("volumes: [{type: bind, source: etc, target: /v}]", mount(Source="etc")),
    ("volumes: [{source: 'bad name!', target: /v}]", mount(Type="volume", Source="bad name!")),
    ("volumes: [{source: v, target: /v}]", mount(Type="volume", Source="v")),
    ("volumes: ['/etc:/v', '/usr:/v/']", host(Mounts=[mount_of(), mount_of(Source="/usr", Target="/v/")])),
    ("env: {'': '1'}", {"Env": ["=1"]}),
    ("health_check: {test: x, interval: 0.0000001}", {"Healthcheck": {**CHECK, "Interval": 100}}),
    ("health_check: {test: x, timeout: 0.5ms}", {"Healthcheck": {**CHECK, "Timeout": 500_000}}),
    ("health_check: {test: x, start_period: 0.5ms}", {"Healthcheck": {**CHECK, "StartPeriod": 500_000}}),
    ("restart: sometimes", host(RestartPolicy={"Name": "sometimes"})),
    ("image: Tiny:1", {"Image": "Tiny:1"}),
    ("image: 'tiny:'", {"Image": "tiny:"}),
    ("image: tiny@sha256:abc", {"Image": "tiny@sha256:abc"}),
    ("image: x___y", {"Image": "x___y"}),
    (f"image: {'x/' * 130}a", {"Image": f"{'x/' * 130}a"}),
]  # fmt: skip
REFUSED_AT_START: list[Row] = [
    ("cpus: 0.001", host(NanoCpus=10**6)),
    ("volumes: ['/etc:/proc']", mount(Target="/proc")),
    ("volumes: ['/etc:/proc/x']", mount(Target="/proc/x")),
    ("sysctls: {kernel.hostname: x}", host(Sysctls={"kernel.hostname": "x"})),
    ("sysctls: {vm.swappiness: 1}", host(Sysctls={"vm.swappiness": "1"})),
    ("devices: [fuse]", device("fuse", "fuse", "rwm")),
    ("env: {A: \"a\\0b\"}", {"Env": ["A=a\0b"]}),
    ("arguments: [\"a\\0\"]", {"Cmd": ["a\0"]}),
]  # fmt: skip
# What is kept in another way than it was asked for: the field of the inspection, and what stands there.
TAKEN_FOR_ANOTHER: list[tuple[str, dict[str, Any], str, object]] = [
    ("env: {'A=B': '1'}", {"Env": ["A=B=1"]}, "Config.Env.0", "A=B=1"),  # the variable A
    ("shm_size: 0", host(ShmSize=0), "HostConfig.ShmSize", 64 * 1024**2),
    ("health_check: {test: x, interval: 0}", {"Healthcheck": {**CHECK, "Interval": 0}}, "Config.Healthcheck.Interval", None),
    ("entrypoint: ['']", {"Entrypoint": [""]}, "Config.Entrypoint", None),
]


def is_refused(text: str) -> bool:
    """Whether `validate` refuses a profile of this text."""
    source = Source("p.yaml")
    parse_source(text.encode(), source)
    return validate(source, Profile) is None


@pytest.fixture
def engine(play: Playground) -> docker.APIClient:
    return play.engines["dtn1"]


def made(engine: docker.APIClient, fields: Mapping[str, Any]) -> str:
    """The id of a new container. APIError if the engine refuses it."""
    body = {"Image": IMAGE, "Cmd": ["sleep", "1000"], **fields}
    return str(engine.create_container_from_config(body)["Id"])


@pytest.mark.parametrize(("text", "fields"), REFUSED_AT_CREATE, ids=[text[:50] for text, _ in REFUSED_AT_CREATE])
def test_what_an_engine_refuses_to_create_is_refused_in_the_file(engine: docker.APIClient, text: str, fields: dict[str, Any]) -> None:
    with pytest.raises(APIError):
        made(engine, fields)
    assert is_refused(text)


@pytest.mark.parametrize(("text", "fields"), REFUSED_AT_START, ids=[text[:50] for text, _ in REFUSED_AT_START])
def test_what_an_engine_refuses_to_start_is_refused_in_the_file(engine: docker.APIClient, text: str, fields: dict[str, Any]) -> None:
    container = made(engine, fields)
    try:
        with pytest.raises(APIError):
            engine.start(container)
    finally:
        engine.remove_container(container, force=True)
    assert is_refused(text)


@pytest.mark.parametrize(("text", "fields", "field", "kept"), TAKEN_FOR_ANOTHER, ids=[row[0][:50] for row in TAKEN_FOR_ANOTHER])
def test_what_an_engine_takes_for_something_else_is_refused_in_the_file(
    engine: docker.APIClient, text: str, fields: dict[str, Any], field: str, kept: object
) -> None:
    container = made(engine, fields)
    try:
        found: Any = engine.inspect_container(container)
    finally:
        engine.remove_container(container, force=True)
    for part in field.split("."):
        found = found[int(part)] if part.isdigit() else found.get(part)
    assert found == kept
    assert is_refused(text)


def test_what_the_file_may_say_converges(play: Playground) -> None:
    """In one service each: numbers as text, empty lists, the forms of a health check, paths that are cleaned."""
    settings = {
        "numbers": {"env": {"A": "1.10", "B": "0x1F", "C": None}, "cpus": 1.33333333333},
        "spaces": {"sysctls": {"net.ipv4.tcp_rmem": "4096 87380  16777216"}},
        "lists": {"arguments": [], "entrypoint": ["sleep", "1000"]},
        "none": {"entrypoint": [], "health_check": {"test": ["NONE"]}},
        "shell": {"health_check": {"test": ["CMD-SHELL", "true && true"], "interval": "1s", "start_period": 0}},
        "words": {"health_check": {"test": ["CMD", "true"], "interval": "1ms", "timeout": "61.234567891s"}},
        "paths": {"volumes": ["/data//:/v/./w/", "vol:/n", {"target": "/t/", "size": "1MiB"}], "devices": ["/dev/null:/dev/x:mr"]},
        "limits": {"limits": {"nofile": {"soft": 64, "hard": 128}, "core": 0}, "capabilities": {"add": ["cap_sys_nice"], "drop": ["all"]}},
        "rest": {"restart": "on-failure:3", "stop_timeout": "3s", "memory": "6MiB", "shm_size": "1KiB", "user": "a@b", "cpu_set": "0"},
    }  # fmt: skip
    for name, fields in settings.items():
        play.session(name, settings=fields)
    play.converge()
    play.assert_nothing_to_do()
