"""How recommenders look in the page: those of `recbench.report.style`, in the words of plotly."""

from __future__ import annotations

from recbench.report.style import COLOURS, DARK_COLOURS

SYMBOLS = {  # marker: name in plotly, as a letter, as an open letter
    "o": ("circle", "●", "○"),
    "s": ("square", "■", "□"),
    "^": ("triangle-up", "▲", "△"),
    "D": ("diamond", "◆", "◇"),
    "v": ("triangle-down", "▼", "▽"),
    "P": ("cross", "✚", "✛"),
    "X": ("x", "✖", "✕"),
    "<": ("triangle-left", "◀", "◁"),
    ">": ("triangle-right", "▶", "▷"),
    "p": ("pentagon", "⬟", "⬠"),
    "h": ("hexagon", "⬢", "⬡"),
    "*": ("star", "★", "☆"),
}
DASHES = {"-": "solid", "--": "dash", ":": "dot"}  # from the second on, symbols are open
ON_DARK = dict(zip(COLOURS, DARK_COLOURS, strict=True))


def page_looks(looks: dict[str, dict]) -> list[dict[str, str | bool]]:
    """name, light and dark colour, symbol, whether it is open, glyph and dash of each recommender,
    in order; `looks` as of `recbench.report.style.run_looks`."""
    found: list[dict[str, str | bool]] = []
    for name, look in looks.items():
        symbol, *letters = SYMBOLS[look["marker"]]
        is_open = look["linestyle"] != "-"
        found.append(
            {
                "name": name,
                "light": look["color"],
                "dark": ON_DARK[look["color"]],
                "symbol": symbol,
                "open": is_open,
                "glyph": letters[is_open],
                "dash": DASHES[look["linestyle"]],
            }
        )
    return found
