"""The rankings as one page that can be searched, filtered and sorted, without a network."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from recbench.report.leaderboard.boards import Board, boards
from recbench.report.leaderboard.lines import Figure, lines_of
from recbench.report.policy import content_policy

NO_MARK = "\N{FIGURE SPACE}"  # as wide as a mark, so that figures stand below each other
SCRIPT = files("recbench.report.leaderboard") / "page.js"
TEMPLATE = Environment(
    loader=PackageLoader("recbench.report.leaderboard", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def leaderboard_page(folder: Path) -> str:
    """The page of the runs in `folder`. All text of theirs is escaped.

    Raises:
        InputError: as `boards`.
    """
    script = SCRIPT.read_text(encoding="utf-8")
    shown = [{"board": board, **_table(board)} for board in boards(folder)]
    template = TEMPLATE.get_template("page.html.jinja")
    policy = content_policy(script)
    return template.render(boards=shown, script=Markup(script), policy=policy) + "\n"


def _table(board: Board) -> dict[str, object]:
    """Headings and rows, and by what each row is filtered."""
    lines = list(lines_of(board))
    rows = []
    for line in lines:
        source, size = line["learns from"].text, line["bytes per user"].number
        others = source == "all users" if source else ""
        forgets = line["forgets"].text == "yes"
        cells = [{"figure": figure, "text": _text(figure)} for figure in line.values()]
        rows.append({"cells": cells, "others": others, "bytes": size, "forgets": forgets})
    return {"heads": list(lines[0]), "rows": rows}


def _text(figure: Figure) -> str:
    return figure.text + (figure.mark or NO_MARK if figure.text and figure.mark is not None else "")
