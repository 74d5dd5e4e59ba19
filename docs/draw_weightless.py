"""Draw docs/weightless.svg: the four sets of an agent and which reads which.

    python docs/draw_weightless.py

Every arrow is taken from the architecture's own connections.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import weightless as ao  # noqa: E402
from weightless.arch import CONTROLS, DOMINANT, INPUTS, NEIGHBOURS  # noqa: E402

PICTURE = ROOT / "docs" / "weightless.svg"

CELL, GAP = 15, 26  # a neuron's side; between channels
X = {"I": 120, "Q": 370, "Z": 620, "C": 530}  # left edges of the columns
TOP, WIDTH, HEIGHT = 150, 800, 710
INK, SOFT = "#24364b", "#5b7083"
COLOURS = {"I": "#dcebf7", "Q": "#e4f3e1", "Z": "#fbe6d4", "C": "#efe1f5"}
TITLES = {
    "I": ("I, input", "the values given from outside"),
    "Q": ("Q, state", "a neuron for every input neuron"),
    "Z": ("Z, output", "the answer"),
    "C": ("C, control", "label, C+, C−"),
}
CHANNEL_NAMES = ["10 genres", "3 vote average", "3 language", "10 vote count"]


def boxes(arch: ao.Arch) -> dict[str, list[tuple[float, float, float]]]:
    """Left, top and height of every channel of I, Q and Z; Z in the middle of the height."""
    columns = {}
    for name, channels in (("I", arch.I), ("Q", arch.Q), ("Z", arch.Z)):
        heights = [CELL * len(channel) for channel in channels]
        y = TOP
        if name == "Z":
            all_q = CELL * len(arch.Q__flat) + GAP * (len(arch.Q) - 1)
            y += (all_q - sum(heights) - GAP * (len(heights) - 1)) / 2
        columns[name] = []
        for height in heights:
            columns[name].append((X[name], y, height))
            y += height + GAP
    return columns


def text(x: float, y: float, words: str, size: int = 12, colour: str = INK, **more: str) -> str:
    attributes = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in more.items())
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}"{attributes}>{words}</text>'


def arrow(path: str, colour: str = SOFT, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4"{dashes} '
        'marker-end="url(#tip)"/>'
    )


def channel(name: str, box: tuple[float, float, float]) -> str:
    """A column of neurons."""
    x, y, height = box
    return "".join(
        f'<rect x="{x}" y="{y + at * CELL}" width="{CELL}" height="{CELL}" fill="{COLOURS[name]}" '
        f'stroke="{INK}" stroke-width="0.8"/>'
        for at in range(round(height / CELL))
    )


def connections(arch: ao.Arch, columns: dict[str, list[tuple[float, float, float]]]) -> list[str]:
    """An arrow for each pair of channels of which one reads the other."""
    parts = []
    channels = {"I": arch.I, "Q": arch.Q, "Z": arch.Z}
    for before, layer in (("I", "Q"), ("Q", "Z")):
        for box, neurons in zip(columns[layer], channels[layer], strict=True):
            x, y, height = box
            for other, others in zip(columns[before], channels[before], strict=True):
                if set(arch.datamatrix[INPUTS, neurons[0]]) & set(others):
                    start, end = other[1] + other[2] / 2, y + height / 2
                    left, middle = other[0] + CELL + 4, (other[0] + x) / 2
                    parts.append(
                        arrow(f"M{left},{start} C{middle},{start} {middle},{end} {x - 6},{end}")
                    )
            if set(arch.datamatrix[NEIGHBOURS, neurons[0]]) & set(neurons):
                right, middle = x + CELL + 4, y + height / 2
                reach = min(height / 2 - 4, 18)
                parts.append(
                    arrow(
                        f"M{right},{middle - reach} C{right + 34},{middle - reach - 6} "
                        f"{right + 34},{middle + reach + 6} {right + 2},{middle + reach}",
                        dash="3 3",
                    )
                )
    return parts


def draw(arch: ao.Arch) -> str:
    """The whole picture as SVG."""
    columns = boxes(arch)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" role="img" '
        'aria-label="The four sets of an agent, I, Q, Z and C, and how they connect">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{SOFT}"/>'
        "</marker></defs>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for name in "IQZ":
        top = min(box[1] for box in columns[name])
        title, subtitle = TITLES[name]
        parts.append(text(X[name] - 20, top - 26, title, 15, font_weight="bold"))
        parts.append(text(X[name] - 20, top - 10, subtitle, 11, SOFT))
        parts += [channel(name, box) for box in columns[name]]
    for (x, y, height), words in zip(columns["I"], CHANNEL_NAMES, strict=True):
        parts.append(text(x - 8, y + height / 2 + 4, words, 11, SOFT, text_anchor="end"))
    parts += connections(arch, columns)

    control_x, control_y = X["C"], 42
    parts.append(text(control_x - 20, control_y - 14, TITLES["C"][0], 15, font_weight="bold"))
    for at, _ in enumerate(arch.C[0]):
        parts.append(
            f'<rect x="{control_x + at * CELL}" y="{control_y}" width="{CELL}" height="{CELL}" '
            f'fill="{COLOURS["C"]}" stroke="{INK}" stroke-width="0.8"/>'
        )
    parts.append(text(control_x + 56, control_y + 12, TITLES["C"][1], 11, SOFT))
    teach = "#8a4fa3"
    for name, neurons in (("Q", arch.Q__flat), ("Z", arch.Z__flat)):
        if set(arch.C[0]) <= set(arch.datamatrix[CONTROLS, neurons[0]]):
            x, end = X[name] + CELL / 2 + 62, min(box[1] for box in columns[name]) - 42
            start = control_x + 22
            curve = f"C{start},{control_y + 50} {x},{control_y + 30} {x},{end}"
            parts.append(arrow(f"M{start},{control_y + CELL + 4} {curve}", teach))
            parts.append(text(x + 8, end - 6, "teaches", 11, teach))
    q, i = arch.Q__flat[0], arch.I__flat[0]
    assert arch.datamatrix[DOMINANT, q] == i
    y = HEIGHT - 46
    learning = (
        "While it learns, a Q neuron takes the value of the I neuron at its place, "
        "and a Z neuron that of the label."
    )
    parts += [
        arrow(f"M40,{y} L84,{y}"),
        text(92, y + 4, "read in the state being made", 11),
        arrow(f"M290,{y} L334,{y}", dash="3 3"),
        text(342, y + 4, "read as it was in the state before (left out if unsequenced)", 11),
        text(40, y + 28, learning, 11),
    ]
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    movie = ao.Arch([10, 3, 3, 10], [10], [], "forward_forward_conn")
    PICTURE.write_text(draw(movie))
    print(f"drew {PICTURE.relative_to(ROOT)}")
