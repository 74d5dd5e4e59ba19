"""The rankings as one page that can be searched, filtered and sorted, without a network."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from recbench.report.leaderboard.boards import Board, boards
from recbench.report.terminal import cell_name

NO_MARK = "\N{FIGURE SPACE}"  # as wide as a mark, so that figures stand below each other
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
    shown = [{"board": board, **_table(board)} for board in boards(folder)]
    return TEMPLATE.get_template("page.html.jinja").render(boards=shown) + "\n"


def _table(board: Board) -> dict[str, object]:
    """Headings, and rows of cells: what is shown, and the number that it is sorted by."""
    cells = [cell_name(cell) for cell in (board.cells[-1], *board.cells[:-1])]
    heads = ["rank", "recommender", *cells, "MAE", "learns from", "bytes per user"]
    heads += ["forgets", "seconds", "tuned", "run"]
    best = {name: board.rows[name].min() for name in cells}
    rows = []
    for rank, row in enumerate(board.rows.to_dict("records"), start=1):
        errors = [
            {
                "text": ""
                if pd.isna(row[name])
                else f"{row[name]:.3f}{row[name + '_mark'] or NO_MARK}",
                "number": row[name],
                "best": round(row[name], 3) == round(best[name], 3),
            }
            for name in cells
        ]
        size, forgets = row["bytes_per_user"], row["forgets"]
        shown = [
            {"text": "" if pd.isna(row["mae"]) else str(rank), "number": rank},
            {"text": row["model"]},
            *errors,
            {"text": "" if pd.isna(row["mae"]) else f"{row['mae']:.3f}", "number": row["mae"]},
            {"text": row["learns_from"]},
            {"text": "" if pd.isna(size) else f"{size:,.0f}", "number": size},
            {"text": forgets},
            {"text": _seconds(row["seconds"]), "number": row["seconds"]},
            {"text": row["tuned"]},
            {"text": row["run"]},
        ]
        others = row["learns_from"] == "all users" if row["learns_from"] else ""
        rows.append({"cells": shown, "others": others, "bytes": size, "forgets": forgets == "yes"})
    return {"heads": heads, "rows": rows}


def _seconds(seconds: float) -> str:
    return "" if pd.isna(seconds) else f"{seconds:,.3g}"
