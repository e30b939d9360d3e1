"""`dtnctl fmt`: one standard text, comments kept, nothing said differently."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.errors import ConfigError, UsageError
from dtnctl.model.profile import Profile
from dtnctl.model.site import Session
from dtnctl.model.source import Source
from dtnctl.model.written import Written
from dtnctl.repository.formatting import format_files, format_text
from dtnctl.repository.write import write_atomically
from dtnctl.repository.yaml_source import parse_source
from dtnctl.repository.yaml_text import comments_of
from tests.repository.state_folder import write_state

EXAMPLES: list[tuple[str, type[Written] | None, str, str]] = [
    (
        "keys come in the model's order and take the comments above and beside them along",
        Session,
        "# yaml-language-server: $schema=x\n"
        "# what this is for\n"
        "\n"
        "profile: p\n"
        "# the image\n"
        "image: x   # pinned\n"
        "endpoints:\n"
        " - b\n"
        " - a # first\n"
        "# the end\n",
        "# yaml-language-server: $schema=x\n"
        "# what this is for\n"
        "\n"
        "endpoints:\n"
        "  - b\n"
        "  - a  # first\n"
        "# the image\n"
        "image: x  # pinned\n"
        "profile: p\n"
        "# the end\n",
    ),
    (
        "keys inside lists and in one line are ordered too, people's own keys are not",
        Profile,
        "volumes:\n- # the data\n  target: /x\n  # on the host\n  source: /y\n- {target: /x,source: /y}\nenv: {b: 1, a: 2}\nimage: x\n",
        "image: x\n"
        "volumes:\n"
        "  # the data\n"
        "  # on the host\n"
        "  - source: /y\n"
        "    target: /x\n"
        "  - {source: /y, target: /x}\n"
        "env: {b: 1, a: 2}\n",
    ),
    (
        "two spaces, one empty line, comments indented as what follows them",
        None,
        "\n\na:   1\n\n\n\nb:\n      # one\n      x: 1\n    # in the middle\n\n\n"
        "      y:   2\n      # last of b\n# about c\nc: [1,  2]\n\n\n",
        "a: 1\n\nb:\n  # one\n  x: 1\n  # in the middle\n\n  y: 2\n  # last of b\n# about c\nc: [1, 2]\n",
    ),
    (
        "texts over several lines keep their lines",
        None,
        "a: |  # as it is\n    x\n      y\n    # no comment\nb: >-\n    x\n\n    y\n"
        "c: one\n     two  # beside\nd: 'x\n\n   # no comment\n  z'\ne: |+\n   end\n\n",
        "a: |  # as it is\n  x\n    y\n  # no comment\nb: >-\n  x\n\n  y\nc: one\n"
        "  two  # beside\nd: 'x\n\n  # no comment\n  z'\ne: |+\n  end\n\n",
    ),
    (
        "an indentation that is given as a number stays one",
        None,
        "a:\n   b: |2\n      deep\n     x\n",
        "a:\n  b: |2\n     deep\n    x\n",
    ),
    (
        "lists and mappings over several lines get a line for each item, and keep their comments",
        None,
        "a: {b: 1, # one\n    c: 2} # two\nd: [ # three\n  x,\n  # four\n  y # five\n] # six\ne: {}\nf: [\n]\n",
        "a:\n  b: 1  # one\n  c: 2  # two\nd:  # three\n  - x\n  # four\n  - y  # five\n  # six\ne: {}\nf: []\n",
    ),
    (
        "comments between a key and its value go above the key",
        None,
        "a: # one\n  # two\n  b # three\nc:\n\n  # four\n  d\n",
        "# one\n# two\na: b  # three\n# four\nc: d\n",
    ),
    (
        "lists in lists, and comments beside a dash",
        None,
        "a:\n  - - x # 1\n    # 2\n    - y\n  # 3\n  -\n    # 4\n    b: 1\n  - |\n    text\n  -\n",
        "a:\n  - - x  # 1\n    # 2\n    - y\n  # 3\n  # 4\n  - b: 1\n  - |\n    text\n  -\n",
    ),
    ("document markers go, comments around them stay", None, "# a\n--- # b\n# c\nx: 1\n...\n# d\n", "# a\n# b\n# c\nx: 1\n# d\n"),
    ("one line for all becomes a line for each key", None, "{a: 1, 'b': [x, {c: , d: e}]} # z\n", "a: 1\n'b': [x, {c: null, d: e}]  # z\n"),
    ("long forms of keys become short, Windows line ends go", None, "? a\r\n: b\r\n# é\r\n'é' : ü\r\n", "a: b\n# é\n'é': ü\n"),
    (
        "a list at its key's own depth moves in, and a comment after it belongs to the next key",
        None,
        "a:\n- x\n# b\nb: 1\n",
        "a:\n  - x\n# b\nb: 1\n",
    ),
    ("a file with an empty mapping keeps its comments", None, "# a\n\n# b\n{}\n# c\n", "# a\n\n# b\n{}\n# c\n"),
]


@pytest.mark.parametrize(("model", "before", "after"), [pytest.param(*example[1:], id=example[0]) for example in EXAMPLES])
def test_standard_text(model: type[Written] | None, before: str, after: str) -> None:
    assert format_text(before, model) == after
    assert format_text(after, model) == after


# --- whatever people write ---------------------------------------------------------------------------------------

_words = st.sampled_from(["a", "b c", "'x # y'", '"d\\te"', "1.10", "null", "~", "0x1F", "2026-12-01", "x#y", "''", "http://x:1/y"])
_flow = st.recursive(_words, lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"), max_leaves=4)
_beside = st.sampled_from(["", "", "   # beside", " #"])
_above = st.sampled_from(["", "", "\n", "# above\n", "\n\n  # deep\n# flat\n", "        # deeper\n"])


@st.composite
def _block(draw: st.DrawFn, depth: int = 0, indent: int = 0) -> str:
    step = draw(st.integers(1, 4))
    pad = " " * indent
    is_list = depth > 0 and draw(st.booleans())
    names = draw(st.permutations(["state", "image", "profile", "user", "x1", "x2"]))[: draw(st.integers(1, 4))]
    text = ""
    for name in names:
        head = "-" if is_list else f"{name}:"
        text += draw(_above) + pad
        kind = draw(st.integers(0, 4 if depth < 3 else 2))
        if kind == 0:
            text += f"{head} {draw(_flow)}{draw(_beside)}\n"
        elif kind == 1:
            lines = draw(st.lists(st.sampled_from(["one", "  two", "# no comment", ""]), min_size=1, max_size=3))
            body = "".join(f"{pad}{' ' * step}{line}\n" if line else "\n" for line in ["first", *lines])
            text += f"{head} {draw(st.sampled_from(['|', '>', '|-', '>-', '|+']))}{draw(_beside)}\n{body}"
        elif kind == 2:
            text += f"{head}{draw(_beside)}\n"
        else:
            text += f"{head}{draw(_beside)}\n{draw(_block(depth + 1, indent + step))}"
    return text


def _value(text: str) -> object:
    source = Source("x")
    parse_source(text.encode(), source)
    assert source.problems == []
    return source.value


@given(_block(), st.sampled_from([None, Session, Profile]))
def test_formatting_changes_no_value_loses_no_comment_and_is_done_in_one_go(text: str, model: type[Written] | None) -> None:
    after = format_text(text, model)
    assert _value(after) == _value(text)
    assert sorted(comment.text for comment in comments_of(after)) == sorted(comment.text for comment in comments_of(text))
    assert format_text(after, model) == after


# --- files ------------------------------------------------------------------------------------------------------


def test_check_names_the_files_and_changes_nothing(tmp_path: Path) -> None:
    write_state(tmp_path, {"sessions/s.yaml": "profile: p\nendpoints: [a, b]\nimage: x\n"})
    assert format_files(tmp_path, "state", [], write=False) == ["state/sessions/s.yaml"]
    assert (tmp_path / "state/sessions/s.yaml").read_text() == "profile: p\nendpoints: [a, b]\nimage: x\n"


def test_rewritten_file_keeps_its_mode_and_needs_no_second_rewriting(tmp_path: Path) -> None:
    file = write_state(tmp_path, {"sessions/s.yaml": "profile: p\nendpoints: [a, b]\nimage: x\n"}) / "state/sessions/s.yaml"
    file.chmod(0o640)
    assert format_files(tmp_path, "state", [], write=True) == ["state/sessions/s.yaml"]
    assert file.read_text() == "endpoints: [a, b]\nimage: x\nprofile: p\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert format_files(tmp_path, "state", [], write=True) == []
    assert [entry.name for entry in file.parent.iterdir()] == ["s.yaml"]


def test_site_file_has_its_model_and_a_file_of_no_kind_keeps_its_order(tmp_path: Path) -> None:
    write_state(tmp_path, {"site.yaml": "limits: {parallel: 1}\nname: x\n"})
    (tmp_path / "other.yaml").write_text("b: 1\na:  2\n")
    assert format_files(tmp_path, "state", ["state/site.yaml", "other.yaml"], write=True) == ["state/site.yaml", "other.yaml"]
    assert (tmp_path / "state/site.yaml").read_text() == "name: x\nlimits: {parallel: 1}\n"
    assert (tmp_path / "other.yaml").read_text() == "b: 1\na: 2\n"


def test_hidden_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    write_state(tmp_path, {".hidden.yaml": "a:   1\n", ".old/x.yaml": "a:   1\n", "notes.txt": "a:   1\n"})
    assert format_files(tmp_path, "state", [], write=True) == []


def test_file_outside_of_the_repository_is_named_by_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a:   1\n")
    assert format_files(tmp_path / "repository", "state", [str(tmp_path / "x.yaml")], write=False) == [str(tmp_path / "x.yaml")]


def test_one_unreadable_file_and_nothing_is_written(tmp_path: Path) -> None:
    write_state(tmp_path, {"sessions/a.yaml": "image:   x\n", "sessions/b.yaml": "a: [\n"})
    with pytest.raises(ConfigError) as caught:
        format_files(tmp_path, "state", [], write=True)
    assert [problem.code for problem in caught.value.problems] == ["E0105"]
    assert (tmp_path / "state/sessions/a.yaml").read_text() == "image:   x\n"


def test_missing_path_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file or folder nowhere"):
        format_files(tmp_path, "state", ["nowhere"], write=False)


def test_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("old\n")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    write_atomically(tmp_path / "link.yaml", "new\n")
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == "new\n"


def test_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        write_atomically(tmp_path / "file" / "x.yaml", "new\n")
