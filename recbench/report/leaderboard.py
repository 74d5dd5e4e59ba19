"""The page of rankings: recommenders on the same data, by the same evaluation, from many runs."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pandas as pd

from recbench.errors import InputError
from recbench.evaluation.protocols import VERSION, Protocol
from recbench.evaluation.significance import judged
from recbench.files import CELL
from recbench.report.figure import minus
from recbench.report.html.page import Page, Section, render
from recbench.report.terminal import cell_name, cells_of, learns_from, marks, name_in_table
from recbench.runs.run_folder import read_metadata

WITHOUT_LABELS = ("name", "labels", "loss")  # of a protocol, what is no matter of the RMSE


def leaderboard_page(folder: Path) -> str:
    """The rankings of the runs in `folder` as HTML.

    Raises:
        InputError: as `boards`.
    """
    page = Page(
        title="Leaderboard: Recommender Systems Benchmark",
        kicker="Recommender Systems Benchmark",
        heading="Leaderboard",
        subject="Each table is of one dataset, set of users, protocol, seed and version of the "
        "evaluation; ranks of different tables are not to be compared. Cells are users × ratings "
        "of each; the first one ranks. + −: significantly better, worse than the reference of the "
        "run it is from (p < .05 after Holm over that run); =: level with it. *: never tuned.",
        answer="RMSE in stars, mean over users (less is better)",
        sections=boards(folder),
        command="python -m recbench.report",
    )
    return render(page) + "\n"


def boards(folder: Path) -> list[Section]:
    """The rankings of all runs in `folder`, a section of recommenders that were measured alike:
    those with most recommenders first, those of an earlier version of the evaluation last.

    A cell that several runs have of a recommender is that of the run that ended last.

    Raises:
        InputError: there is no run, or a file of one is missing or damaged.
    """
    runs = sorted(file.parent for file in folder.glob("*/run.json"))
    if not runs:
        raise InputError(f"{folder}: has no folder of a run. Expected folders with a run.json")
    alike: dict[tuple, list[tuple[str, Path]]] = {}
    for run in runs:
        metadata = read_metadata(run)
        if "protocol" in metadata and metadata.get("status") != "running":  # a grid, to its end
            ended = str(metadata.get("finished", ""))
            alike.setdefault(_measured(metadata), []).append((ended, run))
    made = [_board(dict(how), [run for _, run in sorted(found)]) for how, found in alike.items()]
    made.sort(key=lambda one: (bool(one.warning), -one.n_rows, one.title))
    return [replace(one, name=f"ranking-{at}") for at, one in enumerate(made, start=1)]


def _measured(metadata: dict) -> tuple[tuple[str, str], ...]:
    """What a score depends on; a choice that is newer than the run has its default."""
    (data,) = metadata["datasets"]
    choices = {
        field.name: metadata["protocol"].get(field.name, field.default)
        for field in fields(Protocol)
        if field.name not in WITHOUT_LABELS
    }
    version, seed = metadata.get("evaluation_version", 1), metadata["parameters"].get("seed", 0)
    how = {"dataset": data["name"], "data": data["fingerprint"], **choices}
    return tuple((k, str(v)) for k, v in (how | {"seed": seed, "evaluation": version}).items())


def _board(how: dict[str, str], runs: list[Path]) -> Section:
    """The ranking of these runs, the last one first to be believed, and how they were measured."""
    shown = ("holdout", "background_users", "encoding", "votes", "seed", "data", "evaluation")
    about = (f"{name.replace('_', ' ')}: {how[name][:20]}" for name in shown)
    version = how["evaluation"]
    earlier = f"measured by version {version} of the evaluation; today's is {VERSION}"
    return Section(
        name="",
        title=f"{how['dataset']}, users: {how['user_set']}",
        text=[f"{'; '.join(about)}."],
        table=_table(runs),
        warning=""
        if version == str(VERSION)
        else f"Not to be compared with the others: {earlier}.",
    )


def _table(runs: list[Path]) -> pd.DataFrame:
    """What is read of a ranking, the best first, the cell that ranks before the others; with the
    columns `_mark` and `_best` of `recbench.report.html.page.Section`."""
    rows = pd.concat([_rows_of(run).assign(order=at) for at, run in enumerate(runs)])
    rows = rows[rows["order"] == rows.groupby(["model", *CELL])["order"].transform("max")]
    *others, ranks_by = cells_of(rows)
    of_cells = {cell: own.groupby("model") for cell, own in rows.groupby(CELL)}
    last, every = of_cells[ranks_by], rows.groupby("model")
    error = last["rmse"].mean().reindex(every.groups).sort_values(kind="stable")
    models = error.index
    table = pd.DataFrame({"rank": range(1, len(models) + 1)}, index=models, dtype="Int64")
    table["rank"] = table["rank"].where(error.notna())  # measured in the cell that ranks
    table["model"] = [name_in_table(rows, name) for name in models]
    table["learns from"] = [learns_from(rows, name) for name in models]
    for cell in (ranks_by, *others):
        name, mean = f"RMSE, {cell_name(cell)}", of_cells[cell]["rmse"].mean().reindex(models)
        mark = of_cells[cell]["mark"].first().reindex(models).fillna("").map(minus)
        best = mean.round(3) == round(mean.min(), 3)
        table = table.assign(**{name: mean, f"{name}_mark": mark, f"{name}_best": best})
    table["bytes per user"] = last["bytes_per_user"].mean().round()
    table["run"] = last["run"].first().reindex(models).fillna(every["run"].first())
    return table.reset_index(drop=True).round(6)


def _rows_of(run: Path) -> pd.DataFrame:
    """The rows that succeeded, with the marks of the run's own table."""
    file, differences = run / "comparison.csv", run / "significance.csv"
    if not file.exists():
        raise InputError(f"{file}: is not there. Delete the folder, or go on with the run")
    rows = pd.read_csv(file)
    rows = rows[rows["status"] == "ok"].assign(run=run.name)
    rows = rows.reindex(columns=[*rows, *({"bytes_per_user"} - set(rows))])
    found = marks(judged(pd.read_csv(differences), rows)) if differences.exists() else {}
    keys = rows[[*CELL, "model"]].itertuples(index=False, name=None)
    return rows.assign(mark=[found.get((*key, "rmse"), "") for key in keys])
