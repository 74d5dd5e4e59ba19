"""The rankings as tables of a document."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recbench.report.leaderboard.boards import Board, boards
from recbench.report.page import Page, markdown_table
from recbench.report.terminal import cell_name


def boards_in_markdown(page: Page, folder: str) -> str:
    """Each ranking with its heading, what was measured, and a table."""
    texts = []
    for board in boards(page.root / folder):
        lines = [list(line.values()) for line in lines_of(board)]
        table = markdown_table(list(next(lines_of(board))), lines)
        apart = f" **Not to be compared with the others: {board.comparable}.**"
        about = f"{board.about}.{apart if board.comparable else ''}"
        texts.append(f"## {board.title}\n\n{about}\n\n{table}")
    return "\n\n".join(texts)


def lines_of(board: Board) -> Iterator[dict[str, str]]:
    """The rows as text, by the headings of a table; the best of each cell in bold."""
    names = [cell_name(cell) for cell in board.cells]
    best = {name: round(board.rows[name].min(), 3) for name in names}
    for place, row in enumerate(board.rows.to_dict("records"), start=1):
        measured = pd.notna(row["mae"])  # in the cell that ranks
        line = {"": str(place) if measured else "", "recommender": f"`{row['model']}`"}
        line["learns from"] = str(row["learns_from"])
        for name in names:
            text = "" if pd.isna(row[name]) else f"{row[name]:.3f}"
            text = f"**{text}**" if text and round(row[name], 3) == best[name] else text
            line[f"RMSE, {name}"] = f"{text} {row[f'{name}_mark']}".strip()
        size = row["bytes_per_user"]
        line["MAE"] = f"{row['mae']:.3f}" if measured else ""
        line["bytes per user"] = "" if pd.isna(size) else f"{size:,.0f}"
        line["forgets"] = str(row["forgets"])
        line["fit and predict, s"] = f"{row['seconds']:,.3g}" if measured else ""
        line["tuned"], line["run"] = str(row["tuned"]), str(row["run"])
        yield line
