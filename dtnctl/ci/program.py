"""`dtnctl-ci STEP …`: a step of a CI job. Standard library only: it runs before the packages that dtnctl needs are installed.

The step takes this process's place, so a cancelled job's signals reach it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
STEPS = ("credentials", "plan", "claims", "owners", "comment", "record", "reviewed", "runs", "apply", "report", "drift", "issue")
USAGE = f"usage: dtnctl-ci {'|'.join(STEPS)} …, or dtnctl-ci requirements (the file with the packages that dtnctl needs)"


def main() -> int:
    """Run the step that the first word names; 64 for any other word."""
    words = sys.argv[1:]
    if words == ["requirements"]:
        print(FOLDER / "requirements.txt")  # noqa: T201  # the path is the result
        return 0
    if not words or words[0] not in STEPS:
        print(USAGE, file=sys.stderr)  # noqa: T201  # same
        return 64
    os.environ.setdefault("DTNCTL_PROGRAM", str(Path(sys.executable).with_name("dtnctl")))
    os.environ["GIT_NO_REPLACE_OBJECTS"] = "1"  # commits as they are named, whatever refs somebody pushed
    os.environ["DTNCTL_CI_STEPS"] = str(FOLDER / "steps")
    return os.execvp("bash", ["bash", str(FOLDER / "steps" / words[0]), *words[1:]])  # noqa: S606  # a program, with a list of words


if __name__ == "__main__":
    sys.exit(main())
