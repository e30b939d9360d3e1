"""`python -m tests.faults.one_row NAME SIZE SEED PART PARTS`: a share of one row in a process of its own; the last line is its result."""

from __future__ import annotations

import json
import sys
import traceback

from tests.faults.measured import Measured, Task
from tests.faults.rows import find_row


def main(words: list[str]) -> int:
    name, *numbers = words
    size, seed, part, parts = map(int, numbers)
    try:
        result = find_row(name).measure(Task(size, seed, part, parts))
    except Exception:  # noqa: BLE001  # whatever went wrong belongs to this row, and the others are tried all the same
        result = Measured(1, (f"the row itself broke\n{traceback.format_exc()}",))
    print(json.dumps(result.document()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
