"""Sites and worlds for tests of hardware: endpoints with an agent, networks of virtual functions, sessions on them."""

from __future__ import annotations

from dtn_agent.protocol import Host as Machine
from dtn_agent.protocol import Interface, Request
from dtn_agent.protocol.vfs import ConfigureVf, HeldVf

from dtnctl.model.actions import HostRequest
from dtnctl.model.plan import Plan
from dtnctl.model.resources import ContainerSeen
from dtnctl.model.site import Site
from tests.planning.building import ANYTHING, plan, site, world
from tests.planning.machines import machine, pf
from tests.properties.agent import Agent
from tests.properties.world import World

STAR = "# networks/star\ndriver: sriov\nsubnet: 10.2.0.0/24\n"
MAY_REMOVE = "# site\nname: lab\nlimits: {max_prune: 100%}\n"
ON_STAR = "{data_nets: [star], mgmt_net: null}"


def endpoint(name: str = "a", *, interfaces: str = "{star: ens1f0}", more: str = "") -> str:
    """An endpoint with an agent; `more` are further lines of its file."""
    head = f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\n"
    head += f"agent: https://{name}.example.net:5050\n"
    return f"{head}interfaces: {interfaces}\nallow: {ANYTHING}\n{more}agent_token_env: T\n"


def session(name: str = "one", settings: str = ON_STAR, *, on: str = "a", state: str = "started") -> str:
    return f"# sessions/{name}\nendpoints: [{on}]\nimage: dtn:1\nstate: {state}\nsettings: {settings}\n"


def sessions(*names: str) -> str:
    return "".join(session(name) for name in names)


def dtn(*texts: str, on: str = "") -> Site:
    """A site with endpoint `a`, whose interface ens1f0 carries `star` if there is such a network; `on`: other endpoints instead."""
    text = "".join(texts)
    return site((on or endpoint(interfaces="{star: ens1f0}" if "# networks/star\n" in text else "{}")) + MAY_REMOVE + text)


def before(declared: Site, *interfaces: Interface, told: Machine | None = None) -> World:
    """The site's endpoints before the first apply, all on equal machines: 4 functions on ens1f0 at node 1, unless said otherwise."""
    each = told or machine(*(interfaces or (pf("ens1f0", 1),)))
    return world(declared, machines=dict.fromkeys(declared.endpoints, each))


def after(declared: Site, *interfaces: Interface, told: Machine | None = None) -> World:
    """The same after it, with nothing left to do."""
    made = before(declared, *interfaces, told=told)
    carry_out(declared, made)
    return made


def carry_out(declared: Site, made: World, **scope: object) -> Plan:
    """Apply it; the next plan is empty."""
    done = plan(declared, made, **scope)
    made.apply(done)
    made.check()
    if not scope:
        left = plan(declared, made)
        assert not left.changes, left.changes
    return done


def agent(made: World, endpoint_name: str = "a") -> Agent:
    found = made.hosts[endpoint_name].agent
    assert found is not None
    return found


def live(made: World, container: str = "lab.one", endpoint_name: str = "a") -> ContainerSeen:
    found = made.hosts[endpoint_name].by_name(container)
    assert found is not None, f"there is no {container} on {endpoint_name}"
    return found


def held(made: World, endpoint_name: str = "a") -> dict[str, str]:
    """By the ledger: which function, as interface and index, each session's network has."""
    entries = agent(made, endpoint_name).machine.held.vfs
    return {f"{item.owner.session}/{item.owner.network}": f"{item.pf} {item.index}" for item in entries}


def entry(made: World, session_name: str = "one", endpoint_name: str = "a") -> HeldVf:
    (found,) = (item for item in agent(made, endpoint_name).host().held.vfs if item.owner.session == session_name)
    return found


def configured(made: Plan) -> dict[str, ConfigureVf]:
    """What is asked for of each function that the plan takes, by session and network."""
    return {f"{item.session}/{item.network}": item for item in requests(made) if isinstance(item, ConfigureVf)}


def requests(made: Plan) -> list[Request]:
    """What the agents are asked, in the plan's order."""
    return [step.action.request for step in made.steps if isinstance(step.action, HostRequest)]
