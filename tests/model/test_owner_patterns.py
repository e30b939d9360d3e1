"""Which files the patterns of CODEOWNERS files mean, and which patterns are none."""

from __future__ import annotations

import pytest

from dtnctl.model.owner_patterns import check_pattern, covers


@pytest.mark.parametrize(
    ("pattern", "path", "is_meant"),
    [
        ("*", "state/site.yaml", True),
        ("*.yaml", "state/site.yaml", True),
        ("*.yaml", "state/site.yml", False),
        ("/state/", "state/sessions/a.yaml", True),
        ("/state/", "other/state/a.yaml", False),
        ("profiles/", "state/profiles/a.yaml", True),
        ("profiles/", "profiles", False),
        ("profiles", "state/profiles/a.yaml", True),
        ("/state/profiles", "state/profiles/a.yaml", True),
        ("state/profiles", "deep/state/profiles/a.yaml", False),
        ("/state/endpoints/dtn1.yaml", "state/endpoints/dtn1.yaml", True),
        ("/state/endpoints/dtn1.yaml", "state/endpoints/dtn10.yaml", False),
        ("/state/*", "state/site.yaml", True),
        ("/state/*", "state/sessions/a.yaml", False),
        ("/state/profiles/lbnl-*.yaml", "state/profiles/lbnl-rdma.yaml", True),
        ("/state/endpoints/dtn?.yaml", "state/endpoints/dtn2.yaml", True),
        ("**/dtn1.yaml", "state/endpoints/dtn1.yaml", True),
        ("**/dtn1.yaml", "dtn1.yaml", True),
        ("/state/**/a.yaml", "state/x/y/a.yaml", True),
        ("/state/**/a.yaml", "state/a.yaml", True),
        ("/state/**", "state/x/y.yaml", True),
        ("/state/**", "state", False),
        ("a**b", "axxb", True),
        ("a**b", "ax/xb", True),
        ("/**/", "a/b", True),
        ("/**/", "a", False),
        ("/.github/", ".github/CODEOWNERS", True),
        ("/state/", "state/sessions/a\nb.yaml", True),
        ("*.yaml", "state/a\nb.yaml", True),
        ("**/b.yaml", "a\n/b.yaml", True),
        ("/a?b", "a\nb", True),
        ("/my\\ dir/", "my dir/x", True),
        ("/my dir/", "my dir/x", True),
        ("/a\\*", "a*", True),
        ("/a\\*", "ab", False),
        ("/a\\\\", "a\\", True),
        ("/a\\", "a", False),
        ("/a?", "a/", False),
        ("a*c", "x/abc", True),
        ("a*c", "a/c", False),
    ],
)
def test_patterns_mean_what_they_mean_in_a_codeowners_file(pattern: str, path: str, is_meant: bool) -> None:
    assert covers(pattern, path) is is_meant


def test_many_stars_take_no_time_that_grows_with_their_number() -> None:
    """By trying each star at each place this would take longer than the universe lasts."""
    assert not covers("/" + "*a" * 100 + "b", "a" * 400)
    assert not covers("/" + "**a" * 100 + "b", "a" * 400)
    assert covers("/" + "*a" * 100 + "*", "a" * 400)


@pytest.mark.parametrize(
    "pattern",
    [
        "/",
        "//",
        "",
        " ",
        "./state/",
        "/state/../x",
        "/state//x",
        "//state",
        "{a,b}.yaml",
        " /x",
        "/x ",
        "/x\n",
        "***",
        "!x",
        "a[bc]",
        "/a\\b",
    ],
)
def test_patterns_that_match_no_file_or_mean_nothing_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["*", "/state/", "*.yaml", "/state/**", "/my dir/", "/my\\ dir/", "/.github/", "/a\\*b", "docs/*"])
def test_patterns_that_mean_files_are_taken(pattern: str) -> None:
    assert check_pattern(pattern) == pattern
