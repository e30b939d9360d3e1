"""Any file: state files that can be read, with what is wrong in them named by its place, or one error with its place; no field is lost.

A field is lost if the conversion, files and notes, is the same without it. `make random` draws other files.
"""

from __future__ import annotations

import copy
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.errors import ConfigError, Problem, UsageError
from dtnctl.repository.converting.compose import convert_compose
from dtnctl.repository.converting.conversion import Conversion, write_conversion
from dtnctl.repository.converting.foreign import read_foreign
from dtnctl.repository.converting.janus import Era, convert_janus
from dtnctl.repository.load import validate_state
from tests.repository.converting.shapes import COMPOSE, JANUS

Converting: TypeAlias = Callable[[Path, str], Conversion]
PLACE = re.compile(r"^[^:]+:[0-9]+(:[0-9]+)?: ")
SAYS_NOTHING: tuple[Any, ...] = (None, "", False, [], {})
DEFAULTS = (("driver", "bridge"), ("driver", "local"), ("mgmt_net", "bridge"))


def compose(root: Path, text: str) -> Conversion:
    (root / "compose.yaml").write_text(text)
    return convert_compose(root / "compose.yaml", "compose.yaml", "dtn1", "ssh://dtn@dtn1.example.net", Path("/srv/dtn"))


def janus(era: Era) -> Converting:
    def convert(root: Path, text: str) -> Conversion:
        (root / "janus").mkdir(exist_ok=True)
        (root / "janus/profiles.yaml").write_text(text)
        return convert_janus(root / "janus", "janus", era, None)

    return convert


def active(root: Path, text: str) -> Conversion:
    """The text as Janus' live sessions, beside a profile that it may name."""
    (root / "janus").mkdir(exist_ok=True)
    (root / "janus/profiles.yaml").write_text("profiles: {default: {}}\n")
    (root / "active.json").write_text(text)
    return convert_janus(root / "janus", "janus", "v1.0", (root / "active.json", "active.json"))


CONVERTING: dict[str, Converting] = {"compose": compose, "v0.2": janus("v0.2"), "v1.0": janus("v1.0"), "active": active}


def made_of(converting: Converting, text: str) -> tuple[Any, ...]:
    """The files and the notes, those without their lines; or the error."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = converting(Path(folder), text)
        except UsageError as error:
            return (str(error),)
    return repr(sorted(found.files.items())), sorted(f"{note.effect}: {note.text}" for note in found.notes)


def result(converting: Converting, text: str) -> tuple[Any, ...]:
    """The same, of files that were written and read."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        try:
            found = converting(root, text)
        except UsageError as error:
            return (str(error),)
        for note in found.notes:
            assert PLACE.match(f"{note.where}: "), note.where
        write_conversion(found, root, "state")
        assert all(item.file.startswith("state/") and item.line > 0 and item.column > 0 for item in problems_in(root))
        return (found,)


def problems_in(root: Path) -> list[Problem]:
    """What validate says of the written files."""
    try:
        validate_state(root)
    except ConfigError as error:
        return list(error.problems)
    return []


# --- junk ---------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "a",
        "eth1.1000",
        "10.0.0.0/24",
        "10.0.0.9",
        "fd00::/64",
        "fd00::1",
        "8080:80",
        "80/udp",
        "1g",
        "30s",
        "host",
        "none",
        "A=b",
        "/x:/y",
        "${V}",
        "${V:-w}",
        "true",
        "²",
        "-1",
        "é\x85",
        " ",
        "name",
        "x" * 300,
    ]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 70_000), st.floats(allow_nan=True), WORDS, st.text(max_size=6))
KEYS = st.sampled_from(
    [
        "services",
        "networks",
        "volumes",
        "profiles",
        "features",
        "qos",
        "post_starts",
        "settings",
        "image",
        "environment",
        "ports",
        "deploy",
        "resources",
        "limits",
        "memory",
        "cpus",
        "ulimits",
        "nofile",
        "soft",
        "healthcheck",
        "test",
        "interval",
        "driver",
        "driver_opts",
        "parent",
        "ipam",
        "config",
        "subnet",
        "gateway",
        "ip_range",
        "type",
        "source",
        "target",
        "bind",
        "mgmt_net",
        "data_net",
        "ipv4_addr",
        "cpu",
        "mem",
        "ctrl_ports",
        "data_ports",
        "options",
        "vlan",
        "mtu",
        "com.docker.network.driver.mtu",
        "tools",
        "devices",
        "caps",
        "sysctls",
        "active",
        "id",
        "request",
        "container_id",
        "state",
        "name",
        "a",
        "default",
    ]
)
JUNK = st.recursive(
    SCALARS, lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(st.one_of(KEYS, WORDS), below, max_size=5)), max_leaves=25
)


@pytest.mark.parametrize("kind", CONVERTING)
@given(data=st.data())
def test_any_value_is_converted_or_refused_with_its_place(kind: str, data: st.DataObject) -> None:
    sections = {"compose": ["services", "networks", "volumes"], "active": ["active", "services"]}.get(
        kind, ["profiles", "networks", "volumes", "features", "qos", "post_starts"]
    )
    named = st.dictionaries(WORDS, JUNK, max_size=3)
    value = data.draw(st.one_of(JUNK, st.fixed_dictionaries({}, optional={name: st.one_of(named, JUNK) for name in sections})))
    result(CONVERTING[kind], yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


@pytest.mark.parametrize("kind", CONVERTING)
@given(text=st.one_of(st.text(max_size=60), st.text(alphabet="{}[]:,-&*!|>#'\"\n ab1%@`?", max_size=60)))
def test_any_text_is_converted_or_refused_with_its_place(kind: str, text: str) -> None:
    (found,) = result(CONVERTING[kind], text)
    if isinstance(found, str) and "is not YAML" in found:
        assert re.match(r"^(compose.yaml|janus/profiles.yaml|active.json):[0-9]+:[0-9]+: is not YAML: ", found)


# --- the known shapes ---------------------------------------------------------------------------------------


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value that is none of SAYS_NOTHING and has nothing below it."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*way, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*way, index))
    elif value not in SAYS_NOTHING and (way[-1], value) not in DEFAULTS:
        yield way


def without(value: Any, way: tuple[Any, ...]) -> Any:
    left = copy.deepcopy(value)
    holder = left
    for part in way[:-1]:
        holder = holder[part]
    del holder[way[-1]]
    return left


def reported(converting: Converting, text: str) -> set[str]:
    """The lines of what is left out, with all that is below it."""
    with tempfile.TemporaryDirectory() as folder:
        notes = converting(Path(folder), text).notes
    return {note.where.rpartition(":")[2] for note in notes if note.effect != "changed"}


def is_lost(converting: Converting, value: Any, way: tuple[Any, ...]) -> bool:
    """Whether the conversion is the same without the field, and neither it nor one above it is reported as left out."""
    text = yaml.safe_dump(value, sort_keys=False)
    whole, lines = made_of(converting, text), reported(converting, text)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_text(text)
        top = read_foreign(Path(file.name), "x")
    if way[0] == "features" and any("those of the features are left out" in note for note in whole[-1]):
        return False  # said where they are named
    above = {top.where(*way[:count]).rpartition(":")[2] for count in range(1, len(way) + 1)}
    return not above & lines and made_of(converting, yaml.safe_dump(without(value, way), sort_keys=False)) == whole


@given(data=st.data(), value=COMPOSE)
def test_no_field_of_a_compose_file_is_lost(data: st.DataObject, value: Any) -> None:
    way = data.draw(st.sampled_from(list(leaves(value))))
    assert not is_lost(compose, value, way), yaml.safe_dump(value, sort_keys=False)


@pytest.mark.parametrize("era", ["v0.2", "v1.0"])
@given(data=st.data(), value=JANUS.filter(lambda value: any(leaves(value))))
def test_no_field_of_a_janus_folder_is_lost(era: str, data: st.DataObject, value: Any) -> None:
    way = data.draw(st.sampled_from(list(leaves(value))))
    assert not is_lost(CONVERTING[era], value, way), yaml.safe_dump(value, sort_keys=False)


def test_a_field_that_is_lost_is_noticed() -> None:
    """What `x-` begins is the user's own, and converted to nothing without a note."""
    assert is_lost(compose, {"services": {"s": {"image": "dtn:1"}}, "x-own": {"a": 1}}, ("x-own", "a"))
