"""Conversations about files, volumes and images (see scenes.py)."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.raw_client import Engine, tar
from tests.fakes.stage import create


def archives(engine: Engine) -> None:
    create(engine, "box", {"Binds": ["/tmp/ledger:/ledger", "/tmp/fixed:/fixed:ro", "volume:/volume"], "Tmpfs": {"/fast": ""}})
    content = tar({"a.txt": b"hello", "d/": b"", "d/b.txt": b"x"})

    def put(path: str, data: bytes = content, box: str = "box", **more: Any) -> None:
        engine.say("PUT", f"/containers/{box}/archive", data, path=path, **more)

    def stat(path: str, box: str = "box") -> None:
        engine.say("HEAD", f"/containers/{box}/archive", path=path)

    for path in ("/tmp", "/none/x", "/tmp/a.txt", "/ledger", "/fixed", "/volume", "/ledger/sub", "/fast", "tmp", ""):
        put(path)
    for path in ("/tmp/a.txt", "/tmp/d", "/tmp/d/", "/none", "/none/x", "/ledger/d/b.txt"):
        stat(path)
    engine.say("GET", "/containers/box/archive", path="/none")
    engine.say("GET", "/containers/nobody/archive", path="/")
    put("/tmp", b"garbage" * 100)
    put("/tmp", b"")
    put("/tmp", tar({"d": b"a file"}), noOverwriteDirNonDir=1)
    put("/tmp", tar({"d": b"a file"}))
    stat("/tmp/d")
    engine.say("POST", "/containers/box/start")
    put("/fast")
    stat("/fast/a.txt")
    put("/etc")
    stat("/etc/a.txt")
    engine.say("DELETE", "/containers/box", force=1)
    create(engine, "next", {"ReadonlyRootfs": True, "Binds": ["/tmp/ledger:/ledger"]})
    stat("/ledger/a.txt", "next")
    put("/etc", box="next")
    put("/ledger", box="next")


def volumes(engine: Engine) -> None:
    temporary = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    for body in (
        {"Name": "plain", "Labels": {"a": "b"}},
        {"Name": "special", "DriverOpts": temporary},
        {"Name": "plain"},
        {"Name": "v"},
        {"Name": "a b"},
        {"Name": "wrong", "DriverOpts": {"bogus": "1"}},
        {"Name": "half", "DriverOpts": {"type": "tmpfs"}},
    ):
        engine.say("POST", "/volumes/create", body)
    driver = {"DriverConfig": {"Name": "local", "Options": temporary}}
    create(engine, "user", {"Mounts": [{"Type": "volume", "Source": "mounted", "Target": "/m", "VolumeOptions": driver}]})
    engine.look("user", "Mounts")
    engine.say("GET", "/volumes", filters='{"dangling":["true"]}')
    engine.say("DELETE", "/volumes/mounted")
    engine.say("DELETE", "/containers/user", v=1)
    engine.say("POST", "/volumes/prune")
    engine.say("GET", "/volumes")
    for name in ("special", "mounted", "none"):
        engine.say("DELETE", f"/volumes/{name}")


def images(engine: Engine) -> None:
    content = tar({"x": b"1", "tmp/": b""})
    engine.say("POST", "/images/create", content, fromSrc="-", repo="made", tag="1")
    engine.say("GET", "/images/made:1/json")
    engine.say("POST", "/images/create", content, fromSrc="-", repo="MADE", tag="1")
    engine.say("POST", "/images/create", b"garbage" * 200, fromSrc="-", repo="made", tag="9")
    engine.say("POST", "/images/create", content, fromSrc="-", repo="made", tag="2", changes='CMD ["a","b"]')
    engine.say("POST", "/containers/create", {"Image": "made:1"}, name="empty")
    labelled = {"Image": "made:1", "Cmd": ["never"], "Labels": {"own": "1"}, "Env": ["Q=1"]}
    engine.say("POST", "/containers/create", labelled, name="empty")
    engine.look("empty", "Config", "Image", "State")
    engine.say("POST", "/commit", {}, container="empty", repo="kept", tag="1")
    engine.say("GET", "/images/kept:1/json")
    inherited = {"Image": "kept:1", "Env": ["R=2"], "Labels": {"two": "2"}}
    engine.say("POST", "/containers/create", inherited, name="heir")
    engine.look("heir", "Config")
    engine.say("GET", "/containers/json", all=1, filters=json.dumps({"label": ["own=1", "two"]}))
    engine.say("POST", "/commit", {}, container="nobody", repo="kept")
    engine.say("DELETE", "/images/made:1")
    engine.say("POST", "/images/made:1/tag", repo="other/name", tag="1")
    engine.say("POST", "/images/made:1/tag", repo="OTHER", tag="1")
    engine.say("POST", "/images/none/tag", repo="other/name", tag="1")
    engine.say("DELETE", "/images/other/name:1")
    engine.say("DELETE", "/images/none")
    engine.say("POST", "/images/create", content, fromSrc="-", repo="made", tag="1")
    engine.look_in_list("empty", "Image", "ImageID")
    engine.say("DELETE", "/images/made:2")
    engine.say("POST", "/images/create", fromImage="BAD", tag="1")
