"""The cache of what files said changes nothing but the time: a hit is what a fresh reading gives, and what may be wrong is read again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.errors import ConfigError
from dtnctl.model.source import Source
from dtnctl.repository.load import load_site
from dtnctl.repository.source_cache import SourceCache, user_cache
from dtnctl.repository.source_file import read_source

TEXT = "name: a\nlist: [1, 1.0, true, null, '1', -0.0, 1.50]\nnested:\n  - {deep: [{deeper: é}]}\n  - 'x\ty'\nempty: {}\nnone:\n"

KEYS = st.text("abcxyz_", min_size=1, max_size=4)
SCALARS = st.sampled_from(["1", "1.50", "1.0", "true", "null", "~", "a", "'1'", '"\\u00e9\\t"', "0x1F", "-0.0", "17.", "é", "''"])


def lines_of(value: object, depth: int = 0) -> str:
    """The value in flow style, as YAML takes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {lines_of(item, depth + 1)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(lines_of(item, depth + 1) for item in value) + "]"
    return str(value)


VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12)
FILES = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5).map(
    lambda items: "".join(f"{key}: {lines_of(item)}\n" for key, item in items.items())
)


def shown(source: Source) -> str:
    """Everything in it, with the types of values and the order of places."""
    return repr(source)


@pytest.fixture
def cache(tmp_path: Path) -> SourceCache:
    return SourceCache(tmp_path / "cache", "this reader")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    return path


@given(FILES)
def test_a_hit_is_what_a_fresh_reading_gives(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, cache = written(Path(folder), text), SourceCache(Path(folder) / "cache", "this reader")
        fresh = read_source(path, "a.yaml")
        first, second = read_source(path, "a.yaml", cache), read_source(path, "a.yaml", cache)
        assert shown(first) == shown(second) == shown(fresh)
        assert cache.fill(path.read_bytes(), Source("a.yaml")) == (not fresh.problems)


def test_types_places_and_words_are_kept(tmp_path: Path, cache: SourceCache) -> None:
    path = written(tmp_path, TEXT)
    read_source(path, "a.yaml", cache)
    hit = Source("b.yaml")
    assert cache.fill(path.read_bytes(), hit)
    assert shown(hit) == shown(read_source(path, "b.yaml"))


def test_a_file_with_a_problem_is_read_every_time(tmp_path: Path, cache: SourceCache) -> None:
    path = written(tmp_path, "a: no\n")
    assert [read_source(path, "a.yaml", cache).problems for _ in range(2)] == [read_source(path, "a.yaml").problems] * 2
    assert not cache.folder.exists()


def test_what_models_refuse_is_reported_in_the_same_words_and_places(tmp_path: Path, cache: SourceCache) -> None:
    state = tmp_path / "state"
    (state / "endpoints").mkdir(parents=True)
    (state / "site.yaml").write_text("name: a\nlimits:\n  parallel: 0\nnmae: b\n")
    (state / "endpoints" / "dtn1.yaml").write_text("docker: unix:///run/docker.sock\nhost: '-'\nallow: 3\n")
    said = []
    for kept in (None, cache, cache):
        with pytest.raises(ConfigError) as refused:
            load_site(tmp_path, cache=kept)
        said.append(refused.value.lines)
    assert said[0] == said[1] == said[2]
    assert len(list(cache.folder.iterdir())) == 2


def test_another_reader_or_another_byte_is_another_entry(tmp_path: Path, cache: SourceCache) -> None:
    data = written(tmp_path, TEXT).read_bytes()
    read_source(tmp_path / "a.yaml", "a.yaml", cache)
    assert cache.fill(data, Source("a.yaml"))
    assert not SourceCache(cache.folder, "another").fill(data, Source("a.yaml"))
    assert not cache.fill(data + b"\n", Source("a.yaml"))


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "no JSON", "other JSON", "a folder", "a pipe", "a link", "open to others"])
def test_a_damaged_entry_is_not_used(tmp_path: Path, cache: SourceCache, damage: str) -> None:
    path = written(tmp_path, TEXT)
    fresh = shown(read_source(path, "a.yaml", cache))
    (entry,) = cache.folder.iterdir()
    content = entry.read_bytes()
    entry.unlink()
    match damage:
        case "cut":
            entry.write_bytes(content[:-7])
        case "changed":
            entry.write_bytes(content.replace(b'"a"', b'"b"'))
        case "empty":
            entry.write_bytes(b"")
        case "no JSON":
            entry.write_bytes(b"0" * 100)
        case "other JSON":
            entry.write_bytes(b"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945[]")
        case "a folder":
            entry.mkdir()
        case "a pipe":
            os.mkfifo(entry)
        case "a link":
            (tmp_path / "away").write_bytes(content)
            entry.symlink_to(tmp_path / "away")
        case "open to others":
            entry.write_bytes(content)
            entry.chmod(0o666)
    assert not cache.fill(path.read_bytes(), Source("a.yaml"))
    assert shown(read_source(path, "a.yaml", cache)) == fresh


def test_a_cache_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    assert shown(read_source(path, "a.yaml", SourceCache(blocked, "this reader"))) == shown(read_source(path, "a.yaml"))
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    read_source(path, "a.yaml", SourceCache(shared, "this reader"))
    assert list(shared.iterdir()) == []


def test_the_older_half_goes_when_there_are_too_many(tmp_path: Path) -> None:
    cache = SourceCache(tmp_path / "cache", "this reader", most=100)
    cache.folder.mkdir(mode=0o700)
    for number in range(101):
        (cache.folder / f"{number:05}").touch()
        os.utime(cache.folder / f"{number:05}", ns=(number, number))
    path = tmp_path / "a.yaml"
    for number in range(10_000):  # until it is looked whether there are too many
        before = len(list(cache.folder.iterdir()))
        path.write_text(f"{TEXT}number: {number}\n")
        read_source(path, "a.yaml", cache)
        left = sorted(path.name for path in cache.folder.iterdir())
        if len(left) <= before:
            break
    assert len(left) == before - before // 2 + 1
    assert "00000" not in left
    assert "00100" in left or before > 201


def test_the_cache_is_in_the_users_own_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    by_home, by_variable = user_cache({"HOME": str(tmp_path)}), user_cache({"HOME": "/nowhere", "XDG_CACHE_HOME": str(tmp_path / "x")})
    assert by_home is not None
    assert by_variable is not None
    assert by_home.folder == tmp_path / ".cache" / "dtnctl" / "sources"
    assert by_variable.folder == tmp_path / "x" / "dtnctl" / "sources"
    assert by_home.reader == by_variable.reader


def test_there_is_no_cache_without_a_folder_of_the_users_own(tmp_path: Path) -> None:
    assert user_cache({}) is None
    assert user_cache({"XDG_CACHE_HOME": "relative"}) is None
    tmp_path.chmod(0o777)
    assert user_cache({"HOME": str(tmp_path)}) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_another_users_home_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    os.chown(tmp_path, 65534, 65534)
    assert user_cache({"HOME": str(tmp_path)}) is None
