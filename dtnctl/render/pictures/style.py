"""How pictures look, as one style sheet: light, dark, by the reader's system or by a class (`light`, `dark`) of the picture or around it.

Colour only repeats what a letter, a number or a word in the picture says. Texts have a contrast of 4.5 and more to what is behind them.
"""

from __future__ import annotations

COLOURS = 8  # of sessions; further ones begin again, and have other letters
NEUTRAL = COLOURS  # the number of the colour of what has none of its own

_LIGHT = {
    "paper": "#ffffff",
    "panel": "#f6f8fa",
    "edge": "#d0d7de",
    "ink": "#1f2328",
    "quiet": "#59636e",
    "free": "#ffffff",
    "reserved": "#d8dee4",
    "good": "#1a7f37",
    "bad": "#b42318",
    "accent": "#0969da",
    "area": "#b6d7ff",
    "limit": "#b42318",
    "fill0": "#cfe3ff",
    "fill1": "#ffdfc2",
    "fill2": "#c9efd2",
    "fill3": "#e8dafc",
    "fill4": "#c2eeee",
    "fill5": "#ffd6e8",
    "fill6": "#f5e9a6",
    "fill7": "#e6dcd1",
    "line0": "#2f6fd0",
    "line1": "#b85c0b",
    "line2": "#26814a",
    "line3": "#7a48d6",
    "line4": "#127a83",
    "line5": "#b8367f",
    "line6": "#8a6d00",
    "line7": "#7a5b43",
    "fill8": "#d8dee4",
    "line8": "#59636e",
}
_DARK = {
    "paper": "#0d1117",
    "panel": "#161b22",
    "edge": "#3d444d",
    "ink": "#e6edf3",
    "quiet": "#9ea7b3",
    "free": "#0d1117",
    "reserved": "#3a424c",
    "good": "#4ac26b",
    "bad": "#ff8178",
    "accent": "#6cb0ff",
    "area": "#173b67",
    "limit": "#ff8178",
    "fill0": "#173a6b",
    "fill1": "#5a330f",
    "fill2": "#15492d",
    "fill3": "#412a70",
    "fill4": "#0e4a50",
    "fill5": "#612246",
    "fill6": "#4d4007",
    "fill7": "#47392d",
    "line0": "#6cabff",
    "line1": "#f0a35e",
    "line2": "#5fca88",
    "line3": "#b99af7",
    "line4": "#55c5cd",
    "line5": "#f28fc2",
    "line6": "#dcc145",
    "line7": "#c9ab90",
    "fill8": "#3a424c",
    "line8": "#9ea7b3",
}


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def _rule(selectors: str, declarations: str) -> str:
    return f"{selectors}{{{declarations}}}\n"


_PARTS = {
    "text": "fill:var(--ink);",
    ".paper": "fill:var(--paper);",
    ".panel": "fill:var(--panel);stroke:var(--edge);",
    ".card": "fill:var(--paper);stroke:var(--edge);",
    ".missing": "fill:none;stroke:var(--bad);stroke-dasharray:4 3;",
    ".title": "font-size:18px;font-weight:600;",
    ".head": "font-size:14px;font-weight:600;",
    ".name": "font-size:13px;font-weight:600;",
    ".small": "font-size:11px;",
    ".tiny": "font-size:10px;",
    ".number": "font-variant-numeric:tabular-nums;",
    ".quiet": "fill:var(--quiet);",
    ".good": "fill:var(--good);",
    ".bad": "fill:var(--bad);",
    ".key": "font-size:10px;font-weight:700;",
    ".free": "fill:var(--free);stroke:var(--edge);",
    ".reserved": "fill:var(--reserved);stroke:var(--edge);",
    ".other": "fill:var(--reserved);stroke:var(--quiet);stroke-dasharray:3 2;",
    ".interrupts": "fill:var(--bad);",
    ".grid": "stroke:var(--edge);stroke-width:1;",
    ".axis": "stroke:var(--quiet);stroke-width:1;",
    ".rate": "fill:none;stroke:var(--accent);stroke-width:2;stroke-linejoin:round;",
    ".area": "fill:var(--area);",
    ".average": "stroke:var(--ink);stroke-width:1.5;stroke-dasharray:2 4;",
    ".limit": "stroke:var(--limit);stroke-width:2;stroke-dasharray:8 4;",
    ".limit-text": "fill:var(--limit);",
    ".bus": "fill:none;stroke-width:3;",
    ".span": "fill:none;stroke-width:2;",
    ".way": "fill:none;stroke-width:2;stroke-dasharray:6 3;",
    ".down": "fill:var(--paper);stroke:var(--bad);stroke-width:2;",
    ".unseen": "fill:var(--paper);stroke:var(--quiet);stroke-width:2;stroke-dasharray:3 2;",
    ".unknown": "fill:var(--paper);stroke-width:2;",
}


def _sheet() -> str:
    own = ".dtnctl-picture"
    fonts = 'font:12px/1.3 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;'
    rules = [
        _rule(own, _variables(_LIGHT) + fonts),
        f"@media (prefers-color-scheme:dark){{{_rule(own, _variables(_DARK)).strip()}}}\n",
        _rule(f'{own}.light,.light {own},[data-theme="light"] {own}', _variables(_LIGHT)),
        _rule(f'{own}.dark,.dark {own},[data-theme="dark"] {own}', _variables(_DARK)),
    ]
    rules += [_rule(f"{own} {part}", declarations) for part, declarations in _PARTS.items()]
    for index in (*range(COLOURS), NEUTRAL):
        rules.append(_rule(f"{own} .fill{index}", f"fill:var(--fill{index});stroke:var(--line{index});"))
        rules.append(_rule(f"{own} .ink{index}", f"fill:var(--line{index});"))
        rules.append(_rule(f"{own} .line{index}", f"stroke:var(--line{index});"))
    return "\n" + "".join(rules)


STYLE = _sheet()
