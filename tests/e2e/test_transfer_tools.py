"""Every tool through the program itself: exit code, state and cause of each way to end, and what is left behind.

Each scenario is one apply of a transfer by every tool, then two more applies; the tests look at what each tool came to.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping

import pytest

from dtnctl.runtime.transfers.ready import SETTLED_SECONDS
from lab import Lab
from tests.e2e.test_trouble import wait_for
from tests.e2e.transfer_scene import COPY, MEASURE, ROWS, SMALL, Ended, TransferScene, transfer_name

pytestmark = pytest.mark.lab
TOOLS = [*COPY, *MEASURE]
LOGS_IN = [name for name in COPY if "destination" in ROWS[name].logs_in_at]
MEGABYTES = 3
# Their clients try to reach a server that was killed once more; on a busy machine we may call that a stall before they give up.
RECONNECTS = ("gridftp", "rclone", "xrootd")
# What a failure says of the destination, in front of which its cause stands.
LEFT = re.compile(
    r"; at the destination are (?P<there>\d+) of \d+ bytes$|; (?P<nothing>nothing is at the destination)(?:; part of it .*)?$"
)


@pytest.fixture(scope="module")
def scene(two_endpoints: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransferScene]:
    scene = TransferScene(two_endpoints, tmp_path_factory.mktemp("tools"))
    yield scene
    scene.close()


def declare_all(scene: TransferScene, scenario: str, tools: list[str], source: str, folder: str = "", **fields: object) -> float:
    """A transfer by each of the tools, and nothing else; returns when."""
    scene.forget()
    seconds = "300s" if scenario == "killed" else "2s"
    for tool in tools:
        own = {"options": {"seconds": seconds}, "parallelism": 1} if tool in MEASURE else {}
        scene.declare(transfer_name(scenario, tool), tool, source, f"{folder or scenario}/{tool}/file", **own, **fields)
    return time.time()


def check_failed(ended: Ended, tool: str, cause: str, scene: TransferScene) -> None:
    """Exit codes, state and cause; and what the cause says of the destination is so."""
    row = ended.rows[tool]
    assert ended.codes == (9, 9, 0), ended.first.err
    assert (row["state"], ended.starts[tool]) == ("failed", 1), (row, ended.first.out, ended.first.err)
    assert re.search(cause, row["cause"]), row["cause"]
    assert re.search(rf"\b{transfer_name(ended.scenario, tool)} .* failed ", ended.status)
    assert ended.left == ()
    if tool in COPY:
        check_destination(scene, row)


def check_destination(scene: TransferScene, row: Mapping[str, object]) -> None:
    left = LEFT.search(str(row["cause"]))
    path = str(row["to"]).partition(":")[2]
    found = scene.sh(
        "dtn2", f'stat -c %s "{path}" 2>/dev/null || echo none; find "$(dirname "{path}")" -type f 2>/dev/null | wc -l'
    ).split()
    if left is None:
        assert "have their full size" in str(row["cause"]), row["cause"]
    elif left["nothing"]:
        # rsync that fails may keep what it had or not, and its cause says that a part may be there
        may_be_hidden = "there under a hidden name" in str(row["cause"])
        assert found in (["none", "0"], ["none", "1"] if may_be_hidden else ["none", "0"]), row["cause"]
    else:
        assert found == [left["there"], "1"], row["cause"]


# --- success ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(scene: TransferScene) -> Ended:
    scene.sh("dtn1", f"head -c {MEGABYTES}M /dev/urandom > /data/good")
    began = declare_all(scene, "good", TOOLS, "good")
    return scene.follow_up("good", TOOLS, scene.play.apply(), began)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_transfer_that_succeeds_is_started_once_and_leaves_its_data_alone(good: Ended, scene: TransferScene, tool: str) -> None:
    row = good.rows[tool]
    assert good.codes == (0, 0, 0), good.first.err
    assert (row["state"], row["cause"], good.starts[tool]) == ("succeeded", "", 1), row
    assert good.left == ()
    if tool in MEASURE:
        assert row["bytes"] > 1_000_000
        return
    assert (row["bytes"], row["verified"], row["files"], row["exit_code"]) == (MEGABYTES * 1024**2, "md5", 1, 0)
    assert scene.sh("dtn2", f"md5sum < /data/good/{tool}/file") == scene.sh("dtn1", "md5sum < /data/good")
    assert scene.sh("dtn2", f"ls -A /data/good/{tool}; stat -c %U /data/good/{tool}/file") == "file\ndtnaas\n"


def test_a_transfer_shows_who_asked_for_it_and_where_it_ran(good: Ended) -> None:
    shown = dict(line.split(": ", 1) for line in good.shown.splitlines() if ": " in line)
    assert shown["asked for by"].startswith("root@")
    assert shown["image"].startswith("sha256:")
    assert (shown["image"], shown["files"], shown["exit code"]) == (shown["destination image"], "1", "0")
    assert shown["engine"]


# --- failures -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def missing(scene: TransferScene) -> Ended:
    began = declare_all(scene, "missing", COPY, "nothing-here")
    return scene.follow_up("missing", COPY, scene.play.apply(), began)


@pytest.mark.parametrize("tool", COPY)
def test_a_source_that_is_not_there_starts_nothing_and_fails_again(missing: Ended, tool: str) -> None:
    """What was never started has not failed: it is pending, and each apply tries and says why not."""
    assert missing.codes == (9, 9, 9)
    assert (missing.rows[tool]["state"], missing.starts[tool], missing.rows[tool]["attempt"]) == ("pending", 0, 0)
    said = " ".join((missing.first.out + missing.first.err).split())
    assert f"{transfer_name('missing', tool)}: /data/nothing-here does not exist on dtn1, or dtnaas may not look there" in said
    assert missing.left == ()


@pytest.fixture(scope="module")
def full(scene: TransferScene) -> Ended:
    scene.sh("dtn1", f"head -c {2 * SMALL} /dev/urandom > /data/large")
    began = declare_all(scene, "full", COPY, "large", "small", retries=2)
    return scene.follow_up("full", COPY, scene.play.apply(), began)


@pytest.mark.parametrize("tool", COPY)
def test_a_full_disk_is_named_and_not_tried_again(full: Ended, scene: TransferScene, tool: str) -> None:
    check_failed(full, tool, "^the disk at the destination is full", scene)


@pytest.fixture(scope="module")
def wrong_key(scene: TransferScene) -> Ended:
    scene.sh("dtn1", "echo x > /data/x")
    scene.sh("dtn2", "chmod 777 /home/dtnaas", user="root")  # sshd takes no key from a home that others write to
    began = declare_all(scene, "key", LOGS_IN, "x", retries=2)
    first = scene.play.apply()
    scene.sh("dtn2", "chmod 755 /home/dtnaas", user="root")
    return scene.follow_up("key", LOGS_IN, first, began)


@pytest.mark.parametrize("tool", LOGS_IN)
def test_a_key_that_the_destination_refuses_is_named_and_not_tried_again(wrong_key: Ended, scene: TransferScene, tool: str) -> None:
    check_failed(wrong_key, tool, r"^the login of dtnaas@10\.10\.0\.12 was refused", scene)


@pytest.fixture(scope="module")
def flipped(scene: TransferScene) -> Ended:
    """A byte at the destination changes after the copy and before anybody compares."""
    scene.sh("dtn1", "head -c 1000000 /dev/urandom > /data/flip")
    began = declare_all(scene, "flipped", COPY, "flip")
    scene.play.run("apply", "--yes", "--no-wait").expect(0)
    for tool in COPY:
        scene.play.engines["dtn1"].wait(f"play.{transfer_name('flipped', tool)}.g1a1", timeout=120)
        scene.sh("dtn2", f"printf flipped | dd of=/data/flipped/{tool}/file bs=1 seek=500000 conv=notrunc")
    return scene.follow_up("flipped", COPY, scene.play.apply(), began)


@pytest.mark.parametrize("tool", COPY)
def test_a_byte_that_changes_under_it_is_found(flipped: Ended, scene: TransferScene, tool: str) -> None:
    check_failed(flipped, tool, "^the checksums of the file differ: [0-9a-f]{32} at the source, ", scene)


def is_moving(scene: TransferScene, tool: str) -> bool:
    """Whether something has arrived, or a measurement has reported something."""
    if tool in MEASURE:
        return bool(scene.log(f"play.{transfer_name('killed', tool)}.g1a1").strip())
    return bool(scene.sh("dtn2", f"find /data/killed/{tool} -type f -size +0 2>/dev/null | head -1"))


def wait_until_all_move(scene: TransferScene) -> None:
    still = list(TOOLS)

    def all_move() -> bool:
        still[:] = [tool for tool in still if not is_moving(scene, tool)]
        return not still

    try:
        wait_for(all_move, seconds=150)
    except AssertionError as error:
        logs = {tool: scene.log(f"play.{transfer_name('killed', tool)}.g1a1") for tool in still}
        raise AssertionError(f"these do not move: {logs}") from error


@pytest.fixture(scope="module")
def killed(scene: TransferScene) -> Ended:
    """All servers and sessions at the destination are killed while every transfer runs."""
    scene.sh("dtn1", "truncate -s 400M /data/long")
    began = declare_all(scene, "killed", TOOLS, "long", stall_timeout="60s", deadline="300s")
    with scene.slow("48mbit"), scene.play.running("apply", "--yes") as applying:
        wait_until_all_move(scene)
        scene.kill_servers()
        first = scene.play.ended(applying)
    return scene.follow_up("killed", TOOLS, first, began)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_server_that_is_killed_in_the_middle_is_a_failure_with_what_arrived(killed: Ended, scene: TransferScene, tool: str) -> None:
    stalled = "|^stalled: no progress for 60 s" if tool in RECONNECTS else ""
    check_failed(killed, tool, r"\(exit code \d+\)|its output has no result" + stalled, scene)


@pytest.fixture(scope="module")
def refused(scene: TransferScene) -> Ended:
    """No port of the destination's host can be reached. Of services that have just started the control port is asked before the start."""
    scene.sh("dtn1", "echo x > /data/x")
    wait_for(lambda: scene.age() > SETTLED_SECONDS + 2, seconds=SETTLED_SECONDS + 10)
    began = declare_all(scene, "refused", TOOLS, "x", deadline="300s")
    with scene.refused():
        return scene.follow_up("refused", TOOLS, scene.play.apply(), began)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_port_that_is_refused_moves_nothing(refused: Ended, scene: TransferScene, tool: str) -> None:
    check_failed(refused, tool, r"nothing listens on|is not reached|[Rr]efused", scene)
