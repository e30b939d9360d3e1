"""Fields of a copy by every tool that has them: links, times, limits, what is expected and compared."""

from __future__ import annotations

import pytest

from dtnctl.errors import TransferError
from tests.runtime.transfers.tools.scene import HERE, ROWS, THERE, ToolScene

pytestmark = pytest.mark.lab
TREES = [name for name, row in ROWS.items() if row.takes("recursive")]
LINKED = [name for name in TREES if ROWS[name].takes("links")]
LIMITED = [name for name, row in ROWS.items() if row.moves == "files" and row.takes("max_rate")]
TIMES = "find . -type f -printf '%P %T@\\n' | sort"
TREE = """
rm -rf /data/linked /data/outside; mkdir -p /data/linked/sub /data/outside; cd /data/linked
echo 1 > sub/file; echo 22 > /data/outside/far; ln -s sub/file near; ln -s /data/outside beyond
touch -d @1234567890.123456789 sub/file /data/outside/far
"""


@pytest.mark.parametrize("tool", LINKED)
def test_what_links_lead_to_arrives_with_its_times(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, TREE)
    if tool == "scp":  # it follows links to files only, and fails at one to a folder
        scene.sh(HERE, "cd /data/linked; rm beyond; mkdir beyond; ln -s /data/outside/far beyond/far")
    more = {name: 2 for name in ("concurrency", "parallelism") if ROWS[tool].takes(name)}
    job = scene.job(tool, "/data/linked/", f"/data/{tool}-linked/", recursive=True, links="follow", preserve_times=True, **more)
    receipt = job.run()
    assert (receipt.verdict, receipt.files, receipt.bytes) == ("succeeded", 4 - 1, 2 + 2 + 3), receipt
    assert scene.sh(THERE, f"cd /data/{tool}-linked; cat near beyond/far; find . -type l") == "1\n22\n"
    assert scene.sh(THERE, f"cd /data/{tool}-linked; {TIMES}") == scene.sh(
        HERE, "cd /data/linked; find -L . -type f -printf '%P %T@\\n' | sort"
    )


@pytest.mark.parametrize("tool", LINKED)
def test_links_are_left_out_or_the_tool_says_that_it_cannot(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, TREE)
    job = scene.job(tool, "/data/linked/", f"/data/{tool}-omitted/", recursive=True, links="omit")
    try:
        started = job.start()
    except TransferError as error:
        assert "copies what links lead to and cannot omit them" in str(error)  # noqa: PT017  # both are right
        return
    assert started.started
    assert job.finish().files == 1
    assert scene.sh(THERE, f"cd /data/{tool}-omitted; find . -not -type d") == "./sub/file\n"


@pytest.mark.parametrize("tool", LIMITED)
def test_a_rate_is_not_exceeded(scene: ToolScene, tool: str) -> None:
    """Without the limit these few megabytes take a fraction of a second."""
    scene.sh(HERE, "head -c 6000000 /dev/urandom > /data/rated")
    receipt = scene.job(tool, "/data/rated", f"/data/{tool}-rated", max_rate=16_000).run()
    assert receipt.verdict == "succeeded"
    assert receipt.bytes * 8 / receipt.seconds < 1.5 * 16_000_000


def test_sizes_of_buffers_and_blocks_are_taken(scene: ToolScene) -> None:
    scene.sh(HERE, "head -c 3000000 /dev/urandom > /data/sized")
    receipt = scene.job("gridftp", "/data/sized", "/data/sized", block_size=65536, tcp_buffer=131072, parallelism=2).run()
    assert (receipt.verdict, receipt.streams) == ("succeeded", 2)


@pytest.mark.parametrize("tool", ["iperf3", "nuttcp"])
def test_a_measurement_takes_streams_and_the_size_of_a_buffer(scene: ToolScene, tool: str) -> None:
    receipt = scene.job(tool, own={"seconds": 1}, parallelism=3, tcp_buffer=131072).run()
    assert (receipt.verdict, receipt.streams) == ("succeeded", 3), receipt


def test_a_source_that_is_not_what_is_expected_is_a_failure_that_no_try_follows(scene: ToolScene) -> None:
    scene.sh(HERE, "echo other > /data/catalogued")
    receipt = scene.job("scp", "/data/catalogued", "/data/catalogued", algorithm="md5", expected=f"md5:{'0' * 32}").run()
    assert (receipt.verdict, receipt.retryable) == ("failed", False)
    assert receipt.cause.startswith("the source is not what is expected: it has md5:")


@pytest.mark.parametrize(
    ("verify", "change", "verdict", "verified"),
    [
        ("size", "printf X | dd of=/data/judged bs=1 seek=2 conv=notrunc", "succeeded", "sizes of 1 file equal at both ends"),
        ("size", ": > /data/judged", "failed", ""),
        ("none", ": > /data/judged", "succeeded", "nothing was compared, as asked for"),
    ],
)
def test_no_more_is_compared_than_was_asked_for(scene: ToolScene, verify: str, change: str, verdict: str, verified: str) -> None:
    scene.sh(HERE, "echo content > /data/judged")
    job = scene.job("scp", "/data/judged", "/data/judged", verify=verify)
    job.start()
    assert job.wait_for_end() == 0
    scene.sh(THERE, change)
    receipt = job.finish()
    assert (receipt.verdict, receipt.verified) == (verdict, verified), receipt
