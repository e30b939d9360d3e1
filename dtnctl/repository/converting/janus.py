"""Janus' profile folder as state files: which files there are, which era wrote them, and the order in which they are converted.

Sources: esnet/janus at v0.2 (2022-11) and v1.0 (2026-02). Janus drops unknown and renamed keys silently, so every line that does
nothing, did nothing, or will be different is noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dtnctl.errors import UsageError
from dtnctl.repository.converting.conversion import Conversion
from dtnctl.repository.converting.foreign import Foreign, read_foreign
from dtnctl.repository.converting.janus_networks import convert_networks
from dtnctl.repository.converting.janus_profiles import convert_profiles
from dtnctl.repository.converting.janus_sessions import convert_sessions

Era = Literal["v0.2", "v1.0"]
# what a file may have, and one of each in words
SECTIONS = {"profiles": "profile", "networks": "network", "volumes": "volume", "features": "feature", "qos": "qos", "post_starts": "job"}
NO_LONGER_READ = ("post-starts", "ansible")
OLD_KEYS = frozenset({"mem", "internal_port", "ctrl_port_range", "data_port_range", "serv_port_range"})
SUFFIXES = (".yaml", ".yml")


@dataclass(slots=True)
class JanusFolder:
    """Everything in the folder, by section and name; of a name that is there twice the last one counts, as in Janus."""

    era: Era
    sections: Mapping[str, dict[str, Foreign]] = field(default_factory=lambda: {name: {} for name in SECTIONS})


def convert_janus(folder: Path, shown: str, era: Era | None, active: tuple[Path, str] | None) -> Conversion:
    """The state files for a profile folder and, with `active`, for the sessions that run. UsageError if a file cannot be read."""
    conversion = Conversion()
    files = [read_foreign(path, f"{shown}/{path.name}") for path in _files(folder, shown)]
    found = JanusFolder(era or _guessed(files))
    for file in files:
        _take(file, found, conversion)
    if era is None:
        conversion.note(shown, "changed", f"read as Janus {found.era}, by the keys that it has; `--from` says another version")
    sessions = read_foreign(*active) if active is not None else None
    convert_networks(found.sections["networks"], conversion, sessions)
    convert_profiles(found, conversion)
    if sessions is not None:
        convert_sessions(sessions, found, conversion)
    _note_unnamed(found, conversion)
    for file in files:
        conversion.note_unread(file)
    return conversion


def _note_unnamed(found: JanusFolder, conversion: Conversion) -> None:
    """What profiles could have named: of what none does nothing is converted."""
    for section in ("volumes", "features", "qos", "post_starts"):
        for name, item in found.sections[section].items():
            keys = item.value if isinstance(item.value, dict) else {}
            if not any((*item.location, key) in item.asked for key in keys):
                conversion.dropped(item, f"{SECTIONS[section]} `{name}` is named by no profile")


def _files(folder: Path, shown: str) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {(error.strerror or 'unknown reason').lower()}") from error
    if not found:
        raise UsageError(f"{shown} has no *.yaml or *.yml; name the folder with Janus' profiles.yaml")
    return found


def _guessed(files: list[Foreign]) -> Era:
    keys = {
        key
        for file in files
        for _, profile in file.at("profiles").items()
        for key, _ in (*profile.at("settings").items(), *profile.items())
    }
    return "v0.2" if keys & OLD_KEYS else "v1.0"


def _take(file: Foreign, found: JanusFolder, conversion: Conversion) -> None:
    for key, section in file.items():
        if key in NO_LONGER_READ:
            conversion.dropped(section, f"`{key}` is a key that Janus does not read: its profiles used `post_starts` without it")
        elif key not in SECTIONS:
            conversion.dropped(section, f"`{key}` is no section of Janus")
        for name, item in section.items() if key in SECTIONS else ():
            earlier = found.sections[key].get(name)
            if earlier is not None:
                conversion.dropped(earlier, f"{SECTIONS[key]} `{name}` is there again ({item.where()}), and that one counts")
            found.sections[key][name] = item
