"""The merge of profiles, session, settings and overrides, and who set what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dtnctl.model.effective import effective_profile, origin, profile_chain
from dtnctl.model.profile import Profile
from dtnctl.model.site import Document, Mark, Session


@dataclass
class Profiles:
    profiles: dict[str, Document[Profile]] = field(default_factory=dict)


def profiles(**values: dict[str, Any]) -> Profiles:
    return Profiles(
        {
            name: Document(name, f"state/profiles/{name}.yaml", Profile.model_validate(value), {(): Mark(1, 1)})
            for name, value in values.items()
        }
    )


def session(**value: Any) -> Document[Session]:
    value = {"endpoints": ["a", "b"], **value}
    return Document("s", "state/sessions/s.yaml", Session.model_validate(value), {(): Mark(1, 1)})


def test_default_profile_exists_without_a_file() -> None:
    merged = effective_profile(profiles(), session(), "a")
    assert merged.memory == 8 * 1024**3
    assert merged.ctrl_port_range == (30000, 30200)
    assert merged.model_fields_set == set()


def test_a_file_named_default_is_used_by_sessions_that_name_no_profile() -> None:
    assert effective_profile(profiles(default={"memory": "1GiB"}), session(), "a").memory == 1024**3


def test_child_profile_wins_over_its_parents() -> None:
    site = profiles(base={"tty": False, "init": True}, middle={"extends": "base", "init": False}, leaf={"extends": "middle"})
    merged = effective_profile(site, session(profile="leaf"), "a")
    assert (merged.tty, merged.init) == (False, False)


def test_a_value_equal_to_the_default_still_wins_over_the_parent_when_it_is_written() -> None:
    site = profiles(base={"memory": "1GiB"}, leaf={"extends": "base", "memory": "8GiB"})
    assert effective_profile(site, session(profile="leaf"), "a").memory == 8 * 1024**3


def test_null_that_is_written_removes_what_was_inherited() -> None:
    site = profiles(base={"mgmt_net": "bridge", "ctrl_port_range": [1, 2]}, leaf={"extends": "base", "mgmt_net": None})
    merged = effective_profile(site, session(profile="leaf"), "a")
    assert merged.mgmt_net is None
    assert merged.ctrl_port_range == (1, 2)


def test_mappings_merge_by_key_and_lists_are_replaced() -> None:
    site = profiles(
        base={"env": {"A": "1", "B": "2"}, "dns": ["10.0.0.1"]},
        leaf={"extends": "base", "env": {"B": "3"}, "dns": ["10.0.0.2"]},
    )
    merged = effective_profile(site, session(profile="leaf", settings={"env": {"C": "4"}}), "a")
    assert merged.env == {"A": "1", "B": "3", "C": "4"}
    assert merged.dns == ("10.0.0.2",)


def test_session_image_and_user_win_over_the_profile_and_overrides_win_over_both() -> None:
    site = profiles(p={"image": "from-profile", "user": "profile"})
    request = session(profile="p", image="from-session", user="alice", overrides={"b": {"image": "from-override"}})
    assert effective_profile(site, request, "a").image == "from-session"
    assert effective_profile(site, request, "b").image == "from-override"
    assert effective_profile(site, request, "b").user == "alice"
    assert effective_profile(site, session(profile="p"), "a").image == "from-profile"


def test_override_of_one_endpoint_leaves_the_other_alone() -> None:
    request = session(settings={"init": True}, overrides={"b": {"init": False}})
    assert effective_profile(profiles(), request, "a").init is True
    assert effective_profile(profiles(), request, "b").init is False


def test_cycle_of_profiles_is_cut() -> None:
    site = profiles(a={"extends": "b"}, b={"extends": "a"}, c={"extends": "c"})
    assert [document.name for document in profile_chain(site, "a")] == ["b", "a"]
    assert [document.name for document in profile_chain(site, "c")] == ["c"]


def test_missing_parent_is_left_out() -> None:
    site = profiles(leaf={"extends": "gone", "init": True})
    assert effective_profile(site, session(profile="leaf"), "a").init is True


def test_origin_names_the_file_and_the_place_that_won() -> None:
    site = profiles(base={"env": {"A": "1"}, "tty": False}, leaf={"extends": "base", "env": {"B": "2"}})
    request = session(profile="leaf", settings={"init": True}, overrides={"b": {"env": {"C": "3"}}})

    def place(field_name: str, key: str | None = None) -> tuple[str, tuple[Any, ...]]:
        document, location = origin(site, request, "b", field_name, key)
        return document.file, location

    assert place("tty") == ("state/profiles/base.yaml", ("tty",))
    assert place("init") == ("state/sessions/s.yaml", ("settings", "init"))
    assert place("env") == ("state/sessions/s.yaml", ("overrides", "b", "env"))
    assert place("env", "A") == ("state/profiles/base.yaml", ("env", "A"))
    assert place("env", "B") == ("state/profiles/leaf.yaml", ("env", "B"))


def test_origin_of_a_default_is_the_choice_of_profile() -> None:
    assert origin(profiles(), session(), "a", "memory")[1] == ("profile",)
