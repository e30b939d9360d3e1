"""Further scenarios for the kill points of `make faults`: what is there, and what is then declared."""

from __future__ import annotations

from tests.faults.points import SCENARIOS, Scenario

CLIMATE = "endpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: dtn\n"
RUN14 = "from: dtn1:/data/run14.nc\nto: dtn2:/data/run14.nc\ntool: gridftp\n"
OF_CLIMATE = f"{RUN14}session: climate\n"
LAN = "driver: bridge\nsubnet: 172.30.0.0/24\naddresses: 172.30.0.10-172.30.0.20\n"
PROFILE = (
    "volumes: ['/data:/data']\ninit: true\nmemory: 1GiB\nuser: dtnaas\nsettle: 100ms\ndata_nets: [data]\n"
    "ctrl_port_range: [30000, 30100]\ndata_port_range: [50100, 50199]\n"
)

MORE = (
    Scenario("a session is stopped", {"sessions/climate": f"{CLIMATE}state: stopped\n", "transfers/run14": None}, starts_from_applied=True),
    Scenario("memory changes in place", {"profiles/dtn": PROFILE.replace("1GiB", "2GiB")}, starts_from_applied=True),
    Scenario("another image", {"sessions/climate": CLIMATE.replace("dtn:1", "dtn:2")}, starts_from_applied=True),
    Scenario(
        "an image that is pulled",
        {"sessions/far": CLIMATE.replace("dtn:1", "far:1"), "transfers/run14": OF_CLIMATE},
        starts_from_applied=True,
    ),
    Scenario(
        "a further network is connected",
        {"networks/lan": LAN, "profiles/dtn": PROFILE.replace("[data]", "[data, lan]")},
        starts_from_applied=True,
    ),
    Scenario(
        "the only network goes",
        {
            **dict.fromkeys(("endpoints/dtn1", "endpoints/dtn2"), "allow: {mounts: [/data]}\n"),
            "networks/data": None,
            "profiles/dtn": PROFILE.replace("data_nets: [data]\n", ""),
        },
        starts_from_applied=True,
    ),
    Scenario(
        "a session gets another name",
        {"sessions/climate": None, "sessions/weather": CLIMATE, "transfers/run14": None},
        starts_from_applied=True,
    ),
    Scenario(
        "containers that are made and not started",
        {"sessions/climate": f"{CLIMATE}state: initialized\n", "transfers/run14": None},
        starts_from_applied=False,
    ),
    Scenario(
        "a named volume",
        {"profiles/dtn": PROFILE.replace("['/data:/data']", "['/data:/data', {target: /scratch}]")},
        starts_from_applied=True,
    ),
    Scenario("a transfer's next generation", {"transfers/run14": f"{RUN14}generation: 2\n"}, starts_from_applied=True, job_starts=1),
    Scenario(
        "three transfers at once",
        {f"transfers/run14-{end}": RUN14.replace("to: dtn2:/data/run14", f"to: dtn2:/data/{end}") for end in "ab"},
        starts_from_applied=False,
        job_starts=1,
    ),
    Scenario("ports move", {"profiles/dtn": PROFILE.replace("[30000, 30100]", "[30200, 30300]")}, starts_from_applied=True),
    Scenario(
        "three sessions at once",
        {"sessions/a": CLIMATE, "sessions/b": CLIMATE, "transfers/run14": OF_CLIMATE},
        starts_from_applied=False,
        job_starts=1,
    ),
    Scenario(
        "one session takes the port of another that goes",
        {
            "profiles/dtn": PROFILE.replace("[30000, 30100]", "[30000, 30000]"),
            "sessions/climate": None,
            "sessions/next": CLIMATE,
            "transfers/run14": None,
        },
        starts_from_applied=True,
    ),
)
ALL_SCENARIOS = (*SCENARIOS, *MORE)
