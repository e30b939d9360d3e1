"""docs/commands.md has every command as its `--help` explains it."""

from __future__ import annotations

import re

import pytest

from dtnctl.cli.commands import COMMANDS
from dtnctl.cli.examples import EXAMPLES
from hack import commands_page
from hack.command_tree import command_tree
from tests.docs.pages import nothing

TREE = command_tree()
LEAVES = {" ".join(leaf.path): leaf for leaf in TREE.leaves}


def test_page_is_up_to_date() -> None:
    assert commands_page.PAGE.read_text() == commands_page.render_page(TREE), "run: python -m hack.commands_page"


def test_stale_page_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(commands_page, "PAGE", commands_page.PAGE.parent / "glossary.md")
    assert commands_page.main(["--check"]) == 1
    assert capsys.readouterr().err.endswith("glossary.md is stale; run: python -m hack.commands_page\n")


def test_tree_has_every_command_with_its_examples() -> None:
    assert [command.path for command in TREE.below] == [(name,) for name in COMMANDS]
    assert {name: leaf.examples for name, leaf in LEAVES.items()} == EXAMPLES


def test_options_are_those_of_the_help_and_hidden_ones_are_left_out() -> None:
    typed = [option.typed for option in LEAVES["plan"].options]
    assert "--offline" in typed
    assert not [option for option in typed if option.startswith(("-C", "--debug", "-h"))], "those of every command stand once, at the top"
    assert [option.typed.split(",")[0] for option in TREE.options][:2] == ["--version", "-C"]


def test_every_link_inside_of_the_page_has_its_heading() -> None:
    page = commands_page.render_page(TREE)
    headings = {heading.replace(" ", "-") for heading in re.findall(r"^#+ (dtnctl .*)$", page, re.MULTILINE)}
    nothing(anchor for anchor in re.findall(r"\(#([\w-]+)\)", page) if anchor not in headings)
