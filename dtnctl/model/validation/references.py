"""Checks what one file cannot know by itself: names, networks and transfers that refer to other files.

What services claim from each other is in claims.py, addresses are in addressing.py. A name whose file exists but could
not be read is not reported: its own problem is.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from types import MappingProxyType
from typing import Any

from dtnctl.errors import Problem
from dtnctl.model.drivers import HOST_NETWORK, NO_NETWORK
from dtnctl.model.effective import DEFAULT_PROFILE, MOST_PROFILES, profile_chain, profile_layers
from dtnctl.model.fields import LONGEST_INTERFACE
from dtnctl.model.networking import attachments, can_route, carries_default_route, is_host_networked
from dtnctl.model.profile import Attachment, Profile, ProfileFields
from dtnctl.model.site import BUILT_IN_NETWORKS, Declarations, Document, Endpoint, Location, Network, Session
from dtnctl.model.suitable import ends
from dtnctl.model.transfer import Transfer
from dtnctl.model.validation.addressing import check_fixed_addresses, check_network_addresses
from dtnctl.model.validation.bridges import check_bridges
from dtnctl.model.validation.claims import check_claims
from dtnctl.model.validation.ends import check_hosts
from dtnctl.model.validation.following import check_following
from dtnctl.model.validation.known import DeclaredService, DeclaredSettings, Known, Place
from dtnctl.model.validation.limits import check_limits
from dtnctl.model.validation.paths import check_paths
from dtnctl.model.validation.tools import check_tool_name, check_tools
from dtnctl.model.validation.transfer_fields import check_fields
from dtnctl.model.validation.transfer_items import check_items
from dtnctl.model.validation.transferable import check_tool, check_transferable
from dtnctl.model.validation.volumes import check_volume_name, check_volumes

NOTHING_BROKEN: Mapping[str, AbstractSet[str]] = MappingProxyType({})
LEAST_IPV6_MTU = 1280
MOST_NAMED = 8  # in one piece of advice
_KIND_OF = {"endpoint": "endpoints", "network": "networks", "profile": "profiles", "session": "sessions"}
_CODE_OF = {"endpoint": "E0301", "network": "E0302", "profile": "E0303", "session": "E0304"}


def find_reference_problems(site: Declarations, now: datetime, broken: Mapping[str, AbstractSet[str]] = NOTHING_BROKEN) -> list[Problem]:
    """Every problem between files, sorted. `broken` names the files of each kind that could not be read."""
    known = Known(site, broken, now)
    for endpoint in site.endpoints.values():
        for network in endpoint.value.interfaces:
            _check_network_name(known, network, (endpoint, ("interfaces", network)))
    check_hosts(known)
    for network_file in site.networks.values():
        _check_network(known, network_file)
    for profile in site.profiles.values():
        _check_profile(known, profile)
    for session in site.sessions.values():
        _check_session(known, session)
    for service in known.services:
        _check_service(known, service)
    check_paths(known)
    check_tools(known)
    for transfer in site.transfers.values():
        _check_transfer(known, transfer)
    check_following(known)
    check_limits(known)
    check_bridges(known)
    check_claims(known)
    check_volumes(known)
    return sorted(known.problems)


def _check_name(known: Known, kind: str, name: str, place: Place) -> bool:
    """Whether the name has a file; reports it if not."""
    folder = _KIND_OF[kind]
    names = known.names(folder)
    if name in names:
        return True
    known.report(place, _CODE_OF[kind], f"there is no {kind} `{name}`", known.suggest(name, names, f"to write {folder}/{name}.yaml"))
    return False


def _check_network_name(known: Known, name: str, place: Place) -> None:
    if name not in BUILT_IN_NETWORKS:
        _check_name(known, "network", name, place)


# --- networks -----------------------------------------------------------------------------------------------


def _check_network(known: Known, document: Document[Network]) -> None:
    if document.name in (*BUILT_IN_NETWORKS, "default"):  # `default` is the engine's other word for bridge
        known.report((document, ()), "E0122", f"`{document.name}` is a network of the engine itself", "another file name")
    network = document.value
    if network.default_route and network.internal:
        known.report((document, ("default_route",)), "E0313", "an internal network has no default route", "false, or to remove `internal`")
    elif network.default_route and not can_route(network):
        known.report((document, ("default_route",)), "E0313", "there is no default route without a gateway", "`gateway: …`")
    if network.subnet6 is not None and network.mtu is not None and network.mtu < LEAST_IPV6_MTU:
        what = f"IPv6 needs packets of {LEAST_IPV6_MTU} bytes (RFC 8200): the kernel gives no IPv6 address with less"
        known.report((document, ("mtu",)), "E0361", what, f"{LEAST_IPV6_MTU} or more, or no `subnet6`")
    check_network_addresses(known, document)


# --- profiles, settings and overrides -----------------------------------------------------------------------


def _check_profile(known: Known, document: Document[Profile]) -> None:
    _check_fields(known, document, (), document.value)
    parent = document.value.extends
    if parent is not None and parent != DEFAULT_PROFILE:
        _check_name(known, "profile", parent, (document, ("extends",)))
    if parent is not None and document.name in _ancestors(known.site, parent):
        what = f"profile `{document.name}` extends itself"
        known.report((document, ("extends",)), "E0305", what, "to remove one `extends:` of the circle")
    if len(profile_chain(known.site, document.name)) > MOST_PROFILES:
        what = f"more than {MOST_PROFILES} profiles extend each other here"
        known.report((document, ("extends",) if parent else ()), "E0362", what, "fewer, larger profiles")
    elif document.name not in known.used_profiles and known.has_readable_settings(document.name):
        _check_settings(known, DeclaredSettings(profile_layers(known.site, document.name), (document, ())))


def _ancestors(site: Declarations, name: str) -> set[str]:
    return {profile.name for profile in profile_chain(site, name)}


def _check_fields(known: Known, document: Document[Any], base: Location, fields: ProfileFields) -> None:
    """What one block of settings names, wherever it stands."""
    nets: list[tuple[Location, Attachment]] = [(("data_nets", index), net) for index, net in enumerate(fields.data_nets)]
    if fields.mgmt_net is not None and "mgmt_net" in fields.model_fields_set:
        nets.insert(0, (("mgmt_net",), fields.mgmt_net))
    for location, net in nets:
        place = (document, (*base, *location))
        _check_network_name(known, net.name, place)
        if location[0] == "data_nets" and net.name in (HOST_NETWORK, NO_NETWORK):
            known.report(place, "E0404", f"`{net.name}` cannot be a data network", f"`mgmt_net: {net.name}`, and no data networks")
        check_fixed_addresses(known, net, place)
    for index, mount in enumerate(fields.volumes):
        check_volume_name(known, mount, (document, (*base, "volumes", index, "source")))
    if fields.default_route is not None:
        _check_network_name(known, fields.default_route, (document, (*base, "default_route")))


def _check_settings(known: Known, settings: DeclaredSettings) -> None:
    """What can be wrong between the fields of merged settings."""
    profile = settings.profile
    if profile.data_nets and profile.mgmt_net is not None and profile.mgmt_net.name in (HOST_NETWORK, NO_NETWORK):
        what = f"data networks do not go with `mgmt_net: {profile.mgmt_net.name}` ({settings.where('mgmt_net')})"
        known.report(settings.origin("data_nets"), "E0404", what, "`mgmt_net: bridge`, or `data_nets: []`")
    names = [net.name for net in attachments(profile)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        known.report(settings.origin("data_nets"), "E0410", f"network `{name}` is attached twice", "to remove one")
    if profile.privileged and (profile.capabilities.add or profile.devices):
        field = "capabilities" if profile.capabilities.add else "devices"
        what = f"`privileged` already gives all {field}; these are written in {settings.where(field)}"
        known.report(settings.origin("privileged"), "E0411", what, "to remove one of them")
    _check_pinning(known, settings)
    if profile.qos is not None and is_host_networked(profile):
        what = f"`qos` on the host's network ({settings.where('mgmt_net')}) would shape everything that the host sends"
        known.report(settings.origin("qos"), "E0417", what, "to remove `qos`, or `mgmt_net: bridge`")
    _check_sysctls(known, settings)
    _check_default_route(known, settings, names)


def _check_sysctls(known: Known, settings: DeclaredSettings) -> None:
    """On the host's network the settings of the network are the host's own, and runc refuses to touch them."""
    if is_host_networked(settings.profile):
        for name in sorted(name for name in settings.profile.sysctls if name.startswith("net.")):
            what = f"`{name}` on the host's network ({settings.where('mgmt_net')}) would be the host's own setting"
            known.report(settings.origin("sysctls", name), "E0360", what, "`tuning:` of the endpoint, or `mgmt_net: bridge`")


def _check_pinning(known: Known, settings: DeclaredSettings) -> None:
    """Whole CPUs are counted in whole numbers and not named as well, and near a data network only where there is one."""
    profile = settings.profile
    if profile.near is None:
        return
    if not profile.cpus or profile.cpus != int(profile.cpus):
        known.report(settings.origin("near"), "E0416", "`near` pins whole CPUs, and `cpus` does not say how many", "`cpus: 4`")
    if profile.cpu_set is not None:
        what = f"`near` chooses CPUs and `cpu_set` names them ({settings.where('cpu_set')})"
        known.report(settings.origin("near"), "E0416", what, "to remove one of them")
    if profile.near == "data_net" and not profile.data_nets and not is_host_networked(profile):
        known.report(settings.origin("near"), "E0416", "`near: data_net` without a data network", "`near: any`, or `data_nets: […]`")


def _check_default_route(known: Known, settings: DeclaredSettings, names: list[str]) -> None:
    name = settings.profile.default_route
    if name is None:
        return
    place = settings.origin("default_route")
    if is_host_networked(settings.profile):
        known.report(place, "E0312", "the host's network brings its own default route", "to remove `default_route`")
    elif name not in names:
        if name not in known.names("networks") and name not in BUILT_IN_NETWORKS:
            return  # that there is no such network is said where it is written
        hint = f"one of {', '.join(names)}" if names else "to remove `default_route`"
        known.report(place, "E0312", f"`{name}` is not among the networks", hint)
    else:
        network = known.network(name)
        if network is not None and not carries_default_route(network):
            reason = "it is internal" if network.internal else "it has no gateway"
            reason = "it says `default_route: false`" if network.default_route is False else reason
            known.report(place, "E0313", f"network `{name}` carries no default route: {reason}", "another network")


# --- sessions and services ----------------------------------------------------------------------------------


def _check_session(known: Known, document: Document[Session]) -> None:
    session = document.value
    for index, name in enumerate(session.endpoints):
        _check_name(known, "endpoint", name, (document, ("endpoints", index)))
    if session.profile != DEFAULT_PROFILE:
        _check_name(known, "profile", session.profile, (document, ("profile",)))
    if session.settings is not None:
        _check_fields(known, document, ("settings",), session.settings)
    for name, fields in session.overrides.items():
        _check_fields(known, document, ("overrides", name), fields)
        if name not in session.endpoints:
            hint = known.suggest(name, session.endpoints, "to name it in `endpoints`")
            known.report((document, ("overrides", name)), "E0306", f"`{name}` is not an endpoint of this session", hint)


def _check_service(known: Known, service: DeclaredService) -> None:
    _check_settings(known, service)
    if service.profile.image is None:
        known.report((service.session, ()), "E0314", "neither the session nor its profile names an image", "`image: …`")
    _check_agent(known, service, "uverbs" in service.profile.devices, "device `uverbs`", "devices")
    _check_agent(known, service, service.profile.near is not None, "`near`", "near")
    _check_agent(known, service, service.profile.qos is not None, "`qos`", "qos")
    for net in attachments(service.profile):
        network = known.network(net.name)
        if network is not None:
            needs_agent = network.driver_row.needs_agent
            _check_agent(known, service, needs_agent, f"network `{net.name}` ({network.driver})", service.attached_by(net.name))
            _check_interface(known, service, net.name, network)


def _check_agent(known: Known, service: DeclaredService, is_asked_for: bool, what: str, field: str) -> None:
    """Some things only an agent knows or does."""
    endpoint = known.site.endpoints.get(service.endpoint)
    if is_asked_for and endpoint is not None and endpoint.value.agent is None and endpoint.value.backend().equipped_by_agent:
        text = f"{what} needs an agent on endpoint {service.endpoint}, and its file names none"
        address = "ssh" if endpoint.value.address.scheme == "ssh" else "https://…:5050"
        hint = f"`agent: {address}` in {endpoint.file}; `dtnctl endpoints add` installs one"
        known.report(service.origin(field), "E0405", text, hint)


def _check_interface(known: Known, service: DeclaredService, name: str, network: Network) -> None:
    """The engine must know which interface of the host carries the network; the first session that needs it is named."""
    endpoint = known.site.endpoints.get(service.endpoint)
    if not network.driver_row.needs_interface or endpoint is None:
        return
    interface = endpoint.value.interfaces.get(name)
    if interface is not None:
        _check_sub_interface(known, endpoint, name, network, interface)
        return
    users = (user.session.name for user in known.services if user.endpoint == service.endpoint and _uses(user, name))
    what = f"no interface carries network `{name}` here, and session {next(users)} uses it"
    known.report((endpoint, ("interfaces",)), "E0307", what, f"`interfaces: {{{name}: eth1}}` with the name of the interface")


def _check_sub_interface(known: Known, endpoint: Document[Endpoint], name: str, network: Network, interface: str) -> None:
    """The interface of a VLAN is named PARENT.VLAN, and that is longer than a name may be where the parent's is long."""
    made = f"{interface}.{network.vlan}"
    if network.driver_row.tags_vlan == "parent" and network.vlan is not None and len(made) > LONGEST_INTERFACE:
        what = f"network `{name}` would need the interface `{made}`, whose name is longer than {LONGEST_INTERFACE} characters (IFNAMSIZ)"
        hint = "a shorter name of the interface, by a .link file of systemd; or one made otherwise, and no `vlan` in the network"
        known.report((endpoint, ("interfaces", name)), "E0315", what, hint)


def _uses(service: DeclaredService, network: str) -> bool:
    return any(net.name == network for net in attachments(service.profile))


# --- transfers ----------------------------------------------------------------------------------------------


def _check_transfer(known: Known, document: Document[Transfer]) -> None:
    check_fields(known, document)
    transfer = document.value
    if not check_tool_name(known, document):
        return
    check_tool(known, document)
    check_items(known, document)
    source, destination = ends(transfer)
    places = ((source, (document, ("from",))), (destination, (document, ("to",))))
    exist = [_check_name(known, "endpoint", name, place) for name, place in places]
    if not all(exist):
        return
    if source == destination:
        known.report((document, ("to",)), "E0311", f"the transfer goes from {source} to itself", "another endpoint")
    elif transfer.session is None:
        _check_suitable(known, document)
    elif _check_name(known, "session", transfer.session, (document, ("session",))):
        _check_named_session(known, document, transfer.session, (source, destination))


def _check_named_session(known: Known, document: Document[Transfer], name: str, wanted: tuple[str, str]) -> None:
    session = known.site.sessions.get(name)
    missing = [] if session is None else [endpoint for endpoint in wanted if endpoint not in session.value.endpoints]
    if missing:
        what = f"session `{name}` has no service on {' and '.join(missing)}"
        others = _any_of([f"`{other}`" for other in known.suitable(document.value)])
        known.report((document, ("session",)), "E0308", what, others or f"to add {' and '.join(missing)} to its `endpoints`")
    else:
        check_transferable(known, document, name)


def _check_suitable(known: Known, document: Document[Transfer]) -> None:
    """One session must be left to carry it. A session in a broken file could be the one, so then nothing is missed."""
    found = known.suitable(document.value)
    source, destination = ends(document.value)
    if len(found) > 1:
        what = f"several sessions have services on {source} and {destination}"
        known.report((document, ("from",)), "E0310", what, _any_of([f"`session: {name}`" for name in found]))
    elif not found and not known.broken.get("sessions"):
        what = f"no session has services on both {source} and {destination}"
        known.report((document, ("from",)), "E0309", what, f"`dtnctl session create {source},{destination} image …`")
    elif len(found) == 1:
        check_transferable(known, document, found[0])


def _any_of(words: list[str]) -> str:
    """`a or b`; of very many only the first."""
    return " or ".join(words if len(words) <= MOST_NAMED else [*words[:MOST_NAMED], "another"])
