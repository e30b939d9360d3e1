"""`python -m tests.cases` says which plans differ from their text; with --update it rewrites the texts, for review."""

from __future__ import annotations

import sys

from tests.cases.cases import folders, plan_text


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--update"]):
        print("usage: python -m tests.cases [--update]", file=sys.stderr)
        return 64
    differing = 0
    for folder in folders():
        text, file = plan_text(folder), folder / "plan.txt"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            differing += 1
            print(f"{folder.name}: {'rewritten' if arguments else 'differs'}")
            if arguments:
                file.write_text(text, encoding="utf-8")
    print(f"{differing} of {len(folders())} differ")
    return 1 if differing and not arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
