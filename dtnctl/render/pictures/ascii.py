"""Pictures for streams that take ASCII alone: each other character by its number, as the language of the picture writes it."""

from __future__ import annotations


def coded_in_ascii(text: str, *, is_mermaid: bool = False) -> str:
    """The same picture. SVG and Graphviz take the references of XML, mermaid has a form of its own."""
    if is_mermaid:
        return "".join(character if character.isascii() else f"#{ord(character)};" for character in text)
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
