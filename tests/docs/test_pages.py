"""What the pages say is there, is there: links, files, commands, flags, targets, exit codes."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import dtnctl
from dtnctl import errors
from tests.docs.pages import CLONE, PAGES, Found, anchors, code_spans, fenced_lines, links, nothing
from tests.forked_program import program_here

SHELL = ("sh", "bash", "console", "")
# `$ dtnctl …`, `KEEP=1 make demo`, `python -m lab exec ctl -- dtnctl plan`: what comes before the program
COMMAND = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:.*exec \w+ -- )?(?:\.venv/bin/)?(?P<program>dtnctl|make)(?= |$)(?P<rest>[^#|&;>]*)")
FOLDERS = ("dtnctl/", "docs/", "hack/", "images/", "lab/", "tests/", "bench/", ".github/", ".ci/")
NO_ERRORS = {0: "success", 2: "changes", 129: "hangup", 130: "interrupted", 143: "terminated"}


MADE_BY_RUNS = frozenset({"bench/results.json", "bench/machine.json"})  # by `make bench`, not in Git


def commands(program: str) -> Iterator[tuple[Found, list[str]]]:
    """Every use of the program on a page, with its words."""
    for found in [*code_spans(), *fenced_lines(*SHELL)]:
        match = COMMAND.match(found.text)
        if match and match["program"] == program:
            yield found, match["rest"].split()


@cache
def help_of(*words: str) -> str | None:
    """What `dtnctl … --help` prints, or None if there is no such command."""
    ran = program_here().run([*words, "--help"], CLONE, os.environ)
    return ran.stdout if ran.returncode == 0 else None


def command_path(words: list[str]) -> tuple[str, ...]:
    """The words that name the command: `sessions list` of `sessions list -o json`."""
    path: tuple[str, ...] = ()
    for word in words:
        if not re.fullmatch(r"[a-z][a-z-]*", word) or "COMMAND" not in (help_of(*path) or ""):
            break
        path += (word,)
    return path


def test_every_link_leads_somewhere() -> None:
    def is_dead(found: Found) -> bool:
        path, _, anchor = found.text.partition("#")
        target = (found.page.parent / path).resolve() if path else found.page
        return not target.exists() or (bool(anchor) and anchor not in anchors(target))

    nothing(found for found in links() if is_dead(found))


def test_every_file_that_is_named_is_there() -> None:
    def is_missing(found: Found) -> bool:
        word = found.text.split()[0].rstrip("/,.:")
        is_path = word.startswith(FOLDERS) and re.fullmatch(r"[\w./-]+", word) is not None
        return is_path and word not in MADE_BY_RUNS and not (CLONE / word).exists()

    nothing(found for found in code_spans() if is_missing(found))


def test_every_dtnctl_command_exists() -> None:
    nothing(found for found, words in commands("dtnctl") if help_of(*command_path(words)) is None)


def test_every_flag_of_a_dtnctl_command_exists() -> None:
    def missing_flags(words: list[str]) -> list[str]:
        text = (help_of(*command_path(words)) or "") + (help_of() or "")
        flags = [word.split("=")[0].strip("[]") for word in words if re.match(r"\[?--?[a-zA-Z]", word)]
        return [flag for flag in flags if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", text)]

    nothing(f"{found}: {missing}" for found, words in commands("dtnctl") if (missing := missing_flags(words)))


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CLONE / "Makefile").read_text(), re.MULTILINE))
    nothing(found for found, words in commands("make") if words and words[0] not in targets)


def test_pages_have_commands_to_check() -> None:
    """The tests above would pass on pages that they cannot read."""
    assert len({words[0] for _, words in commands("dtnctl") if words}) > 5
    assert len(list(links())) > 10


def exit_code_table() -> dict[int, str]:
    rows = re.findall(r"^\| (\d+) \| ([\w-]+) \|", (CLONE / "docs" / "exit-codes.md").read_text(), re.MULTILINE)
    return {int(code): name for code, name in rows}


def exit_codes_of_errors() -> dict[int, str]:
    found = dict[int, str]()
    kinds = [errors.DtnctlError]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        assert found.setdefault(kind.exit_code, kind.exit_name) == kind.exit_name, f"two names for {kind.exit_code}"
    return found


def test_exit_codes_on_the_page_are_those_of_the_errors() -> None:
    assert exit_code_table() == dict(sorted((exit_codes_of_errors() | NO_ERRORS).items()))


def test_exit_codes_on_the_ci_page_have_the_same_names() -> None:
    rows = re.findall(r"^\| (\d+) ([\w-]+) \|", (CLONE / "docs" / "ci.md").read_text(), re.MULTILINE)
    assert {int(code): name for code, name in rows}.items() <= exit_code_table().items()


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (CLONE / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_change_log_and_package_speak_of_one_version() -> None:
    version = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]["version"]
    assert f"## [{version}]" in (CLONE / "CHANGELOG.md").read_text()
    assert dtnctl.__version__ == version


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [CLONE / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = {(found.page.parent / found.text.partition("#")[0]).resolve() for found in links() if found.page == page}
        pages = {inner for target in targets for inner in ([target] if target.is_file() else target.rglob("*.md"))}
        waiting += [target for target in pages if target in PAGES and target not in reached]
    nothing(page.relative_to(CLONE) for page in PAGES if page not in reached)
