"""A site that has a secret in every place that takes one, each with a canary in it that no output may sing."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from tests.fakes.engine import RegistryImage, World
from tests.fakes.http_api import serve
from tests.model.test_nvme_keys import key
from tests.runtime.program import Result, dtnctl
from tests.runtime.reporting.forge_server import ForgeServer
from tests.sops_program import prepare

SHA = "4f2c1e9" + "0" * 33
STATE = {
    "site": """\
name: small
fingerprint_key: {secret: env:C_FINGERPRINT}
registries:
  reg.example.net: {username: ann, password: {secret: "file:OUTSIDE/registry"}}
  old.example.net: {username: ann, password_env: C_REGISTRY_OLD}
  older.example.net: {username: ann, password_file: OUTSIDE/registry_file}
path_providers:
  circuits: {kind: nsi, url: "http://127.0.0.1:9", token: {secret: env:C_PATH_TOKEN}, options: {requester: r, aggregator: g}}
  legacy: {kind: oess, url: "http://127.0.0.1:9", user: ann, password: {secret: "file:OUTSIDE/path_password"}, options: {workgroup: "7"}}
""",
    "paths/away": """provider: circuits
ends:
  - {endpoint: a, port: "urn:ogf:network:x.example.net:2026:one"}
  - {endpoint: b, port: "urn:ogf:network:x.example.net:2026:two"}
vlan: 1780-1789
bandwidth: 10gbit
""",
    "endpoints/a": "docker: SOCKET_A\nhost: a.example.net\nallow: {mounts: [/], volumes: ['*'], networks: ['*']}\n",
    "endpoints/b": """\
docker: SOCKET_B
host: b.example.net
agent: https://127.0.0.1:9
agent_token: {secret: env:C_AGENT}
allow: {volumes: [nvme]}
""",
    "endpoints/c": "docker: SOCKET_C\nhost: c.example.net\nagent: https://127.0.0.1:9\nagent_token_file: OUTSIDE/agent_file\n",
    "endpoints/d": "docker: portainer+http://127.0.0.1:9/d\nhost: d.example.net\nportainer: {key: {secret: env:C_PORTAINER}}\n",
    "profiles/p": """\
pull: never
user: dtn
ctrl_port_range: [30000, 30009]
volumes: ["data:/data"]
env:
  BY_VARIABLE: {secret: env:C_VARIABLE}
  BY_FILE: {secret: "file:OUTSIDE/file"}
  BY_SOPS: {secret: "sops:secrets.yaml#s3.token"}
""",
    "volumes/disk": """\
target: {external: {address: 10.20.0.12, nqn: "nqn.2001-01.com.example:x", uuid: 11111111-2222-4333-8444-555555555555}}
filesystem: xfs
auth: {host_key: {secret: env:C_NVME_KEY}}
""",
    "sessions/k": "endpoints: [b]\nimage: app:1\nprofile: p\nsettings: {volumes: ['nvme:disk:/disk']}\n",
    "sessions/s": "endpoints: [a, b]\nimage: app:1\nprofile: p\n",
    "sessions/r": "endpoints: [a]\nimage: reg.example.net/app:1\nprofile: p\nsettings: {pull: always}\n",
    "sessions/old": "endpoints: [a]\nimage: old.example.net/app:1\nprofile: p\nsettings: {pull: always}\n",
    "sessions/older": "endpoints: [a]\nimage: older.example.net/app:1\nprofile: p\nsettings: {pull: always}\n",
    "sessions/v": """\
endpoints: [a]
image: app:1
profile: p
settings:
  volumes:
    - {source: share, target: /share, driver: local, driver_opts: {type: cifs, device: //nas/x, o: "username=u,password=C_VOLUME"}}
""",
    "transfers/t": """\
from: a:/data/one
to: b:/data/one
tool: rsync
session: s
notify: {url: {secret: "sops:secrets.yaml#hooks.ops"}}
""",
}
COMPOSE = "services:\n  app:\n    image: app:1\n    environment:\n      PASSWORD: C_COMPOSE\n"


@dataclass
class CanarySite:
    """The repository, the engines, and all that was printed. `outside` has the files that the secrets are in."""

    root: Path
    outside: Path
    world: World
    forge: ForgeServer
    canaries: Mapping[str, str]
    ran: list[tuple[str, Result]] = field(default_factory=list)
    environments: list[Any] = field(default_factory=list)
    objects: list[Any] = field(default_factory=list)

    def run(self, *arguments: str) -> Result:
        """Run dtnctl with `--debug` and keep what it printed."""
        result = dtnctl_with_bytes(self.root, *arguments)
        self.ran.append((" ".join(arguments), result))
        return result

    def filled(self, line: str) -> str:
        """A command's line with the site's paths, and with a password where one stands in an address."""
        words = {"OUTSIDE": str(self.outside), "ROOT": str(self.root), "LOOP_PASSWORD": self.canaries["loop_password"]}
        words["PORTAINER_CANARY"] = self.canaries["portainer"]
        return reduce(lambda text, word: text.replace(*word), words.items(), line)

    def remember_engines(self) -> None:
        """What is on the engines now: the environments of containers, and everything else that has a label or a name."""
        for engine in self.world.engines.values():
            for container in engine.state.containers.values():
                config = dict(container.config)
                self.environments.append(config.pop("Env", None))
                self.objects.append([container.name, config])
            self.objects += [[item.name, item.labels] for item in engine.state.networks.values()]
            self.objects += [[item.name, item.labels] for item in engine.state.volumes.values()]

    def git(self, *arguments: str) -> bytes:
        author = ("-c", "user.name=t", "-c", "user.email=t@example.net")
        return subprocess.run(["git", *author, *arguments], cwd=self.root, check=True, capture_output=True).stdout

    def found_in(self, text: str) -> list[str]:
        """Names of the canaries in it."""
        return sorted(name for name, value in self.canaries.items() if value in text)


class Output(io.StringIO):
    """A stream of text that takes bytes, too, as that of a process does."""

    @property
    def buffer(self) -> Any:
        """What takes bytes."""
        return _Bytes(self)


class _Bytes(io.RawIOBase):
    def __init__(self, text: io.StringIO) -> None:
        self.text = text

    def write(self, data: Any) -> int:
        self.text.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)


def dtnctl_with_bytes(folder: Path, *arguments: str) -> Result:
    """Run it in this process; logs of containers are written as bytes."""
    kept = io.StringIO
    with contextlib.ExitStack() as stack:
        stack.callback(setattr, io, "StringIO", kept)
        io.StringIO = Output  # type: ignore[misc]
        return dtnctl(folder, *arguments)


@contextlib.contextmanager
def canary_site(folder: Path) -> Iterator[tuple[CanarySite, dict[str, str]]]:
    """The site, not applied yet, with the environment that its commands need."""
    root, outside = folder / "repository", folder / "outside"
    root.mkdir()
    names = (
        *("fingerprint", "registry", "registry_old", "registry_file", "agent", "agent_file", "variable", "file", "sops", "volume"),
        *("webhook", "github", "gitlab", "report", "hook_secret", "compose", "janus", "loop_webhook", "loop_password"),
        *("portainer", "path_token", "path_password"),
    )
    canaries = {name: f"canary-{name.replace('_', '-')}-{number:016x}" for number, name in enumerate(names, start=0xA11CE)}
    canaries["volume_key"] = key(canaries["agent"].encode().ljust(32))  # one that is no key would not be used
    with World(["a", "b", "c"]) as world, serve(ForgeServer()) as forge:
        _prepare_engines(world, canaries)
        hooks = {"ops": f"{forge.url}/hook/{canaries['webhook']}"}
        sops = prepare(outside, root / "secrets.yaml", {"s3": {"token": canaries["sops"]}, "hooks": hooks})
        for name in ("registry", "registry_file", "agent_file", "file", "loop_webhook", "path_password"):
            (outside / name).write_text(canaries[name] + "\n")
        _write_state(root, outside, world, canaries)
        forge.tokens = (canaries["github"], canaries["gitlab"])
        site = CanarySite(root, outside, world, forge, canaries)
        site.git("init", "--quiet", "--initial-branch=main")
        site.git("add", "--all")
        site.git("commit", "--quiet", "--message=state")
        yield site, sops | _environment(folder, forge.url, canaries)


def _prepare_engines(world: World, canaries: Mapping[str, str]) -> None:
    world.add_image("app:1", {"Cmd": ["serve"]})
    for host, name in (("reg", "registry"), ("old", "registry_old"), ("older", "registry_file")):
        image = RegistryImage({"Cmd": ["serve"]}, username="ann", password=canaries[name])
        world.engine("a").machine.registry[f"{host}.example.net/app:1"] = image


def _write_state(root: Path, outside: Path, world: World, canaries: Mapping[str, str]) -> None:
    words = {"OUTSIDE": str(outside), "C_VOLUME": canaries["volume"], "C_COMPOSE": canaries["compose"]}
    words |= {f"SOCKET_{name.upper()}": f"unix://{world.sockets[name]}" for name in ("a", "b", "c")}
    files = {root / "state" / f"{name}.yaml": text for name, text in STATE.items()} | {outside / "compose.yaml": COMPOSE}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(reduce(lambda written, word: written.replace(*word), words.items(), text))
    (outside / "janus").mkdir()
    profile = {"environment": [f"PASSWORD={canaries['janus']}"], "volumes": []}
    (outside / "janus" / "profiles.yaml").write_text(json.dumps({"volumes": {}, "features": {}, "profiles": {"p": profile}}))


def _environment(folder: Path, url: str, canaries: Mapping[str, str]) -> dict[str, str]:
    return {
        "HOME": str(folder / "home"),
        "XDG_STATE_HOME": str(folder / "home/state"),
        "XDG_CACHE_HOME": str(folder / "home/cache"),
        "C_FINGERPRINT": canaries["fingerprint"],
        "C_REGISTRY_OLD": canaries["registry_old"],
        "C_AGENT": canaries["agent"],
        "C_PATH_TOKEN": canaries["path_token"],
        "C_PORTAINER": canaries["portainer"],
        "C_VARIABLE": canaries["variable"],
        "C_NVME_KEY": canaries["volume_key"],
        "GITHUB_TOKEN": canaries["github"],
        "GITHUB_REPOSITORY": "dtn/state",
        "GITHUB_API_URL": url,
        "GITHUB_SHA": SHA,
        "PULL_REQUEST": "7",
        "GITLAB_TOKEN": canaries["gitlab"],
        "CI_API_V4_URL": f"{url}/api/v4",
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "7",
        "DTNCTL_REPORT_URL": f"{url}/hook/{canaries['report']}",
        "DTNCTL_REPORT_SECRET": canaries["hook_secret"],
    }
