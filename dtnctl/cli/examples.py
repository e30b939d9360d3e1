"""Examples for the help of every command: what to type, and what for."""

from __future__ import annotations

from typing import Any

from dtnctl.cli.common import EVERYWHERE

EXAMPLES: dict[str, tuple[str, ...]] = {
    "init": ("dtnctl init my-site", "dtnctl init my-site --ci github", "cd my-site && git init && dtnctl validate"),
    "validate": ("dtnctl validate", "dtnctl validate -C my-site -o json"),
    "fmt": ("dtnctl fmt", "dtnctl fmt --check state/sessions"),
    "schema": ("dtnctl schema session", "dtnctl schema --out .dtnctl/schema"),
    "convert janus": (
        "dtnctl convert janus /etc/janus/profiles --out my-site",
        "dtnctl convert janus profiles --from v0.2 --active active.json --out my-site",
    ),
    "convert compose": ("dtnctl convert compose compose.yaml --endpoint dtn1 --docker ssh://dtn@dtn1.example.net --out my-site",),
    "check": (
        "dtnctl check --all-refs",
        "dtnctl check --all-refs --base origin/main -o markdown",
        "dtnctl check --owners origin/main..HEAD",
        "git fetch origin '+refs/pull/*/head:refs/remotes/origin/pull/*'",
    ),
    "doctor": (
        "dtnctl doctor ssh://dtn@dtn1",
        "dtnctl doctor ssh://dtn1 ssh://dtn2 -o html",
        "dtnctl doctor ssh://dtn1 --write",
    ),
    "plan": ("dtnctl plan", "dtnctl plan --target session/climate --all", "dtnctl plan --out plan.json --detailed-exitcode"),
    "apply": ("dtnctl apply", "dtnctl apply --expect 247f4bdf9be26063", "dtnctl apply --target session/climate --yes --timeout 30s"),
    "drift": ("dtnctl drift", "dtnctl drift --detailed-exitcode -o markdown"),
    "reconcile": (
        "dtnctl reconcile --repo git@forge.example.net:us/my-dtns.git --deploy-key key --known-hosts hosts --interval 1m",
        "dtnctl reconcile --repo https://forge.example.net/us/my-dtns.git --allowed-signers signers --metrics 127.0.0.1:9108",
        "dtnctl reconcile --print-unit >/etc/systemd/system/dtnctl-reconcile.service",
    ),
    "destroy": ("dtnctl destroy --dry-run", "dtnctl destroy --target session/climate", "dtnctl destroy --yes --confirm my-site"),
    "inventory refresh": ("dtnctl inventory refresh", "dtnctl inventory refresh dtn1 dtn2 && git add .dtnctl/inventory"),
    "inventory show": ("dtnctl inventory show",),
    "report github": ("dtnctl plan -o json >plan.json; dtnctl report github plan.json",),
    "report gitlab": ("dtnctl plan -o json >plan.json; dtnctl report gitlab plan.json",),
    "report webhook": ("DTNCTL_REPORT_URL=https://hooks.example.net/dtn dtnctl report webhook plan.json",),
    "report issue": ("dtnctl drift -o markdown >drift.md; dtnctl report issue github drift.md",),
    "history": ("dtnctl history", "dtnctl history climate --limit 5", "dtnctl history --offline -o json"),
    "show": ("dtnctl show", "dtnctl show 4f2c1e9", "dtnctl show main -o json"),
    "rollback": (
        "dtnctl rollback climate",
        "dtnctl rollback climate --to 4f2c1e9 --alone --commit && dtnctl apply",
        "dtnctl rollback climate --also profile/dtn --write",
    ),
    "unlock": ("dtnctl unlock dtn1",),
    "status": ("dtnctl status", "dtnctl status -o wide", "dtnctl status -o json"),
    "graph networks": (
        "dtnctl graph networks --out networks.svg",
        "dtnctl graph networks -o mermaid --offline",
        "dtnctl graph networks -o dot | dot -Tpdf >networks.pdf",
    ),
    "graph host": ("dtnctl graph host dtn1 --out dtn1.svg", "dtnctl graph host dtn1 --offline -o mermaid"),
    "graph transfer": ("dtnctl graph transfer run14 --out run14.svg",),
    "ls": ("dtnctl ls", "dtnctl ls active", "dtnctl ls active/8/services/dtn1 -o json"),
    "shell": ("dtnctl shell", "dtnctl shell <commands.txt", "printf 'session start 12\\napply --yes\\n' | dtnctl shell --echo"),
    "top": ("dtnctl top", "dtnctl top --once", "dtnctl top --label region=eu --every 5s"),
    "sessions list": ("dtnctl sessions list", "dtnctl sessions list -o wide"),
    "sessions show": ("dtnctl sessions show climate", "dtnctl sessions show climate -o json"),
    "sessions compare": ("dtnctl sessions compare janus-8 janus-lbnl-400g-1-8-1 --endpoint starlight-dtn",),
    "sessions logs": ("dtnctl sessions logs climate", "dtnctl sessions logs climate --endpoint dtn1 -f"),
    "sessions create": ("dtnctl sessions create dtn1,dtn2 --image dtn:1 --profile dtn", "dtnctl session create dtn1 image dtn:1 --commit"),
    "sessions start": ("dtnctl sessions start climate", "dtnctl apply"),
    "sessions stop": ("dtnctl sessions stop climate --commit", "dtnctl apply"),
    "sessions delete": ("dtnctl sessions delete climate", "dtnctl apply"),
    "transfers list": ("dtnctl transfers list", "dtnctl transfers list -o wide"),
    "transfers show": ("dtnctl transfers show run14",),
    "transfers logs": (
        "dtnctl transfers logs run14",
        "dtnctl transfers logs -f run14",
        "dtnctl transfers logs run14 --source --destination",
    ),
    "transfers plot": ("dtnctl transfers plot run14", "dtnctl transfers plot run14 --out run14.png"),
    "transfers cancel": ("dtnctl transfers cancel run14",),
    "transfers resolve": ('dtnctl transfers resolve run14 --succeeded --reason "sizes and checksums looked at"',),
    "transfers create": ("dtnctl transfer dtn1:/data/run14.nc dtn2:/data/run14.nc gridftp", "dtnctl apply"),
    "endpoints list": ("dtnctl endpoints list",),
    "endpoints show": ("dtnctl endpoints show dtn1",),
    "endpoints doctor": ("dtnctl endpoints doctor dtn1", "dtnctl endpoints doctor --all --all-items"),
    "endpoints add": ("dtnctl endpoints add dtn1 --ssh root@dtn1.example.net --interface data=ens1f0 --print",),
    "endpoints import": (
        "dtnctl endpoints import portainer https://portainer.example.net:9443 --print",
        "dtnctl endpoints import portainer https://portainer.example.net:9443 --key env:PORTAINER_KEY --team transfer",
    ),
    "networks list": ("dtnctl networks list",),
    "networks show": ("dtnctl networks show data",),
    "profiles list": ("dtnctl profiles list",),
    "profiles show": ("dtnctl profiles show dtn",),
    "paths list": ("dtnctl paths list", "dtnctl paths list -o wide"),
    "paths check": ("dtnctl paths check berlin-chicago", "dtnctl paths check berlin-chicago --session climate"),
    "paths show": ("dtnctl paths show berlin-chicago", "dtnctl paths show berlin-chicago -o json"),
    "volumes list": ("dtnctl volumes list", "dtnctl volumes list -o wide"),
    "volumes show": ("dtnctl volumes show scratch", "dtnctl volumes show scratch -o json"),
    "tools list": ("dtnctl tools list", "dtnctl tools list -o wide"),
    "tools show": ("dtnctl tools show gridftp",),
    "bench network": (
        "dtnctl bench network dtn1 dtn2",
        "dtnctl bench network dtn1 dtn2 --rounds 10 --streams 8 --out figures.md",
        "dtnctl bench network dtn1 dtn2 --mode host --mode macvlan --address 10.20.0.12",
    ),
    "bench storage": (
        "dtnctl bench storage climate",
        "dtnctl bench storage climate --endpoint dtn1 --volume /data --size 8GiB --duration 30s --out disks.md",
    ),
    "web": (
        "dtnctl web",
        "dtnctl web --port 8400 --interval 30s",
        "dtnctl web --listen 192.0.2.10 --token-file /etc/dtnctl/web-token --name dtn.example.net",
    ),
    "completion": ("source <(dtnctl completion bash)", "source <(dtnctl completion zsh)", "dtnctl completion fish | source"),
    "help": ("dtnctl help", "dtnctl help transfers", "dtnctl help sessions create"),
    "version": ("dtnctl version",),
}


def add_examples(command: Any, path: str) -> Any:
    """The command, and those below it, with their examples at the end of their help."""
    for verb, below in getattr(command, "commands", {}).items():
        add_examples(below, f"{path} {verb}")
    command.epilog = EVERYWHERE
    if found := EXAMPLES.get(path):
        lines = [f"Example{'s' * (len(found) > 1)}:", *(f"  {line}" for line in found)]
        command.epilog = "\b\n" + "\n".join(lines) + "\n\n" + EVERYWHERE
    return command
