"""Which options of a command of dtnctl have a value after them: the word there is no name of a session or transfer."""

from __future__ import annotations

from collections.abc import Sequence


def valued_options(words: Sequence[str]) -> frozenset[str]:
    """Those of the command that the first two words name."""
    from dtnctl.cli.commands import load_command

    command = load_command(words[0])
    below = getattr(command, "commands", {}).get(words[1]) if len(words) > 1 else None
    parameters = getattr(below or command, "params", ())
    return frozenset(name for item in parameters if not getattr(item, "is_flag", False) for name in item.opts if name.startswith("-"))
