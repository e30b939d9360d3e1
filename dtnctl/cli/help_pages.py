"""`dtnctl help`: the pages of the documentation without a network; of a command, its `--help`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any

import typer

from dtnctl.cli.commands import COMMANDS
from dtnctl.cli.pager import show_text
from dtnctl.cli.topics import Topic, page_text, topics
from dtnctl.cli.workplace import terminal_width, wants_color
from dtnctl.errors import UsageError
from dtnctl.model.nearest import nearest

LONGEST_LINE = 120  # of text; lines of a wider terminal are harder to read
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("help")(help_command)


def _completions(incomplete: str) -> list[tuple[str, str]]:
    """Pages and commands, each with its line."""
    found = {name: line for name, (_, line) in COMMANDS.items()} | {topic.name: topic.line for topic in topics()}
    return sorted((name, line) for name, line in found.items() if name.startswith(incomplete))


def help_command(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="TOPIC", help="A page, or a command; missing: the list of pages.", autocompletion=_completions),
    ] = None,
) -> int:
    """Show a page of the documentation, or list them all; of a command that has no page, its --help. Needs no network."""
    known = topics()
    if not words:
        sys.stdout.write(topic_list(known))
        return 0
    if len(words) == 1 and words[0] in {topic.name for topic in known}:
        show_text(_as_shown(page_with_topics(words[0], known), color=wants_color(context.obj.color)))
        return 0
    return _help_of_command(words, known, context.obj)


def topic_list(known: Sequence[Topic]) -> str:
    """Every topic with a line, below the parts of the index."""
    width = max(len(topic.name) for topic in known)
    lines = ["dtnctl help TOPIC shows one of these pages, dtnctl help COMMAND the options of a command."]
    for heading, below in groupby(known, lambda topic: ": ".join(filter(None, (topic.part, topic.group)))):
        lines += ["", heading, *(f"  {topic.name:{width}}  {topic.line}" for topic in below)]
    return "\n".join(lines) + "\n"


def page_with_topics(name: str, known: Sequence[Topic]) -> str:
    """The page's Markdown; a link to another page is the command that shows it."""
    pages = {topic.name for topic in known}

    def as_typed(link: re.Match[str]) -> str:
        target = link["target"]
        topic = target.partition("#")[0].removesuffix(".md")
        if topic in pages:
            return f"{link['text']} (`dtnctl help {topic}`)"
        return link[0] if "://" in target else link["text"]

    return LINK.sub(as_typed, page_text(name))


def _as_shown(text: str, *, color: bool) -> str:
    """Set for a terminal, or Markdown as it is."""
    if not color:
        return text
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    width = min(terminal_width(), LONGEST_LINE)
    console = Console(width=width, force_terminal=True, color_system="standard", theme=Theme({"markdown.code": "bold cyan"}))
    with console.capture() as captured:
        console.print(Markdown(text, code_theme="ansi_dark", hyperlinks=False))
    return captured.get()


def _help_of_command(words: Sequence[str], known: Sequence[Topic], invocation: Any) -> int:
    from dtnctl.cli.program import program

    root = program()
    if root.get_command(None, words[0]) is None:
        near = nearest(words[0], [*(topic.name for topic in known), *root.list_commands(None)])
        hint = f"`dtnctl help {near}`" if near else "`dtnctl help`, which lists the pages"
        raise UsageError(f"there is no page and no command `{' '.join(words)}`; try {hint}")
    with root.make_context("dtnctl", [*words, "--help"], obj=invocation) as inner:
        root.invoke(inner)
    return 0
