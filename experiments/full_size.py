"""The parts of experiments/speed.py that are for full size, and the made-up dataset they run on.

Each row is made in a process of its own: processor seconds and peak memory.

- `preparing`: joining the dataset for the first time and reading it later, beside a bare
  `polars.read_csv` of its ratings just before.
- `shares`: each recommender on all ratings of 1/16, 1/8, … and all of the users, from the files to
  predictions in Parquet. `item_tables` makes the item tables, which recommenders then read;
  `significance` is the paired bootstrap between the first two recommenders over all users.
- `background`: the error for some users as a function of how many others a recommender that learns
  from all, or an item table, learns from.

The dataset is a test load and never a result: it shows what a size costs, not how well anybody
predicts. It has the layout of Kaggle's The Movies Dataset. Activity is log-normal, popularity falls
with the square of the rank, stars are quality, bias, latent factors and noise. Ratings come in
sittings, days to months apart. Defects of the real files are left out.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
import polars as pl
from numpy.random import Generator
from rich.progress import track

from experiments.common import Job
from recbench.contract import declared
from recbench.data.dataset import Dataset
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.evaluation.significance import significance
from recbench.files import CELL
from recbench.models.item_table.making import make_item_table
from recbench.models.item_table.table import ItemTables
from recbench.registry import load_recommender
from recbench.runs.predictions import Predictions, write_part
from recbench.runs.processes import end_with_parent
from recbench.threads import on_one_thread

PREPARING = ("bare read", "first time", "later", "without cache")
# Adam moves every embedding at every step: four times as long for twice as many users.
LARGEST_SHARE = {"colab": 8}


# --- rows, each in a process of its own --------------------------------------------------------


def job(key: dict[str, object], *work: Any, before: Callable[[], object] = dict) -> Job:
    """A row of the table: `work` is a function and its arguments, `before` is not counted."""
    return Job(key, key, partial(in_a_process, before, *work))


def in_a_process(*work: Any) -> dict:
    """Do it in a process of its own, whose memory is that of this work alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as pool:
        return pool.submit(measured, *work).result()


def measured(before: Callable[[], object], work: Callable[..., dict], *arguments: Any) -> dict:
    """What `work` returns, and its costs, imports apart; matrices on one thread."""
    numba.njit(lambda: 0)()  # numba imports the rest of itself when it is called first
    before()
    elapsed, seconds = time.perf_counter(), time.process_time()
    row = on_one_thread(work, *arguments)
    seconds, elapsed = time.process_time() - seconds, time.perf_counter() - elapsed
    return row | {"elapsed_seconds": elapsed, "seconds": seconds, "peak_gb": peak_memory() / 1e9}


def jobs_of_preparing(parameters: Any, data: Dataset, folder: Path) -> Iterator[Job]:
    """In turn, so that what is compared is measured in the same minute."""
    file, cache = data.source.files[0], folder / "cache"
    for repeat in range(1, parameters.repeats + 1):
        for what in PREPARING:
            key: dict[str, object] = {"part": "preparing", "repeat": repeat, "model": what}
            before = partial(shutil.rmtree, cache, True) if what == "first time" else dict
            yield job(key, prepare, what, parameters.dataset, file, cache, before=before)


def prepare(what: str, dataset: str, file: Path, cache: Path) -> dict:
    """Read the file, or load the dataset."""
    os.environ["RECBENCH_CACHE"] = str(cache)
    if what == "bare read":
        pl.read_csv(file)
    else:
        load_dataset(dataset, cache=what != "without cache")
    return {}


def jobs_of_shares(parameters: Any, data: Dataset, folder: Path) -> Iterator[Job]:
    """Each recommender on all ratings of 1/`share` of the users, and the significance of it."""
    models = parameters.share_models
    for share in parameters.shares:
        users = data.n_users // share
        made, predictions = folder / "item_tables" / f"{users}", folder / "predictions" / f"{users}"
        cell = (parameters.dataset, users, parameters.seed, made)
        common: dict[str, object] = {"part": "shares", "share": share, "users": users}
        yield job(common | {"model": "item_tables"}, make_tables, *cell)
        for name in models:
            if share >= LARGEST_SHARE.get(name, 1):
                work = (fit_and_predict, *cell, name, predictions)
                yield job(common | {"model": name}, *work, before=partial(load_recommender, name))
        if len(models) > 1:
            yield job(common | {"model": "significance"}, compare, predictions, models[:2])


def cell_of(dataset: str, users: int, seed: int, folder: Path | None, others: int = 0) -> Cell:
    """All ratings of so many users, and of so many others to learn from; item tables are stored in
    `folder`."""
    data = load_dataset(dataset)
    protocol = PROTOCOLS["strict"].changed(encoding="extended", background_users=others)
    drawn = users if users < data.n_users else 0  # 0: all who have two ratings or more
    return replace(make_cell(data, protocol, drawn, 0, seed), folder=folder)


def make_tables(dataset: str, users: int, seed: int, folder: Path) -> dict:
    """The item tables of the share, which stay in the folder."""
    _ = cell_of(dataset, users, seed, folder).personal_tables
    return {}


def fit_and_predict(
    dataset: str, users: int, seed: int, tables: Path, name: str, folder: Path
) -> dict:
    """A recommender from the files to its predictions on disk: scores."""
    done = measure(load_recommender(name), cell_of(dataset, users, seed, tables))
    key = {**dict.fromkeys(CELL, 0), "num_users": users, "iteration": 1, "model": name}
    write_part(folder, key, done.predictions)
    return scores_of(dict(done.row))


def compare(folder: Path, models: tuple[str, str]) -> dict:
    """The paired bootstrap over all users between two recommenders whose predictions are there."""
    losses = Predictions(folder).losses()
    losses = losses[losses["model"].isin(models)]
    cell = losses[CELL].drop_duplicates()
    reference = cell.assign(reference=models[1], reference_role="named in advance")
    return {"n_users": int(significance(losses, reference)["users"].max())}


def jobs_of_background(parameters: Any, data: Dataset, folder: Path) -> Iterator[Job]:
    cell = (parameters.dataset, parameters.tested_users, parameters.seed)
    for others in parameters.background_users:
        for name in parameters.background_models:
            key: dict[str, object] = {"part": "background", "users": others, "model": name}
            before = partial(load_recommender, name)
            yield job(key, learn_from_others, *cell, others, name, before=before)


def learn_from_others(dataset: str, tested: int, seed: int, others: int, name: str) -> dict:
    """Errors for `tested` users of a recommender that learns from `others` as well: itself, or by
    one item table of all of them, be they more than `MOST_USERS`."""
    cell, cls = cell_of(dataset, tested, seed, None, others), load_recommender(name)
    if declared(cls, "learns_from") == "user+items":
        background, movies = cell.personal.background, cell.movies.without_codes()
        table = make_item_table(
            background, movies, seed, movies_without=cell.movies_without, most_users=others
        )
        cell.__dict__["personal_tables"] = ItemTables.same_for_all(table)
    return scores_of(dict(measure(cls, cell).row))


def scores_of(row: dict) -> dict:
    return {name: row[name] for name in ("n_users", "n_train", "n_test", "rmse")}


# --- tables of these rows ----------------------------------------------------------------------


def preparing_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each way to read the ratings: memory, and medians over repeats of seconds."""
    columns = {
        "peak_gb": ("peak_gb", "max"),
        "seconds": ("elapsed_seconds", "median"),
        "processor seconds": ("seconds", "median"),
    }
    ways = rows.groupby("model", sort=False).agg(**columns)
    return ways.rename_axis("what").reset_index()


def growth(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each recommender: processor seconds at each share of the users; how many times
    as long all take as the smallest share, over how many times as many users (1: linear); the peak
    memory of all."""
    shares = sorted(rows["share"].astype(int).unique(), reverse=True)
    table = []
    for name, of_model in rows.groupby("model", sort=False):
        by_share = of_model.set_index("share").sort_index()
        seconds, users = by_share["seconds"], by_share["users"]
        row: dict[str, object] = {"model": name}
        row |= {f"1/{share}" if share > 1 else "all": seconds.get(share) for share in shares}
        times = seconds.iloc[0] / seconds.iloc[-1] / (users.iloc[0] / users.iloc[-1])
        row["per_user_growth"] = times if len(by_share) > 1 else None
        table.append(row | {"peak_gb": by_share["peak_gb"].iloc[0]})
    return pd.DataFrame(table)


def background_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Errors and costs by how many others are learned from."""
    columns = ["model", "users", "n_train", "rmse", "seconds", "peak_gb"]
    table = rows[columns].rename(columns={"users": "background_users"})
    return table.sort_values(["model", "background_users"], kind="stable")


JOBS: dict[str, Callable[[Any, Dataset, Path], Iterator[Job]]] = {
    "preparing": jobs_of_preparing,
    "shares": jobs_of_shares,
    "background": jobs_of_background,
}
TABLES: dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "preparing": ("preparing.csv", preparing_table),
    "shares": ("growth.csv", growth),
    "background": ("background.csv", background_table),
}
MADE = ("item_tables", "predictions", "cache")  # folders beside the table, large


# --- the made-up dataset -----------------------------------------------------------------------

KAGGLE_RATINGS, KAGGLE_USERS, KAGGLE_MOVIES = 26_024_289, 270_896, 45_115
BLOCK = 500_000  # ratings that are made and written at a time, about
GENRES = "Drama Comedy Thriller Romance Action Horror Crime Documentary Family Mystery War Music"
FIRST, LAST = 820_454_400, 1_501_829_566  # of the times: January 1996, August 2017
SITTING = 30  # ratings, the mean
REPEATED = 2_000  # one rating in so many is of a movie that the user has rated before
ACTIVITY_SIGMA = 1.4  # of the logarithm


def make_dataset(
    output: Path, ratings: int, users: int = 0, movies: int = 0, seed: int = 0
) -> None:
    """Write so many ratings in the layout of Kaggle's to the new folder `output`; the same seed
    gives the same files.

    Args:
        users: 0: as many to a rating as in Kaggle's.
        movies: 0: as in Kaggle's, by the square root of the ratings.

    Raises:
        InputError: the folder is there already, or the numbers do not go together.
    """
    check_range("--seed", seed, least=0)
    check_range("--ratings", ratings, least=1)
    users = users or max(ratings * KAGGLE_USERS // KAGGLE_RATINGS, 1)
    movies = movies or max(int(KAGGLE_MOVIES * (ratings / KAGGLE_RATINGS) ** 0.5), 20)
    most = users * (movies // 2)
    if not (movies >= 20 and users <= ratings <= most):
        raise InputError(
            f"--ratings is {ratings:,}. Of {users:,} users and {movies:,} movies (20 at least) "
            f"expected {users:,} to {most:,}: one for each user at the least, and half of the "
            "movies at the most"
        )
    output = output.absolute()
    if output.exists():
        raise InputError(f"--make {output}: is there already. Give another name")
    output.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, users, movies])
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
        folder = Path(scratch) / "whole"
        folder.mkdir()
        made = MadeUpMovies(movies, rng)
        made.write(folder, rng)
        write_ratings(made, activity(users, movies, ratings, rng), folder, rng)
        folder.rename(output)  # whole or not at all
    size = f"{ratings:,} ratings of {users:,} users and {movies:,} movies"
    print(f"{output}: {size}, made up: a test load, never a result")


def activity(users: int, movies: int, ratings: int, rng: Generator) -> np.ndarray:
    """How many ratings each user has: `ratings` in all, each from one to half of the movies."""
    weight = rng.lognormal(0, ACTIVITY_SIGMA, users)
    counts = (1 + weight / weight.sum() * (ratings - users)).astype(int).clip(1, movies // 2)
    while missing := ratings - int(counts.sum()):  # rounded down or cut off
        counts[np.flatnonzero(counts < movies // 2)[:missing]] += 1
    return counts


class MadeUpMovies:
    """What is behind the ratings: ids with gaps as MovieLens has them, popularity, stars."""

    def __init__(self, movies: int, rng: Generator) -> None:
        self.movie_id = np.cumsum(rng.integers(1, 8, movies))
        self.of_rank = rng.permutation(movies)
        self.flat = movies // 158 + 1  # ranks until popularity falls
        self.quality = rng.normal(0, 0.5, movies).clip(-1.8, 1.8)
        self.factors = rng.standard_normal((movies, 8), np.float32)

    def draw(self, counts: np.ndarray, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
        """So many movies of each user, none twice: users and movies, ascending."""
        pairs, movies, turn = np.empty(0, np.int64), len(self.of_rank), 0
        while len(pairs) < counts.sum():
            missing = counts - np.bincount(pairs // movies, minlength=len(counts))
            user = np.repeat(np.arange(len(counts)), missing)
            # by popularity, 1 / (rank + flat)²; after some that were seen already, any
            place = 1 / rng.uniform(1 / (movies + self.flat), 1 / self.flat, len(user))
            rank = place - self.flat if turn < 8 else rng.uniform(0, movies, len(user))
            movie = self.of_rank[rank.astype(int).clip(0, movies - 1)]
            pairs = np.sort(np.append(pairs, user * movies + movie))
            pairs = pairs[np.diff(pairs, prepend=-1) > 0]
            turn += 1
        return np.divmod(pairs, movies)

    def write(self, folder: Path, rng: Generator) -> None:
        """links.csv and movies_metadata.csv."""
        movie = np.arange(len(self.movie_id))
        tmdb_id = 2 + 3 * rng.permutation(len(movie))
        links = {"movieId": self.movie_id, "imdbId": movie + 1_000_000, "tmdbId": tmdb_id}
        pl.DataFrame(links).write_csv(folder / "links.csv")
        names = rng.choice(GENRES.split(), (len(movie), 3)).tolist()
        columns = {
            "belongs_to_collection": [f"{{'id': {k}}}" if k % 10 == 0 else "" for k in movie],
            "genres": [str([{"name": n} for n in dict.fromkeys(names[k][: k % 4])]) for k in movie],
            "id": tmdb_id,
            "original_language": rng.choice(["en", "en", "en", "fr", "ja"], len(movie)),
            "overview": [f'Movie {k}, "made up".\nNobody has seen it. ' * 8 for k in movie],
            "release_date": [f"{year}-06-01" for year in rng.integers(1918, 2018, len(movie))],
            "runtime": rng.normal(95, 20, len(movie)).round(),
            "title": [f"Movie {k}" for k in movie],
            "vote_average": (6.4 + 2 * self.quality).round(1),
            "vote_count": (8_000 / (1 + np.argsort(self.of_rank) / self.flat) ** 2).astype(int),
        }
        pl.DataFrame(columns)[rng.permutation(movie)].write_csv(folder / "movies_metadata.csv")


def write_ratings(made: MadeUpMovies, of_user: np.ndarray, folder: Path, rng: Generator) -> None:
    """ratings.csv, sorted by user and movie as Kaggle's is; written block by block."""
    blocks = np.split(of_user, np.flatnonzero(np.diff(np.cumsum(of_user) // BLOCK)) + 1)
    first = 1
    with (folder / "ratings.csv").open("wb") as stream:
        for counts in track(blocks, "ratings", transient=True):
            rated(made, first, counts, rng).write_csv(stream, include_header=first == 1)
            first += len(counts)


def rated(made: MadeUpMovies, first: int, counts: np.ndarray, rng: Generator) -> pl.DataFrame:
    """All ratings of the users from `first` on, who have so many each."""
    user, movie = made.draw(counts, rng)
    again = (np.diff(user, prepend=-1) == 0) & (rng.random(len(user)) < 1 / REPEATED)
    movie[again] = np.roll(movie, 1)[again]
    weights = rng.normal(0, 0.14, (len(counts), 8)).astype(np.float32)
    stars = 3.5 + made.quality[movie] + rng.normal(0, 0.43, len(counts))[user]
    stars += np.vecdot(weights[user], made.factors[movie]) + rng.normal(0, 0.72, len(user))
    # the next minute or another sitting; who would pass the last year goes on in the first
    later = rng.uniform(4, 44, len(user))
    later = np.where(rng.random(len(user)) < 1 / SITTING, 86_400 * 2 ** (later / 4 - 1), later)
    time = (rng.uniform(0, LAST - FIRST, len(counts))[user] + np.cumsum(later)) % (LAST - FIRST)
    time = FIRST + time[np.argsort(user + rng.random(len(user)))].astype(int)
    ids = {"userId": first + user, "movieId": made.movie_id[movie]}
    return pl.DataFrame(ids | {"rating": np.rint(2 * stars).clip(1, 10) / 2, "timestamp": time})


def peak_memory() -> float:
    """The most memory that this process has had: bytes, mapped files included.

    On Linux of this process alone; `getrusage` includes the process that started it.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return 1024.0 * int(line.split()[1])
    except (OSError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1.0 if sys.platform == "darwin" else 1024.0)
