"""How many background users does collaborative filtering need?

A personal recommender needs one user's ratings; a collaborative one needs other users'. Its error
is measured as their number grows from none, beside the personal recommenders, which do not change.
Where the lines cross is how many background users pay.

For each iteration users are drawn and their last ratings held out. Each is then predicted by models
that have learned from that user's own training ratings and from exactly so many background users,
with all their ratings of any time: see `recbench.evaluation.background`. A recommender that has
settings for a sample alone is given those where they are better on validation rows, at each size
and in each iteration. The item baseline of a
collaborative model is fitted to the same users; that of a personal one knows votes and bits alone.
The votes themselves are those of the metadata, or where it has none those of everybody outside the
sample, whatever the number of background users. `--no-votes` hides them from all.

    python -m experiments.background_users
    python -m experiments.background_users --reviews-per-user 25 --models svd ridge --no-votes
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from rich.console import Console

from recbench.command_line import run
from recbench.data.joining import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation import metrics
from recbench.evaluation.background import (
    cell_without_background,
    cells_with_background,
    crossing,
    group_size,
)
from recbench.evaluation.cells import Cell, make_cell, validation_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS, Protocol, UserSet
from recbench.recommender import Options, build, declared
from recbench.registry import family_of, load_recommender, name_of
from recbench.report.background_plot import plot_background
from recbench.report.style import save
from recbench.runs.jobs import Job, run_jobs
from recbench.runs.resume import open_run, resumed
from recbench.runs.run_folder import check_new, write_csv

Size = int | Literal["all"]


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """auto, the-movies-dataset, the-movies-dataset-small, ml-100k, or a folder or zip file"""
    background_users: tuple[Size, ...] = (0, 10, 30, 100, 300, "all")
    """how many, ascending; all: as many as there are beside those tested"""
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
    """who may be tested: all, development (for research) or test (held-out test users)"""
    votes: bool = True
    """whether the external votes of a movie are known to any recommender"""
    seed: int = 0
    """of samples, splits, background users and recommenders"""
    output_dir: str = ""
    """the run's folder; default results/<time>-background-users"""
    resume: str = ""
    """the folder of a run that was stopped: go on with it, with its own parameters"""
    accept_changes: bool = False
    """go on with a run although the code or a package has changed since"""


CHOSEN_ON = 10  # groups, of which validation rows are taken to choose settings on
console = Console(highlight=False)


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters)
    check(parameters)
    classes = {name_of(spec): load_recommender(spec) for spec in parameters.models}
    changes = {"user_set": parameters.user_set, "votes": parameters.votes}
    protocol = PROTOCOLS["strict"].changed(**changes, background_users="all")
    dataset = load_dataset(parameters.dataset, protocol.join)

    @cache
    def cell_of(iteration: int) -> Cell:
        size = (parameters.num_users, parameters.reviews_per_user)
        return make_cell(dataset, protocol, *size, parameters.seed + iteration - 1)

    sizes = sizes_of(parameters, cell_of(1))
    folder = open_run(
        parameters, earlier, "background-users", [dataset], protocol=protocol.columns()
    )
    jobs = []
    for iteration in range(1, parameters.iterations + 1):
        for name, cls in classes.items():
            for size in sizes if declared(cls, "learns_from_background") else [None]:
                seed = parameters.seed + iteration - 1
                key = {"iteration": iteration, "model": name, "background_users": size}
                columns = {
                    "dataset": dataset.source.name,
                    **protocol.columns(),
                    "num_users": parameters.num_users,
                    "reviews_per_user": parameters.reviews_per_user,
                    "iteration": iteration,
                    "model": name,
                    "seed": seed,
                    "family": family_of(cls),
                    "background_users": size,
                }
                work = partial(errors_of, cls, protocol, cell_of, iteration, size, seed)
                jobs.append(Job(key, columns, work, cost_of(size, parameters.num_users)))
    run_jobs(jobs, folder, console)

    rows = folder.finish(list(classes), started)
    done = rows[rows["status"] == "ok"]
    crossings = crossings_of(done)
    write_csv(crossings, folder.path / "crossings.csv")
    title = (
        f"How many background users does collaborative filtering need?\n{dataset.source.name}, "
        f"{parameters.num_users} users ({parameters.user_set}) × "
        f"{parameters.reviews_per_user or 'all'} ratings, {parameters.iterations} iterations"
        f"{'' if parameters.votes else ', votes unknown'}"
    )
    save(plot_background(done, title), folder.path / "background_users")
    shown = crossings.pivot_table(
        index="collaborative", columns="personal", values="background_users", sort=False
    )
    console.print("From how many background users on it is better than (0: from the start):")
    console.print(shown.to_string(float_format="{:.0f}".format, na_rep="never"))
    console.print(f"comparison.csv, crossings.csv and the picture are in {folder.path}")
    failed = int((rows["status"] == "failed").sum())
    if failed:
        console.print(f"{failed} results failed; the reasons are in comparison.csv and errors.txt")
    return 1 if failed else 0


def errors_of(
    cls: type,
    protocol: Protocol,
    cell_of: Callable[[int], Cell],
    iteration: int,
    size: int | None,
    seed: int,
) -> dict:
    """Errors over all users tested, from one model or from one for each group of them."""
    cell = cell_of(iteration)
    options = Options(seed=seed, labels=protocol.labels, loss=protocol.loss)
    if size is None:
        cells, settings = [cell_without_background(cell)], {}
    else:
        cells = list(cells_with_background(cell, size, protocol, seed))
        settings = settings_for(cls, options, cells[:CHOSEN_ON], protocol)
    parts = [measure(build(cls, options, **settings), part, protocol.labels) for part in cells]
    rows = pd.concat([part.predictions for part in parts])
    stars, predicted, user = (rows[name].to_numpy() for name in ("stars", "predicted", "user_id"))
    return {
        "settings": "alone" if settings else "default",
        "models_fitted": len(parts),
        "n_train": np.mean([part.row["n_train"] for part in parts]),  # of one model
        "n_test": len(rows),
        "rmse": metrics.rmse(stars, predicted, user),
        "mae": metrics.mae(stars, predicted, user),
        "fit_seconds": sum(part.row["fit_seconds"] for part in parts),
        "predict_seconds": sum(part.row["predict_seconds"] for part in parts),
    }


def settings_for(cls: type, options: Options, cells: list[Cell], protocol: Protocol) -> dict:
    """The defaults, or what suits a sample alone: whichever predicts better on validation rows,
    a part held out of the training ratings."""
    alone = declared(cls, "settings_alone")
    if not alone:
        return {}
    inner = [validation_cell(cell, protocol, options.seed) for cell in cells]

    def error(settings: dict) -> float:
        models = [build(cls, options, **settings) for _ in inner]
        scores = [measure(*pair, protocol.labels).rmse for pair in zip(models, inner, strict=True)]
        return float(np.mean(scores))

    return min(({}, alone), key=error)


def cost_of(size: int | None, num_users: int) -> int:
    """How long a job takes, about, in users learned from."""
    return num_users if size is None else -(-num_users // group_size(size)) * (size + 10)


def crossings_of(rows: pd.DataFrame) -> pd.DataFrame:
    """For each collaborative and each personal recommender: from how many background users on the
    first has the lower RMSE.

    Columns: collaborative, personal, background_users (of the mean over iterations; 0: from the
    start; empty: never), _low and _high (the least and the most of single iterations that cross),
    iterations_crossed of iterations, rmse_personal, rmse_alone and rmse_all (of the collaborative
    one with the fewest and the most background users).
    """
    error = rows.pivot_table(
        index=["model", "background_users"], columns="iteration", values="rmse"
    )
    personal = rows[rows["background_users"].isna()].pivot_table(
        index="model", columns="iteration", values="rmse"
    )
    order = rows["model"].unique()
    records = []
    for name in (model for model in order if model in error.index.levels[0]):
        curve = error.loc[name]
        sizes, mean = curve.index.to_numpy(), curve.mean(axis=1).to_numpy()
        for other in (model for model in order if model in personal.index):
            level = personal.loc[other]
            each = [crossing(sizes, curve[k].to_numpy(), level[k]) for k in curve.columns]
            crossed = [value for value in each if value is not None]
            records.append(
                {
                    "collaborative": name,
                    "personal": other,
                    "background_users": crossing(sizes, mean, level.mean()),
                    "background_users_low": min(crossed, default=None),
                    "background_users_high": max(crossed, default=None),
                    "iterations_crossed": len(crossed),
                    "iterations": len(each),
                    "rmse_personal": level.mean(),
                    "rmse_alone": mean[0],
                    "rmse_all": mean[-1],
                }
            )
    return pd.DataFrame(records)


def check(parameters: Parameters) -> None:
    """Raises InputError for a value out of its range, before anything is read or written."""
    check_range("--num-users", parameters.num_users, least=1)
    check_range("--reviews-per-user", parameters.reviews_per_user, least=0)
    check_range("--iterations", parameters.iterations, least=1, most=10_000)
    check_range("--seed", parameters.seed, least=0)
    if parameters.reviews_per_user == 1:
        raise InputError("--reviews-per-user is 1. Expected 2 or more: one to learn, one to test")
    if not parameters.models or len(set(parameters.models)) < len(parameters.models):
        raise InputError(
            f"--models is {' '.join(parameters.models) or 'empty'}. Expected each once"
        )
    sizes = [np.inf if size == "all" else size for size in parameters.background_users]
    if not sizes or sizes != sorted(set(sizes)) or sizes[0] < 0:
        given = " ".join(map(str, parameters.background_users))
        raise InputError(
            f"--background-users is {given or 'empty'}. Expected sizes from 0 on, ascending, then "
            "all"
        )
    if parameters.output_dir and not parameters.resume:
        check_new(Path(parameters.output_dir))


def sizes_of(parameters: Parameters, cell: Cell) -> list[int]:
    """The sizes as numbers. Raises InputError where there are not so many users."""
    there_are = cell.n_background_users
    sizes = [there_are if size == "all" else size for size in parameters.background_users]
    if max(sizes) > there_are:
        raise InputError(
            f"--background-users {max(sizes)}: there are {there_are} users beside the "
            f"{parameters.num_users} tested. Ask for fewer"
        )
    return sorted(set(sizes))


if __name__ == "__main__":
    run(main, Parameters)
