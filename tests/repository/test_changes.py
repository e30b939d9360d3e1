"""Changes of several state files: all that is not changed stays, comments too, and the site is valid or nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dtnctl.errors import ConfigError, UsageError
from dtnctl.repository.changes import Changes, Where
from dtnctl.repository.write import put

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROFILE = """\
# who asked for it

# enough for two NICs
limits: {memlock: -1, nofile: 0x100}  # measured
env:
  # the talk's
  MODE: fast
data_nets: [data]
volumes:
  - {source: data-set, target: /data, mode: rw}  # the set
  # the other one
  - source: scratch
    target: /scratch
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    texts = {
        "site": "name: demo\n",
        "endpoints/dtn1": "docker: unix:///run/docker.sock\nhost: dtn1.example.net\ninterfaces: {data: eth1}\n",
        "networks/data": "driver: macvlan\nsubnet: 10.1.0.0/24\n",
        "profiles/dtn": PROFILE,
        "sessions/s": "endpoints: [dtn1]\nimage: dtn:1\nprofile: dtn\n",
    }
    for name, text in texts.items():
        file = tmp_path / f"state/{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def changes(root: Path) -> Changes:
    return Changes(root, "state", NOW)


def text(root: Path, name: str = "profiles/dtn") -> str:
    return (root / f"state/{name}.yaml").read_text()


def files(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


SET = [
    ("user", "dtn", "user: dtn\n", ""),
    (
        ("limits", "memlock"),
        1024,
        "limits:  # measured\n  memlock: 1024\n  nofile: 0x100\n",
        "limits: {memlock: -1, nofile: 0x100}  # measured\n",
    ),
    (("env", "MODE"), "slow", "  # the talk's\n  MODE: slow\n", "  # the talk's\n  MODE: fast\n"),
    (("env", "net.core"), "no", '  MODE: fast\n  net.core: "no"\n', ""),
    (("volumes", 1, "target"), "/other", "    target: /other\n", "    target: /scratch\n"),
    (("volumes", 0, "mode"), "ro", "  # the set\n  - source: data-set\n    target: /data\n    mode: ro\n", ""),
    ("data_nets", [], "data_nets: []\n", "data_nets: [data]\n"),
    (("health_check", "test"), ["test", "-e", "/a b"], 'health_check: {test: [test, "-e", "/a b"]}\n', ""),
]


@pytest.mark.parametrize(("where", "value", "there", "gone"), SET, ids=[str(row[0]) for row in SET])
def test_a_field_is_set_at_any_depth_and_everything_else_stays(root: Path, where: Where, value: object, there: str, gone: str) -> None:
    with changes(root) as edited:
        edited.set("profiles/dtn", where, value)
    assert there in text(root)
    assert not gone or gone not in text(root)
    for comment in ("# who asked for it", "# enough for two NICs", "# measured", "# the talk's", "# the set", "# the other one"):
        assert comment in text(root)
    with changes(root) as again:
        found = again.read("profiles/dtn")
    for key in (where,) if isinstance(where, str) else where:
        found = found[key]  # type: ignore[index]  # a path into plain values
    assert found == value


@pytest.mark.parametrize(
    ("where", "left"),
    [(("limits", "memlock"), "limits:  # measured\n  nofile: 0x100\n"), (("env", "MODE"), "env: {}\n"), (("volumes", 1), "# the set\n")],
    ids=str,
)
def test_a_field_is_removed_with_the_comments_above_it(root: Path, where: Where, left: str) -> None:
    with changes(root) as edited:
        edited.unset("profiles/dtn", where)
    assert left in text(root)


def test_files_that_need_each_other_are_checked_together(root: Path) -> None:
    with changes(root) as edited:
        edited.create("profiles/fast", {"extends": "dtn", "env": {"MODE": "faster"}})
        edited.create("sessions/new", {"endpoints": ["dtn1"], "image": "dtn:1", "profile": "fast"})
        edited.remove("sessions/s")
    assert not (root / "state/sessions/s.yaml").exists()
    assert text(root, "sessions/new") == "endpoints: [dtn1]\nimage: dtn:1\nprofile: fast\n"
    assert text(root, "profiles/fast") == "env: {MODE: faster}\nextends: dtn\n"


def test_nothing_is_written_if_the_site_would_not_be_valid(root: Path) -> None:
    before = files(root)
    edited = changes(root)
    edited.set("sessions/s", "image", "dtn:2")
    edited.set("sessions/s", "profile", "none")
    with pytest.raises(ConfigError, match=r"state/sessions/s\.yaml:3:10: E"):
        edited.write()
    assert files(root) == before


def test_nothing_is_written_after_an_error_of_the_caller(root: Path) -> None:
    before = files(root)
    with pytest.raises(ZeroDivisionError), changes(root) as edited:  # noqa: PT012  # the error ends the change
        edited.remove("sessions/s")
        raise ZeroDivisionError
    assert files(root) == before


def test_what_somebody_else_has_written_meanwhile_is_not_overwritten(root: Path) -> None:
    edited = changes(root)
    edited.set("sessions/s", "image", "dtn:2")
    (root / "state/sessions/s.yaml").write_text("endpoints: [dtn1]\nimage: dtn:3\nprofile: dtn\n")
    before = files(root)
    with pytest.raises(UsageError, match="has changed meanwhile"):
        edited.write()
    assert files(root) == before


def test_a_file_with_the_other_suffix_is_the_same_file(root: Path) -> None:
    (root / "state/sessions/s.yaml").rename(root / "state/sessions/s.yml")
    with changes(root) as edited:
        edited.set("sessions/s", "state", "started")
    assert not (root / "state/sessions/s.yaml").exists()
    assert edited.read("sessions/s")["state"] == "started"


REFUSED = [
    ("session/s", "try `sessions`"),
    ("sessions/../site", "no state file can be named"),
    ("sessions/", "no state file can be named"),
    ("/etc/passwd", "no state file can be named"),
    ("sessions/none", "there is no file"),
]


@pytest.mark.parametrize(("name", "why"), REFUSED)
def test_names_of_no_state_file_are_refused(root: Path, name: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        changes(root).set(name, "image", "x")


MISSING = [("volumes", 7), ("limits", "none"), ("user", "x"), ("data_nets", "x"), ("volumes", 0, "x", "y")]


@pytest.mark.parametrize("where", MISSING, ids=str)
def test_a_field_that_is_not_there_cannot_be_removed(root: Path, where: Where) -> None:
    with pytest.raises(UsageError, match=r"has no field"):
        changes(root).unset("profiles/dtn", where)


def test_a_list_gets_no_item_by_an_index_beyond_it(root: Path) -> None:
    for where in (("volumes", 2), ("data_nets", 1), ("none", 0)):
        with pytest.raises(UsageError, match=r"has no field"):
            changes(root).set("profiles/dtn", where, "x")


def test_existing_files_are_not_created(root: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        changes(root).create("sessions/s", {})


def test_a_broken_file_is_not_edited(root: Path) -> None:
    (root / "state/sessions/s.yaml").write_text("image: [\n")
    with pytest.raises(ConfigError, match=r"sessions/s\.yaml:"):
        changes(root).set("sessions/s", "image", "x")
    with pytest.raises(ConfigError):
        changes(root).read("sessions/s")


def test_without_changes_nothing_is_checked_or_written(root: Path) -> None:
    (root / "state/sessions/other.yaml").write_text("broken: [\n")
    edited = changes(root)
    edited.set("sessions/s", "image", "dtn:1")
    assert edited.write() == ()


def test_should_one_file_not_be_writable_the_others_are_as_they_were(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(root)
    edited = changes(root)
    edited.set("profiles/dtn", "user", "dtn")
    edited.set("sessions/s", "image", "dtn:2")
    edited.unset("profiles/dtn", "data_nets")
    edited.unset("endpoints/dtn1", "interfaces")
    edited.remove("networks/data")

    def refuse_to_remove(path: Path, content: str | None) -> None:
        if content is None:
            raise UsageError("cannot remove it")
        put(path, content)

    monkeypatch.setattr("dtnctl.repository.changes.put", refuse_to_remove)
    with pytest.raises(UsageError, match="cannot remove"):
        edited.write()
    monkeypatch.undo()
    assert files(root) == before
    assert edited.write() == tuple(f"state/{name}.yaml" for name in ("profiles/dtn", "sessions/s", "endpoints/dtn1", "networks/data"))


def test_a_file_that_an_editor_holds_is_no_obstacle(root: Path) -> None:
    (root / "state/sessions/.#s.yaml").symlink_to("someone@host.1234:5678")
    with changes(root) as edited:
        edited.set("sessions/s", "image", "dtn:2")
    assert "dtn:2" in text(root, "sessions/s")


def test_what_no_file_can_hold_is_refused(root: Path) -> None:
    with pytest.raises(UsageError, match="datetime is not JSON serializable; try text"):
        changes(root).set("sessions/s", "expires", NOW)
    with pytest.raises(UsageError, match="try text"):
        changes(root).create("sessions/t", {"expires": NOW})
    with pytest.raises(UsageError, match="a field is named by its key"):
        changes(root).set("sessions/s", (), "x")


SHIPPED = sorted((Path(__file__).parents[2] / "state").rglob("*.yaml"))


def leaves(value: object, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Every value that holds no other one, with the way to it."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, dict | list) and value:
        for key, item in below:
            yield from leaves(item, (*where, key))
    else:
        yield where, value


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_field_of_the_shipped_files_can_be_set_and_nothing_else_is_changed_by_it(file: Path) -> None:
    name = "site" if file.stem == "site" else f"{file.parent.name}/{file.stem}"
    whole = Changes(file.parents[1 if name == "site" else 2], "state", NOW)
    before = whole.read(name)
    for where, value in leaves(before):
        whole.set(name, where, "other")
        assert dict(leaves(whole.read(name))) == {**dict(leaves(before)), where: "other"}
        whole.set(name, where, value)
        assert whole.read(name) == before
