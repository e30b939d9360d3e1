"""Image references are judged alike however they are spelled."""

from __future__ import annotations

import pytest

from dtnctl.model.image_names import ImageName, matches_image, parse_image

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dtn", ImageName("docker.io", "library/dtn", "latest")),
        ("dtn:1", ImageName("docker.io", "library/dtn", "1")),
        ("docker.io/dtn:1", ImageName("docker.io", "library/dtn", "1")),
        ("index.docker.io/library/dtn:1", ImageName("docker.io", "library/dtn", "1")),
        ("dtnaas/ofed", ImageName("docker.io", "dtnaas/ofed", "latest")),
        ("localhost/dtn", ImageName("localhost", "dtn", "latest")),
        ("reg.example.net:5000/a/b:2", ImageName("reg.example.net:5000", "a/b", "2")),
        ("reg:5000/a", ImageName("reg:5000", "a", "latest")),
        (f"dtn:1@{DIGEST}", ImageName("docker.io", "library/dtn", "", DIGEST)),
    ],
)
def test_a_reference_gets_all_that_docker_adds(text: str, name: ImageName) -> None:
    assert parse_image(text) == name


@pytest.mark.parametrize(
    ("image", "pattern"),
    [
        ("anything/at/all:1", "*"),
        (DIGEST, "*"),
        ("dtn:1", "dtn:1"),
        ("docker.io/library/dtn:1", "dtn:*"),
        ("index.docker.io/dtn:1", "docker.io/library/dtn:1"),
        ("dtn", "dtn:latest"),
        ("dtnaas/ofed:2", "dtnaas/*"),
        ("dtnaas/a/b:2", "dtnaas/*"),
        ("reg.example.net/dtn:1", "reg.example.net/*"),
        ("reg.example.net:5000/dtn:1", "reg.example.net:*/dtn:*"),
        ("reg.example.net/dtn:1", "*/dtn:1"),
        (f"dtn:1@{DIGEST}", "dtn:*"),
        (f"dtnaas/dtn@{DIGEST}", "dtnaas/*"),
        (f"dtn@{DIGEST}", f"dtn@{DIGEST}"),
        (f"dtn:9@{DIGEST}", f"dtn:1@{DIGEST}"),
        ("dtn:1-rc", "dtn:1*"),
    ],
)
def test_an_image_that_the_pattern_means_is_covered(image: str, pattern: str) -> None:
    assert matches_image(image, pattern)


@pytest.mark.parametrize(
    ("image", "pattern"),
    [
        ("evil.example.net/dtn:1", "dtn:*"),
        ("evil.example.net/dtnaas/ofed:1", "dtnaas/*"),
        ("reg.example.net.evil.com/dtn:1", "reg.example.net*"),
        ("reg.example.net.evil.com/dtn:1", "reg.example.net/*"),
        ("evil.com/reg.example.net/dtn:1", "*.example.net/dtn:1"),
        ("evil.com/x/dtn:1", "*/dtn:1"),
        ("dtn:2", "dtn:1"),
        ("dtn:2", "dtn"),
        (f"dtn:1@{DIGEST}", "dtn:1"),
        (f"dtn:1@{DIGEST}", "dtn:1*"),
        (f"dtn@{DIGEST}", "dtn@sha256:" + "b" * 64),
        (DIGEST, "sha256:*"),
        ("0123456789ab", "docker.io/library/*"),
        ("cafe", "cafe"),
        ("", "dtn*"),
    ],
)
def test_an_image_that_only_looks_like_what_the_pattern_means_is_not(image: str, pattern: str) -> None:
    assert not matches_image(image, pattern)
