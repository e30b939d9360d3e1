"""`dtnctl sessions compare` as the shell sees it, on engines in memory."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.small_site import run, two_engines


def test_a_container_of_another_site_is_compared_field_by_field_and_nothing_is_changed(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        assert run(tmp_path, "apply", "--yes").returncode == 0
        (tmp_path / "state/site.yaml").write_text("name: other\n")
        profile = tmp_path / "state/profiles/p.yaml"
        same = run(tmp_path, "sessions", "compare", "s", "small.s", "--endpoint", "a")
        profile.write_text(profile.read_text() + "memory: 4GiB\n")
        text = run(tmp_path, "sessions", "compare", "s", "small.s", "--endpoint", "a")
        document = json.loads(run(tmp_path, "sessions", "compare", "s", "small.s", "--endpoint", "a", "-o", "json").stdout)
    assert (same.returncode, same.stdout) == (0, "container small.s on a and session s: no field differs\n"), same.stderr
    assert text.stdout == ("container small.s on a and session s: 1 field differs\n\nFIELD   RUNS   DECLARED\nmemory  8 GiB  4 GiB\n"), (
        text.stdout
    )
    assert document["fields"] == [{"name": "memory", "runs": "8 GiB", "declared": "4 GiB"}]


def test_what_is_not_there_is_said_with_what_to_type(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        several = run(tmp_path, "sessions", "compare", "s", "x")
        missing = run(tmp_path, "sessions", "compare", "s", "x", "--endpoint", "b")
    assert (several.returncode, several.stderr.splitlines()[0]) == (
        64,
        "the session is on several endpoints; name one by --endpoint: a, b",
    )
    assert (missing.returncode, missing.stderr.splitlines()[0]) == (64, "there is no container x on b")
