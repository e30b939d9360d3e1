"""Work in a fork of the tests, which may kill itself: what the work needs has been imported already."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable


def ends_in_a_fork(work: Callable[[], object]) -> bool:
    """Whether it ended by itself; False: it was killed. A failure of it is one of the test."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001  # nothing of it may go on in the copy of the test
            traceback.print_exc()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL), f"exit code {code}"
    return code == 0
