"""Words that people know from other programs, and what does the same here."""

from __future__ import annotations

from collections.abc import Sequence

from dtnctl.model.nearest import nearest

LISTING = ("ls", "ps", "list", "get", "top", "all")
SHOWING = ("show", "describe", "inspect", "info", "cat", "view")
# for a group of verbs: the word, and what may be meant by it, the first that there is
VERBS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(LISTING, ("list",)),
    **dict.fromkeys((*SHOWING, "status"), ("show",)),
    **dict.fromkeys(("log", "tail", "output"), ("logs",)),
    **dict.fromkeys(("add", "new", "make", "declare"), ("create", "add")),
    **dict.fromkeys(("up", "run", "resume"), ("start", "create")),
    **dict.fromkeys(("down", "halt", "kill", "abort"), ("cancel", "stop")),
    **dict.fromkeys(("rm", "remove", "del", "destroy", "delete"), ("delete", "cancel")),
    **dict.fromkeys(("check", "examine", "test", "diagnose"), ("doctor", "show")),
}
OURS = ("list", "show", "logs", "create", "start", "stop", "delete", "cancel", "plot", "doctor", "add")
COMMANDS: dict[str, str] = {
    # `ls` and `top` are commands of ours
    **dict.fromkeys(("ps", "list", "get"), "`dtnctl status`, or `dtnctl sessions list`"),
    # `show` is a command of ours, of a commit
    **dict.fromkeys(SHOWING[1:], "`dtnctl sessions show NAME`, `dtnctl transfers show NAME` or `dtnctl endpoints show NAME`"),
    **dict.fromkeys(("log", "logs", "tail"), "`dtnctl sessions logs NAME` or `dtnctl transfers logs NAME`"),
    **dict.fromkeys(("diff", "preview", "dry-run"), "`dtnctl plan`"),
    **dict.fromkeys(("up", "deploy", "sync", "run", "converge"), "`dtnctl apply`"),
    **dict.fromkeys(("down", "rm", "remove", "delete"), "`dtnctl sessions delete NAME` and `dtnctl apply`, or `dtnctl destroy`"),
    **dict.fromkeys(("create", "new", "add"), "`dtnctl sessions create`, `dtnctl transfer FROM TO TOOL` or `dtnctl endpoints add`"),
    **dict.fromkeys(("start", "stop"), "`dtnctl sessions start NAME` or `dtnctl sessions stop NAME`"),
    **dict.fromkeys(("copy", "cp", "move"), "`dtnctl transfer FROM TO TOOL`"),
    "cancel": "`dtnctl transfers cancel NAME`",
    **dict.fromkeys(("lint", "verify"), "`dtnctl validate`"),
    **dict.fromkeys(("format", "tidy"), "`dtnctl fmt`"),
    **dict.fromkeys(("adopt", "import"), "`dtnctl sessions compare SESSION CONTAINER`, or `dtnctl convert`"),
    **dict.fromkeys(("benchmark", "measure", "iperf3"), "`dtnctl bench network SENDER RECEIVER`"),
    "fio": "`dtnctl bench storage SESSION`",
}
OBJECTS = {
    word: noun
    for noun in ("sessions", "transfers", "endpoints", "networks", "profiles", "paths", "tools")
    for word in (noun, noun.removesuffix("s"))
}
OBJECTS |= {"containers": "sessions", "services": "sessions", "nodes": "endpoints", "hosts": "endpoints", "jobs": "transfers"}


def command_hint(words: Sequence[str], names: Sequence[str]) -> str:
    """What to type instead of a command that there is not: `get session climate` is `dtnctl sessions show climate`."""
    word, *rest = words
    noun, *more = [OBJECTS.get(item, item) for item in rest[:1]] + rest[1:] if rest else [""]
    if noun in OBJECTS.values() and word in (*VERBS, *OURS):
        meant = VERBS.get(word, (word,))[0]
        verb = "show" if more and meant == "list" else meant
        return f"`{' '.join(['dtnctl', noun, verb, *more])}`"
    if word in OBJECTS:
        return f"`dtnctl {OBJECTS[word]} list`"
    if word in COMMANDS:
        return COMMANDS[word]
    similar = nearest(word, [*names, *OBJECTS])
    return f"`dtnctl {similar}`" if similar else "`dtnctl --help`, which lists them"


def verb_hint(noun: str, words: Sequence[str], verbs: Sequence[str]) -> str:
    """What to type instead of a verb that the noun does not have."""
    word, *rest = words
    meant = [verb for verb in VERBS.get(word, ()) if verb in verbs]
    if meant == ["list"] and rest and not rest[0].startswith("-") and "show" in verbs:
        meant = ["show"]
    verb = meant[0] if meant else nearest(word, verbs)
    if not verb:
        return f"one of {', '.join(verbs)}"
    return f"`{' '.join(['dtnctl', noun, verb, *rest])}`"
