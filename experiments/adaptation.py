"""A user changes: how many ratings until each recommender has followed? -> adaptation.csv

Ratings are replayed in the order of their time (see continual.py). From some rating on

    mirrored     some users rate the movies of one genre the other way round, r -> 5.5 - r: the
                 genre that they had rated most until then
    two users    the account of some users is used by a second user as well, whose ratings, of
                 movies that the first never rates, come in turn with theirs

all others stay as they are. Beside each recommender's error on what has changed stands its error on
the same kind of ratings before the change, and how many ratings after it the error is again within
a tenth of that.

    python -m experiments.adaptation --dataset FOLDER
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from recbench.command_line import run
from recbench.contract import Options, build
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.ratings import Movies, Ratings
from recbench.registry import load_recommender
from recbench.report.adaptation_plot import adaptation_plot
from recbench.report.style import save
from recbench.runs.jobs import Job, run_jobs
from recbench.runs.resume import open_run, resumed
from recbench.runs.run_folder import write_csv
from recbench.stream.learners import Learner
from recbench.stream.replaying import replay
from recbench.stream.stream import Stream, ratings_before, ratings_in_time

WINDOWS = (0, 5, 10, 20, 40, 80, 160)  # ratings since the change, each up to the next
BEFORE = "before"
WITHIN = 1.1  # times the error before: recovered
GENRE = "genres:"


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    models: tuple[str, ...] = (
        *("personal@x1.5", "hybrid@x1.5", "ridge_recursive@x1.5", "ao@x1.5"),
        *("bayes_fm_folded@x1.5", "bayes_fm@10000", "river_biased_mf@never", "user_mean@never"),
    )
    """as in continual.py"""
    after: int = 50
    """from which rating of a user on"""
    share: float = 0.1
    """of the users who have twice as many ratings: who change"""
    seed: int = 0
    """of who changes, of recommenders and item tables"""
    output_dir: str = ""
    """the run's folder; default results/<time>-adaptation"""
    resume: str = ""
    """the folder of a run that was stopped: go on with it, with its own parameters"""
    accept_changes: bool = False
    """go on with a run although the code or a package has changed since"""


@dataclass(frozen=True)
class Changed:
    """A stream in which some users change.

    Attributes:
        ratings: what they rate, in the order of time.
        of_change: bool [n], what the change is about: ratings of the genre, or of the second user;
            before the change, those of the genre, or of the first.
        since: int [n], such ratings of the user since the change; negative before; only where
            `of_change`.
    """

    ratings: Ratings
    of_change: np.ndarray
    since: np.ndarray


console = Console(highlight=False)


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters)
    check_range("--after", parameters.after, least=5)
    check_range("--seed", parameters.seed, least=0)
    if not 0 < parameters.share <= 1:
        raise InputError(f"--share is {parameters.share}. Expected more than 0, 1 at the most")
    learners = [Learner.parse(text) for text in parameters.models]
    dataset = load_dataset(parameters.dataset)
    ratings = ratings_in_time(dataset, "all", 0, parameters.seed)
    plain = Stream(dataset, ratings, "extended", parameters.seed, Path("no item tables yet"))
    movies = plain.movies(len(ratings))
    scenarios: dict[str, Changed] = {
        "mirrored": mirrored(ratings, movies, parameters),
        "two users": two_users(ratings, parameters),
    }
    folder = open_run(parameters, earlier, "adaptation", [dataset])
    jobs = [
        Job(
            key={"change": name, "model": learner.name},
            columns={"dataset": dataset.source.name, "change": name, "model": learner.name},
            work=partial(
                errors,
                replace(plain, ratings=changed.ratings, folder=folder.path / f"item_tables-{k}"),
                changed,
                learner,
                parameters.seed,
            ),
        )
        for k, (name, changed) in enumerate(scenarios.items())
        for learner in learners
    ]
    run_jobs(jobs, folder, console)
    rows = pd.DataFrame(folder.rows)
    table = curves(rows)
    write_csv(table, folder.path / "adaptation.csv")
    write_csv(recovery(rows), folder.path / "summary.csv")
    save(adaptation_plot(table), folder.path / "adaptation")
    folder.close(started)
    for kept in folder.path.glob("item_tables-*"):
        shutil.rmtree(kept)
    console.print(recovery(rows).to_string(index=False, float_format="{:.3f}".format))
    return int((rows["status"] == "failed").any())


def chosen_users(ratings: Ratings, parameters: Parameters) -> np.ndarray:
    """Who changes: drawn from those with twice as many ratings as come before the change."""
    count = np.bincount(ratings.user)
    many = np.flatnonzero(count >= 2 * parameters.after)
    if len(many) < 10:
        raise InputError(
            f"--after {parameters.after}: only {len(many)} users have twice as many ratings. "
            "Choose fewer"
        )
    rng = np.random.default_rng([parameters.seed, 22])
    return rng.permutation(many)[: max(int(parameters.share * len(many)), 5)]


def mirrored(ratings: Ratings, movies: Movies, parameters: Parameters) -> Changed:
    """From rating `after` on, the chosen users' genre is rated the other way round."""
    genres = [k for k, name in enumerate(movies.bit_names) if name.startswith(GENRE)]
    of_genre = movies.bits[:, genres].astype(bool)[ratings.movie]  # (n, genres)
    before = ratings_before(ratings)
    stars, of_change = ratings.stars.copy(), np.zeros(len(ratings), dtype=bool)
    for user in chosen_users(ratings, parameters):
        rows = np.flatnonzero(ratings.user == user)
        early = rows[before[rows] < parameters.after]
        genre = of_genre[early].sum(axis=0).argmax()
        about = rows[of_genre[rows, genre]]
        of_change[about] = True
        later = about[before[about] >= parameters.after]
        stars[later] = 5.5 - stars[later]
    changed = Ratings(ratings.user, ratings.movie, stars, ratings.time)
    return Changed(changed, of_change, _since(changed, before >= parameters.after, of_change))


def two_users(ratings: Ratings, parameters: Parameters) -> Changed:
    """From rating `after` on, ratings of a second user come in turn with those of the first."""
    chosen = chosen_users(ratings, parameters)
    first, second = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    user, when = ratings.user.copy(), ratings.time.astype(np.float64)
    kept = np.ones(len(ratings), dtype=bool)
    of_second = np.zeros(len(ratings), dtype=bool)
    for one, other in zip(first, second, strict=False):
        own, theirs = (np.flatnonzero(ratings.user == who) for who in (one, other))
        kept[theirs] = False
        theirs = theirs[~np.isin(ratings.movie[theirs], ratings.movie[own])]
        places = own[parameters.after :][
            : len(theirs)
        ]  # a rating of the second after each of these
        theirs = theirs[: len(places)]
        kept[theirs], of_second[theirs], user[theirs] = True, True, one
        when[theirs] = ratings.time[places] + 0.5
    order = np.argsort(when, kind="stable")
    order = order[kept[order]]
    changed = Ratings(user[order], ratings.movie[order], ratings.stars[order], when[order])
    before, of_second = ratings_before(changed), of_second[order]
    accounts = np.isin(changed.user, first)
    of_change = accounts & (of_second | (before < parameters.after))
    return Changed(changed, of_change, _since(changed, of_second, of_change))


def _since(ratings: Ratings, later: np.ndarray, of_change: np.ndarray) -> np.ndarray:
    """The number of each such rating of its user: 0 the first after the change, −1 the last
    before."""
    since = np.zeros(len(ratings), dtype=np.int64)
    for user in np.unique(ratings.user[of_change]):
        rows = np.flatnonzero((ratings.user == user) & of_change)
        since[rows] = np.arange(len(rows)) - np.count_nonzero(~later[rows])
    return since


def errors(stream: Stream, changed: Changed, learner: Learner, seed: int) -> dict[str, Any]:
    """Mean squared errors of what has changed, by how many such ratings have come since."""
    predicted = []
    for start, end in learner.pieces(stream.ratings.time):
        model = build(load_recommender(learner.spec), Options(seed=seed))
        predicted.append(replay(model, stream, start, end).predicted)
    squared = (np.concatenate(predicted) - stream.ratings.stars).astype(np.float64) ** 2
    rows = changed.of_change & (changed.since < 0) & (changed.since >= -20)
    found: dict[str, Any] = {BEFORE: float(np.sqrt(squared[rows].mean()))}
    for first, up_to in zip(WINDOWS, [*WINDOWS[1:], np.inf], strict=True):
        rows = changed.of_change & (changed.since >= first) & (changed.since < up_to)
        found[f"since_{first}"] = float(np.sqrt(squared[rows].mean())) if rows.any() else None
        found[f"events_{first}"] = int(rows.sum())
    return found


def curves(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each change, learner and window."""
    records = []
    for row in rows[rows["status"] == "ok"].to_dict("records"):
        key = {name: row[name] for name in ("dataset", "change", "model")}
        for first in WINDOWS:
            if pd.notna(row[f"since_{first}"]):
                records.append(
                    {
                        **key,
                        "ratings_since": first,
                        "n_events": row[f"events_{first}"],
                        "rmse": row[f"since_{first}"],
                        "rmse_before": row[BEFORE],
                    }
                )
    return pd.DataFrame(records)


def recovery(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each change and learner: the error before, right after and at the end, and after how many
    ratings it stays within a tenth of that before; empty: not within those there are."""
    records = []
    for row in rows[rows["status"] == "ok"].to_dict("records"):
        there = [first for first in WINDOWS if pd.notna(row[f"since_{first}"])]
        near = [row[f"since_{first}"] <= WITHIN * row[BEFORE] for first in there]
        back = [first for k, first in enumerate(there) if all(near[k:])]
        records.append(
            {
                "change": row["change"],
                "model": row["model"],
                "rmse_before": row[BEFORE],
                "rmse_at_once": row[f"since_{there[0]}"],
                "rmse_at_the_end": row[f"since_{there[-1]}"],
                "ratings_until_recovered": back[0] if back else None,
            }
        )
    return pd.DataFrame(records)


if __name__ == "__main__":
    run(main, Parameters)
