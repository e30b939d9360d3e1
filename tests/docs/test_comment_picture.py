"""The page on reviews shows the golden comment, as it is now."""

from __future__ import annotations

from xml.etree import ElementTree

from hack.comment_picture import COMMENT, PICTURE, main, render_picture
from tests.render.reading import Reading


def test_the_picture_is_that_of_the_golden_comment() -> None:
    assert main(["--check"]) == 0


def test_the_picture_has_all_that_a_reader_of_the_comment_sees() -> None:
    shown = "".join(ElementTree.fromstring(PICTURE.read_text()).itertext())
    assert Reading(COMMENT.read_text()).text.split() == shown[shown.rindex("}") + 1 :].split()


def test_a_longer_comment_gets_a_higher_picture() -> None:
    short, long = (ElementTree.fromstring(render_picture("### Plan\n\n" + "- a change\n" * count)) for count in (1, 9))
    assert int(long.attrib["height"]) - int(short.attrib["height"]) == 8 * 24
