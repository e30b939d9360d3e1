"""What patterns can name: it does not go away with an agent that is silent."""

from __future__ import annotations

from dtnctl.planning.nameable import nameable_objects
from tests.planning.dtns import STAR, after, agent, dtn, endpoint, session

LAN = "# networks/lan\ndriver: macvlan\nsubnet: 10.3.0.0/24\nvlan: 6\n"
INTERFACES = endpoint(interfaces="{star: ens1f0, lan: ens1f0}", more="vfs: {ens1f0: 4}\n")
DECLARED = dtn(STAR, LAN, session(), on=INTERFACES)


def test_what_the_files_name_of_a_host_is_nameable_while_its_agent_is_silent() -> None:
    made = after(DECLARED)
    heard = nameable_objects(DECLARED, made.observe())
    agent(made).silence = "connection refused"
    unheard = nameable_objects(DECLARED, made.observe())
    of_the_host = {("vfs", "ens1f0", "a"), ("vlan", "ens1f0.6", "a"), ("tuning", "a", "a")}
    assert of_the_host <= heard
    assert of_the_host <= unheard


def test_what_the_agent_holds_for_a_session_without_a_file_is_nameable_by_both_names() -> None:
    made = after(dtn(STAR, session()))
    named = nameable_objects(dtn(STAR), made.observe())
    assert ("session", "one", "a") in named
    assert ("vfs", "ens1f0", "a") in named
