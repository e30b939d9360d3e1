"""Transfers that run, as people and programs watch them: progress, logs, samples, events, Ctrl-C, cancel."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from functools import partial

import pytest

from lab import Lab
from tests.e2e.test_trouble import wait_for
from tests.e2e.transfer_scene import TransferScene
from tests.render.pictures.reading import words_of

pytestmark = pytest.mark.lab
SIZE = 60_000_000


@pytest.fixture(scope="module")
def scene(two_endpoints: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransferScene]:
    scene = TransferScene(two_endpoints, tmp_path_factory.mktemp("watching"))
    scene.sh("dtn1", f"head -c {SIZE} /dev/urandom > /data/long; truncate -s 200M /data/huge; head -c 3000000 /dev/urandom > /data/short")
    yield scene
    scene.close()


def test_ctrl_c_leaves_a_copy_running_which_logs_follow_and_the_next_apply_records(scene: TransferScene) -> None:
    """As CI has it, without a terminal: a line every ten seconds."""
    play, job = scene.play, "play.long.g1a1"
    scene.forget()
    scene.declare("long", "gridftp", "long", "long")
    with scene.slow():
        applying = play.start("apply", "--yes")
        wait_for(lambda: b"Bytes" in scene.log(job) or b"bytes" in scene.log(job))
        following = play.start("transfers", "logs", "long", "-f")
        services = play.start("transfers", "logs", "long", "--source", "--destination", "-f")
        assert applying.stderr is not None
        line = next(line for line in applying.stderr if line.startswith("long") and "/s" in line)
        assert re.search(r"of 57\.22 MiB +\d+ % .* average .*ETA", line), line
        row = scene.row("long")
        assert (row["state"], 0 < row["bytes"] < SIZE, row["bytes_per_second"] > 0) == ("running", True, True)
        live = play.run("top", "--once").expect(0).out
        assert re.search(r"^long +running +\d+ % +[0-9.]+ \w+ ", live, re.MULTILINE), live
        applying.send_signal(signal.SIGINT)
        stopped = play.ended(applying)
        assert stopped.code == 130
        assert "long (generation 1, try 1) goes on; follow it with `dtnctl transfers logs -f long`" in " ".join(stopped.out.split())
        assert scene.jobs() == (f"{job} on dtn1",)
        assert "running" in play.plan().out
    followed = play.ended(following)
    assert followed.code == 0, followed.err
    assert re.search(r"^long .*/s", followed.err, re.MULTILINE), "lines of progress"
    assert "Source: sshftp://" in followed.out
    services.send_signal(signal.SIGINT)
    watched = play.ended(services)
    assert watched.code == 130
    assert {"dtn1", "dtn2"} <= {line.partition(" ")[0].strip("|:") for line in watched.out.splitlines()}, watched.out
    ran = play.apply().expect(0)
    assert "md5 of 1 file equal at both ends" in " ".join(ran.out.split())
    assert scene.row("long")["state"] == "succeeded"
    assert scene.jobs() == ()
    play.assert_nothing_to_do()


def test_the_rate_of_a_transfer_is_drawn_on_a_terminal_and_as_a_picture(scene: TransferScene) -> None:
    """Of the one before, which nobody watched at its end."""
    play = scene.play
    samples = play.run("transfers", "plot", "long", "-o", "json").expect(0).json["samples"]
    assert len(samples) >= 2
    assert [item["bytes"] for item in samples] == sorted(item["bytes"] for item in samples)
    drawn = play.run("transfers", "plot", "long", "--out", "long.png").expect(0).out
    assert drawn.startswith("long (generation 1, try 1)")
    assert len(drawn.splitlines()) > 5
    picture = (play.root / "long.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(picture) > 5000
    document = play.run("graph", "transfer", "long").expect(0).out
    words = words_of(document)
    assert "long (generation 1, try 1)" in words
    assert "what bounds it is not known" in words, "no agent reports a link here"
    assert ' class="rate"' in document


def test_events_show_two_transfers_side_by_side(scene: TransferScene) -> None:
    scene.forget()
    scene.declare("one", "rsync", "short", "one")
    scene.declare("two", "xrootd", "short", "two")
    with scene.slow():
        ran = scene.play.run("apply", "--yes", "-o", "jsonl").expect(0)
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert (events[0]["event"], events[-1]["event"], events[-1]["exit_code"]) == ("plan", "end", 0)
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    begun = [event["step"] for event in events if event["event"] == "step_started"]
    assert sorted(begun) == sorted(event["step"] for event in events if event["event"] == "step_ended")
    progress = {name: [event for event in events if event["event"] == "progress" and event["transfer"] == name] for name in ("one", "two")}
    for reports in progress.values():
        assert reports[-1]["bytes"] == 3_000_000
        assert len(reports) >= 2


def test_cancel_stops_both_sides_and_says_what_is_left_behind(scene: TransferScene) -> None:
    play = scene.play
    scene.forget()
    scene.declare("measured", "iperf3", options={"seconds": "600s"}, parallelism=1, max_rate="1mbit")
    scene.declare("copied", "xrootd", "huge", "cancelled/file")
    scene.declare("synced", "rsync", "huge", "synced/file")
    with scene.slow():
        play.run("apply", "--yes", "--no-wait").expect(0)
        wait_for(lambda: scene.log("play.measured.g1a1").strip())
        for folder in ("cancelled", "synced"):  # xrdcp reports the first bytes of a slow copy late: it sends 8 MiB four times at once
            wait_for(partial(scene.sh, "dtn2", f"find /data/{folder} -type f -size +0 2>/dev/null || true"))
        assert len(scene.jobs()) == 5, "two of three have a server"
        said = {name: play.run("transfers", "cancel", name).expect(0).err for name in ("measured", "copied", "synced")}
    assert said["measured"] == "measured (generation 1, try 1): cancelled\n"
    left = re.search(r"cancelled; (?:at the destination are (\d+) of 209715200 bytes|(nothing is at the destination))\n$", said["copied"])
    assert left is not None, said
    there = scene.sh("dtn2", "stat -c %s /data/cancelled/file 2>/dev/null || echo none").strip()
    assert there == (left[1] or "none")
    assert said["synced"] == "synced (generation 1, try 1): cancelled; nothing is at the destination\n"
    wait_for(lambda: not scene.sh("dtn2", "find /data/synced -type f"))  # its server removes what it had when it notices
    assert (scene.jobs(), scene.keys_left(), scene.processes_left()) == ((), (), ())
    assert {name: scene.row(name)["state"] for name in said} == dict.fromkeys(said, "cancelled")
    play.assert_nothing_to_do()
