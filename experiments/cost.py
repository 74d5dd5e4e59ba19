"""What a recommender costs -> results/<run>/cost.csv

Measured on the cell of an accuracy table, in processor time on one thread. For each length of
history, users with more training ratings are drawn; their first ratings up to that length are their
history. Each row is a recommender at a length:

    learn_us      to learn one more rating of the user and to predict another movie: by `learn_one`
                  (`learns`: one rating), else by a fit to the user's ratings (the user) or to
                  everybody's (all users)
    predict_us    to predict one movie
    user_us       to add a user with that history to a fitted model, one rating after another
                  where there is `learn_one`; empty where only a fit to everybody can
    forget_us     to forget a rating drawn from the history and to predict one movie; and
    trace         the largest difference, over some movies, from the predictions of a model that
                  never had that rating, in stars
    fit_seconds   to fit a recommender of all users; for others, to make what all users share. The
                  first rows are parts that several recommenders share: item baseline, item table,
                  codes of its factors
    bytes_state   of a user in storage, see `Recommender.state_bytes`
    bytes_held    of a user in memory while the program runs, Cholesky factor or counters
                  included
    bytes_shared  of what all users share

Medians over users.

    python -m experiments.cost --dataset FOLDER --cell 0x0
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from experiments.common import Flags, Job, grid, run_experiment, training_of
from recbench.command_line import run
from recbench.contract import NO_RATINGS, bytes_of, declared, fit
from recbench.contract import learns_from_words as words_of
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell, compile_kernels, make_cell
from recbench.evaluation.protocols import PROTOCOLS, BackgroundUsers, UserSet
from recbench.models.item_table.codes import codes_of
from recbench.ratings import Ratings
from recbench.registry import check_name, load_recommender
from recbench.runs.run_folder import RunFolder
from recbench.runs.running import settings_of
from recbench.threads import on_one_thread, one_thread

MORE = 4  # ratings after the history; they are predicted and learned
EMPTY = 5  # fits without ratings
COSTS = (
    *("n_users", "learns", "learn_us", "predict_us", "user_us", "forget_us", "trace"),
    *("fit_seconds", "bytes_state", "bytes_held", "bytes_shared"),
)
COMPARED = 200  # movies to predict after a rating is forgotten


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    cell: str = "0x0"
    """users x ratings of each; 0: all"""
    models: tuple[str, ...] = (
        *("ntuple", "wisard", "ao", "personal", "fold_in", "ridge_recursive", "ridge"),
        *("bayes_fm_folded", "bayes_fm", "vb_all", "user_mean"),
    )
    """which recommenders"""
    settings: tuple[str, ...] = ()
    """settings of recommenders, such as bayes_fm.rank=32"""
    histories: tuple[int, ...] = (20, 100, 500)
    """lengths of history: numbers of ratings of a user"""
    users: int = 20
    """most users for each length of history"""
    user_set: UserSet = "all"
    """set of users that the cell is drawn from"""
    background_users: BackgroundUsers = "all"
    """as in compare_all.py"""


def main(parameters: Parameters) -> int:
    check_range("--histories", *parameters.histories, least=1)
    check_range("--users", parameters.users, least=1)
    for name in parameters.models:
        check_name(name)
    (size,) = grid((parameters.cell,), 1, parameters.seed)
    protocol = PROTOCOLS["strict"].changed(
        user_set=parameters.user_set, background_users=parameters.background_users
    )
    dataset = load_dataset(parameters.dataset, protocol.join)
    cell = make_cell(dataset, protocol, size["num_users"], size["reviews_per_user"], size["seed"])
    settings = settings_of(parameters.settings, parameters.models)
    of_class = {load_recommender(name): values for name, values in settings.items()}
    cell = replace(cell, settings=of_class)
    chosen = choose_users(cell.personal.train, parameters)
    with one_thread():
        made = makings(cell)

    def jobs(_: RunFolder) -> Iterator[Job]:
        described = {"dataset": dataset.source.name, "cell": parameters.cell}
        for name, row in made.items():
            key: dict[str, object] = {"model": name, "ratings": 0}
            yield Job(key, described | key | {"learns_from": None}, partial(dict, row))
        fitted = lru_cache(1)(partial(fit_to_all, cell, chosen))  # cached for its next job
        for name in parameters.models:
            cls = load_recommender(name)
            columns = {**described, "model": name, "learns_from": words_of(cls)}
            for history, users in chosen.items():
                key = {"model": name, "ratings": history}
                work = partial(costs, cell, fitted, name, users, history)
                yield Job(key, columns | key, partial(on_one_thread, work))

    described = protocol.columns()
    return run_experiment(
        parameters, "cost", [dataset], jobs, rows_file="cost.csv", protocol=described
    )


# --- users and shared parts --------------------------------------------------------------------


def choose_users(train: Ratings, parameters: Parameters) -> dict[int, dict[int, Ratings]]:
    """Users for each length of history, different ones for each and the longest drawn first: their
    first ratings in time, that many and `MORE`.

    Raises:
        InputError: no remaining user has that many.
    """
    rng = np.random.default_rng([parameters.seed, 24])
    free, count, chosen = np.unique(train.user), np.bincount(train.user), {}
    for history in sorted(set(parameters.histories), reverse=True):
        drawn = rng.permutation(free[count[free] >= history + MORE])[: parameters.users]
        if not len(drawn):
            message = f"--histories {history}: no remaining user of the cell has that many ratings"
            raise InputError(f"{message} and {MORE} more. Give fewer")
        free = np.setdiff1d(free, drawn)
        rows = {user: np.flatnonzero(train.user == user) for user in drawn.tolist()}
        in_time = {
            user: own[np.argsort(train.time[own], kind="stable")] for user, own in rows.items()
        }
        chosen[history] = {user: train.take(own[: history + MORE]) for user, own in in_time.items()}
    return dict(sorted(chosen.items()))


def makings(cell: Cell) -> dict[str, dict]:
    """The parts that recommenders share: seconds to make them, and bytes."""
    baseline = cell.item_baseline.stars.nbytes
    making, tables = timed(getattr, cell, "personal_tables")
    arrays = (value for value in vars(tables.tables[0]).values() if isinstance(value, np.ndarray))
    choosing, codes = timed(codes_of, tables.tables[0])
    sizes = (baseline, sum(one.nbytes for one in arrays), np.packbits(codes, axis=1).nbytes)
    names = ("item baseline", "item table", "codes")
    return {
        name: dict.fromkeys(COSTS) | {"fit_seconds": seconds, "bytes_shared": size}
        for name, seconds, size in zip(names, (None, making, choosing), sizes, strict=True)
    }


def fit_to_all(cell: Cell, chosen: dict[int, dict[int, Ratings]], name: str) -> tuple[float, Any]:
    """Seconds to fit, and the model. A recommender of all users is fitted to the histories of the
    chosen users and all training ratings of the others; one of each user is fitted without ratings,
    and the seconds are the median of several fits."""
    model, train = cell.new(load_recommender(name)), cell.personal.train
    if declared(model, "learns_from") != "all":
        compile_kernels(model, training_of(cell, train))
        times = [timed(of_user, name, cell, NO_RATINGS) for _ in range(EMPTY)]
        return float(np.median([seconds for seconds, _ in times])), times[-1][1]
    drawn = [user for users in chosen.values() for user in users]
    parts = [train.take(~np.isin(train.user, drawn))]
    parts += [one.take(np.arange(h)) for h, users in chosen.items() for one in users.values()]
    training = training_of(cell, Ratings.concatenate(parts))
    training = replace(training, background=cell.personal.background)
    if of := declared(model, "builds_on"):
        base, plain = cell.new(load_recommender(of)), training
        training = replace(plain, fits={**plain.fits, of: lambda: fit(base, plain) or base})
    compile_kernels(model, training)
    return timed(fit, model, training)[0], model


# --- costs -------------------------------------------------------------------------------------


def costs(
    cell: Cell,
    fit_to_all: Callable[[str], tuple[float, Any]],
    name: str,
    users: dict[int, Ratings],
    history: int,
) -> dict:
    """The row of a recommender at a length of history."""
    seconds, whole = fit_to_all(name)
    online, of_all = hasattr(whole, "learn_one"), declared(whole, "learns_from") == "all"
    columns = ("learn", "predict", "user", "forget", "trace", "state", "held")
    found: dict[str, list[float]] = {column: [] for column in columns}
    for number, (who, ratings) in enumerate(users.items()):
        user = who if of_all else 0  # arrays by user then have one row
        own = ratings if of_all else replace(ratings, user=np.zeros_like(ratings.user))
        before, movie, stars = own.take(np.arange(history)), own.movie.tolist(), own.stars.tolist()
        if of_all:
            model = whole
            predict_one(model, user, movie[history])  # work of the first prediction
            if online:
                new = cell.n_users + cell.n_background_users + len(users) * history + number
                empty = bytes_of(model, "state_bytes") or 0
                found["user"].append(timed(taken_in, model, new, before)[0])
                found["state"].append((bytes_of(model, "state_bytes") or 0) - empty)
        else:
            taken, model = timed(of_user, name, cell, before)
            taken -= seconds
            if online:
                taken = timed(taken_in, of_user(name, cell, NO_RATINGS), user, before)[0]
            found["user"].append(max(taken, 0))
            found["state"].append(bytes_of(model, "state_bytes") or 0)
            found["held"].append(len(pickle.dumps(model)) - len(pickle.dumps(whole)))
        for at in range(history, history + MORE - 1):
            found["predict"].append(timed(predict_one, model, user, movie[at - 1])[0])  # not cached
            if online:
                learned = timed(model.learn_one, user, movie[at], stars[at])[0]
            elif of_all:
                learned = seconds
            else:
                learned, model = timed(of_user, name, cell, own.take(np.arange(at + 1)))
                learned = max(learned - seconds, 0)
            found["learn"].append(learned + timed(predict_one, model, user, movie[at + 1])[0])
        if hasattr(model, "forget_one") and not of_all:
            some = np.random.default_rng(who).permutation(len(cell.movies))[:COMPARED].tolist()
            gone = int(np.random.default_rng(who).integers(history))
            found["forget"].append(timed(forget, model, user, movie[gone])[0])
            never = own.take(np.delete(np.arange(history + MORE - 1), gone))
            other = of_user(name, cell, never)
            away = (predict_one(model, user, m) - predict_one(other, user, m) for m in some)
            found["trace"].append(max(map(abs, away)))
    median = {what: float(np.median(values)) for what, values in found.items() if values}
    state = median.get("state")
    if of_all:  # of one that learns at once, `state` is what it learned; its base stays as fitted
        fitted = vars(whole).get("_model") if online else whole
        users_of_fit = len(np.unique(cell.personal.train.user)) + cell.n_background_users
        if (of_everybody := bytes_of(fitted, "state_bytes")) is not None:
            state = (state or 0) + of_everybody / users_of_fit
    return {
        "n_users": len(users),
        "learns": "one rating" if online else "all users" if of_all else "the user",
        "learn_us": 1e6 * median["learn"],
        "predict_us": 1e6 * median["predict"],
        "user_us": 1e6 * median["user"] if "user" in median else None,
        "forget_us": 1e6 * median["forget"] if "forget" in median else None,
        "trace": max(found["trace"], default=None),
        "fit_seconds": seconds,
        "bytes_state": state,
        "bytes_held": median.get("held"),
        "bytes_shared": bytes_of(whole, "shared_bytes"),
    }


def of_user(name: str, cell: Cell, ratings: Ratings) -> Any:
    """A recommender fitted to one user's ratings, or to none, that has predicted once."""
    model = cell.new(load_recommender(name))
    fit(model, training_of(cell, ratings))
    predict_one(model, int(ratings.user[0]) if len(ratings) else 0, 0)
    return model


def taken_in(model: Any, user: int, ratings: Ratings) -> None:
    """Learn a new user's ratings one by one, and predict once."""
    for movie, stars in zip(ratings.movie.tolist(), ratings.stars.tolist(), strict=True):
        model.learn_one(user, movie, stars)
    predict_one(model, user, 0)


def forget(model: Any, user: int, movie: int) -> None:
    """Forget a rating, and predict its movie."""
    model.forget_one(user, movie)
    predict_one(model, user, movie)


def predict_one(model: Any, user: int, movie: int) -> float:
    if hasattr(model, "predict_one"):
        return model.predict_one(user, movie)
    return float(model.predict(np.array([user]), np.array([movie]))[0])


def timed(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Seconds of processor time, and the result of `work`."""
    begun = time.process_time()
    made = work(*arguments)
    return time.process_time() - begun, made


if __name__ == "__main__":
    run(main, Parameters)
