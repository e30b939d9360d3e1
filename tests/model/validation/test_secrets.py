"""The site may say which secrets files other than its own and those of endpoints may refer to."""

from __future__ import annotations

import pytest

from dtnctl.errors import ConfigError
from tests.planning.building import site

REFERENCES = """
# site
name: lab
{allowed}
# profiles/p
env: {{A: {{secret: env:DTN_A}}, PLAIN: text}}
# profiles/q
env: {{B: {{secret: env:PATH}}}}
# sessions/s
endpoints: [a]
image: dtn:1
profile: p
settings: {{env: {{C: {{secret: "sops:secrets.yaml#c"}}}}}}
overrides: {{a: {{env: {{D: {{secret: file:/etc/shadow}}}}}}}}
# sessions/t
endpoints: [a, b]
image: dtn:1
settings: {{data_port_range: [50100, 50199]}}
# sessions/u
endpoints: [a]
image: dtn:1
# transfers/x
from: a
to: b
tool: iperf3
session: t
notify: {{url: {{secret: "sops:hooks.yaml#ops"}}}}
# transfers/y
from: a
to: b
tool: iperf3
session: t
notify: {{url: "https://hooks.example.net/"}}
# volumes/v
target: {{external: {{address: 10.20.0.9, nqn: "nqn.2001-01.com.example:a", uuid: "11111111-2222-4333-8444-555555555555"}}}}
filesystem: xfs
auth: {{host_key: {{secret: "file:/root/key"}}}}
"""


def test_without_patterns_any_reference_is_taken() -> None:
    assert site(REFERENCES.format(allowed="")).sessions.keys() == {"s", "t", "u"}


def test_every_reference_that_no_pattern_covers_is_refused_at_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        site(REFERENCES.format(allowed="secret_references: ['env:DTN_*', 'sops:secrets.yaml#*']"))
    problems = [(item.code, item.file, item.line, item.column) for item in caught.value.problems]
    assert problems == [
        ("E0369", "state/profiles/q.yaml", 1, 19),
        ("E0369", "state/sessions/s.yaml", 5, 35),
        ("E0369", "state/transfers/x.yaml", 5, 24),
        ("E0369", "state/volumes/v.yaml", 3, 27),
    ]
    assert "(state/site.yaml:2)" in str(caught.value)


def test_an_empty_list_allows_none() -> None:
    with pytest.raises(ConfigError) as caught:
        site(REFERENCES.format(allowed="secret_references: []"))
    assert len(caught.value.problems) == 6
