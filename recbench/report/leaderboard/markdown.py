"""The rankings as tables of a document."""

from __future__ import annotations

from recbench.report.leaderboard.boards import boards
from recbench.report.leaderboard.lines import Figure, lines_of
from recbench.report.page import Page, markdown_table


def boards_in_markdown(page: Page, folder: str) -> str:
    """Each ranking with its heading, what was measured, and a table; the best of each cell in
    bold."""
    texts = []
    for board in boards(page.root / folder):
        lines = list(lines_of(board))
        rows = [[_cell(head, figure) for head, figure in line.items()] for line in lines]
        apart = f" **Not to be compared with the others: {board.comparable}.**"
        about = f"{board.about}.{apart if board.comparable else ''}"
        texts.append(f"## {board.title}\n\n{about}\n\n{markdown_table(list(lines[0]), rows)}")
    return "\n\n".join(texts)


def _cell(head: str, figure: Figure) -> str:
    if head == "recommender":
        return f"`{figure.text}`"
    text = f"**{figure.text}**" if figure.best else figure.text
    return f"{text} {figure.mark or ''}".strip()
