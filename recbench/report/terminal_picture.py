"""What stands in a terminal, as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, RenderableType
from rich.terminal_theme import MONOKAI
from rich.text import Text

from recbench.report.family import read
from recbench.report.terminal import TABLES, legend, score_table

COLUMNS = 80

FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" \
xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; \
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture_of_run(run: Path, command: str) -> str:
    """The table at the end of a run of compare_all.py and how it is read, below the command.

    Raises:
        InputError: a file of the run is not there.
    """
    comparison, differences = read(run / "comparison.csv"), read(run / "significance.csv")
    table = score_table(comparison, differences, "rmse")
    return terminal_picture([f"$ {command}", TABLES["rmse"], table, legend(differences), ""])


def terminal_picture(shown: Sequence[RenderableType]) -> str:
    """What is printed, one after another, as an SVG that needs no other file."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), highlight=False, force_terminal=True
    )
    for one in shown:
        console.print(Text(one) if isinstance(one, str) else one)
    return console.export_svg(title="", theme=MONOKAI, code_format=FORMAT)
