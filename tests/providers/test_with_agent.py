"""An observer or engine of any backend with an agent: one answer of both, and our site by the agent's name for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dtn_agent.protocol import Done, Held, Host, Request
from dtn_agent.protocol.tuning import HeldTuning, Tune
from dtn_agent.protocol.vlans import HeldVlan

from dtnctl.errors import UnreachableError
from dtnctl.model.actions import EngineAction, StartContainer
from dtnctl.model.agent_addresses import parse_agent
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.resources import EndpointSeen, Wanted
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.timeouts import Timeouts
from dtnctl.providers.with_agent import EngineWithAgent
from tests.planning.machines import machine

ENDPOINT = Endpoint(docker=parse_engine("ssh://dtn@dtn1"), agent=parse_agent("ssh"))
OURS, PLAIN = "lab-1234", "lab"


class Backend:
    """As much of an engine as these tests ask."""

    endpoint = "a"

    def __init__(self, silence: str = "") -> None:
        self.silence = silence
        self.performed: list[EngineAction] = []

    def observe(self, wanted: Wanted) -> EndpointSeen:
        del wanted
        return EndpointSeen("a", silence=self.silence)

    def perform(self, action: EngineAction) -> None:
        self.performed.append(action)

    def close(self) -> None:
        """Nothing is open."""


class Agent:
    """An agent that holds a VLAN and a setting of two sites."""

    def __init__(self, silence: str = "") -> None:
        self.silence = silence
        self.asked: list[Request] = []

    def host(self, readings: frozenset[str] = frozenset(), *, inside: bool = False) -> Host:
        del readings, inside
        if self.silence:
            raise UnreachableError(self.silence)
        vlan = HeldVlan(name="eth1.7", parent="eth1", vlan=7, mtu=None, site=OURS)
        setting = HeldTuning(key="smt", found="on", wanted="off", now=None, site=PLAIN)
        return machine().model_copy(update={"held": Held(vlans=(vlan,), tuning=(setting,))})

    def perform(self, request: Request) -> Done:
        self.asked.append(request)
        return Done(changed=True)

    def close(self) -> None:
        """Nothing is open."""


def joined(backend: Backend, agent: Agent, tmp_path: Path) -> EngineWithAgent:
    access = EndpointAccess("a", ENDPOINT, PLAIN, {}, tmp_path, Timeouts(), repository="1234", unlabelled=False)
    return EngineWithAgent(backend, agent, access)  # type: ignore[arg-type]  # as much as is asked


def test_an_engine_does_its_actions_and_the_agent_its_requests_by_its_own_name_of_our_site(tmp_path: Path) -> None:
    backend, agent = Backend(), Agent()
    both = joined(backend, agent, tmp_path)
    both.perform(StartContainer("lab.one"))
    assert both.agent is not None
    both.agent.perform(Tune(site=PLAIN, key="smt", value="off"))
    both.close()
    assert (backend.performed, agent.asked) == ([StartContainer("lab.one")], [Tune(site=OURS, key="smt", value="off")])


def test_what_the_agent_holds_for_us_has_our_plain_name_and_a_namesakes_has_another(tmp_path: Path) -> None:
    both = joined(Backend(), Agent(), tmp_path)
    seen = both.observe(Wanted())
    both.close()
    assert seen.host is not None
    assert [item.site for item in seen.host.held.vlans] == [PLAIN]
    assert [item.site for item in seen.host.held.tuning] == ["lab of another repository"]


@pytest.mark.parametrize(("engine", "agent"), [("", "refused"), ("gone", ""), ("gone", "refused")])
def test_whichever_is_silent_the_other_ones_answer_stays_as_it_is(engine: str, agent: str, tmp_path: Path) -> None:
    both = joined(Backend(engine), Agent(agent), tmp_path)
    seen = both.observe(Wanted())
    both.close()
    assert (seen.silence, seen.agent_silence, seen.host) == (engine, "" if engine else agent, None)
