"""Loading a whole state folder: what is read, what is refused, and that nothing but ConfigError ever comes out."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.errors import ConfigError
from dtnctl.model.container_parts import HealthCheck
from dtnctl.model.profile import Attachment, Profile, Volume
from dtnctl.model.site import Mark, Session
from dtnctl.model.source import Source
from dtnctl.repository.load import load_site
from dtnctl.repository.source_file import MAX_BYTES
from dtnctl.repository.yaml_source import parse_source
from tests.repository.state_folder import ENDPOINT, NOW, PROFILE, SESSION, SITE, TRANSFER, VALID, more, problems, write_state

REPOSITORY = Path(__file__).parents[2]


# --- what is read ---------------------------------------------------------------------------------------------------


def test_folder_is_the_kind_and_stem_is_the_name(tmp_path: Path) -> None:
    site = load_site(write_state(tmp_path, {"sessions/other.yml": VALID[SESSION]}), now=NOW)
    assert site.name == "lab"
    assert list(site.endpoints) == ["a", "b"]
    assert list(site.sessions) == ["other", "s"]
    assert site.sessions["s"].file == "state/sessions/s.yaml"
    assert site.transfers["t"].value.from_ == "a:/data/x"


def test_objects_come_in_name_order_whatever_their_files_end_in(tmp_path: Path) -> None:
    files = {f"sessions/{name}": VALID[SESSION] for name in ("b.yaml", "a-1.yaml", "a.yml", "C.yaml")}
    site = load_site(write_state(tmp_path, files), now=NOW)
    assert list(site.sessions) == ["C", "a", "a-1", "b", "s"]


def test_every_field_knows_its_place(tmp_path: Path) -> None:
    text = 'endpoints:\n  - a\n  - b\nimage:   "x:1"\nsettings:\n  env: {É: 1, B: 2}\n'
    session = load_site(write_state(tmp_path, {SESSION: text, TRANSFER: None}), now=NOW).sessions["s"]
    assert session.mark() == Mark(1, 1)
    assert session.mark(("endpoints",)) == Mark(1, 1)
    assert session.mark(("endpoints", 1)) == Mark(3, 5)
    assert session.mark(("image",)) == Mark(4, 10)
    assert session.mark(("settings", "env")) == Mark(6, 3)
    assert session.mark(("settings", "env", "B")) == Mark(6, 18)
    assert session.mark(("settings", "env", "nowhere")) == Mark(6, 3)
    assert session.where("image") == "state/sessions/s.yaml:4"


def test_hidden_files_and_readmes_are_nobodys_business(tmp_path: Path) -> None:
    files = {"README.md": "x", "sessions/README": "x", "sessions/.x.yaml.swp": "x", ".git/config": "x", "sessions/.gitkeep": ""}
    assert problems(tmp_path, files) == []


def test_kinds_without_objects_need_no_folder(tmp_path: Path) -> None:
    assert problems(tmp_path, base={SITE: "name: lab\n"}) == []


def test_state_folder_may_have_another_name(tmp_path: Path) -> None:
    write_state(tmp_path)
    (tmp_path / "state").rename(tmp_path / "production")
    assert load_site(tmp_path, "production/", NOW).sessions["s"].file == "production/sessions/s.yaml"


def test_time_of_the_run_is_used_where_none_is_given(tmp_path: Path) -> None:
    later = f"expires: {datetime.now(UTC).year + 1}-01-01T00:00:00Z\n"
    assert load_site(write_state(tmp_path, more(SESSION, later))).sessions["s"].value.expires is not None


def test_shipped_example_is_valid() -> None:
    site = load_site(REPOSITORY)
    assert site.name == "demo"
    assert list(site.endpoints) == ["dtn1", "dtn2"]


def test_numbers_texts_and_truths_are_what_they_look_like(tmp_path: Path) -> None:
    env = 'env: {A: 0x1F, B: -5, C: 1.5, D: "no", E: true, F: null, G: 2026-12-01, H: 1.2.3, I: "22:22", J: y, K: 10.0.0.1, L: .5, M: -}\n'
    profile = load_site(write_state(tmp_path, more(PROFILE, env)), now=NOW).profiles["p"].value
    texts = {"D": "no", "G": "2026-12-01", "H": "1.2.3", "I": "22:22", "J": "y", "K": "10.0.0.1", "M": "-"}
    assert profile.env == {"A": "0x1F", "B": "-5", "C": "1.5", "E": "true", "F": None, "L": ".5"} | texts


# --- everything at once ---------------------------------------------------------------------------------------------


def test_problems_of_all_files_are_reported_together(tmp_path: Path) -> None:
    changes = {
        SESSION: VALID[SESSION] + "imgae: x\nstate: strated\n",
        PROFILE: "data_nets: [dat]\n",
        TRANSFER: "from: a:/x\nto: c:/x\ntool: gridftp\n",
        SITE: "name: 5\n",
    }
    assert problems(tmp_path, changes) == [
        "state/profiles/p.yaml:1:13: E0302: there is no network `dat`; try `data`",
        "state/sessions/s.yaml:4:1: E0201: unknown key `imgae`; try `image`",
        "state/sessions/s.yaml:5:8: E0204: `state` cannot be `strated`, only initialized, started or stopped; try started",
        'state/site.yaml:1:7: E0203: `name` must be text, not the number 5; try "5" in quotes',
        "state/transfers/t.yaml:2:5: E0301: there is no endpoint `c`; try one of a, b",
    ]


def test_reference_to_a_broken_file_is_not_dangling(tmp_path: Path) -> None:
    changes = {PROFILE: "data_nets: [\n", ENDPOINT: "docker: 5\n", "networks/data.yaml": "driver: x\n", SESSION: VALID[SESSION] + "x: 1\n"}
    found = problems(tmp_path, changes)
    assert [line.split(": ")[1] for line in found] == ["E0203", "E0204", "E0105", "E0201"]


def test_problem_in_yaml_does_not_hide_problems_of_the_schema(tmp_path: Path) -> None:
    assert problems(tmp_path, more(SESSION, "user: no\nstate: strated\nuser: x\n")) == [
        'state/sessions/s.yaml:4:7: E0114: `no` is false in YAML 1.1 and text in YAML 1.2; try false, or "no" in quotes',
        "state/sessions/s.yaml:5:8: E0204: `state` cannot be `strated`, only initialized, started or stopped; try started",
        "state/sessions/s.yaml:6:1: E0110: the key `user` is written twice, first on line 4; try to remove one",
    ]


def test_names_are_not_called_dangling_when_their_folder_cannot_be_listed(tmp_path: Path) -> None:
    assert problems(tmp_path, {"profiles": "x", PROFILE: None}) == [
        "state/profiles:1:1: E0101: cannot be read: not a directory; try a folder of YAML files"
    ]


# --- what is not a file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nowhere", "state/site.yaml", "nowhere/state"])
def test_missing_state_folder_is_explained(tmp_path: Path, name: str) -> None:
    write_state(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_site(tmp_path, name, NOW)
    assert str(caught.value) == f"{name}:1:1: E0121: there is no such folder; try `dtnctl init` in an empty folder"


def test_fifty_megabytes_are_refused_unread(tmp_path: Path) -> None:
    write_state(tmp_path)
    with (tmp_path / "state" / SESSION).open("wb") as stream:
        stream.truncate(50_000_000)
    assert problems(tmp_path, base={}) == [
        "state/sessions/s.yaml:1:1: E0102: is too large: 50000000 bytes, at most 1048576; try to split it: one object a file"
    ]


def test_largest_file_that_is_read_is_read(tmp_path: Path) -> None:
    padding = MAX_BYTES - len(VALID[SESSION]) - 2
    assert problems(tmp_path, more(SESSION, f"#{'x' * padding}\n")) == []


def test_symbolic_links_in_a_circle(tmp_path: Path) -> None:
    write_state(tmp_path, {SESSION: None, TRANSFER: None})
    (tmp_path / "state/sessions").mkdir()
    (tmp_path / "state" / SESSION).symlink_to("s.yaml")
    (tmp_path / "state/transfers").symlink_to("transfers")
    assert problems(tmp_path, base={}) == [
        "state/sessions/s.yaml:1:1: E0101: cannot be read: symbolic links that lead in a circle",
        "state/transfers:1:1: E0101: cannot be read: too many levels of symbolic links; try a folder of YAML files",
    ]


def test_symbolic_link_to_a_file_is_followed_and_one_to_nothing_is_explained(tmp_path: Path) -> None:
    write_state(tmp_path)
    (tmp_path / "state/sessions/link.yaml").symlink_to("s.yaml")
    assert problems(tmp_path) == []
    (tmp_path / "state/sessions/gone.yaml").symlink_to("nowhere.yaml")
    assert problems(tmp_path) == ["state/sessions/gone.yaml:1:1: E0101: cannot be read: no such file or directory"]


def test_named_pipe_does_not_hang(tmp_path: Path) -> None:
    write_state(tmp_path)
    os.mkfifo(tmp_path / "state/sessions/pipe.yaml")
    assert problems(tmp_path) == [
        "state/sessions/pipe.yaml:1:1: E0101: is not a regular file, a YAML file is expected; try another name for it"
    ]


def test_file_that_fails_while_it_is_read(tmp_path: Path) -> None:
    write_state(tmp_path)
    (tmp_path / "state/sessions/memory.yaml").symlink_to("/proc/self/mem")
    assert problems(tmp_path) == ["state/sessions/memory.yaml:1:1: E0101: cannot be read: input/output error"]


def test_file_name_of_any_bytes_can_be_printed(tmp_path: Path) -> None:
    write_state(tmp_path)
    Path(os.fsdecode(os.fsencode(tmp_path / "state/sessions") + b"/\xff\n.yaml")).write_text(VALID[SESSION])
    (line,) = problems(tmp_path)
    assert line.startswith("state/sessions/??.yaml:1:1: E0118: ")
    line.encode()


# --- bombs and noise ------------------------------------------------------------------------------------------------


def test_billion_laughs_are_not_laughed(tmp_path: Path) -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]\n" for number in range(1, 30))
    found = problems(tmp_path, {SESSION: laughs})
    assert {line.split(": ")[1] for line in found} == {"E0113", "E0124"}
    assert found[-1].endswith("E0124: more than 100 problems; the others are not listed")
    assert len(found) == 101


@pytest.mark.parametrize("text", ["[" * 500_000, "{a: " * 200_000, "- " * 400_000, "? " * 400_000, "a: |\n" + " \n" * 400_000])
def test_deep_and_long_files_end_quickly_in_a_problem_or_a_value(text: str) -> None:
    source = Source("x")
    parse_source(text.encode(), source)
    assert source.problems or source.value == {"a": "\n" * 399_999 + "\n"} or source.value == {"a": ""}


_MESSAGE = re.compile(r"[^:]+:\d+:\d+: E0[1-4]\d\d: .*", re.DOTALL)
_SMELLS = (
    "Input should",
    "pydantic",
    "http://errors",
    "<class",
    "dict[",
    "None",
    "True",
    "False",
    "Traceback",
    "object at 0x",
    "Value error",
)


def _complaints(data: bytes, root: Path) -> list[str]:
    """What the loader says about a session of these bytes; any other exception fails the test."""
    root = root / "complaints"  # above it are the folders of other tests
    (root / "state/sessions").mkdir(parents=True, exist_ok=True)
    (root / "state" / SITE).write_text("name: lab\n")
    (root / "state" / SESSION).write_bytes(data)
    try:
        load_site(root, "state", NOW)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


@given(st.binary(max_size=200))
def test_random_bytes_give_problems_or_a_site(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    lines = _complaints(data, tmp_path_factory.getbasetemp() / "random")
    assert lines
    assert all(_MESSAGE.fullmatch(line) for line in lines)


_models = (Session, Profile, Volume, Attachment, HealthCheck)
_keys = st.sampled_from([*(name for model in _models for name in model.model_fields), "a", "\u00e9"])
_leaves = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=8),
    st.sampled_from(["a", "64GiB", "10.0.0.1", "/data", "8080/udp", "5s", "0-3", "bridge", "host", "x:1", "/a:/b:ro", "started"]),
    st.dates(),
)
_documents = st.dictionaries(
    _keys, st.recursive(_leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4))
)


@given(_documents)
def test_random_documents_give_plain_words_or_a_site(tmp_path_factory: pytest.TempPathFactory, document: dict[str, object]) -> None:
    data = yaml.safe_dump(document, allow_unicode=True).encode()
    for line in _complaints(data, tmp_path_factory.getbasetemp() / "random"):
        assert _MESSAGE.fullmatch(line)
        assert len(line) < 600
        found = line.split("`")[::2]  # what people wrote is in backquotes
        assert not [smell for smell in _SMELLS if any(smell in part for part in found)]


@given(
    st.lists(st.sampled_from([*"abc:-[]{},#&*!|>'\"%@`?\n\t ~<", "  ", ": ", "- ", "\n  ", "no", "017", "&a ", "*a", "<<: "]), max_size=40)
)
def test_random_yaml_gives_problems_or_a_value(pieces: list[str]) -> None:
    source = Source("x")
    parse_source("".join(pieces).encode(), source)
    assert source.problems or isinstance(source.value, dict)


@pytest.mark.parametrize("text", ["a: [1\n", "a: b: c\n", "\ta: 1\n", "a: 'x\n", "a: @x\n", "k: 1\na\nb: 1\n"])
def test_parser_in_pure_python_gives_problems_too(text: str) -> None:
    source = Source("x")
    parse_source(text.encode(), source, yaml.SafeLoader)
    assert [problem.code for problem in source.problems] in (["E0105"], ["E0106"])


def test_both_parsers_read_the_same() -> None:
    for file in sorted((REPOSITORY / "state").rglob("*.yaml")):
        sources = [Source("x"), Source("x")]
        for source, loader in zip(sources, (yaml.CSafeLoader, yaml.SafeLoader), strict=True):
            parse_source(file.read_bytes(), source, loader)
        assert sources[0] == sources[1]
