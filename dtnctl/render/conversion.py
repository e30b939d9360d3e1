"""What a conversion wrote and what will be different, as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence

from dtnctl.printable import plural, printable_text
from dtnctl.render.json import Json, document_of

Notes = Sequence[tuple[str, str, str]]  # where, effect, text
EFFECTS = ("refused", "changed", "dropped")


def render_conversion(files: Sequence[str], notes: Notes, problems: Sequence[str]) -> str:
    """Notes in the order of the files that were read, what `validate` finds, the files, and the counts last."""
    lines = [f"{where}: {effect}: {text}" for where, effect, text in notes]
    lines += [f"validate: {problem}" for problem in problems]
    lines += [f"wrote {file}" for file in files]
    counts = ", ".join(f"{sum(1 for _, found, _ in notes if found == effect)} {effect}" for effect in EFFECTS)
    lines.append(f"{plural(len(files), 'file')}; {plural(len(notes), 'note')}: {counts}")
    return "".join(f"{printable_text(line)}\n" for line in lines)


def conversion_document(files: Sequence[str], notes: Notes, problems: Sequence[str]) -> Json:
    """The same for programs."""
    return document_of(
        "conversion",
        {
            "files": list(files),
            "notes": [{"where": where, "effect": effect, "text": text} for where, effect, text in notes],
            "problems": list(problems),
            "summary": {effect: sum(1 for _, found, _ in notes if found == effect) for effect in EFFECTS},
        },
    )
