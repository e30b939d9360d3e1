"""Host profiles of Janus, field by field. What was missing is written out, so that nothing hangs on the defaults of either program."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Callable, Iterator
from typing import Any

from dtnctl.model.drivers import BUILT_IN, DRIVERS, HOST_NETWORK
from dtnctl.repository.converting.conversion import SECRET, Conversion
from dtnctl.repository.converting.foreign import Foreign
from dtnctl.repository.converting.janus_parts import convert_features, convert_qos, convert_volumes
from dtnctl.repository.converting.janus_ports import PORT_KEYS, convert_ports
from dtnctl.repository.converting.janus_profile import Folder, Profile

GIB = 1024**3
NO = (None, False, 0, "", "false", "False")
# What Janus sets in every container, and dtnctl too, under the same names.
OWN_VARIABLES = ("HOSTNAME", "CTRL_PORT", "SERV_PORT", "DATA_PORTS", "USER_NAME", "PUBLIC_KEY", "DEPLOYMENT_KEY", "DATA_IFACE")
KNOWN = frozenset(
    {
        "privileged", "systemd", "pull_image", "cpu", "memory", "mem", "affinity", "cpu_set", "auto_tune", "mgmt_net", "data_net",
        "data_nets", "features", "volumes", "environment", "qos", "tools", "arguments", "entrypoint", "dns", "post_starts", "post-starts",
        "users", "groups", *PORT_KEYS,
    }
)  # fmt: skip


def convert_profiles(folder: Folder, conversion: Conversion) -> None:
    """A file for each profile."""
    for name, item in folder.sections["profiles"].items():
        if not isinstance(item.value, dict | None):
            conversion.refused(item, f"profile `{name}` is no mapping, so Janus skipped it: it is left out")
            continue
        convert_profile(name, item, folder, conversion)


def convert_profile(name: str, item: Foreign, folder: Folder, conversion: Conversion) -> None:
    """One profile; its keys may stand below `settings`, beside users and groups."""
    settings = item.at("settings") if isinstance(item.at("settings").value, dict) else item
    profile = Profile(name, settings, folder, conversion)
    for convert in STEPS:
        convert(profile)
    for holder in {id(place): place for place in (item, settings)}.values():
        for key, value in holder.items():
            if key not in KNOWN and not (key == "settings" and holder is item and settings is not item):
                conversion.dropped(value, f"`{key}` is no key of a profile; Janus ignored it, too")
    for key in ("users", "groups"):
        if item.at(key).value:
            conversion.dropped(item.at(key), f"`{key}`: who may change what is decided by reviews here; see CODEOWNERS of your forge")
    ours = conversion.name_of("profile", name, item)
    conversion.put("profiles", ours, profile.fields, item.where())


# --- one key at a time --------------------------------------------------------------------------------------


def _flags(profile: Profile) -> None:
    for key, ours, value in (("privileged", "privileged", True), ("systemd", "systemd", True), ("pull_image", "pull", "always")):
        if profile.at(key).value in (True, "true", "True", 1):
            profile.fields[ours] = value
        elif profile.at(key).value not in NO:
            profile.conversion.dropped(profile.at(key), f"`{key}: {profile.at(key).value}` is neither true nor false")
    if profile.has("auto_tune"):
        profile.conversion.dropped(profile.at("auto_tune"), "`auto_tune` had no effect; see `tuning:` of an endpoint")
    profile.fields["restart"] = "no"  # Janus never set a policy


def _memory(profile: Profile) -> None:
    current, other = ("mem", "memory") if profile.folder.era == "v0.2" else ("memory", "mem")
    key = profile.current(current, other, "gave 8 GiB")
    if not profile.has(key):
        profile.fields["memory"] = "8GiB"
        return
    value = profile.at(key).value
    if not value:
        profile.fields["memory"] = None
    elif isinstance(value, int) and not isinstance(value, bool):
        profile.fields["memory"] = f"{value // GIB}GiB" if value % GIB == 0 else value
    else:
        profile.conversion.refused(profile.at(key), f"`{key}: {value}` is no number of bytes; the default of 8 GiB is written")
        profile.fields["memory"] = "8GiB"


def _cpus(profile: Profile) -> None:
    """Janus applied none of these on Docker; what is written is what was wanted."""
    cpu, cpu_set = profile.at("cpu"), profile.at("cpu_set")
    if isinstance(cpu.value, int | float) and not isinstance(cpu.value, bool) and cpu.value > 0:
        number = float(cpu.value)
        profile.fields["cpus"] = int(number) if number.is_integer() else number
        profile.conversion.changed(cpu, f"Janus never limited CPUs on Docker: `cpus: {profile.fields['cpus']}` takes effect")
    elif cpu.value:
        profile.conversion.dropped(cpu, f"`cpu: {cpu.value}` is no number")
    if profile.is_set("cpu_set"):
        profile.fields["cpu_set"] = str(cpu_set.value)
        profile.conversion.changed(cpu_set, "Janus never used `cpu_set`: it takes effect")
    if profile.is_set("affinity"):
        profile.conversion.dropped(
            profile.at("affinity"), "`affinity` never had an effect; `near: data_net` pins CPUs beside the interface"
        )


def _networks(profile: Profile) -> None:
    conversion = profile.conversion
    mgmt = profile.at("mgmt_net")
    profile.fields["mgmt_net"] = attachment(mgmt, conversion) if profile.has("mgmt_net") else "bridge"
    data = profile.at("data_net") if profile.has("data_net") else profile.at("data_nets")
    if profile.has("data_net") and profile.is_set("data_nets"):
        conversion.dropped(profile.at("data_nets"), "`data_nets`: `data_net` is there, too")
    nets = [found for entry in data.entries() if (found := attachment(entry, conversion)) is not None]
    if not nets:
        return
    if profile.fields["mgmt_net"] == HOST_NETWORK:
        conversion.dropped(data, "a data network beside the host's own network: Janus ignored it")
        return
    profile.fields["data_nets"] = nets
    drivers = {conversion.files.get(("networks", name_of(net)), {}).get("driver") for net in nets}
    if any(DRIVERS[driver].gives_functions for driver in drivers if driver is not None):
        _pin(profile, data)


def _pin(profile: Profile, data: Foreign) -> None:
    """With SR-IOV, Janus let the container run on all CPUs of the interface's NUMA node."""
    whole = profile.fields.get("cpus", 0)
    if "cpu_set" not in profile.fields and isinstance(whole, int) and whole:
        profile.fields["near"] = "data_net"
        text = (
            f"Janus let it run on all CPUs beside the interface, shared with others: {whole} of them are its own now, by `near: data_net`"
        )
        profile.conversion.changed(data, text)
    elif "cpu_set" not in profile.fields:
        text = (
            "Janus let it run on all CPUs beside the interface: it may run on all CPUs of the host; `cpus: N` with `near: data_net` pins it"
        )
        profile.conversion.changed(data, text)


def attachment(item: Foreign, conversion: Conversion) -> Any:
    """A network with its fixed addresses; None for none, and for one that is not declared."""
    value = item.value
    name = item.at("name").value if isinstance(value, dict) else value
    if not isinstance(name, str) or name in ("", "none"):
        return None
    if name not in BUILT_IN and ("network", name) not in conversion.names:
        conversion.refused(item, f"network `{name}` is in no networks file, so nothing is known of it: it is not attached")
        return None
    ours = conversion.names.get(("network", name), name)
    found: dict[str, Any] = {"name": ours}
    for key, family in (("ipv4_addr", "ipv4"), ("ipv6_addr", "ipv6")):
        addresses = [text for entry in item.at(key).entries() if (text := _address(entry, conversion))]
        if addresses:
            found[family] = addresses[0] if len(addresses) == 1 else addresses
    return found if len(found) > 1 else ours


def _address(item: Foreign, conversion: Conversion) -> str:
    try:
        return str(ipaddress.ip_address(str(item.value)))
    except ValueError:
        conversion.dropped(item, f"`{item.value}` is no address")
        return ""


def name_of(net: Any) -> str:
    """The network's name in either form of an attachment."""
    return str(net["name"] if isinstance(net, dict) else net)


def _environment(profile: Profile) -> None:
    found: dict[str, str] = {}
    for entry in profile.at("environment").entries():
        name, sign, value = str(entry.value).partition("=")
        if not name or not sign:
            profile.conversion.dropped(entry, f"`{entry.value}` is not NAME=VALUE")
        elif SECRET.search(name):
            profile.conversion.refused(entry, f"{name} looks like a secret, so it is not written into a state file")
        elif name in OWN_VARIABLES:
            profile.conversion.dropped(entry, f"{name} is set by dtnctl, as it was by Janus")
        else:
            if name in found:
                profile.conversion.changed(entry, f"{name} is there twice; the last one counts, as in the engine")
            found[name] = value
    if found:
        profile.fields["env"] = found


def _command(profile: Profile) -> None:
    for key in ("arguments", "entrypoint"):
        if profile.is_set(key):
            value = profile.at(key).value
            profile.fields[key] = [str(item) for item in value] if isinstance(value, list) else shlex.split(str(value))
    for key in ("entrypoint", "dns"):
        if profile.is_set(key):
            profile.conversion.changed(profile.at(key), f"Janus ignored `{key}` of a profile: it takes effect")
    if profile.is_set("dns"):
        profile.fields["dns"] = [text for entry in profile.at("dns").entries() if (text := _address(entry, profile.conversion))]


def _routes(profile: Profile) -> None:
    """Ansible jobs after the start were there to set the default route."""
    for key in ("post_starts", "post-starts"):
        for entry in profile.at(key).entries():
            job = profile.folder.sections["post_starts"].get(str(entry.value))
            gateway = str(job.at("gateway").value) if job is not None else ""
            if job is not None:
                profile.conversion.dropped(job, f"job `{entry.value}` is not run; of it the gateway alone may count")
            carrying = [name_of(net) for net in profile.fields.get("data_nets", []) if _has_gateway(profile, name_of(net), gateway)]
            if key == "post-starts":
                profile.conversion.dropped(entry, f"Janus ignored `post-starts` (with a dash): job `{entry.value}` never ran")
            elif carrying and gateway:
                _route(profile, entry, carrying[0], gateway)
            else:
                profile.conversion.refused(entry, f"job `{entry.value}` is not run: dtnctl starts nothing in a container after its start")


def _route(profile: Profile, entry: Foreign, network: str, gateway: str) -> None:
    """The route at creation, where the engine would put it on that network."""
    chosen = profile.conversion.first_route(_attached(profile))
    text = f"the job that set a route through {gateway} is not run"
    if chosen == network:
        profile.fields["default_route"] = network
        profile.conversion.changed(entry, f"{text}: `default_route: {network}` sets it at creation")
        return
    fix = f"for one on `{network}`, {', '.join(_route_fixes(profile, network))}"
    profile.conversion.refused(entry, f"{text}: Docker puts the default route on `{chosen}`, the first network by name; {fix}")


def _route_fixes(profile: Profile, network: str) -> Iterator[str]:
    """What puts the default route on that network, which can have one: no network that can comes before it by name."""
    for name in sorted({*_attached(profile)}):
        if name < network and profile.conversion.first_route([name]):
            own = f"use a bridge of state/networks with a name after `{network}` in place of `{name}`"
            yield own if name in BUILT_IN else f"write `default_route: false` in state/networks/{name}.yaml"
    yield f"and write `default_route: {network}` in this profile"


def _default_route(profile: Profile) -> None:
    """Without such a job it was where the engine put it."""
    mgmt = profile.fields["mgmt_net"]
    if mgmt is None or not profile.fields.get("data_nets") or "default_route" in profile.fields:
        return
    route = profile.conversion.first_route(_attached(profile))
    if route and route != name_of(mgmt):
        profile.fields["default_route"] = route
        text = f"the default route is on `{route}`, where the engine put it: the first network by name"
        profile.conversion.changed(profile.at("data_net"), text)


def _attached(profile: Profile) -> list[str]:
    """The names of all that it is attached to."""
    nets = [profile.fields["mgmt_net"], *profile.fields.get("data_nets", [])]
    return [name_of(net) for net in nets if net is not None]


def _has_gateway(profile: Profile, network: str, gateway: str) -> bool:
    fields = profile.conversion.files.get(("networks", network), {})
    return gateway in (fields.get("gateway"), fields.get("gateway6"))


def _rest(profile: Profile) -> None:
    if profile.is_set("tools"):
        profile.conversion.dropped(profile.at("tools"), "`tools` was for Janus' web page; transfers name their tool")


STEPS: tuple[Callable[[Profile], None], ...] = (
    _flags,
    _memory,
    _cpus,
    _networks,
    convert_ports,
    convert_volumes,
    convert_features,
    convert_qos,
    _environment,
    _command,
    _routes,
    _default_route,
    _rest,
)
