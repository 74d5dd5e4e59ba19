"""What was wrong in the published benchmark, one choice at a time -> results/<folder>/*.csv

Three tables: which movie each join gives a rating (`joins.csv`); every published contender and
trivial predictor under both protocols (`contenders.csv`); and each defect put right by itself,
the rest staying as published (`ablation.csv`). docs/published-benchmark.md shows them.

    python -m experiments.published_benchmark --dataset FOLDER --output-dir results/my-ablation
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from rich.progress import track

from recbench.command_line import run
from recbench.contract import Options, build
from recbench.data.dataset import Dataset
from recbench.data.loading import load_dataset
from recbench.errors import InputError
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS, Protocol
from recbench.registry import load_recommender
from recbench.runs.resume import open_run
from recbench.runs.run_folder import write_csv


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py; one with links (Kaggle's, or a folder of its files)"""
    num_users: int = 250
    """how many users to draw"""
    reviews_per_user: tuple[int, ...] = (25, 50)
    """how many ratings of each"""
    iterations: int = 5
    """repetitions; the sample is the same or fresh as the protocol says"""
    seed: int = 0
    """iteration k uses seed + k - 1"""
    output_dir: str = ""
    """the run's folder; default results/<time>-published-benchmark"""


CONTENDERS = ("ao", "torch", "colab")
TRIVIAL = ("always_3", "user_mean", "user_median", "movie_mean")
TRAINED_EPOCHS = 200  # full-batch steps of `torch`, in place of the published 25

PUBLISHED = PROTOCOLS["published"]
# defect -> what is changed in the published protocol to put it right
REPAIRS: dict[str, dict[str, Any] | None] = {
    "as published": {},
    "1 joined through links": {"join": "links"},
    "3 the same test rows for all": {"holdout": "random"},
    "4 vote average halved": {"vote_scale": "halved"},
    "5 loss on logits": {"loss": "logits"},
    f"5 loss on logits, {TRAINED_EPOCHS} steps": {"loss": "logits"},
    "6 half stars kept": {"labels": "half_stars"},
    "6 the last ratings held out": {"holdout": "last"},
    "7 a fresh sample each iteration": {"samples": "fresh"},
    "8 background users learned from": {"background_users": 2000},
    "all of them (strict)": None,
}


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    datasets = {join: load_dataset(parameters.dataset, join) for join in ("direct", "links")}
    if datasets["links"].source.name == "ml-100k":
        raise InputError(
            "--dataset: ml-100k has one id space, nothing to show. Give Kaggle's files"
        )
    run_folder = open_run(parameters, None, "published-benchmark", [datasets["links"]])
    folder = run_folder.path
    write_csv(joins(datasets), folder / "joins.csv")

    measured = partial(measure_models, datasets, parameters)
    rows = []
    for protocol in track(list(PROTOCOLS.values()), "contenders", transient=True):
        on_published_bits = protocol.changed(encoding="published")
        rows += measured(on_published_bits, CONTENDERS + TRIVIAL)
    write_csv(summary(rows, ["protocol", "reviews_per_user", "model"]), folder / "contenders.csv")

    rows = []
    for repair, changes in track(list(REPAIRS.items()), "ablation", transient=True):
        protocol = (
            PROTOCOLS["strict"].changed(encoding="published")
            if changes is None
            else PUBLISHED.changed(**changes)
        )
        if "steps" in repair:
            found = measured(protocol, ("torch",), {"epochs": TRAINED_EPOCHS})
        else:
            found = measured(protocol, (*CONTENDERS, "user_median"))
        rows += [{"repair": repair, **row} for row in found]
    ablation = summary(rows, ["repair", "reviews_per_user", "model"])
    ablation = with_differences(ablation)
    write_csv(ablation, folder / "ablation.csv")
    write_csv(at_a_glance(ablation), folder / "ablation_accuracy.csv")
    run_folder.close(started)
    print(f"joins.csv, contenders.csv, ablation.csv and ablation_accuracy.csv are in {folder}")


def joins(datasets: dict[str, Dataset]) -> pd.DataFrame:
    """For each join: how many ratings find a row of the metadata, and how many their own movie's.

    The right movie is the one that links.csv names.
    """
    table_of_links = datasets["links"].source.links
    assert table_of_links is not None  # a dataset without links is refused
    links = dict(table_of_links.select("movieId", "tmdbId").iter_rows())
    rows = []
    for join, dataset in datasets.items():
        ratings = dataset.source.read_ratings()["movieId"].to_numpy()
        table = dataset.table
        tmdb_of = dict(zip(table["movieId"], table["id"], strict=True))
        if join == "links":  # several MovieLens ids may be one movie
            known = set(table["id"])
            tmdb_of = {movie: tmdb for movie, tmdb in links.items() if tmdb in known}
        joined = sum(movie in tmdb_of for movie in ratings)
        right = sum(movie in tmdb_of and tmdb_of[movie] == links.get(movie) for movie in ratings)
        rows.append(
            {
                "join": join,
                "ratings": len(ratings),
                "joined": joined,
                "joined_share": joined / len(ratings),
                "right_movie": right,
                "right_share_of_joined": right / joined,
            }
        )
    return pd.DataFrame(rows)


def measure_models(
    datasets: dict[str, Dataset],
    parameters: Parameters,
    protocol: Protocol,
    models: tuple[str, ...],
    settings: dict | None = None,
) -> list[dict]:
    """The scores of each of `models` in each cell and iteration."""
    rows = []
    for reviews in parameters.reviews_per_user:
        for iteration in range(1, parameters.iterations + 1):
            cell = make_cell(
                datasets[protocol.join],
                protocol,
                parameters.num_users,
                reviews,
                protocol.sample_seed(parameters.seed, iteration),
            )
            for name in models:
                cls = load_recommender(name)
                seed = parameters.seed + iteration - 1
                options = Options(seed=seed, labels=protocol.labels, loss=protocol.loss)
                recommender = build(cls, options, **(settings or {}))
                key = {"protocol": protocol.name, "reviews_per_user": reviews, "model": name}
                rows.append(key | measure(recommender, cell, protocol.labels).row)
    return rows


def summary(rows: list[dict], by: list[str]) -> pd.DataFrame:
    """Mean over the iterations and standard deviation of the scores."""
    groups = pd.DataFrame(rows).groupby(by, sort=False)[["accuracy_mean", "rmse", "mae"]]
    mean, spread = groups.mean(), groups.std()
    columns = {}
    for score in mean.columns:
        columns[score] = mean[score]
        columns[f"{score}_sd"] = spread[score]
    return pd.DataFrame(columns).reset_index()


def with_differences(ablation: pd.DataFrame) -> pd.DataFrame:
    """The change of accuracy that each repair makes, beside the accuracy."""
    cell = ["reviews_per_user", "model"]
    published = ablation[ablation["repair"] == "as published"].set_index(cell)["accuracy_mean"]
    key = pd.MultiIndex.from_frame(ablation[cell])
    change = ablation["accuracy_mean"].to_numpy() - published.loc[key].to_numpy()
    place = list(ablation.columns).index("accuracy_mean_sd") + 1
    ablation.insert(place, "accuracy_change", change)
    return ablation


def at_a_glance(ablation: pd.DataFrame) -> pd.DataFrame:
    """One row per repair, one column per cell and model: accuracy and its change, as text."""
    texts = [
        f"{row.accuracy_mean:.3f}"
        + ("" if row.repair == "as published" else f" ({row.accuracy_change:+.3f})")
        for row in ablation.itertuples()
    ]
    heads = [f"{row.model} × {row.reviews_per_user}" for row in ablation.itertuples()]
    table = ablation[["repair"]].assign(head=heads, text=texts)
    wide = table.pivot_table(
        index="repair", columns="head", values="text", aggfunc="first", sort=False
    )
    return wide[list(dict.fromkeys(heads))].reset_index()


if __name__ == "__main__":
    run(main, Parameters)
