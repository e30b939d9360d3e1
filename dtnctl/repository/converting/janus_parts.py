"""What Janus profiles name and other files define: volumes, features (devices, capabilities, limits) and QoS."""

from __future__ import annotations

import re
from typing import Any

from dtnctl.model.engine_fields import LIMIT_NAMES
from dtnctl.repository.converting.foreign import Foreign
from dtnctl.repository.converting.janus_profile import Profile

OUR_DEVICES = ("rdma_cm", "uverbs")
QOS = {
    "delay": "delay",
    "rate": "rate",
    "loss": "loss",
    "corrupt": "corrupt",
    "reordering": "reorder",
    "dport": "ports",
    "ip": "destinations",
}
RATE = re.compile(r"([0-9.]+)\s*([kKmMgG]?)(?:bps|bit|bit/s|bps/s)?")


def convert_volumes(profile: Profile) -> None:
    """Bind mounts, named volumes and tmpfs."""
    found: list[Any] = []
    for entry in profile.at("volumes").entries():
        volume = profile.folder.sections["volumes"].get(str(entry.value))
        if volume is None:
            profile.conversion.refused(entry, f"volume `{entry.value}` is in no volumes file; Janus left it out silently")
        elif (mount := _mount(profile, str(entry.value), volume)) is not None:
            found.append(mount)
    if found:
        profile.fields["volumes"] = found


def _mount(profile: Profile, name: str, volume: Foreign) -> dict[str, Any] | None:
    kind, target = str(volume.at("type").value or ""), volume.at("target").value
    source = volume.at("source").value
    if kind not in ("bind", "volume", "tmpfs") or not target:
        profile.conversion.refused(volume, f"volume `{name}` of type `{kind}`{'' if target else ' without a target'}: it is left out")
        return None
    mount: dict[str, Any] = {"type": kind, "target": str(target)}
    if kind != "tmpfs":
        mount["source"] = str(source or name)
    elif source:
        profile.conversion.dropped(volume.at("source"), f"source `{source}` of a tmpfs")
    _mode_and_driver(profile, name, volume, mount)
    for key in ("users", "groups"):
        if volume.at(key).value:
            profile.conversion.dropped(volume.at(key), f"`{key}` of a volume: who may change what is decided by reviews here")
    for key, value in volume.items():
        if key not in ("type", "source", "target", "ReadOnly", "driver", "users", "groups"):
            profile.conversion.dropped(value, f"`{key}` of a volume")
    return mount


def _mode_and_driver(profile: Profile, name: str, volume: Foreign, mount: dict[str, Any]) -> None:
    if volume.at("ReadOnly").value in (True, "true", "True"):
        mount["mode"] = "ro"
        profile.conversion.changed(volume.at("ReadOnly"), f"volume `{name}` is read-only; Janus since 2024-04 mounted it for writing")
    elif volume.at("ReadOnly").value not in (None, False, "", "false", "False"):
        profile.conversion.dropped(volume.at("ReadOnly"), f"`ReadOnly: {volume.at('ReadOnly').value}` is neither true nor false")
    if mount["type"] != "volume" and volume.at("driver").value:
        profile.conversion.dropped(volume.at("driver"), f"driver of volume `{name}`, which is a {mount['type']}")
    elif volume.at("driver").value not in (None, "", "local"):
        mount["driver"] = str(volume.at("driver").value)
        profile.conversion.changed(volume.at("driver"), f"volume `{name}` is made by driver {mount['driver']}, which Janus did not pass on")


def convert_features(profile: Profile) -> None:
    """Devices by kind, capabilities and limits. A privileged container has all of the first two."""
    devices: list[str] = []
    capabilities: list[str] = []
    limits: dict[str, Any] = {}
    for entry in profile.at("features").entries():
        feature = profile.folder.sections["features"].get(str(entry.value))
        if feature is None:
            profile.conversion.refused(entry, f"feature `{entry.value}` is in no features file; Janus ignored it")
            continue
        devices += _devices(profile, feature)
        capabilities += [str(item.value).upper().removeprefix("CAP_") for item in feature.at("caps").entries()]
        limits |= _limits(profile, feature)
    if profile.fields.get("privileged") and (devices or capabilities):
        text = "privileged gives all devices and capabilities: those of the features are left out"
        profile.conversion.dropped(profile.at("features"), text)
        devices, capabilities = [], []
    if devices:
        profile.fields["devices"] = list(dict.fromkeys(devices))
    if capabilities:
        profile.fields["capabilities"] = {"add": list(dict.fromkeys(capabilities))}
    if limits:
        profile.fields["limits"] = limits


def _devices(profile: Profile, feature: Foreign) -> list[str]:
    found: list[str] = []
    for group in feature.at("devices").entries():
        prefix = str(group.at("devprefix").value or "/dev/").rstrip("/")
        for name in group.at("names").entries():
            text = str(name.value)
            found.append(text if text in OUR_DEVICES else f"{prefix}/{text}")
            if text == "uverbs":
                profile.conversion.changed(
                    name, "only the verbs device of the container's own function or interface; Janus gave those of all"
                )
    return found


def _limits(profile: Profile, feature: Foreign) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in feature.at("limits").entries():
        name = str(entry.at("Name").value or "").lower()
        soft, hard = entry.at("Soft").value, entry.at("Hard").value
        if name not in LIMIT_NAMES or not isinstance(soft, int) or not isinstance(hard, int):
            profile.conversion.dropped(entry, f"limit `{name}` ({soft}, {hard}) is none that engines know")
        else:
            found[name] = soft if soft == hard else {"soft": soft, "hard": hard}
    return found


def convert_qos(profile: Profile) -> None:
    """Delay, rate and loss, which the agent sets; Janus has not applied them since 2025-02."""
    if not profile.is_set("qos"):
        return
    item = profile.at("qos")
    rules = profile.folder.sections["qos"].get(str(item.value))
    if rules is None:
        profile.conversion.refused(item, f"qos `{item.value}` is in no qos file")
        return
    found: dict[str, Any] = {}
    for key, value in rules.items():
        text = str(value.value)
        if key not in QOS:
            profile.conversion.dropped(value, f"`{key}` of a qos; Janus never applied it")
        elif key == "rate":
            rate = RATE.fullmatch(text)
            if rate:
                found["rate"] = f"{rate[1]}{rate[2].lower()}bit"
            else:
                profile.conversion.refused(value, f"rate `{text}` is not understood; write 500mbit")
        elif key == "dport":
            found["ports"] = [int(part) for part in text.split(",") if part.strip().isdecimal()]
        elif key == "ip":
            found["destinations"] = [text]
        else:
            found[QOS[key]] = text
    if found:
        profile.fields["qos"] = found
        profile.conversion.changed(item, "Janus has not applied `qos` since 2025-02: it takes effect, and needs the endpoint's agent")
