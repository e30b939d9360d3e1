"""What may hang has a limit, and keeps nothing waiting beyond it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.limits import Ran, TooLongError, run, within
from dtn_agent.nvmeof.modules import KernelModules


def test_a_program_is_run_and_its_last_words_are_its_reason() -> None:
    ran = run(["sh", "-c", "echo out; echo first >&2; echo last >&2; exit 3"], 60)
    assert (ran.code, ran.out, ran.reason) == (3, "out\n", "last")
    assert run(["false"], 60).reason == "exit code 1"


def test_what_mount_says_of_a_file_system_that_it_does_not_take_is_the_reason_and_not_its_hint() -> None:
    said = "mount: /data: wrong fs type, bad option, bad superblock on /dev/nvme1n1."
    assert Ran(32, "", f"{said}\n       dmesg(1) may have more information after failed mount system call.\n").reason == said


def test_a_program_that_does_not_end_is_not_waited_for() -> None:
    with pytest.raises(TooLongError, match=r"sleep has not ended in 0\.05 s"):
        run(["sleep", "1000"], 0.05)


def test_a_call_returns_what_it_returns_and_raises_what_it_raises() -> None:
    def refused() -> None:
        raise TimeoutError("the kernel's own")

    assert within(60, lambda: 7) == 7
    with pytest.raises(TimeoutError, match="the kernel's own"):
        within(60, refused)


def test_a_call_that_does_not_return_is_not_waited_for() -> None:
    forever = threading.Event()
    with pytest.raises(TooLongError, match="the kernel has not answered"):
        within(0.05, forever.wait)
    forever.set()


def test_modules_that_are_loaded_need_nothing_and_others_are_named(tmp_path: Path) -> None:
    (tmp_path / "module/nvmet").mkdir(parents=True)
    modules = KernelModules(tmp_path, tmp_path / "no-systemd")
    modules.need("nvmet")
    with pytest.raises(RefusedError, match="the kernel has not loaded no_such_module; run `modprobe -a no_such_module`"):
        modules.need("nvmet", "no_such_module")
    with pytest.raises(RefusedError, match="is configfs mounted"):
        modules.need_configfs()
