"""The defects of the published benchmark, one at a time -> results/<folder>/*.csv

Three tables: which movie each join gives a rating (`joins.csv`); every published contender and
trivial predictor under both protocols (`contenders.csv`); and each defect repaired by itself, with
the rest as published (`ablation.csv`). docs/published-benchmark.md shows them.

    python -m experiments.published_benchmark --dataset FOLDER --output-dir results/my-ablation
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from experiments.common import Flags, Job, cells_of, grid, run_experiment
from recbench.command_line import run
from recbench.data.dataset import Dataset
from recbench.data.loading import load_dataset
from recbench.errors import InputError
from recbench.evaluation.cells import Cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.registry import load_recommender
from recbench.runs.run_folder import RunFolder


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py; one with links (Kaggle's, or a folder of its files)"""
    num_users: int = 250
    """number of users to draw"""
    reviews_per_user: tuple[int, ...] = (25, 50)
    """numbers of ratings of each"""
    iterations: int = 5
    """repetitions; the protocol decides whether each draws a fresh sample"""


CONTENDERS = ("ao", "torch", "colab")
TRIVIAL = ("always_3", "user_mean", "user_median", "movie_mean")
BESIDE = "user_median"  # runs with each repair
EPOCHS = 200  # full-batch steps of `torch`, in place of the published 25
CHANGES: dict[str, dict[str, Any]] = {  # each repairs a defect
    "as published": {},
    "1 joined through links": {"join": "links"},
    "3 the same test rows for all": {"holdout": "random"},
    "4 vote average halved": {"vote_scale": "halved"},
    "5 loss on logits": {"loss": "logits"},
    f"5 loss on logits, {EPOCHS} steps": {"loss": "logits"},
    "6 half stars kept": {"labels": "half_stars"},
    "6 the last ratings held out": {"holdout": "last"},
    "7 a fresh sample each iteration": {"samples": "fresh"},
    "8 background users learned from": {"background_users": 2000},
}
REPAIRS = {name: PROTOCOLS["published"].changed(**one) for name, one in CHANGES.items()}
ENDS = ("as published", "all of them (strict)")
REPAIRS[ENDS[1]] = PROTOCOLS["strict"].changed(encoding="published")


def main(parameters: Parameters) -> int:
    datasets = {join: load_dataset(parameters.dataset, join) for join in ("direct", "links")}
    if datasets["links"].source.name == "ml-100k":
        message = "--dataset: ml-100k has one id space, nothing to show. Give Kaggle's files"
        raise InputError(message)
    sizes = tuple(f"{parameters.num_users}x{reviews}" for reviews in parameters.reviews_per_user)
    keys = grid(sizes, parameters.iterations, parameters.seed)

    def jobs(_: RunFolder) -> Iterator[Job]:
        for repair, protocol in REPAIRS.items():
            cell_of = cells_of(datasets[protocol.join], protocol)
            models, settings = (*CONTENDERS, *(TRIVIAL if repair in ENDS else (BESIDE,))), {}
            if "steps" in repair:
                models, settings = ("torch",), {"epochs": EPOCHS}
            for one in keys:
                sample_seed = protocol.sample_seed(parameters.seed, one["iteration"])
                cell = partial(cell_of, **one | {"seed": sample_seed})
                for name in models:
                    names = ("reviews_per_user", "iteration")
                    key = {"repair": repair, "model": name, **{n: one[n] for n in names}}
                    work = partial(scores, cell, one["seed"], name, settings)
                    yield Job(key, {"protocol": protocol.name, **key}, work)

    return run_experiment(
        parameters, "published-benchmark", [datasets["links"]], jobs, partial(tables, datasets)
    )


def tables(
    datasets: dict[str, Dataset], rows: pd.DataFrame, _: RunFolder
) -> dict[str, pd.DataFrame]:
    of_ends = summary(rows[rows["repair"].isin(ENDS)], ["protocol", "reviews_per_user", "model"])
    rows = rows[rows["model"].isin((*CONTENDERS, BESIDE))]
    ablation = with_changes(summary(rows, ["repair", "reviews_per_user", "model"]))
    return {
        "joins.csv": joins(datasets),
        "contenders.csv": of_ends,
        "contenders_accuracy.csv": of_ends.pivot_table(
            "accuracy_mean", ["protocol", "reviews_per_user"], "model", "first", sort=False
        ).reset_index(),
        "ablation.csv": ablation,
        "ablation_accuracy.csv": at_a_glance(ablation),
    }


def joins(datasets: dict[str, Dataset]) -> pd.DataFrame:
    """For each join, the number of ratings that find a row of the metadata, and the number that
    find the row of their own movie, which links.csv names."""
    table_of_links = datasets["links"].source.links
    assert table_of_links is not None  # a dataset without links is refused
    links = dict(table_of_links.select("movieId", "tmdbId").iter_rows())
    rows = []
    for join, dataset in datasets.items():
        tmdb_of = dict(dataset.table.select("movieId", "id").iter_rows())
        if join == "links":  # several MovieLens ids may be one movie
            known = set(dataset.table["id"])
            tmdb_of = {movie: tmdb for movie, tmdb in links.items() if tmdb in known}
        rated = dataset.source.read_ratings()["movieId"].to_list()
        found = [tmdb_of[movie] == links.get(movie) for movie in rated if movie in tmdb_of]
        row = {"join": join, "ratings": len(rated), "joined": len(found)}
        row |= {"joined_share": len(found) / len(rated), "right_movie": sum(found)}
        rows.append(row | {"right_share_of_joined": sum(found) / len(found)})
    return pd.DataFrame(rows)


def scores(make_cell: Callable[[], Cell], seed: int, name: str, settings: dict) -> dict:
    """The scores of a recommender in a cell."""
    make = partial(load_recommender(name), **settings)
    return dict(measure(make, replace(make_cell(), model_seed=seed)).row)


def summary(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean over the iterations and standard deviation of the scores."""
    scores = rows.groupby(by, sort=False)[["accuracy_mean", "rmse", "mae"]].agg(["mean", "std"])
    scores.columns = [f"{score}_sd" if how == "std" else score for score, how in scores.columns]
    return scores.reset_index()


def with_changes(ablation: pd.DataFrame) -> pd.DataFrame:
    """Add the change of accuracy by each repair."""
    cell = ["reviews_per_user", "model"]
    published = ablation[ablation["repair"] == "as published"].set_index(cell)["accuracy_mean"]
    of_cell = published.loc[pd.MultiIndex.from_frame(ablation[cell])].to_numpy()
    return ablation.assign(accuracy_change=ablation["accuracy_mean"] - of_cell)


def at_a_glance(ablation: pd.DataFrame) -> pd.DataFrame:
    """One row per repair, one column per cell and model: accuracy and its change, as text."""
    head = ablation["model"] + " × " + ablation["reviews_per_user"].astype(str)
    text = ablation["accuracy_mean"].map("{:.3f}".format)
    changed = ablation["repair"] != "as published"
    text = text.where(~changed, text + ablation["accuracy_change"].map(" ({:+.3f})".format))
    table = ablation[["repair"]].assign(head=head, text=text)
    return table.pivot_table("text", "repair", "head", "first", sort=False).reset_index()


if __name__ == "__main__":
    run(main, Parameters)
