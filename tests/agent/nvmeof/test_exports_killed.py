"""kill -9 of the agent at each thing that an export writes: the next start makes what the ledger has, and withdrawing leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.agent.nvmeof.killed import assert_keys_are_of, ends_before
from tests.agent.nvmeof.target_host import KEY, OTHER_HOST, OTHER_KEY, TargetHost, export, target_host, withdraw


def kill_everywhere(tmp_path: Path, prepare: Callable[[TargetHost], object], act: Callable[[TargetHost], object]) -> int:
    """Kill `act` at each of its writes; after each: restart, look, withdraw, look. The number of places."""
    ended, last = False, 0
    while not ended:
        (folder := tmp_path / str(last)).mkdir()
        host = target_host(folder)
        empty = host.kernel.everything()
        prepare(host)
        ended = ends_before(folder, partial(act, host), last)
        host.exports.restore()
        assert_keys_are_of(host.held, folder)
        held = {entry.nqn for entry in host.held}
        assert (set(host.kernel.names("subsystems")), [entry.fault for entry in host.held if entry.fault]) == (held, []), last
        act(host)
        host.exports.restore()
        host.exports.perform(withdraw())
        assert (host.kernel.everything(), host.held) == (empty, ()), last
        last += 1
    return last


@pytest.mark.slow
def test_an_export_that_is_killed_anywhere_is_completed_or_was_not_begun(tmp_path: Path) -> None:
    places = kill_everywhere(tmp_path, lambda host: None, lambda host: host.exports.perform(export(host, host_key=KEY)))
    assert places > 15  # the file, the keys, the ledger, and each folder, file and link of the kernel's


@pytest.mark.slow
def test_a_change_that_is_killed_anywhere_is_completed(tmp_path: Path) -> None:
    def change(host: TargetHost) -> None:
        host.exports.perform(export(host, hosts=(OTHER_HOST,), serial="SN2"))

    assert kill_everywhere(tmp_path, lambda host: host.exports.perform(export(host)), change) > 15


@pytest.mark.slow
def test_other_keys_that_are_killed_anywhere_cut_off_no_volume_that_shares_them(tmp_path: Path) -> None:
    """Started again, the agent found other keys than those that were stored, and took the other volume down to change them."""

    def prepare(host: TargetHost) -> None:
        for volume in ("scratch", "home"):
            host.exports.perform(export(host, volume, host_key=KEY))
        host.kernel.unlinked.clear()

    def change(host: TargetHost) -> None:
        host.exports.perform(export(host, host_key=OTHER_KEY))
        assert [path for path in host.kernel.unlinked if path.endswith("-home")] == []
        host.exports.perform(export(host, "home", host_key=OTHER_KEY))
        host.exports.perform(withdraw("home"))

    assert kill_everywhere(tmp_path, prepare, change) > 15


@pytest.mark.slow
def test_a_withdrawal_that_is_killed_anywhere_can_be_asked_for_again(tmp_path: Path) -> None:
    places = kill_everywhere(
        tmp_path, lambda host: host.exports.perform(export(host, host_key=KEY)), lambda host: host.exports.perform(withdraw())
    )
    assert places > 8
