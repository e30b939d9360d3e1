"""Each trial's README says what is right; here it is asked of the real program and real engines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.trials.conftest import OpenTrial
from tests.trials.trial import Trial

pytestmark = pytest.mark.lab

REFUSED_BY_EVERY_ENGINE = {"a1", "a2", "a3", "b1", "c1", "e1", "f1", "h1", "h2", "i1", "l1", "n1", "o1"}
CONTENT = "what must not be lost\n"


def test_02_nothing_reaches_an_engine_that_it_refuses(trial: OpenTrial) -> None:
    play = trial("02-engine-refuses")
    refused = play.refused_names()
    assert refused >= REFUSED_BY_EVERY_ENGINE
    for name in refused:
        play.remove(f"sessions/{name}")
    blocked = play.blocked()
    assert blocked.keys() >= {"q1", "d2"}, "the host has fewer CPUs"
    for name in blocked:
        play.remove(f"sessions/{name}")
    assert list(play.root.glob("state/sessions/*"))
    play.converge()


def test_06_a_replacement_waits_for_the_check_of_its_image_and_goes_back(trial: OpenTrial) -> None:
    play = trial("06-image-volumes-and-health")
    engine = play.engines["dtn1"]
    made = engine.create_container("tiny:1", ["sleep", "100000"])
    for check, image in (("true", "well"), ("false", "sick")):
        health = f"HEALTHCHECK --interval=1s --timeout=60s --retries=2 CMD {check}"
        engine.commit(made["Id"], image, "1", changes=[health, "VOLUME /scratch", 'CMD ["sleep", "100000"]'])
    engine.remove_container(made["Id"])
    engine.tag("well:1", "sick", "1", force=True)
    before = play.anonymous_volumes()
    play.converge()
    well = engine.inspect_container("img.x")
    assert well["State"]["Health"]["Status"] == "healthy", "apply has waited for it"
    engine.tag("tiny:1", "sick", "1", force=True)
    play.write("sessions/x", {"endpoints": ["dtn1"], "image": "ill:1", "settings": {"stop_timeout": "1s"}})
    health = "HEALTHCHECK --interval=1s --timeout=60s --retries=2 CMD false"
    made = engine.create_container("tiny:1", ["sleep", "100000"])
    engine.commit(made["Id"], "ill", "1", changes=[health, "VOLUME /scratch", 'CMD ["sleep", "100000"]'])
    engine.remove_container(made["Id"])
    assert play.apply().code == 8
    back = engine.inspect_container("img.x")
    assert (back["Id"], back["State"]["Running"]) == (well["Id"], True)
    assert len(play.anonymous_volumes() - before) == 1, "the one of the container that runs"
    play.run("destroy", "--yes", "--confirm=img").expect(0)
    assert play.anonymous_volumes() == before


@pytest.fixture
def trees(trial: OpenTrial) -> Trial:
    play = trial("11-transfer-trees")
    script = Path(__file__).parent / "11-transfer-trees/make.sh"
    shutil.copy(script, play.lab.files("dtn1") / "data")
    play.lab.exec("dtn1", ["sh", "/data/make.sh", "/data"])
    return play


def test_11_a_tree_arrives_whole_or_is_refused_before_anything_is_copied(trees: Trial) -> None:
    ran = trees.apply()
    states = {item["name"]: item for item in trees.run("transfers", "list", "-o", "json").json["transfers"]}
    for name, folder in (("latest", "runs"), ("links", "links"), ("loop", "loop"), ("priv", "priv")):
        there = trees.tree("dtn2", f"/data/{folder}")
        if states[name]["state"] == "succeeded":
            assert there == trees.tree("dtn1", f"/data/{folder}"), name
        else:
            assert there == "", f"{name} was refused, so nothing is copied"
            assert f"{name}" in ran.out + ran.err
    assert states["loop"]["state"] != "succeeded"
    assert states["priv"]["state"] != "succeeded"
    assert "secret" in ran.out + ran.err, "the unreadable file is named"


def test_13_a_network_with_ipv6_alone_converges_and_its_transfers_work_or_are_refused(trial: OpenTrial) -> None:
    play = trial("13-ipv6-only")
    play.lab.exec("dtn1", ["sh", "-c", f"printf '%s' '{CONTENT}' > /data/short"])
    if play.refused_names():
        play.apply().expect(65)
        for name in ("dual", "six"):
            play.remove(f"transfers/{name}")
        play.converge()
        return
    play.converge()
    for name in ("dual", "six"):
        assert play.tree("dtn2", "/data").count(f"./{name}") == 1


def test_16_default_limits_of_the_engine_are_no_drift(trial: OpenTrial) -> None:
    play = trial("16-daemon-defaults")
    defaults = json.loads((Path(__file__).parent / "16-daemon-defaults/daemon.json").read_text())
    endpoint = play.lab.endpoint("dtn1")
    config = endpoint.folder / "daemon.json"
    written = config.read_text()
    try:
        config.write_text(json.dumps(json.loads(written) | defaults))
        play.lab.stop_engine("dtn1")
        play.lab.start_engine("dtn1")
        play.converge()
        limits = play.engines["dtn1"].inspect_container("dmn.x")["HostConfig"]["Ulimits"]
        assert [(item["Name"], item["Soft"]) for item in limits] == [("nofile", 1024)], "the engine has merged its defaults"
    finally:
        config.write_text(written)
        play.run("destroy", "--yes", "--confirm=dmn").expect(0)
        play.lab.stop_engine("dtn1")
        play.lab.start_engine("dtn1")


def test_21_a_service_that_ends_at_once_is_not_reported_as_applied(trial: OpenTrial) -> None:
    play = trial("21-crash-loop-at-first-start")
    ran = play.apply()
    assert ran.code not in (0, 1)
    assert "exit code 3" in ran.out + ran.err
    assert "no config" in ran.out + ran.err, "the container's own words"
    assert play.apply().code != 0, "it is still not as declared"


def test_23_a_transfer_never_opens_its_source_for_writing(trial: OpenTrial) -> None:
    play = trial("23-both-ends-one-place")
    play.lab.exec("dtn1", ["sh", "-c", f"printf '%s' '{CONTENT}' > /data/precious && chmod 666 /data/precious"])
    inode = play.lab.exec("dtn1", ["stat", "-c", "%i %Y %Z", "/data/precious"]).stdout
    ran = play.apply()
    assert ran.code in (4, 65), ran.out + ran.err
    assert "127.0.0.1" in ran.out + ran.err
    assert play.lab.exec("dtn1", ["cat", "/data/precious"]).stdout == CONTENT
    assert play.lab.exec("dtn1", ["stat", "-c", "%i %Y %Z", "/data/precious"]).stdout == inode


def test_24_a_session_on_the_bridge_receives_or_the_plan_says_that_it_cannot(trial: OpenTrial) -> None:
    play = trial("24-bridge-only")
    play.lab.exec("dtn1", ["sh", "-c", f"printf '%s' '{CONTENT}' > /data/short"])
    if play.refused_names() | play.blocked().keys():
        return
    play.apply().expect(0)
    assert play.lab.exec("dtn2", ["cat", "/data/nat"]).stdout == CONTENT
