"""Which runs may be ranked together, and the rows of each ranking."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from recbench.contract import ForgettingRecommender
from recbench.errors import InputError
from recbench.evaluation.protocols import VERSION, Protocol
from recbench.keys import CELL
from recbench.registry import class_of
from recbench.report.terminal import cell_name, cells_of, learns_from, mark_of
from recbench.runs.run_folder import read_metadata

WITHOUT_LABELS = ("name", "labels", "loss")  # of a protocol, what is no matter of the RMSE
USER_SETS = {
    "test": "held-out test users",
    "development": "development users",
    "all": "users drawn from all",
}


@dataclass(frozen=True)
class Board:
    """Recommenders that were measured alike.

    Attributes:
        dataset: its name; `fingerprint` tells it from others of that name.
        protocol: what was chosen, by name.
        version: of the evaluation.
        seed: of the samples.
        cells: users and ratings of each; the last is the one that is ranked by.
        rows: model, learns_from, one column for each cell (its name: RMSE, and with _mark: "+",
            "-" or ""), mae, bytes_per_user, forgets, seconds, tuned, run; the best first.
    """

    dataset: str
    fingerprint: str
    protocol: dict[str, object]
    version: int
    seed: int
    cells: list[tuple[int, int]]
    rows: pd.DataFrame

    @property
    def title(self) -> str:
        """Data and users, in words."""
        users = str(self.protocol["user_set"])
        return f"{self.dataset}, {USER_SETS.get(users, f'users of {users}')}"

    @property
    def about(self) -> str:
        """The protocol in words."""
        background = self.protocol["background_users"]
        others = {"all": "all others", 0: "nobody else"}.get(background, f"{background} others")
        parts = [
            f"held out: {self.protocol['holdout']}",
            f"background users: {others}",
            f"encoding: {self.protocol['encoding']}",
            f"seed {self.seed}",
            f"data {self.fingerprint[:8]}",
            f"evaluation {self.version}",
        ]
        if not self.protocol["votes"]:
            parts.insert(3, "votes hidden")
        return "; ".join(parts)

    @property
    def comparable(self) -> str:
        """Why it is not ranked with what is measured today, or ""."""
        if self.version != VERSION:
            return f"measured by version {self.version} of the evaluation; today's is {VERSION}"
        return ""


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
    protocol = _choices(metadata)
    return (
        data["name"],
        data["fingerprint"],
        tuple((name, str(value)) for name, value in protocol.items()),
        metadata.get("evaluation_version", 1),
        metadata["parameters"].get("seed", 0),
    )


def _choices(metadata: dict) -> dict[str, object]:
    """Those that a score depends on; one that is newer than the run has its default."""
    then = metadata["protocol"]
    return {
        field.name: then.get(field.name, field.default)
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
    ranked_by = cell_name(cells[-1])
    (data,) = metadata["datasets"]
    return Board(
        dataset=data["name"],
        fingerprint=data["fingerprint"],
        protocol=_choices(metadata),
        version=metadata.get("evaluation_version", 1),
        seed=metadata["parameters"].get("seed", 0),
        cells=cells,
        rows=table.sort_values([ranked_by, "model"], kind="stable").reset_index(drop=True),
    )


def _rows_of(run: Path) -> pd.DataFrame:
    """The rows that succeeded, with the marks of the run's own table."""
    file = run / "comparison.csv"
    if not file.exists():
        raise InputError(f"{file}: is not there. Delete the folder, or go on with the run")
    rows = pd.read_csv(file)
    rows = rows[rows["status"] == "ok"]
    differences = pd.DataFrame(columns=["model", "score", "reference_role", *CELL])
    if (run / "significance.csv").exists():
        differences = pd.read_csv(run / "significance.csv")
    marks = [
        mark_of(differences, row.model, (row.num_users, row.reviews_per_user), "rmse")
        for row in rows.itertuples()
    ]
    return rows.assign(mark=marks, run=run.name)


def _of_model(name: str, rows: pd.DataFrame, cells: list[tuple[int, int]]) -> dict[str, object]:
    by_cell = dict(list(rows.groupby(CELL)))
    row: dict[str, object] = {"model": name, "learns_from": learns_from(rows, name)}
    for cell in cells:
        of_cell = by_cell.get(cell)
        row[cell_name(cell)] = None if of_cell is None else of_cell["rmse"].mean()
        row[f"{cell_name(cell)}_mark"] = "" if of_cell is None else of_cell["mark"].iloc[0]
    last = by_cell.get(cells[-1], rows.iloc[:0])  # nothing of another cell
    size = last["bytes_per_user"].mean() if "bytes_per_user" in last else None
    return row | {
        "mae": last["mae"].mean(),
        "bytes_per_user": size,
        "forgets": _forgets(name),
        "seconds": (last["fit_seconds"] + last["predict_seconds"]).mean(),
        "tuned": "no" if rows["tuned"].iloc[0] == "never" else "yes",
        "run": (last if len(last) else rows)["run"].iloc[0],
    }


def _forgets(name: str) -> str:
    """Whether it can forget a rating as if it had never been given: yes, no, or ""."""
    cls = class_of(name)
    if cls is None:
        return ""
    return "yes" if issubclass(cls, ForgettingRecommender) else "no"
