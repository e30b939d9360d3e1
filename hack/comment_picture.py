"""Writes docs/review-comment.svg, the golden comment as a forge shows it: `python -m hack.comment_picture`. `--check` only compares.

The Markdown goes through the forge's own parser. What is folded on the forge is open here, since a picture cannot be clicked.
"""

from __future__ import annotations

import math
import sys
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

CLONE = Path(__file__).parents[1]
COMMENT = CLONE / "tests" / "workflows" / "comment.md"
PICTURE = CLONE / "docs" / "review-comment.svg"
WIDTH, MARGIN = 980, 24
CHARACTERS = 128  # of a line of text that fits between the margins
# pixels of each element in which a line of text is: of the line, and around all of it
LINE = {"h3": (28, 24), "p": (21, 16), "li": (21, 3), "tr": (21, 13), "summary": (24, 8), "pre": (18, 40), "sub": (17, 12)}
STYLE = """
.comment { font: 14px/1.5 -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; color: #1f2328; }
.comment { background: #fff; padding: 12px 16px; border: 1px solid #d0d7de; border-radius: 6px; }
.comment h3 { font-size: 18px; margin: 4px 0 12px; padding: 0; }
.comment p, .comment table, .comment pre { margin: 0 0 14px; }
.comment blockquote { margin: 0 0 14px; padding: 0 14px; color: #59636e; border-left: 4px solid #d0d7de; }
.comment blockquote ul { padding-left: 24px; margin: 0 0 4px; }
.comment table { border-collapse: collapse; }
.comment th, .comment td { border: 1px solid #d0d7de; padding: 5px 11px; }
.comment tr:nth-child(even) td { background: #f6f8fa; }
.comment code { font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; background: #eff1f3; border-radius: 5px; padding: 2px 5px; }
.comment pre { background: #f6f8fa; padding: 12px; border-radius: 6px; }
.comment pre code { background: none; padding: 0; }
.comment summary { margin-bottom: 8px; }
.comment sub { font-size: 11px; color: #59636e; vertical-align: baseline; }
"""


class _Height(HTMLParser):
    """How many pixels the text takes, by the elements that it is in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pixels = 0
        self._open: list[str] = []
        self._text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag in LINE:
            self._count()
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in LINE:
            self._count()
            self.pixels += LINE[tag][1]
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._text += data

    def _count(self) -> None:
        lines = self._text.strip().splitlines() if "pre" in self._open else [" ".join(self._text.split())]
        if self._open:
            self.pixels += LINE[self._open[-1]][0] * sum(math.ceil(len(line) / CHARACTERS) for line in lines)
        self._text = ""


def render_picture(markdown: str) -> str:
    """The picture of the comment. It holds the page itself, so that its text can be searched and copied."""
    html = cmarkgfm.markdown_to_html_with_extensions(markdown, Options.CMARK_OPT_UNSAFE, ["table", "strikethrough"])
    html = html.replace("<details>", '<details open="open">')
    height = _Height(html).pixels + 4 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">\n<style>{STYLE}</style>\n'
        f'<foreignObject width="{WIDTH}" height="{height}">\n<div xmlns="http://www.w3.org/1999/xhtml" class="comment">\n'
        f"{html}</div>\n</foreignObject>\n</svg>\n"
    )


def main(arguments: list[str]) -> int:
    """Write the picture, or with `--check` report whether it is up to date."""
    wanted = render_picture(COMMENT.read_text(encoding="utf-8"))
    if "--check" not in arguments:
        PICTURE.write_text(wanted, encoding="utf-8")
    elif not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != wanted:
        sys.stderr.write(f"{PICTURE} is stale; run: python -m hack.comment_picture\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
