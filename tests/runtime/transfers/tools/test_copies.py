"""Every tool that copies files: what arrives, what a failure says, and that nothing is left behind."""

from __future__ import annotations

import pytest

from dtnctl.errors import TransferError
from tests.runtime.transfers.tools.scene import CONTROL_PORT, HERE, ROWS, SERVER_PORT, SMALL, THERE, ToolScene

pytestmark = pytest.mark.lab
# Without RDMA devices: tests/hardware/test_rdma_transfers.py is about the others.
TOOLS_THAT_COPY = [name for name, row in ROWS.items() if row.moves == "files" and not row.rdma]
# Ends what the user of transfers runs in the service: the sessions of sshd and their programs.
KILL_SESSIONS = 'for p in /proc/[0-9]*; do [ "$(stat -c %U $p)" = dtnaas ] && kill -9 ${p#/proc/}; done; true'
CUT_AT_QUESTION_MARKS = ("xrootd",)  # such names are refused
SUMS = "find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -type d | sort"


@pytest.fixture(params=TOOLS_THAT_COPY)
def tool(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_a_file_arrives_under_its_new_name(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, "head -c 3000000 /dev/urandom > '/data/one file'")
    job = scene.job(tool, "/data/one file", f"/data/{tool}/new/it is", algorithm="sha256")
    receipt = job.run()
    assert (receipt.verdict, receipt.bytes, receipt.verified) == ("succeeded", 3_000_000, "sha256 of 1 file equal at both ends"), receipt
    assert scene.sh(THERE, f"sha256sum < '/data/{tool}/new/it is'") == scene.sh(HERE, "sha256sum < '/data/one file'")
    assert scene.sh(THERE, f"stat -c %U '/data/{tool}/new/it is'") == "dtnaas\n"
    job.leaves_nothing()


def test_a_folder_arrives_with_all_below_it(scene: ToolScene, tool: str) -> None:
    if not ROWS[tool].takes("recursive"):
        pytest.skip(f"{tool} copies single files")
    names = "'a b' '[x]*' '50%41' '#;type=i' -dash" if tool in CUT_AT_QUESTION_MARKS else "'a b' '[x]*?' '50%41' '#;type=i' -dash"
    scene.sh(HERE, "rm -rf /data/tree")
    scene.sh(HERE, f'mkdir -p /data/tree/sub/hollow; cd /data/tree/sub; : > zero; for n in {names}; do echo 1 > ./"$n"; done')
    receipt = scene.job(tool, "/data/tree/", f"/data/{tool}-tree/", recursive=True).run()
    assert (receipt.verdict, receipt.files) == ("succeeded", 6), receipt
    assert scene.sh(THERE, f"cd /data/{tool}-tree; {SUMS}") == scene.sh(HERE, f"cd /data/tree; {SUMS}")


def test_a_file_that_is_there_already_is_overwritten(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, "echo newer > /data/again; touch -d 2020-01-01 /data/again")
    scene.sh(THERE, f"echo older > /data/{tool}-again; touch -d 2020-01-01 /data/{tool}-again")
    assert scene.job(tool, "/data/again", f"/data/{tool}-again").run().verdict == "succeeded"
    assert scene.sh(THERE, f"cat /data/{tool}-again") == "newer\n"


def test_a_source_that_is_not_there_starts_nothing(scene: ToolScene, tool: str) -> None:
    job = scene.job(tool, "/data/nothing", "/data/x")
    with pytest.raises(TransferError, match="/data/nothing does not exist on dtn1"):
        job.start()
    job.leaves_nothing()


def test_a_full_disk_is_named_and_not_tried_again(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, f"head -c {2 * SMALL} /dev/zero > /data/big")
    job = scene.job(tool, "/data/big", f"/small/{tool}")
    receipt = job.run()
    assert (receipt.verdict, receipt.retryable) == ("failed", False), receipt
    assert receipt.cause.startswith("the disk at the destination is full"), receipt.cause
    scene.sh(THERE, f"rm -f /small/{tool}")
    job.leaves_nothing()


def test_a_port_that_is_refused_moves_nothing(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, "echo x > /data/x")
    port = SERVER_PORT if ROWS[tool].has_server else CONTROL_PORT
    away = ["!", "-i", "lo", "-p", "tcp", "--dport", str(port), "-j", "REJECT", "--reject-with", "tcp-reset"]
    job = scene.job(tool, "/data/x", f"/data/{tool}-refused", deadline=60.0)
    with scene.rule(*away):
        try:
            job.start()
        except TransferError as error:  # ports of services that have just started are asked before the start
            assert f"no login is possible at 10.10.0.12:{port}" in str(error)  # noqa: PT017  with pytest.raises it would have to be raised
        else:
            receipt = job.finish()
            assert (receipt.verdict, receipt.retryable) == ("failed", True), receipt
    job.leaves_nothing()


def test_a_login_that_is_refused_is_named(scene: ToolScene, tool: str) -> None:
    if "destination" not in ROWS[tool].logs_in_at:
        pytest.skip("it does not log in at the destination")
    scene.sh(HERE, "echo x > /data/x")
    scene.sh(THERE, "chmod 777 /home/dtnaas", user="root")  # sshd takes no key from a home that others write to
    job = scene.job(tool, "/data/x", f"/data/{tool}-login")
    receipt = job.run()
    scene.sh(THERE, "chmod 755 /home/dtnaas", user="root")
    assert (receipt.verdict, receipt.retryable) == ("failed", False), receipt
    assert receipt.cause.startswith("the login of dtnaas@10.10.0.12 was refused"), receipt.cause
    job.leaves_nothing()


def test_a_server_that_is_killed_in_the_middle_is_no_success(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, "head -c 30000000 /dev/urandom > /data/long")
    job = scene.job(tool, "/data/long", f"/data/{tool}-killed", stall_timeout=20.0, deadline=90.0)
    with scene.slow():
        job.start()
        job.wait_until_it_moves()
        if job.row.has_server:
            scene.engines[THERE].stop(f"{job.container}.server", 0)
        else:
            scene.sh(THERE, KILL_SESSIONS, user="root")
        receipt = job.finish()
    assert (receipt.verdict, receipt.retryable) == ("failed", True), receipt
    job.leaves_nothing()


def test_a_byte_that_changes_after_the_copy_is_found(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, "head -c 1000000 /dev/urandom > /data/flip")
    job = scene.job(tool, "/data/flip", f"/data/{tool}-flip")
    job.start()
    assert job.wait_for_end() == 0
    scene.sh(
        THERE,
        f"printf flipped | dd of=/data/{tool}-flip bs=1 seek=500000 conv=notrunc",
    )
    receipt = job.finish()
    assert (receipt.verdict, receipt.retryable) == ("failed", True), receipt
    assert receipt.cause.startswith("the checksums of the file differ"), receipt.cause
    job.leaves_nothing()


def test_a_tool_that_can_limit_its_rate_takes_the_limit(scene: ToolScene, tool: str) -> None:
    if not ROWS[tool].takes("max_rate"):
        pytest.skip(f"{tool} cannot limit its rate")
    scene.sh(HERE, "head -c 3000000 /dev/urandom > /data/rated")
    assert scene.job(tool, "/data/rated", f"/data/{tool}-rated", max_rate=80_000).run().verdict == "succeeded"
