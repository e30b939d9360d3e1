"""Live sessions of Janus: their addresses and ports become fixed ones, so that nothing moves when dtnctl takes over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from dtnctl.model.drivers import DRIVERS, HOST_NETWORK
from dtnctl.repository.converting.conversion import Conversion
from dtnctl.repository.converting.foreign import Foreign
from dtnctl.repository.converting.janus_networks import is_address
from dtnctl.repository.converting.janus_profile import Folder
from dtnctl.repository.converting.janus_profiles import convert_profile, name_of
from dtnctl.repository.converting.janus_records import Record, records
from dtnctl.repository.converting.owners import allow_of

STATES = {"INITIALIZED": "initialized", "STARTED": "started", "STOPPED": "stopped"}
LOGIN = "dtnaas"  # the engine's login is in no file of Janus


def convert_sessions(active: Foreign, folder: Folder, conversion: Conversion) -> None:
    """A session for each record, and an endpoint for each host that one runs on."""
    hosts: dict[str, Foreign] = {}
    for record in records(active):
        by_number: dict[int, dict[str, Foreign]] = defaultdict(dict)
        for endpoint, number, service in record.services():
            if isinstance(service.value, dict):
                by_number[number][endpoint] = service
                hosts.setdefault(endpoint, service)
        for number, services in sorted(by_number.items()):
            _session(record, number, services, folder, conversion)
    for name, service in sorted(hosts.items()):
        _endpoint(name, service, conversion)


def _session(record: Record, number: int, services: Mapping[str, Foreign], folder: Folder, conversion: Conversion) -> None:
    first = next(iter(services.values()))
    wanted = f"janus-{record.id}" + (f"-{number + 1}" if number else "")
    request = next(iter(record.requests()), record.item.at("request"))
    profile = _profile(first, request, folder, conversion)
    fields: dict[str, Any] = {"endpoints": [conversion.name_of("endpoint", name, service) for name, service in services.items()]}
    image = first.at("image").value or request.at("image").value
    if not image:
        conversion.refused(record.item, f"session {record.id} has no image: it is left out")
        return
    fields |= {"image": str(image), "profile": profile}
    user = first.at("container_user").value or request.at("kwargs", "USER_NAME").value
    if user:
        fields["user"] = str(user)
    fields["state"] = _state(record, conversion)
    settings = _settings(record, request, conversion)
    if settings:
        fields["settings"] = settings
    pins = {conversion.name_of("endpoint", name, service): _pins(service, profile, conversion) for name, service in services.items()}
    overrides = {name: found for name, found in pins.items() if found}
    if overrides:
        fields["overrides"] = overrides
    _differing(services, conversion)
    ours = conversion.name_of("session", wanted, record.item)
    conversion.put("sessions", ours, fields, record.item.where())


def _profile(service: Foreign, request: Foreign, folder: Folder, conversion: Conversion) -> str:
    """The session's profile; one that no file has is made of Janus' defaults."""
    name = str(service.at("profile").value or request.at("profile").value or "default")
    if ("profile", name) not in conversion.names:
        origin = service.at("profile")
        conversion.refused(
            origin, f"profile `{name}` is in no profiles file (made by Janus' API?): Janus' defaults and the network that runs are written"
        )
        attached = {"data_net": service.at("data_net_name").value} if service.at("data_net_name").value else {}
        convert_profile(name, Foreign(origin.file, attached, origin.lines, origin.location), folder, conversion)
    return conversion.names["profile", name]


def _state(record: Record, conversion: Conversion) -> str:
    item = record.item.at("state")
    state = STATES.get(str(item.value))
    if state is None:
        conversion.changed(item, f"session {record.id} is {item.value}: some of its services failed; it is to be started")
    return state or "started"


def _settings(record: Record, request: Foreign, conversion: Conversion) -> dict[str, Any]:
    found: dict[str, Any] = {}
    key = request.at("kwargs", "PUBLIC_KEY").value
    if isinstance(key, str) and key.strip():
        found["ssh_keys"] = [line.strip() for line in key.splitlines() if line.strip()]
    for name in ("arguments", "entrypoint"):
        if request.at(name).value:
            value = request.at(name).value
            found[name] = [str(item) for item in value] if isinstance(value, list) else str(value)
    if request.at("dns").value:
        found["dns"] = [str(item.value) for item in request.at("dns").entries() if is_address(item.value)]
    if request.at("kwargs", "DEPLOYMENT_KEY").value:
        conversion.dropped(
            request.at("kwargs", "DEPLOYMENT_KEY"), "DEPLOYMENT_KEY is a secret, and secrets are not written into state files"
        )
    if request.at("remove_container").value:
        conversion.dropped(request.at("remove_container"), "`remove_container`: containers stay until the session's file is removed")
    if record.item.at("peer").value:
        conversion.dropped(record.item.at("peer"), "`peer` of a session")
    return found


def _pins(service: Foreign, profile: str, conversion: Conversion) -> dict[str, Any]:
    """The ports and addresses that the service has, as fixed ones of its endpoint."""
    found: dict[str, Any] = {}
    settings = conversion.files["profiles", profile]
    for key in ("ctrl_port", "serv_port"):
        text = str(service.at(key).value or "")
        if text.isdecimal() and settings.get(f"{key}_range") is not None:
            found[f"{key}_range"] = [int(text), int(text)]
    mgmt = settings.get("mgmt_net")
    if mgmt not in (None, HOST_NETWORK):
        pinned = _pinned(mgmt, service, "mgmt", conversion)
        if pinned != mgmt:
            found["mgmt_net"] = pinned
    nets = settings.get("data_nets", [])
    pinned_nets = [_pinned(net, service, "data", conversion) if index == 0 else net for index, net in enumerate(nets)]
    if pinned_nets != nets:
        found["data_nets"] = pinned_nets
    drivers = [conversion.files.get(("networks", name_of(net)), {}).get("driver") for net in nets]
    if service.at("data_vfmac").value and any(DRIVERS[driver].gives_functions for driver in drivers if driver is not None):
        text = "which virtual function a service gets is chosen by dtnctl, and its MAC with it: this one changes on take-over"
        conversion.changed(service.at("data_vfmac"), text)
    return found


def _pinned(net: Any, service: Foreign, role: str, conversion: Conversion) -> Any:
    """The network with the addresses that run; those of the engine's own choice on a bridge stay the engine's."""
    name = name_of(net)
    fields = conversion.files.get(("networks", name), {})
    found = {"name": name}
    for family, subnet in (("ipv4", "subnet"), ("ipv6", "subnet6")):
        item = service.at(f"{role}_{family}")
        if not is_address(item.value):
            continue
        if subnet in fields:
            found[family] = str(item.value)
        else:
            conversion.dropped(item, f"address {item.value}: network `{name}` has no `{subnet}` to fix one in")
    return found if len(found) > 1 else net


def _differing(services: Mapping[str, Foreign], conversion: Conversion) -> None:
    """A session has one image and one profile here."""
    first, *others = services.values()
    for service in others:
        for key in ("image", "profile"):
            if service.at(key).value != first.at(key).value:
                text = f"`{key}` differs from that of the session's first endpoint, `{first.at(key).value}`, which counts for all"
                conversion.refused(service.at(key), text)


# --- endpoints ----------------------------------------------------------------------------------------------


def _endpoint(name: str, service: Foreign, conversion: Conversion) -> None:
    ours = conversion.name_of("endpoint", name, service)
    host = str(service.at("ctrl_host").value or name)
    profiles = list(_used_profiles(ours, conversion))
    fields: dict[str, Any] = {"docker": f"ssh://{LOGIN}@{host}", "host": host}
    text = f"endpoint `{ours}` is reached by `docker: {fields['docker']}`: a guess; Janus went through Portainer"
    conversion.changed(service.at("ctrl_host"), text)
    nets = {name_of(net) for profile in profiles for net in _nets(profile)}
    interfaces = {net: conversion.interfaces[net] for net in sorted(nets & conversion.interfaces.keys())}
    if interfaces:
        fields["interfaces"] = interfaces
    for net in sorted(nets - interfaces.keys()):
        driver = conversion.files.get(("networks", net), {}).get("driver")
        if driver is not None and DRIVERS[driver].needs_interface:
            conversion.refused(
                service, f"which interface of `{ours}` carries network `{net}` is not known: write `interfaces: {{{net}: …}}`"
            )
    if any(_needs_agent(profile, conversion) for profile in profiles):
        fields["agent"] = "ssh"
        conversion.changed(service, f"endpoint `{ours}` needs dtnctl's agent instead of Janus': `dtnctl endpoints add` installs it")
    allow = allow_of(profiles)
    if allow:
        fields["allow"] = allow
        conversion.changed(service, f"`allow:` of `{ours}` lists what its sessions have; Janus let every user have everything")
    conversion.put("endpoints", ours, fields, service.where())


def _used_profiles(endpoint: str, conversion: Conversion) -> Iterator[Mapping[str, Any]]:
    for (kind, _), fields in list(conversion.files.items()):
        if kind == "sessions" and endpoint in fields["endpoints"]:
            yield conversion.files["profiles", fields["profile"]]


def _nets(profile: Mapping[str, Any]) -> Iterator[Any]:
    yield from profile.get("data_nets", [])
    if profile.get("mgmt_net") is not None:
        yield profile["mgmt_net"]


def _needs_agent(profile: Mapping[str, Any], conversion: Conversion) -> bool:
    drivers = [conversion.files.get(("networks", name_of(net)), {}).get("driver") for net in _nets(profile)]
    gives = any(driver is not None and DRIVERS[driver].needs_agent for driver in drivers)
    return gives or "qos" in profile or "near" in profile or "uverbs" in profile.get("devices", [])
