"""The man pages: made of the same commands as `--help`, without a warning of the programs that set them, the same bytes each time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from dtnctl.cli.commands import COMMANDS
from hack.man_pages import escaped, main, man_pages
from tests.docs.pages import CLONE, nothing

PAGES = man_pages(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("man")
    assert main([str(found)]) == 0
    return found


def test_the_program_and_every_command_have_a_page() -> None:
    assert set(PAGES) == {"dtnctl.1", *(f"dtnctl-{name}.1" for name in COMMANDS)}


def test_page_bears_the_time_of_the_commit_and_not_of_the_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    main([str(tmp_path / "one")])
    main([str(tmp_path / "two")])
    texts = [(tmp_path / name / "dtnctl.1").read_bytes() for name in ("one", "two")]
    assert texts[0] == texts[1]
    assert b'"1970-01-02"' in texts[0]


def test_nothing_in_a_page_is_a_request_of_roff_by_accident() -> None:
    requests = {"TH", "SH", "SS", "TP", "PP", "BR", "B", "I", "br", "nf", "fi"}
    lines = (f"{name}: {line}" for name, page in PAGES.items() for line in page.splitlines() if line.startswith((".", "'")))
    nothing(line for line in lines if line.split(": ", 1)[1][1:].split()[0] not in requests)
    assert escaped(r"a\b --c") == r"a\eb \-\-c"


def test_exit_codes_are_those_of_the_page() -> None:
    table = re.findall(r"^\| (\d+) \| ([\w-]+) \|", (CLONE / "docs/exit-codes.md").read_text(), re.MULTILINE)
    section = PAGES["dtnctl.1"].partition(".SH EXIT STATUS\n")[2].partition(".SH")[0]
    assert re.findall(r"\.TP\n\.B (\d+)\n(.+)\n", section) == [(code, escaped(name)) for code, name in table]


def test_build_imports_no_package_that_it_does_not_ask_for() -> None:
    """In an environment of its own the build has what pyproject.toml names, and what that needs."""
    program = (
        "import sys; from hack.command_tree import command_tree; command_tree(); print(*{name.partition('.')[0] for name in sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=CLONE, text=True, capture_output=True, check=True)
    owners = packages_distributions()
    imported = {canonicalize_name(owner) for name in ran.stdout.split() for owner in owners.get(name, ())} - {"dtnctl", "setuptools"}
    asked = tomllib.loads((CLONE / "pyproject.toml").read_text())["build-system"]["requires"]
    assert imported <= with_what_they_need({canonicalize_name(Requirement(text).name) for text in asked})
    assert "typer" in imported


def with_what_they_need(names: set[NormalizedName]) -> set[NormalizedName]:
    found, waiting = set[NormalizedName](), list(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        needed = (Requirement(text) for text in requires(name) or ())
        plain = (canonicalize_name(item.name) for item in needed if item.marker is None or item.marker.evaluate({"extra": ""}))
        waiting += [other for other in plain if other not in found]
    return found


@pytest.mark.skipif(
    shutil.which("man") is None or shutil.which("groff") is None, reason="man or groff is not installed (Debian: man-db, groff)"
)
def test_groff_sets_every_page_without_a_warning(folder: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": ""}
    for page in sorted(folder.iterdir()):
        command = ["man", "--warnings=w", "--encoding=UTF-8", "--local-file", str(page)]
        ran = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, ""), page.name
        assert f"{page.stem} - " in re.sub(r"\s+", " ", re.sub(r".\x08", "", ran.stdout)), page.name


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed (Debian: mandoc)")
def test_mandoc_has_nothing_to_say(folder: Path) -> None:
    command = ["mandoc", "-T", "lint", "-W", "warning", *map(str, sorted(folder.iterdir()))]
    ran = subprocess.run(command, text=True, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")
