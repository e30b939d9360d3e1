"""What `help` shows: the shell's own commands, then those of dtnctl."""

from __future__ import annotations

from dtnctl.cli.commands import COMMANDS
from dtnctl.cli.shell.lines import OWN

OWN_HELP = (
    ("ls [PATH]", "List a part of the tree: active, active/8/services/dtn1, transfers, endpoints …"),
    ("cd [PATH]", "Go to a folder of the tree; `cd ..` leads up, `cd` to the root."),
    ("pwd", "Where you are in the tree."),
    ("session create A,B image IMAGE profile PROFILE", "Write a session's file. Sessions are named by number or by name."),
    ("session start|stop|delete SESSION", "Write its state into its file, or remove the file."),
    ("transfer A:/FROM B:/TO TOOL", "Declare a transfer. TAB after `A:/` lists what is there."),
    ("show transfers [log TRANSFER [src|dst]]", "Transfers by number, or what one of them wrote."),
    ("apply", "Make the endpoints as declared; asks first."),
    ("diff [last]", "What the files say otherwise than HEAD, or what the last change wrote."),
    ("undo", "Restore the files as they were before the last change; until `apply`."),
    ("commit [-m MESSAGE]", "Commit the files that this shell changed."),
    ("watch [SECONDS] COMMAND", "Show a list again and again, until Ctrl-C."),
    ("help [COMMAND|PAGE]", "This, the options of a command, or a page of the documentation."),
    ("exit", "End the shell, as Ctrl-D does."),
)
LONGEST = 48


def help_text() -> str:
    """All commands, a line each."""
    own = "".join(f"  {usage:<{LONGEST}}{text}\n" for usage, text in OWN_HELP)
    others = "".join(f"  {name:<{LONGEST}}{text}\n" for name, (_, text) in COMMANDS.items() if name not in (*OWN, "shell"))
    return f"In the shell\n{own}\nCommands of dtnctl, as on the command line\n{others}"
