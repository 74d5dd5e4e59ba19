"""How recommenders look in figures, and which of them a page shows at first."""

from __future__ import annotations

import warnings
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

# Okabe and Ito's, which the colour-blind can tell apart, and darker shades of the same
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#003E61", "#7A3600", "#00573F", "#74445F", "#7A5400", "#2F627F"),
)
# the same on a dark ground, where light shades take the place of dark ones
DARK_COLOURS = (
    *("#4AA3DF", "#F07F3C", "#2DC49A", "#DD93BC", "#F0B429", "#8FD3FF"),
    *("#B9CCF5", "#F9C6A6", "#A8E6C3", "#F0CFE1", "#F7E7A8", "#6F9FC0"),
)
ON_DARK = dict(zip(COLOURS, DARK_COLOURS, strict=True))
MARKERS = {  # of matplotlib: its name in plotly, as a letter, as an open letter
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
LINES = {"-": "solid", "--": "dash", ":": "dot"}  # of the first twelve, the next twelve ..
MOST_SHOWN = 14  # recommenders in a figure; of more the lines cannot be told apart
BEST_SHOWN = 10  # then those of the lowest error


def looks_of(models: list[str]) -> dict[str, dict]:
    """Colour, marker and line of each recommender, by its place in `models`."""
    looks = [
        {"color": colour, "marker": marker, "linestyle": line}
        for line in LINES
        for colour, marker in zip(COLOURS, MARKERS, strict=True)
    ]
    return dict(zip(models, cycle(looks), strict=False))


def run_looks(results: pd.DataFrame) -> dict[str, dict]:
    """The look of each recommender of a run, in all its figures the same: by the order of the run
    while there are colours enough, else by the mean RMSE, the lowest first.

    Args:
        results: all rows of a run, failed ones too: `model` and `rmse`.
    """
    models = list(results["model"].unique())
    if len(models) > len(COLOURS):
        mean = results.groupby("model", sort=False)["rmse"].mean()
        models = list(mean.sort_values(kind="stable", na_position="last").index)
    return looks_of(models)


def page_looks(looks: dict[str, dict]) -> list[dict[str, str | bool]]:
    """name, light and dark colour, symbol, whether it is open, glyph and dash of each recommender,
    in order, in the words of plotly."""
    found = []
    for name, look in looks.items():
        symbol, *glyphs = MARKERS[look["marker"]]
        is_open, colour = look["linestyle"] != "-", look["color"]
        words = {"name": name, "light": colour, "dark": ON_DARK[colour], "symbol": symbol}
        words |= {"glyph": glyphs[is_open], "dash": LINES[look["linestyle"]]}
        found.append(words | {"open": is_open})
    return found


def shown_at_first(models: list[str], done: pd.DataFrame, references: list[str]) -> list[str]:
    """All `models` if they can be told apart; else those of the lowest mean RMSE in the rows
    `done`, and the `references`; in their order."""
    if len(models) <= MOST_SHOWN:
        return models
    mean = done[done["model"].isin(models)].groupby("model")["rmse"].mean()
    shown = {*mean.sort_values(kind="stable").index[:BEST_SHOWN], *references}
    return [name for name in models if name in shown]


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write `stem`.png and `stem`.svg; the same figure is the same file."""
    files = [stem.with_suffix(f".{suffix}") for suffix in ("png", "svg")]
    with mpl.rc_context({"svg.hashsalt": stem.name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a sign in the name of a dataset
        for file in files:
            metadata = {"Date": None} if file.suffix == ".svg" else None
            figure.savefig(file, metadata=metadata)
    return files
