"""The page of rankings: recommenders on the same data, by the same evaluation, from many runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from recbench.contract import ForgettingRecommender
from recbench.errors import InputError
from recbench.evaluation.protocols import VERSION, Protocol
from recbench.files import CELL
from recbench.registry import class_of
from recbench.report.figure import minus
from recbench.report.html.page import Page, Section, render
from recbench.report.terminal import cell_name, cells_of, learns_from, marks
from recbench.runs.run_folder import read_metadata

WITHOUT_LABELS = ("name", "labels", "loss")  # of a protocol, what is no matter of the RMSE
USER_SETS = {
    "test": "held-out test users",
    "development": "development users",
    "all": "users drawn from all",
}
FILTERS: dict[str, list[tuple[str, str | float]]] = {
    "learns from": [
        (text, text) for text in ("all users", "the user alone", "the user, and item statistics")
    ],
    "bytes per user": [("up to 1 kB", 1e3), ("up to 10 kB", 1e4), ("up to 100 kB", 1e5)],
    "forgets": [("exactly", "yes")],
}


@dataclass(frozen=True)
class Board:
    """Recommenders that were measured alike.

    Attributes:
        title: data and users, in words.
        about: the protocol in words.
        comparable: why it is not ranked with what is measured today, or "".
        cells: users and ratings of each; the last is the one that is ranked by.
        rows: model, learns_from, one column for each cell (its name: RMSE, and with _mark: "+",
            "-" or ""), mae, bytes_per_user, forgets, seconds, tuned, run; the best first.
    """

    title: str
    about: str
    comparable: str
    cells: list[tuple[int, int]]
    rows: pd.DataFrame


def leaderboard_page(folder: Path) -> str:
    """The rankings of the runs in `folder` as HTML.

    Raises:
        InputError: as `boards`.
    """
    sections = [
        Section(
            f"ranking-{number}",
            board.title,
            [f"{board.about}."],
            table_of(board),
            warning=board.comparable and f"Not to be compared with the others: {board.comparable}.",
            is_open=True,
        )
        for number, board in enumerate(boards(folder), start=1)
    ]
    page = Page(
        title="Leaderboard: Recommender Systems Benchmark",
        kicker="Recommender Systems Benchmark",
        heading="Leaderboard",
        subject="Each table is of one dataset, set of users, protocol, seed and version of the "
        "evaluation; ranks of different tables are not to be compared. + −: significantly better, "
        "worse than the reference of the run it is from (p < .05 after Holm over that run). Cells "
        "are users × ratings of each; the first one ranks; MAE, memory and seconds are of it.",
        answer="RMSE in stars, mean over users (less is better)",
        sections=sections,
        filters=FILTERS,
        command="python -m recbench.report",
    )
    return render(page) + "\n"


def table_of(board: Board) -> pd.DataFrame:
    """What is read of a ranking, the cell that ranks before the others; with the columns `_mark`
    and `_best` of `recbench.report.html.page.Section`."""
    rows = board.rows
    ranked = rows["mae"].notna()  # measured in the cell that ranks
    table = pd.DataFrame({"rank": pd.Series(range(1, len(rows) + 1), dtype="Int64").where(ranked)})
    table = table.assign(**{"model": rows["model"], "learns from": rows["learns_from"]})
    for name in (cell_name(cell) for cell in (board.cells[-1], *board.cells[:-1])):
        table[f"RMSE, {name}"] = rows[name]
        table[f"RMSE, {name}_mark"] = rows[f"{name}_mark"].map(minus)
        table[f"RMSE, {name}_best"] = rows[name].round(3) == round(rows[name].min(), 3)
    table["MAE"] = rows["mae"]
    table["bytes per user"] = pd.to_numeric(rows["bytes_per_user"]).round()
    table[["forgets", "fit and predict, s", "tuned", "run"]] = rows[
        ["forgets", "seconds", "tuned", "run"]
    ]
    return table


def boards(folder: Path) -> list[Board]:
    """The rankings of all runs in `folder`: those with most recommenders first, those of an earlier
    version of the evaluation last.

    A cell that several runs have of a recommender is that of the run that ended last.

    Raises:
        InputError: there is no run, or a file of one is missing or damaged.
    """
    runs = sorted(file.parent for file in folder.glob("*/run.json"))
    if not runs:
        raise InputError(f"{folder}: has no folder of a run. Expected folders with a run.json")
    alike: dict[tuple, list[tuple[str, Path, dict]]] = {}
    for run in runs:
        metadata = read_metadata(run)
        if "protocol" in metadata and metadata.get("status") != "running":  # a grid, to its end
            ended = str(metadata.get("finished", ""))
            alike.setdefault(_key(metadata), []).append((ended, run, metadata))
    found = [_board(sorted(group, key=lambda one: one[:2])) for group in alike.values()]
    return sorted(found, key=lambda board: (bool(board.comparable), -len(board.rows), board.title))


def _key(metadata: dict) -> tuple:
    (data,) = metadata["datasets"]
    protocol = tuple((name, str(value)) for name, value in _choices(metadata).items())
    version, seed = metadata.get("evaluation_version", 1), metadata["parameters"].get("seed", 0)
    return data["name"], data["fingerprint"], protocol, version, seed


def _choices(metadata: dict) -> dict[str, object]:
    """Those that a score depends on; one that is newer than the run has its default."""
    return {
        field.name: metadata["protocol"].get(field.name, field.default)
        for field in fields(Protocol)
        if field.name not in WITHOUT_LABELS
    }


def _board(group: list[tuple[str, Path, dict]]) -> Board:
    metadata = group[-1][2]
    tables = [_rows_of(run).assign(order=order) for order, (_, run, _) in enumerate(group)]
    rows = pd.concat(tables, ignore_index=True)
    latest = rows.groupby(["model", *CELL])["order"].transform("max")
    rows = rows[rows["order"] == latest]
    cells = cells_of(rows)
    table = pd.DataFrame(_of_model(name, of_one, cells) for name, of_one in rows.groupby("model"))
    best_first = table.sort_values([cell_name(cells[-1]), "model"], kind="stable")
    name, fingerprint, _, version, seed = _key(metadata)
    choices = _choices(metadata)
    users, background = str(choices["user_set"]), choices["background_users"]
    others = {"all": "all others", 0: "nobody else"}.get(background, f"{background} others")
    about = [
        f"held out: {choices['holdout']}",
        f"background users: {others}",
        f"encoding: {choices['encoding']}",
        *([] if choices["votes"] else ["votes hidden"]),
        f"seed {seed}",
        f"data {fingerprint[:8]}",
        f"evaluation {version}",
    ]
    earlier = f"measured by version {version} of the evaluation; today's is {VERSION}"
    return Board(
        title=f"{name}, {USER_SETS.get(users, f'users of {users}')}",
        about="; ".join(about),
        comparable="" if version == VERSION else earlier,
        cells=cells,
        rows=best_first.reset_index(drop=True),
    )


def _rows_of(run: Path) -> pd.DataFrame:
    """The rows that succeeded, with the marks of the run's own table."""
    file, differences = run / "comparison.csv", run / "significance.csv"
    if not file.exists():
        raise InputError(f"{file}: is not there. Delete the folder, or go on with the run")
    rows = pd.read_csv(file)
    rows = rows[rows["status"] == "ok"]
    found = marks(pd.read_csv(differences)) if differences.exists() else {}
    keys = rows[[*CELL, "model"]].itertuples(index=False, name=None)
    return rows.assign(mark=[found.get((*key, "rmse"), "") for key in keys], run=run.name)


def _of_model(name: str, rows: pd.DataFrame, cells: list[tuple[int, int]]) -> dict[str, object]:
    by_cell, cls = dict(list(rows.groupby(CELL))), class_of(name)
    row: dict[str, object] = {"model": name, "learns_from": learns_from(rows, name)}
    for cell in cells:
        of_cell = by_cell.get(cell)
        row[cell_name(cell)] = None if of_cell is None else of_cell["rmse"].mean()
        row[f"{cell_name(cell)}_mark"] = "" if of_cell is None else of_cell["mark"].iloc[0]
    last = by_cell.get(cells[-1], rows.iloc[:0])  # nothing of another cell
    forgets = cls and ("yes" if issubclass(cls, ForgettingRecommender) else "no")
    return row | {
        "mae": last["mae"].mean(),
        "bytes_per_user": last["bytes_per_user"].mean() if "bytes_per_user" in last else None,
        "forgets": forgets or "",  # of a plugin it is not known
        "seconds": (last["fit_seconds"] + last["predict_seconds"]).mean(),
        "tuned": "no" if rows["tuned"].iloc[0] == "never" else "yes",
        "run": (last if len(last) else rows)["run"].iloc[0],
    }
