"""How much of a crowd does collaborative filtering need?

A recommender of one person needs that person's ratings alone; a collaborative one needs other
people's. Here its error is measured as their number grows from none, beside the personal
recommenders, which do not change. Where the lines cross is how large a crowd must be to be worth
having.

For each iteration users are drawn and their last ratings held out. Each of these users is then
predicted by models that have learned from that user's own training ratings and from exactly so
many other people: see `evaluation.crowd`. Others bring all their ratings, of any time.

The movies' bits tell what another crowd thinks: the votes of the metadata, or where it has none
those of everybody outside the sample, whatever the number of others. `--no-crowd` hides them from
all.

    python benchmarks/crowd_size.py
    python benchmarks/crowd_size.py --reviews-per-user 25 --models svd ridge --no-crowd
"""

from __future__ import annotations

import sys
import time
import traceback
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from recbench.command_line import run
from recbench.data.joining import Dataset, load_dataset
from recbench.errors import InputError
from recbench.evaluation import metrics
from recbench.evaluation.background import (
    cell_without_crowd,
    cells_with_crowd,
    crossing,
    group_size,
)
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS, Protocol, UserSet
from recbench.recommender import Recommender, build, family_of, load_recommender
from recbench.runs.resume import about_dataset, check_same_data, parameters_of
from recbench.runs.run_folder import RunFolder, check_new, write_csv

People = int | Literal["all"]


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """auto, the-movies-dataset, the-movies-dataset-small, ml-100k, or a folder of Kaggle's files"""
    other_people: tuple[People, ...] = (0, 10, 30, 100, 300, "all")
    """sizes of the crowd, ascending; all: as many as there are beside those tested"""
    num_users: int = 100
    """how many users to draw and test"""
    reviews_per_user: int = 50
    """how many ratings of each; 0: all they have"""
    iterations: int = 5
    """how often users are drawn; iteration k uses seed + k - 1"""
    models: tuple[str, ...] = (
        *("user_mean", "user_median", "ao", "ridge", "mlp_tuned", "wnn_vote"),
        *("movie_mean", "bias", "svd", "bayes_fm_ids", "bayes_fm"),
    )
    """names of recommenders, or one's own as file:Class"""
    user_set: UserSet = "all"
    """who may be tested: all, development (for research) or the reserved fifth"""
    crowd: bool = True
    """whether anybody knows the crowd's votes for a movie, and its opinion the ratings"""
    seed: int = 0
    """of samples, splits, crowds and recommenders"""
    output_dir: str = ""
    """the run's folder; default results/<time>-crowd-size"""
    resume: str = ""
    """the folder of a run that was stopped: go on with it, with its own parameters"""


EVERYBODY = 10**9  # as many others as there are
console = Console(highlight=False)


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    earlier = None
    if parameters.resume:
        earlier = RunFolder.resume(Path(parameters.resume))
        parameters = parameters_of(earlier, parameters)
    check(parameters)
    classes = {spec.rpartition(":")[2]: load_recommender(spec) for spec in parameters.models}
    protocol = PROTOCOLS["strict"].changed(user_set=parameters.user_set, crowd=parameters.crowd)
    dataset = load_dataset(parameters.dataset, protocol.join)
    sizes = sizes_of_crowd(parameters, draw(parameters, protocol, dataset, parameters.seed))
    default = f"results/{time.strftime('%Y%m%d-%H%M%S')}-crowd-size"
    about = {
        "parameters": asdict(parameters),
        "protocol": protocol.columns(),
        "dataset": about_dataset(dataset),
    }
    folder = earlier or RunFolder.create(Path(parameters.output_dir or default), about)
    check_same_data(folder, dataset, folder.about["dataset"])

    run_all(parameters, protocol, sizes, dataset, classes, folder)
    rows = folder.finish(list(classes), started)
    done = rows[rows["status"] == "ok"]
    crossings = crossings_of(done)
    write_csv(crossings, folder.path / "crossings.csv")
    title = (
        f"How much of a crowd does collaborative filtering need?\n{dataset.source.name}, "
        f"{parameters.num_users} users ({parameters.user_set}) × "
        f"{parameters.reviews_per_user or 'all'} ratings, {parameters.iterations} iterations"
        f"{'' if parameters.crowd else ', votes unknown'}"
    )
    plots = [folder.path / f"crowd_size.{kind}" for kind in ("png", "svg")]
    plot_crowd(done, title, plots)
    console.print(table_of(crossings))
    console.print(
        "0: from the start. By the mean over iterations; in brackets the least and the most of "
        "single iterations, or how many of them cross at all"
    )
    for file in ("comparison.csv", "crossings.csv", "crowd_size.png", "crowd_size.svg", "run.json"):
        console.print(f"  {folder.path / file}", soft_wrap=True)
    failed = int((rows["status"] == "failed").sum())
    if failed:
        console.print(f"{failed} results failed; the reasons are in comparison.csv and errors.txt")
    return 1 if failed else 0


# --- the runs ----------------------------------------------------------------------------------


def run_all(
    parameters: Parameters,
    protocol: Protocol,
    sizes: list[int],
    dataset: Dataset,
    classes: dict[str, type[Recommender]],
    folder: RunFolder,
) -> None:
    """Each recommender in each iteration: a personal one once, a collaborative one by crowd."""
    tasks = [
        (iteration, name, people)
        for iteration in range(1, parameters.iterations + 1)
        for name, cls in classes.items()
        for people in (sizes if learns_from_others(cls) else [None])
    ]
    choices = protocol.columns()
    del choices["other_users"]  # what `people` says is of another kind
    weight = parameters.num_users
    columns = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()]
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task("", total=sum(work(people, weight) for _, _, people in tasks))
        cell_of: dict[int, Cell] = {}
        for iteration, name, people in tasks:
            where = {"iteration": iteration, "model": name}
            crowd = "nobody" if people is None else f"{people} others"
            progress.update(bar, description=f"iteration {iteration}, {name}, {crowd}")
            if not folder.has(**where, **({} if people is None else {"people": people})):
                seed = parameters.seed + iteration - 1
                if iteration not in cell_of:
                    cell_of = {iteration: draw(parameters, protocol, dataset, seed)}
                row = {
                    "dataset": dataset.source.name,
                    **choices,
                    "num_users": parameters.num_users,
                    "reviews_per_user": parameters.reviews_per_user,
                    **where,
                    "seed": seed,
                    "family": family_of(classes[name]),
                    "people": people,
                }
                result = run_one(classes[name], protocol, cell_of[iteration], people, seed)
                if "traceback" in result:
                    folder.log_failure(f"{name}, {where}, {crowd}", result.pop("traceback"))
                folder.add(row | result)
            progress.advance(bar, work(people, weight))


def draw(parameters: Parameters, protocol: Protocol, dataset: Dataset, seed: int) -> Cell:
    """The users tested, and everybody else as others to learn from."""
    with_everybody = replace(protocol, other_users=EVERYBODY)
    return make_cell(
        dataset, with_everybody, parameters.num_users, parameters.reviews_per_user, seed
    )


def run_one(
    cls: type[Recommender], protocol: Protocol, cell: Cell, people: int | None, seed: int
) -> dict:
    """Errors over all users tested, from one model or from one for each group of them."""
    if people is None:
        cells = iter([cell_without_crowd(cell, protocol)])
    else:
        cells = cells_with_crowd(cell, people, protocol, seed)
    try:
        parts = [
            measure(
                build(cls, seed=seed, labels=protocol.labels, loss=protocol.loss),
                part,
                protocol.labels,
            )
            for part in cells
        ]
    except Exception as error:  # a model may fail in any way; the others go on
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return {"status": "failed", "error": reason, "traceback": traceback.format_exc()}
    rows = pd.concat([part.predictions for part in parts])
    stars, predicted, user = (rows[name].to_numpy() for name in ("stars", "predicted", "user_id"))
    return {
        "models_fitted": len(parts),
        "n_train": np.mean([part.row["n_train"] for part in parts]),  # of one model
        "n_test": len(rows),
        "rmse": metrics.rmse(stars, predicted, user),
        "mae": metrics.mae(stars, predicted, user),
        "fit_seconds": sum(part.row["fit_seconds"] for part in parts),
        "predict_seconds": sum(part.row["predict_seconds"] for part in parts),
        "status": "ok",
        "error": None,
    }


def learns_from_others(cls: type[Recommender]) -> bool:
    return getattr(cls, "learns_from_others", False)


def work(people: int | None, num_users: int) -> int:
    """How long a task takes, about, in people learned from."""
    return num_users if people is None else -(-num_users // group_size(people)) * (people + 10)


# --- where the lines cross ---------------------------------------------------------------------


def crossings_of(rows: pd.DataFrame) -> pd.DataFrame:
    """For each collaborative and each personal recommender: from how many other people on the
    first has the lower RMSE.

    Columns: collaborative, personal, people (of the mean over iterations; 0: from the start;
    empty: never), people_low and people_high (the least and the most of single iterations that
    cross), iterations_crossed of iterations, rmse_personal, rmse_alone and rmse_all (of the
    collaborative one with the smallest and the largest crowd).
    """
    error = rows.pivot_table(index=["model", "people"], columns="iteration", values="rmse")
    personal = rows[rows["people"].isna()].pivot_table(
        index="model", columns="iteration", values="rmse"
    )
    order = rows["model"].unique()
    records = []
    for name in (model for model in order if model in error.index.levels[0]):
        curve = error.loc[name]
        people, mean = curve.index.to_numpy(), curve.mean(axis=1).to_numpy()
        for other in (model for model in order if model in personal.index):
            level = personal.loc[other]
            each = [crossing(people, curve[k].to_numpy(), level[k]) for k in curve.columns]
            crossed = [value for value in each if value is not None]
            records.append(
                {
                    "collaborative": name,
                    "personal": other,
                    "people": crossing(people, mean, level.mean()),
                    "people_low": min(crossed, default=None),
                    "people_high": max(crossed, default=None),
                    "iterations_crossed": len(crossed),
                    "iterations": len(each),
                    "rmse_personal": level.mean(),
                    "rmse_alone": mean[0],
                    "rmse_all": mean[-1],
                }
            )
    return pd.DataFrame(records)


def table_of(crossings: pd.DataFrame) -> Table:
    title = "From how many other people on it is better than"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for name in crossings["personal"].unique():
        table.add_column(name, justify="right", no_wrap=True)
    for name, rows in crossings.groupby("collaborative", sort=False):
        table.add_row(str(name), *(in_words(row) for row in rows.to_dict("records")))
    return table


def in_words(row: dict) -> str:
    """ "12 (9-20)": of the mean over iterations, and the least and most of single ones."""
    of_mean = "never" if pd.isna(row["people"]) else f"{row['people']:,.0f}"
    if not row["iterations_crossed"]:
        return of_mean
    if row["iterations_crossed"] < row["iterations"]:
        return f"{of_mean} ({row['iterations_crossed']}/{row['iterations']})"
    return f"{of_mean} ({row['people_low']:,.0f}-{row['people_high']:,.0f})"


# --- parameters --------------------------------------------------------------------------------


def check(parameters: Parameters) -> None:
    """Raises InputError for a value out of its range, before anything is read or written."""
    for flag, value, least in (
        ("--num-users", parameters.num_users, 1),
        ("--reviews-per-user", parameters.reviews_per_user, 0),
        ("--iterations", parameters.iterations, 1),
        ("--seed", parameters.seed, 0),
    ):
        if value < least:
            raise InputError(f"{flag} is {value}. Expected {least} or more")
    if parameters.reviews_per_user == 1:
        raise InputError("--reviews-per-user is 1. Expected 2 or more: one to learn, one to test")
    if not parameters.models:
        raise InputError("--models needs a name")
    for spec in parameters.models:
        if parameters.models.count(spec) > 1:
            raise InputError(f"--models: {spec} stands twice")
    sizes = [np.inf if size == "all" else size for size in parameters.other_people]
    if not sizes or sizes != sorted(set(sizes)) or sizes[0] < 0:
        given = " ".join(map(str, parameters.other_people))
        raise InputError(
            f"--other-people is {given or 'empty'}. Expected sizes from 0 on, ascending, then all"
        )
    if parameters.output_dir and not parameters.resume:
        check_new(Path(parameters.output_dir))


def sizes_of_crowd(parameters: Parameters, cell: Cell) -> list[int]:
    """The sizes as numbers. Raises InputError where there are not so many people."""
    there_are = cell.n_other_users
    sizes = [there_are if size == "all" else size for size in parameters.other_people]
    if max(sizes) > there_are:
        raise InputError(
            f"--other-people {max(sizes)}: there are {there_are} people beside the "
            f"{parameters.num_users} tested. Ask for fewer"
        )
    return sorted(set(sizes))


if __name__ == "__main__":
    run(main, Parameters)
