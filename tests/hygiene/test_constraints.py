"""constraints.txt pins everything that pyproject.toml asks for, with hashes, and says nothing of where it came from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

CLONE = Path(__file__).parents[2]
TEXT = (CLONE / "constraints.txt").read_text()
ENTRY = re.compile(
    r"""
    ^(?P<name>[\w.-]+)==(?P<version>[\w.]+)
    (?:\ ;\ (?P<marker>[^\\\n]+?))?\ \\\n
    (?:\ \ \ \ --hash=sha256:[0-9a-f]{64}(?:\ \\)?\n)+
    """,
    re.MULTILINE | re.VERBOSE,
)
PINNED = {canonicalize_name(entry["name"]): entry for entry in ENTRY.finditer(TEXT)}
PROJECT = tomllib.loads((CLONE / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
ASKED = [*PROJECT["project"]["dependencies"], *EXTRAS["dev"], *EXTRAS["agent"], *EXTRAS["charts"], *PROJECT["build-system"]["requires"]]


@pytest.mark.parametrize("asked", ASKED)
def test_what_the_project_asks_for_is_pinned_within_its_bounds(asked: str) -> None:
    requirement = Requirement(asked)
    pinned = PINNED[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(Version(pinned["version"]))
    assert pinned["marker"] is None, "it is needed on every Python and platform"


def test_every_line_is_a_pin_a_hash_or_a_comment() -> None:
    rest = ENTRY.sub("", TEXT)
    assert [line for line in rest.splitlines() if line and not line.lstrip().startswith("#")] == []


def test_no_address_is_in_it() -> None:
    assert "://" not in TEXT
    assert "--index" not in TEXT
    assert "--trusted" not in TEXT
