"""Files that are not where they should be, each with the very lines that people get to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.state_folder import NETWORK, PROFILE, SESSION, SITE, VALID, Case, Changes, problems

CASES: list[Case] = [
    (
        "no site file",
        {SITE: None},
        [
            "state/site.yaml:1:1: E0121: is missing; it names the site; try `name: …` in it, or `dtnctl init`",
        ],
    ),
    (
        "site file with another ending",
        {SITE: None, "site.yml": "name: lab\n"},
        [
            "state/site.yaml:1:1: E0121: is missing; it names the site; try `name: …` in it, or `dtnctl init`",
            "state/site.yml:1:1: E0120: is not read; try `site.yaml`",
        ],
    ),
    (
        "folder in the singular",
        {"session/x.yaml": "a: 1\n"},
        [
            "state/session:1:1: E0120: is not read; try `sessions`",
        ],
    ),
    (
        "file beside the folders",
        {"notes.txt": "x"},
        [
            "state/notes.txt:1:1: E0120: is not read; "
            "try one of site.yaml, endpoints, networks, paths, profiles, sessions, transfers, tools, volumes",
        ],
    ),
    (
        "file of another format",
        {"sessions/x.json": "{}"},
        [
            "state/sessions/x.json:1:1: E0120: is not read: its name does not end in .yaml; try another place or another name for it",
        ],
    ),
    (
        "folder in a kind",
        {"sessions/sub/x.yaml": VALID[SESSION]},
        [
            "state/sessions/sub:1:1: E0120: is a folder; folders in a kind are not read; try another place or another name for it",
        ],
    ),
    (
        "folder with a YAML name",
        {"sessions/x.yaml/y.yaml": VALID[SESSION]},
        [
            "state/sessions/x.yaml:1:1: E0101: is a folder, a YAML file is expected; try another name for it",
        ],
    ),
    (
        "file name that is no name",
        {"sessions/a b.yaml": VALID[SESSION]},
        [
            "state/sessions/a b.yaml:1:1: E0118: `a b` is not a name; "
            "write letters, digits, - and _, at most 40 characters, a letter or digit first"
            "; try another file name",
        ],
    ),
    (
        "same name twice",
        {"sessions/s.yml": VALID[SESSION]},
        [
            "state/sessions/s.yml:1:1: E0119: session `s` has a second file: state/sessions/s.yaml; try to remove one",
        ],
    ),
    (
        "network of the engine",
        {"networks/host.yaml": VALID[NETWORK]},
        [
            "state/networks/host.yaml:1:1: E0122: `host` is a network of the engine itself; try another file name",
        ],
    ),
    (
        "kind that is a file",
        {"profiles": "x", PROFILE: None},
        [
            "state/profiles:1:1: E0101: cannot be read: not a directory; try a folder of YAML files",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "lines"), [pytest.param(changes, lines, id=name) for name, changes, lines in CASES])
def test_file_that_is_not_where_it_should_be_is_explained(tmp_path: Path, changes: Changes, lines: list[str]) -> None:
    assert problems(tmp_path, changes) == lines
