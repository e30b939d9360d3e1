"""How each git of ours is started: nothing that a user or a repository has set changes what its output means.

The only place that names the program; a test of hygiene holds that.
"""

from __future__ import annotations

import os
from pathlib import Path

# Each one changes output that is read here (git-config(1)); the values are git's own defaults.
SETTINGS = (
    "log.showSignature=false",
    "log.follow=false",
    "color.ui=false",
    "core.quotePath=true",
    "core.fsmonitor=false",  # a program that says which files have changed
    "i18n.logOutputEncoding=UTF-8",
    "status.showUntrackedFiles=normal",
    "push.followTags=false",
)
# Objects as they are named: a ref of refs/replace puts others in their place, and signatures are still good.
ORIGINAL_OBJECTS = {"GIT_NO_REPLACE_OBJECTS": "1"}


def git_command(root: Path, *words: str) -> list[str]:
    """The words of a call of git in the folder."""
    return ["git", "-C", str(root), *(word for setting in SETTINGS for word in ("-c", setting)), *words]


def git_environment() -> dict[str, str]:
    """Its variables, with messages in English."""
    return {**os.environ, **ORIGINAL_OBJECTS, "LC_ALL": "C"}
