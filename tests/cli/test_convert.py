"""`dtnctl convert` as the shell sees it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.repository.converting.golden import HERE
from tests.runtime.program import dtnctl


def test_janus_folder_with_sessions_is_written_and_what_needs_a_decision_gives_code_3(tmp_path: Path) -> None:
    done = dtnctl(tmp_path, "convert", "janus", str(HERE / "janus-v0.2"), "--active", str(HERE / "active-v0.2.json"), "--out", "site")
    assert done.code == 3
    assert f"{HERE}/janus-v0.2/profiles.yaml:15: refused: volume `missing` is in no volumes file; Janus left it out silently\n" in done.out
    assert "wrote state/sessions/janus-8.yaml\n" in done.out
    assert done.err.endswith("dtnctl: partial (3)\n")
    assert dtnctl(tmp_path / "site", "validate").code == 0


def test_without_a_line_that_is_refused_the_code_is_0(tmp_path: Path) -> None:
    (tmp_path / "profiles.yaml").write_text("profiles: {p: {mem: 0}}\n")
    done = dtnctl(tmp_path, "convert", "janus", ".", "--from", "v0.2", "-o", "json")
    document = json.loads(done.out)
    assert (done.code, done.err) == (0, "next: read the notes, git diff, and dtnctl plan\n")
    assert (document["kind"], document["files"]) == ("conversion", ["state/profiles/p.yaml", "state/site.yaml"])


def test_what_validate_finds_is_said_too(tmp_path: Path) -> None:
    (tmp_path / "profiles.yaml").write_text("profiles: {p: {cpu: 0.0001}}\n")
    done = dtnctl(tmp_path, "convert", "janus", ".")
    assert done.code == 3
    assert "validate: state/profiles/p.yaml:" in done.out


def test_a_folder_that_is_not_there_is_usage(tmp_path: Path) -> None:
    done = dtnctl(tmp_path, "convert", "janus", "nothing")
    assert (done.code, done.err) == (64, "nothing cannot be read: no such file or directory\ndtnctl: usage (64)\n")
