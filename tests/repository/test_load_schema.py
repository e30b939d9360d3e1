"""Values that cannot stand where they are, each with the very lines that people get to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.model.tools import TOOLS
from tests.repository.state_folder import ENDPOINT, PROFILE, SESSION, SITE, TRANSFER, Case, Changes, more, own_volumes, problems

*TOOL_NAMES, LAST_TOOL = TOOLS

CASES: list[Case] = [
    (
        "unknown key",
        more(SESSION, "imgae: x\n"),
        [
            "state/sessions/s.yaml:4:1: E0201: unknown key `imgae`; try `image`",
        ],
    ),
    (
        "unknown key like nothing",
        more(SESSION, "zzz: x\n"),
        [
            "state/sessions/s.yaml:4:1: E0201: unknown key `zzz`; try to remove it",
        ],
    ),
    (
        "unknown key of a small mapping",
        more(PROFILE, "capabilities: {more: [X]}\n"),
        [
            "state/profiles/p.yaml:3:16: E0201: unknown key `more` in `capabilities`; try one of add, drop",
        ],
    ),
    (
        "unknown key deep inside",
        more(SESSION, "overrides: {a: {health_check: {test: x, retry: 3}}}\n"),
        [
            "state/sessions/s.yaml:4:41: E0201: unknown key `retry` in `overrides.a.health_check`; try `retries`",
        ],
    ),
    (
        "field name instead of key",
        more(TRANSFER, "from_: x\n"),
        [
            "state/transfers/t.yaml:5:1: E0201: unknown key `from_`; try `from`",
        ],
    ),
    (
        "missing key",
        {SESSION: "image: x\n"},
        [
            "state/sessions/s.yaml:1:1: E0202: the key `endpoints` is missing; try `endpoints: …`",
        ],
    ),
    (
        "missing key inside",
        own_volumes("volumes: [{source: /x}]"),
        [
            "state/profiles/p.yaml:3:11: E0202: the key `target` is missing in `volumes[0]`; try `target: …`",
        ],
    ),
    (
        "missing keys of tls",
        {ENDPOINT: "docker: tcp://x:1\ntls: {ca: x}\n"},
        [
            "state/endpoints/a.yaml:2:1: E0202: the key `cert` is missing in `tls`; try `cert: …`",
            "state/endpoints/a.yaml:2:1: E0202: the key `key` is missing in `tls`; try `key: …`",
        ],
    ),
    (
        "wrong literal",
        more(SESSION, "state: strated\n"),
        [
            "state/sessions/s.yaml:4:8: E0204: `state` cannot be `strated`, only initialized, started or stopped; try started",
        ],
    ),
    (
        "wrong tool",
        {TRANSFER: "from: a:/data/x\nto: b:/data/x\ntool: gridftpp\nsession: s\n"},
        [
            f"state/transfers/t.yaml:3:7: E0204: `tool` cannot be `gridftpp`, only {', '.join(TOOL_NAMES)} or {LAST_TOOL}; try gridftp",
        ],
    ),
    (
        "wrong literal like nothing",
        more(PROFILE, "pull: sometimes\n"),
        [
            "state/profiles/p.yaml:3:7: E0204: `pull` cannot be `sometimes`, only missing, always or never",
        ],
    ),
    (
        "literal of another type",
        more(SESSION, "state: [started]\n"),
        [
            'state/sessions/s.yaml:4:1: E0204: `state` cannot be `["started"]`, only initialized, started or stopped',
        ],
    ),
    (
        "text instead of list",
        {SESSION: "endpoints: a\nimage: dtn:1\nprofile: p\n"},
        [
            "state/sessions/s.yaml:1:12: E0203: `endpoints` must be a list, not the text `a`; try [a]",
        ],
    ),
    (
        "nothing instead of list",
        {SESSION: "endpoints: \nimage: dtn:1\nprofile: p\n"},
        [
            "state/sessions/s.yaml:1:11: E0203: `endpoints` must be a list, not empty; try a value, or to remove the key",
        ],
    ),
    (
        "empty list",
        {SESSION: "endpoints: []\nimage: dtn:1\nprofile: p\n"},
        [
            "state/sessions/s.yaml:1:1: E0205: `endpoints` is empty; try at least one",
        ],
    ),
    (
        "mapping instead of list",
        own_volumes("volumes: {source: /x}"),
        [
            "state/profiles/p.yaml:3:1: E0203: `volumes` must be a list, not a mapping",
        ],
    ),
    (
        "list instead of mapping",
        more(PROFILE, "limits: [memlock:-1]\n"),
        [
            "state/profiles/p.yaml:3:1: E0203: `limits` must be a mapping, not a list; try `key: value` lines without `-`",
        ],
    ),
    (
        "number instead of text",
        {SESSION: "endpoints: [a, b]\nimage: 1.10\nprofile: p\n"},
        [
            'state/sessions/s.yaml:2:8: E0203: `image` must be text, not the number 1.10; try "1.10" in quotes',
        ],
    ),
    (
        "truth instead of text",
        more(SESSION, "user: true\n"),
        [
            'state/sessions/s.yaml:4:7: E0203: `user` must be text, not true; try "true" in quotes',
        ],
    ),
    (
        "number in a list of texts",
        {SESSION: "endpoints: [a, 5]\nimage: dtn:1\nprofile: p\n"},
        [
            'state/sessions/s.yaml:1:16: E0203: `endpoints[1]` must be text, not the number 5; try "5" in quotes',
        ],
    ),
    (
        "text instead of truth",
        more(PROFILE, 'init: "true"\n'),
        [
            "state/profiles/p.yaml:3:7: E0203: `init` must be true or false, not the text `true`; try true, without quotes",
        ],
    ),
    (
        "null instead of truth",
        more(PROFILE, "init: ~\n"),
        [
            "state/profiles/p.yaml:3:7: E0203: `init` must be true or false, not ~; try a value, or to remove the key",
        ],
    ),
    (
        "text instead of number",
        more(TRANSFER, "retries: x\n"),
        [
            "state/transfers/t.yaml:5:10: E0203: `retries` must be a whole number, not the text `x`",
        ],
    ),
    (
        "fraction instead of whole number",
        {SITE: "name: lab\nlimits: {parallel: 8.5}\n"},
        [
            "state/site.yaml:2:20: E0203: `limits.parallel` must be a whole number, not the number 8.5",
        ],
    ),
    (
        "truth instead of number",
        more(PROFILE, "cpus: true\n"),
        [
            "state/profiles/p.yaml:3:7: E0203: `cpus` must be a number, not true",
        ],
    ),
    (
        "number instead of mapping",
        more(SESSION, "settings: 5\n"),
        [
            "state/sessions/s.yaml:4:11: E0203: `settings` must be a mapping, not the number 5",
        ],
    ),
    (
        "text instead of mapping or number",
        more(PROFILE, "limits: {memlock: much}\n"),
        [
            "state/profiles/p.yaml:3:19: E0203: `limits.memlock` must be a number or a mapping, not the text `much`",
        ],
    ),
    (
        "number instead of network",
        more(PROFILE, "mgmt_net: 5\n"),
        [
            "state/profiles/p.yaml:3:11: E0203: `mgmt_net` must be a network's name or a mapping, not the number 5",
        ],
    ),
    (
        "number instead of volume",
        own_volumes("volumes: [5]"),
        [
            "state/profiles/p.yaml:3:11: E0203: `volumes[0]` must be text or a mapping, not the number 5",
        ],
    ),
    (
        "list in env",
        more(PROFILE, "env: {A: [1]}\n"),
        [
            "state/profiles/p.yaml:3:7: E0203: `env.A` must be text, not a list",
        ],
    ),
    (
        "list in max_prune",
        {SITE: "name: lab\nlimits: {max_prune: [1]}\n"},
        [
            "state/site.yaml:2:10: E0203: `limits.max_prune` must be a whole number or text, not a list",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "lines"), [pytest.param(changes, lines, id=name) for name, changes, lines in CASES])
def test_value_that_cannot_stand_there_is_explained(tmp_path: Path, changes: Changes, lines: list[str]) -> None:
    assert problems(tmp_path, changes) == lines
