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

import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.common import Flags, Job, run_experiment
from recbench.command_line import run
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.ratings import Movies, Ratings
from recbench.registry import load_recommender
from recbench.runs.run_folder import RunFolder
from recbench.stream.learners import Learner
from recbench.stream.replaying import replay
from recbench.stream.stream import Stream, ratings_before, ratings_in_time

WINDOWS = (0, 5, 10, 20, 40, 80, 160)  # ratings since the change, each up to the next
WITHIN = 1.1  # times the error before: recovered


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    models: tuple[str, ...] = (
        *("personal@x1.5", "bayes_fm_recent@x1.5", "ridge_recursive@x1.5", "ao@x1.5"),
        *("bayes_fm_folded@x1.5", "bayes_fm@10000", "river_biased_mf@never", "user_mean@never"),
    )
    """as in continual.py"""
    after: int = 50
    """from which rating of a user on"""
    share: float = 0.1
    """of the users who have twice as many ratings: who change"""


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


def main(parameters: Parameters) -> int:
    check_range("--after", parameters.after, least=5)
    if not 0 < parameters.share <= 1:
        raise InputError(f"--share is {parameters.share}. Expected more than 0, 1 at the most")
    learners = [Learner.parse(text) for text in parameters.models]
    dataset = load_dataset(parameters.dataset)
    ratings = ratings_in_time(dataset, "all", 0, parameters.seed)
    with tempfile.TemporaryDirectory() as scratch:  # for item tables
        plain = Stream(dataset, ratings, "extended", parameters.seed, Path(scratch))
        scenarios = {
            "mirrored": mirrored(ratings, plain.movies(len(ratings)), parameters),
            "two users": two_users(ratings, parameters),
        }
        jobs = []
        for name, changed in scenarios.items():
            stream = replace(plain, ratings=changed.ratings, folder=Path(scratch) / name)
            for learner in learners:
                key: dict[str, object] = {"change": name, "model": learner.name}
                work = partial(errors, stream, changed, learner, parameters.seed)
                jobs.append(Job(key, {"dataset": dataset.source.name, **key}, work))
        return run_experiment(parameters, "adaptation", [dataset], lambda _: jobs, tables)


def tables(rows: pd.DataFrame, _: RunFolder) -> dict[str, pd.DataFrame]:
    table = curves(rows)
    return {"adaptation.csv": table, "summary.csv": recovery(table)}


def chosen_users(ratings: Ratings, parameters: Parameters) -> np.ndarray:
    """Who changes: drawn from those with twice as many ratings as come before the change."""
    many = np.flatnonzero(np.bincount(ratings.user) >= 2 * parameters.after)
    if len(many) < 10:
        there = f"only {len(many)} users have twice as many ratings"
        raise InputError(f"--after {parameters.after}: {there}. Choose fewer")
    rng = np.random.default_rng([parameters.seed, 22])
    return rng.permutation(many)[: max(int(parameters.share * len(many)), 5)]


def mirrored(ratings: Ratings, movies: Movies, parameters: Parameters) -> Changed:
    """From rating `after` on, the chosen users' genre is rated the other way round."""
    genres = [k for k, name in enumerate(movies.bit_names) if name.startswith("genres:")]
    of_genre = movies.bits[:, genres].astype(bool)[ratings.movie]  # (n, genres)
    later = ratings_before(ratings) >= parameters.after
    of_change = np.zeros(len(ratings), dtype=bool)
    for user in chosen_users(ratings, parameters):
        own = ratings.user == user
        genre = of_genre[own & ~later].sum(axis=0).argmax()
        of_change |= own & of_genre[:, genre]
    stars = np.where(of_change & later, 5.5 - ratings.stars, ratings.stars)
    changed = Ratings(ratings.user, ratings.movie, stars, ratings.time)
    return Changed(changed, of_change, _since(changed, later, of_change))


def two_users(ratings: Ratings, parameters: Parameters) -> Changed:
    """From rating `after` on, ratings of a second user come in turn with those of the first."""
    chosen = chosen_users(ratings, parameters)
    first, second = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    user, when = ratings.user.copy(), ratings.time.astype(np.float64)
    stays = ~np.isin(ratings.user, second[: len(first)])
    of_second = np.zeros(len(ratings), dtype=bool)
    for one, other in zip(first, second, strict=False):
        own, theirs = (np.flatnonzero(ratings.user == who) for who in (one, other))
        theirs = theirs[~np.isin(ratings.movie[theirs], ratings.movie[own])]
        places = own[parameters.after :][: len(theirs)]  # each is followed by one of the second
        theirs = theirs[: len(places)]
        stays[theirs], of_second[theirs], user[theirs] = True, True, one
        when[theirs] = ratings.time[places] + 0.5
    order = np.argsort(when, kind="stable")
    order = order[stays[order]]
    changed = Ratings(user[order], ratings.movie[order], ratings.stars[order], when[order])
    of_second, early = of_second[order], ratings_before(changed) < parameters.after
    of_change = np.isin(changed.user, first) & (of_second | early)
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
    """RMSE of what has changed, before and by how many such ratings have come since."""
    predicted = []
    for start, end in learner.pieces(stream.ratings.time):
        model = load_recommender(learner.spec)()
        predicted.append(replay(model, stream, start, end, seed).predicted)
    squared = (np.concatenate(predicted) - stream.ratings.stars).astype(np.float64) ** 2

    def rmse(first: float, up_to: float) -> tuple[float | None, int]:
        rows = changed.of_change & (changed.since >= first) & (changed.since < up_to)
        return float(np.sqrt(squared[rows].mean())) if rows.any() else None, int(rows.sum())

    found: dict[str, Any] = {"before": rmse(-20, 0)[0]}
    for first, up_to in zip(WINDOWS, [*WINDOWS[1:], np.inf], strict=True):
        found[f"since_{first}"], found[f"events_{first}"] = rmse(first, up_to)
    return found


def curves(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each change, learner and window of which there are ratings."""
    names = ["dataset", "change", "model"]
    table = pd.wide_to_long(rows, ["since", "events"], names, "ratings_since", "_").reset_index()
    table = table.rename(columns={"since": "rmse", "events": "n_events", "before": "rmse_before"})
    columns = [*names, "ratings_since", "n_events", "rmse", "rmse_before"]
    return table[columns].dropna(subset="rmse")


def recovery(table: pd.DataFrame) -> pd.DataFrame:
    """Of each change and learner: the error before, right after and at the end, and after how many
    ratings it stays within a tenth of that before; empty: not within those there are."""
    table = table.assign(near=table["rmse"] <= WITHIN * table["rmse_before"])
    records = []
    for (change, model), one in table.groupby(["change", "model"], sort=False):
        stays = one["near"][::-1].cummin()[::-1]
        record: dict[str, object] = {"change": change, "model": model}
        record |= {"rmse_before": one["rmse_before"].iloc[0], "rmse_at_once": one["rmse"].iloc[0]}
        record |= {"rmse_at_the_end": one["rmse"].iloc[-1]}
        record["ratings_until_recovered"] = next(iter(one["ratings_since"][stays]), None)
        records.append(record)
    return pd.DataFrame(records)


if __name__ == "__main__":
    run(main, Parameters)
