"""A volume is exported to exactly the hosts that were named, as one namespace of a subsystem of its own, and withdrawn without a trace."""

from __future__ import annotations

import errno
import io
import json
import stat
import threading
from pathlib import Path

import pytest
from dtn_agent.audit import Audit
from dtn_agent.errors import RefusedError
from dtn_agent.log import Lines
from dtn_agent.nvmeof import exports as module
from dtn_agent.nvmeof.backing import Backings
from dtn_agent.protocol import Held
from dtn_agent.protocol.volumes import Backing, Portal, key_print

from tests.agent.nvmeof.kernel_targets import refused
from tests.agent.nvmeof.target_host import (
    HOST,
    KEY,
    NQN,
    OTHER_HOST,
    OTHER_KEY,
    PORTAL,
    UUID,
    TargetHost,
    export,
    refusal,
    target_host,
    withdraw,
)

FOREIGN = "nqn.2001-01.com.example:theirs"


def exported(host: TargetHost, nqn: str = NQN) -> dict[str, str]:
    folder = f"subsystems/{nqn}"
    names = ("attr_allow_any_host", "attr_serial", "namespaces/1/device_path", "namespaces/1/device_uuid", "namespaces/1/enable")
    return {name.rpartition("/")[2]: host.kernel.read(f"{folder}/{name}") for name in names}


def hosts_of(host: TargetHost, nqn: str = NQN) -> tuple[str, ...]:
    return host.kernel.names(f"subsystems/{nqn}/allowed_hosts")


def make_foreign(host: TargetHost, address: str = "10.0.0.2") -> None:
    """A target that an administrator made."""
    kernel = host.kernel
    kernel.make(f"subsystems/{FOREIGN}")
    kernel.write(f"subsystems/{FOREIGN}/attr_allow_any_host", "1")
    kernel.make("ports/1")
    for name, text in (("trtype", "tcp"), ("adrfam", "ipv4"), ("traddr", address), ("trsvcid", "4420")):
        kernel.write(f"ports/1/addr_{name}", text)
    kernel.link(f"ports/1/subsystems/{FOREIGN}", f"subsystems/{FOREIGN}")


def test_a_volume_is_exported_to_its_hosts_alone_and_withdrawn_without_a_trace(host: TargetHost) -> None:
    before = host.kernel.everything()
    assert host.exports.perform(export(host)).changed
    file = str(host.folder / "scratch.img")
    assert exported(host) == {
        "attr_allow_any_host": "0",
        "attr_serial": "SN1",
        "device_path": file,
        "device_uuid": UUID,
        "enable": "1",
    }
    assert hosts_of(host) == (HOST,)
    assert host.kernel.place("ports/30000") == ("tcp", "10.0.0.1", "4420", "ipv4")
    assert host.kernel.names("ports/30000/subsystems") == (NQN,)
    assert [(held.volume, held.kernel_port, held.fault) for held in host.held] == [("scratch", 30000, "")]
    assert not host.exports.perform(export(host)).changed
    assert host.exports.perform(withdraw()).changed
    assert host.kernel.everything() == before
    assert (host.ledger.read(), Path(file).stat().st_size) == (Held(), 1 << 20), "the file stays"
    assert not host.exports.perform(withdraw()).changed


def test_only_its_own_site_withdraws_a_volume(host: TargetHost) -> None:
    host.exports.perform(export(host))
    assert not host.exports.perform(withdraw(site="other")).changed
    assert hosts_of(host) == (HOST,)


def test_volumes_of_one_portal_share_a_port_until_the_last_is_gone(host: TargetHost) -> None:
    for volume in ("scratch", "home"):
        host.exports.perform(export(host, volume))
    assert host.kernel.names("ports") == ("30000",)
    host.exports.perform(export(host, "six", portal=Portal(transport="rdma", address="fd00::1", port=4420)))
    assert host.kernel.place("ports/30001") == ("rdma", "fd00::1", "4420", "ipv6")
    host.exports.perform(withdraw())
    assert host.kernel.names("ports/30000/subsystems") == (f"{NQN}-home",)
    assert host.kernel.names("hosts") == (HOST,), "two others still allow it"
    for volume in ("home", "six"):
        host.exports.perform(withdraw(volume))
    assert (host.kernel.names("ports"), host.kernel.names("hosts")) == ((), ())


def test_a_host_that_is_allowed_no_more_loses_its_connection(host: TargetHost) -> None:
    host.exports.perform(export(host, hosts=(HOST, OTHER_HOST)))
    cut = host.kernel.unlinked
    assert host.exports.perform(export(host, hosts=(HOST,))).changed
    assert f"ports/30000/subsystems/{NQN}" in cut, "the kernel ends connections when the port's link goes"
    assert (hosts_of(host), host.kernel.names("hosts")) == ((HOST,), (HOST,))
    cut.clear()
    host.exports.perform(export(host, hosts=(HOST, OTHER_HOST)))
    assert (hosts_of(host), cut) == ((HOST, OTHER_HOST), []), "one more cuts nothing"


def test_another_portal_moves_the_volume_and_leaves_no_port(host: TargetHost) -> None:
    host.exports.perform(export(host))
    host.exports.perform(export(host, portal=Portal(transport="tcp", address="10.0.0.2", port=4421)))
    assert [host.kernel.place(f"ports/{number}")[1:3] for number in host.kernel.names("ports")] == [("10.0.0.2", "4421")]
    assert [held.fault for held in host.held] == [""]


def test_another_backing_or_serial_number_is_exported_instead(host: TargetHost) -> None:
    host.exports.perform(export(host))
    other = Backing(file=str(host.folder / "other.img"), size=4096)
    assert host.exports.perform(export(host, backing=other, serial="SN2")).changed
    assert (exported(host)["device_path"], exported(host)["attr_serial"]) == (other.file, "SN2")


# --- what is not ours ---------------------------------------------------------------------------------------------------


def test_a_foreign_target_is_never_touched(host: TargetHost) -> None:
    make_foreign(host)
    before = host.kernel.everything()
    host.exports.perform(export(host))
    host.exports.restore()
    host.exports.perform(withdraw())
    assert host.kernel.everything() == before


def test_a_port_that_a_foreign_target_listens_on_is_refused_with_the_way_out(host: TargetHost) -> None:
    make_foreign(host, address="0.0.0.0")  # theirs
    before = host.kernel.everything()
    text = "conflict: tcp 10.0.0.1:4420: port 1 of the kernel's targets listens there already, and is not this agent's"
    assert refusal(host, export(host)).startswith(text)
    assert (host.kernel.everything(), host.ledger.read()) == (before, Held())


def test_a_subsystem_of_the_same_name_that_is_not_ours_is_left(host: TargetHost) -> None:
    host.kernel.make(f"subsystems/{NQN}")
    before = host.kernel.everything()
    assert refusal(host, export(host)) == f"conflict: {NQN} is exported here already, and not by this agent; it is left as it is"
    assert not host.exports.perform(withdraw()).changed
    assert host.kernel.everything() == before


def test_a_nqn_belongs_to_one_volume(host: TargetHost) -> None:
    host.exports.perform(export(host))
    assert "is the volume scratch of site play" in refusal(host, export(host, "home", nqn=NQN))
    assert "withdraw it first" in refusal(host, export(host, nqn=f"{NQN}0"))


def test_an_address_that_the_host_has_not_is_refused_and_nothing_is_left(host: TargetHost) -> None:
    before = host.kernel.everything()
    away = Portal(transport="rdma", address="10.0.0.9", port=4420)
    assert "this host has no rdma address 10.0.0.9" in refusal(host, export(host, portal=away))
    assert (host.kernel.everything(), host.ledger.read()) == (before, Held())


# --- keys ---------------------------------------------------------------------------------------------------------------


def test_keys_are_set_kept_for_root_only_and_shown_nowhere(host: TargetHost) -> None:
    request = export(host, host_key=KEY, controller_key=OTHER_KEY)
    output = io.StringIO()
    host.exports.perform(request)
    Audit(Lines(output), "tester").done(request.for_log())
    keys = host.folder / "volume-keys.json"
    assert (host.kernel.read(f"hosts/{HOST}/dhchap_key"), host.kernel.read(f"hosts/{HOST}/dhchap_ctrl_key")) == (KEY, OTHER_KEY)
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    shown = [host.kernel.root / f"hosts/{HOST}" / name for name in ("dhchap_key", "dhchap_ctrl_key")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in shown} == {0o600}
    printed = (host.folder / "ledger.json").read_text() + repr(host.held) + repr(request) + output.getvalue()
    assert [key for key in (KEY, OTHER_KEY) if key in printed] == []
    assert [held.key_print for held in host.held] == [key_print(KEY, OTHER_KEY)]
    host.exports.perform(withdraw())
    assert json.loads(keys.read_text()) == {}


def test_other_keys_and_none_replace_them(host: TargetHost) -> None:
    host.exports.perform(export(host, host_key=KEY))
    assert host.exports.perform(export(host, host_key=OTHER_KEY)).changed
    assert host.kernel.read(f"hosts/{HOST}/dhchap_key") == OTHER_KEY
    assert host.exports.perform(export(host)).changed
    assert (host.kernel.read(f"hosts/{HOST}/dhchap_key"), hosts_of(host), [held.fault for held in host.held]) == ("", (HOST,), [""])


def test_a_host_has_one_pair_of_keys_on_a_target_and_the_youngest_is_that_of_all_its_volumes(host: TargetHost) -> None:
    host.exports.perform(export(host, host_key=KEY, fingerprint="one"))
    assert host.exports.perform(export(host, "home", host_key=OTHER_KEY, fingerprint="two")).changed
    assert host.kernel.read(f"hosts/{HOST}/dhchap_key") == OTHER_KEY
    assert [(held.volume, held.fingerprint, held.fault) for held in host.held] == [("home", "two", ""), ("scratch", "one", "")]
    host.exports.restore()
    assert host.kernel.read(f"hosts/{HOST}/dhchap_key") == OTHER_KEY, "a repair of the other volume takes it back"
    assert host.exports.perform(export(host, host_key=OTHER_KEY, fingerprint="two")).changed
    assert [held.key_print for held in host.held] == [key_print(OTHER_KEY, None)] * 2


def test_keys_are_not_taken_from_a_host_that_has_another_volume(host: TargetHost) -> None:
    host.exports.perform(export(host, host_key=KEY))
    host.exports.perform(export(host, "home", host_key=KEY))
    text = refusal(host, export(host, "home"))
    assert "the kernel takes no key away from a host that may connect; stop what uses nqn" in text
    assert host.kernel.read(f"hosts/{HOST}/dhchap_key") == KEY


def test_keys_of_a_host_that_another_program_lets_in_are_its_own(host: TargetHost) -> None:
    host.exports.perform(export(host, host_key=KEY))
    host.kernel.make("subsystems/theirs")
    host.kernel.link(f"subsystems/theirs/allowed_hosts/{HOST}", f"hosts/{HOST}")
    assert "for theirs, which this agent did not make; a target has one pair of keys" in refusal(host, export(host, host_key=OTHER_KEY))
    assert host.kernel.read(f"hosts/{HOST}/dhchap_key") == KEY


@pytest.mark.parametrize(("theirs", "ours"), [(KEY, OTHER_KEY), (None, KEY), (KEY, None)])
def test_keys_of_another_sites_volumes_are_not_changed(host: TargetHost, theirs: str | None, ours: str | None) -> None:
    host.exports.perform(export(host, site="other", host_key=theirs))
    before = host.kernel.everything()
    text = f"conflict: {HOST} has other keys here, for the volume scratch of site other; a target has one pair of keys for each host"
    assert refusal(host, export(host, "home", host_key=ours)).startswith(text)
    assert (host.kernel.everything(), [(held.volume, held.fault) for held in host.held]) == (before, [("scratch", "")])
    assert host.exports.perform(export(host, "home", host_key=theirs)).changed
    assert host.exports.perform(export(host, "home", host_key=ours, hosts=(OTHER_HOST,))).changed, "of another host they are its own"


NOWHERE = Portal(transport="rdma", address="10.0.0.9", port=4420)


def test_a_refused_export_leaves_the_keys_of_other_volumes_and_cuts_nothing_off(host: TargetHost) -> None:
    """The kernel kept the new key: the repair of the other volume took it down."""
    host.exports.perform(export(host, host_key=KEY))
    before, cut = host.kernel.everything(), host.kernel.unlinked
    cut.clear()
    assert "this host has no rdma address" in refusal(host, export(host, "home", host_key=OTHER_KEY, portal=NOWHERE))
    assert host.exports.keys.get("export", "play", "scratch").host == KEY
    assert [(held.volume, held.fault) for held in host.held] == [("scratch", "")]
    host.exports.restore()
    assert (host.kernel.everything(), [path for path in cut if path.endswith(NQN)]) == (before, [])


def test_a_refused_change_leaves_the_keys_of_all_volumes_and_its_export_as_they_were(host: TargetHost) -> None:
    """The change stayed in the ledger with its keys: both volumes took each other down for as long as it was refused."""
    for volume in ("scratch", "home"):
        host.exports.perform(export(host, volume, host_key=KEY, fingerprint="one"))
    before, cut = host.kernel.everything(), host.kernel.unlinked
    cut.clear()
    assert "this host has no rdma address" in refusal(
        host, export(host, "home", host_key=OTHER_KEY, fingerprint="two", hosts=(HOST, OTHER_HOST), portal=NOWHERE)
    )
    held = [(entry.volume, entry.fingerprint, entry.portal, entry.hosts, entry.fault) for entry in host.held]
    assert held == [(volume, "one", PORTAL, (HOST,), "") for volume in ("home", "scratch")]
    host.exports.restore()
    assert (host.kernel.everything(), [path for path in cut if path.endswith(NQN)]) == (before, [])


def test_a_key_that_the_kernel_does_not_take_leaves_none_of_its_pair_to_other_volumes(
    host: TargetHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.exports.perform(export(host, host_key=KEY, controller_key=KEY))
    before, write = host.kernel.everything(), host.kernel.write

    def refuse(path: str, text: str) -> None:
        if path.endswith("dhchap_ctrl_key") and text == OTHER_KEY:
            raise refused(errno.EINVAL, path)
        write(path, text)

    monkeypatch.setattr(host.kernel, "write", refuse)
    request = export(host, "home", host_key=OTHER_KEY, controller_key=OTHER_KEY)
    assert "dhchap_ctrl_key: the kernel does not take this key" in refusal(host, request)
    assert (host.kernel.everything(), [held.fault for held in host.held]) == (before, [""])


@pytest.mark.parametrize("stored", [None, "{}"])
def test_an_export_whose_keys_are_lost_is_not_made_without_them(host: TargetHost, stored: str | None) -> None:
    request = export(host, host_key=KEY)
    host.exports.perform(request)
    keys = host.folder / "volume-keys.json"
    keys.unlink() if stored is None else keys.write_text(stored)
    before = host.kernel.everything()
    host.exports.restore()
    assert host.kernel.everything() == before, "what is exported with its keys goes on"
    host.reboot()
    host.exports.restore()
    assert (host.kernel.names("subsystems"), host.kernel.names("hosts")) == ((), ())
    assert ["its keys are not stored on this host any more" in held.fault for held in host.held] == [True]
    host.exports.perform(request)
    assert ([held.fault for held in host.held], host.kernel.everything()) == ([""], before)


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "cut off": ('{"export/play/scratch": {"host": "DHHC', "cannot be read: Unterminated string"),
    "no text": (b"\xff\xfe\x00", "cannot be read: "),
    "no object": ("[1]", "cannot be read: the file is no JSON object"),
    "nested too deeply": ("[" * 100_000, "cannot be read: "),
    "another entry": ('{"export/play/scratch": {"key": "a"}}', "are not stored on this host any more"),
    "no key": ('{"export/play/scratch": {"host": 7}}', "are not stored on this host any more"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_export_whose_keys_cannot_be_read_is_a_fault_and_is_not_made_without_them(host: TargetHost, name: str) -> None:
    """The agent did not start, and a request ended with an error of its own."""
    request, (stored, words) = export(host, host_key=KEY), BROKEN[name]
    host.exports.perform(request)
    before, keys = host.kernel.everything(), host.folder / "volume-keys.json"
    keys.write_bytes(stored if isinstance(stored, bytes) else stored.encode())
    assert [words in held.fault for held in host.held] == [True]
    host.exports.restore()
    assert host.kernel.everything() == before, "what is exported with its keys goes on"
    host.reboot()
    host.exports.restore()
    host.exports.perform(export(host, "home", hosts=(OTHER_HOST,)))
    assert (host.kernel.names("subsystems"), host.kernel.names("hosts")) == ((f"{NQN}-home",), (OTHER_HOST,))
    host.exports.perform(withdraw("home"))
    host.exports.perform(request)
    assert ([held.fault for held in host.held], host.kernel.everything()) == ([""], before)
    kept = keys.with_suffix(".unreadable")
    assert kept.exists() == words.startswith("cannot be read")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (keys, *([kept] if kept.exists() else []))} == {0o600}


def test_a_kernel_without_authentication_is_named(tmp_path: Path) -> None:
    host = target_host(tmp_path, has_keys=False)
    assert "CONFIG_NVME_TARGET_AUTH" in refusal(host, export(host, host_key=KEY))
    assert (host.ledger.read(), host.kernel.names("subsystems"), host.kernel.names("hosts")) == (Held(), (), ())


# --- over time ----------------------------------------------------------------------------------------------------------


def test_after_a_reboot_it_is_exported_again_with_its_keys(host: TargetHost) -> None:
    host.exports.perform(export(host, host_key=KEY))
    before = host.kernel.everything()
    host.reboot()
    assert [held.fault for held in host.held] == ["it is not exported"]
    host.exports.restore()
    assert host.kernel.everything() == before


def test_an_address_that_comes_late_is_tried_again_and_told_once(host: TargetHost, caplog: pytest.LogCaptureFixture) -> None:
    host.exports.perform(export(host))
    host.reboot()
    host.kernel.addresses = ()
    exports = host.exports
    for _ in range(2):
        exports.restore()
    assert [record.getMessage() for record in caplog.records] == [
        "not restored: scratch: this host has no tcp address 10.0.0.1 (of its own, not of a container)"
    ]
    (held,) = exports.held()
    assert held.fault.startswith("it is not offered at tcp 10.0.0.1:4420: scratch: this host has no tcp address")
    host.kernel.addresses = ("10.0.0.1",)
    exports.restore()
    assert [held.fault for held in exports.held()] == [""]


def test_a_port_number_that_another_program_took_meanwhile_is_replaced(host: TargetHost) -> None:
    host.exports.perform(export(host))
    host.reboot()
    host.kernel.make("ports/30000")
    for name, text in (("trtype", "tcp"), ("adrfam", "ipv4"), ("traddr", "10.0.0.2"), ("trsvcid", "1")):
        host.kernel.write(f"ports/30000/addr_{name}", text)
    host.kernel.make(f"subsystems/{FOREIGN}")
    host.kernel.link(f"ports/30000/subsystems/{FOREIGN}", f"subsystems/{FOREIGN}")
    host.exports.restore()
    assert [(held.kernel_port, held.fault) for held in host.held] == [(30001, "")]
    assert host.kernel.place("ports/30000")[1] == "10.0.0.2"


def test_a_backing_that_does_not_answer_is_refused_in_time(host: TargetHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a server that is gone: whoever looks at it waits for ever, and every later request waited for that."""

    class SilentBackings(Backings):
        """Of a server that answers once the test is over."""

        __slots__ = ()

        def have(self, backing: Backing) -> None:
            assert answers.wait(60)

    answers = threading.Event()
    monkeypatch.setattr(module, "BACKING_SECONDS", 0.05)
    exports, usual = host.exports, host.exports.backings
    exports.backings = SilentBackings()
    with pytest.raises(RefusedError, match=r"scratch.img does not answer: .*; it is not exported, and its file may still be made"):
        exports.perform(export(host))
    (waiting,) = _waiting()
    with pytest.raises(RefusedError, match=r"scratch.img does not answer: an earlier look at it has not come back"):
        exports.perform(export(host))
    assert _waiting() == [waiting], "one look that waits is enough"
    answers.set()
    waiting.join(60)
    assert (host.held, host.kernel.names("subsystems")) == ((), ())
    exports.backings = usual
    assert exports.perform(export(host)).changed


def _waiting() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "waits for a device"]


def test_what_somebody_opened_to_all_is_closed_again(host: TargetHost) -> None:
    host.exports.perform(export(host))
    (host.kernel.root / f"subsystems/{NQN}/attr_allow_any_host").write_text("1\n")
    assert [held.fault for held in host.held] == ["any host may connect"]
    host.exports.restore()
    assert exported(host)["attr_allow_any_host"] == "0"
