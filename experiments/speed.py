"""What things cost, each beside a named alternative measured in the same run -> <run>/speed.csv

Parts:

- `engine`: the weightless engine, beside vectorised numpy, reading memory, and itself with twice
  as much.
- `networks`: networks trained by our own code, beside the plain PyTorch loop with the same result.
- `models`: recommenders on all users and ratings of a dataset, and what one more rating costs;
  models.csv has them, a line each.

`value` and `against_value` are processor seconds where the unit is a second, else what it says.
`ratio`: how many times as fast as the alternative (of sizes: how many times as much).

    python -m experiments.speed --dataset FOLDER
    python -m experiments.speed --parts engine --quick
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from os import environ
from typing import Any, Literal

import numba
import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.progress import track
from torch import nn

import weightless as ao
from Collaborative.bayesian_fm import BayesianFM
from Collaborative.torch_colab import TorchCollaborativeRecommender
from PerUser.personal import Personal
from PerUser.perUser_pytorch import EPOCHS, HIDDEN, LEARNING_RATE, TorchPerUserRecommender
from recbench import ContinualRecommender, Movies, Ratings
from recbench.command_line import run
from recbench.data.encodings.thermometer import RATING_BITS, encode_ratings
from recbench.data.joining import load_dataset
from recbench.errors import InputError
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.factorization.sampling import BURN_IN
from recbench.recommender import Options, build, declared, fit_on, whose_ratings
from recbench.registry import load_recommender
from recbench.runs.circumstances import ROOT
from recbench.runs.resume import open_run
from recbench.runs.run_folder import write_csv
from recbench.threads import one_thread
from weightless.kernels import nearest_by_hamming
from weightless.mutual_information import weights

Part = Literal["engine", "networks", "models"]
MOVIE: dict[str, Any] = {
    "arch_i": [10, 3, 3, 10],
    "arch_z": [10],
    "connector_function": "forward_forward_conn",
}
STORED, ASKED = 400, 100  # patterns and questions of each user
HELD_OUT = 200  # ratings that are learned one by one
REPEATS = 5  # of what takes less than a second or two; the median counts


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """of the part `models`; as in compare_all.py"""
    parts: tuple[Part, ...] = ("engine", "networks", "models")
    """which of the parts above"""
    models: tuple[str, ...] = (
        *("bayes_fm", "bayes_fm_implicit", "hybrid", "hybrid_implicit", "svd", "bias", "colab"),
        *("item_knn", "user_knn", "ease", "lightgbm", "autorec", "river_mf"),
        *("personal", "personal_exact", "ridge", "mlp_tuned", "ao", "torch", "user_mean"),
    )
    """of the part `models`; the first is what the others are compared with"""
    quick: bool = False
    """small sizes, to see that it works"""
    output_dir: str = ""
    """the run's folder; default results/<time>-speed"""


@dataclass
class Row:
    """A figure, and what stands beside it."""

    what: str
    value: float
    unit: str
    against: str = ""
    against_value: float | None = None
    ratio: float | None = None


console = Console(highlight=False)


def main(parameters: Parameters) -> None:
    if not parameters.parts or not parameters.models:
        raise InputError("--parts and --models need a name")
    started = time.perf_counter()
    for name in parameters.models:
        load_recommender(name)
    cell = None
    datasets = []
    if "models" in parameters.parts:
        datasets = [load_dataset(parameters.dataset)]
        size = (20, 10) if parameters.quick else (0, 0)
        cell = make_cell(datasets[0], PROTOCOLS["strict"].changed(encoding="extended"), *size)
    folder = open_run(parameters, None, "speed", datasets, "speed.csv")
    for part in parameters.parts:
        with console.status(f"{part} (about a minute)"), one_thread():
            for row in rows_of(part, parameters, cell):
                folder.add({"part": part, **vars(row)})
                other = f"  ({row.against}: {row.against_value:.3g})" if row.against else ""
                ratio = f"  {row.ratio:.3g} ×" if row.ratio else ""
                console.print(f"{row.what}: {row.value:.3g} {row.unit}{other}{ratio}")
    if cell is not None:
        write_csv(pd.DataFrame(model_costs(cell, parameters.models)), folder.path / "models.csv")
    folder.close(started)
    console.print(f"speed.csv is in {folder.path}")


def rows_of(part: Part, parameters: Parameters, cell: Cell | None) -> Iterator[Row]:
    users = 40 if parameters.quick else 1_000
    if part == "engine":
        yield from population_rows(users)
        yield from scan_rows(2**14 if parameters.quick else 2**20)
        yield from agent_rows()
        yield from digit_rows()
        yield from first_call_rows()
    elif part == "networks":
        yield from per_user_rows(users // 4)
        yield from collaborative_rows(users)
    elif cell is not None:
        yield from one_by_one_rows(cell)


# --- clocks --------------------------------------------------------------------------------------


def processor_seconds(work: Callable[[], object]) -> float:
    """Of one call. All of this runs on one core, which others may be using as well."""
    start = time.process_time()
    work()
    return time.process_time() - start


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median processor time of `work`, after one call that is not counted."""
    work()
    return float(np.median([processor_seconds(work) for _ in range(repeats)]))


def elapsed_microseconds(work: Callable[[], object]) -> float:
    """Of one call that takes microseconds, of which the processor's clock knows too little."""
    start = time.perf_counter()
    work()
    return 1e6 * (time.perf_counter() - start)


def beside(what: str, value: float, against: str, other: float, unit: str = "s") -> Row:
    return Row(what, value, unit, against, other, other / value)


# --- the weightless engine -----------------------------------------------------------------------


def uniform(rng: np.random.Generator, n: int) -> np.ndarray:
    """Inputs uint8 [n, 26] of independent bits, as many ones as zeros."""
    return rng.integers(0, 2, (n, 26), np.uint8)


def like_movies(rng: np.random.Generator, n: int) -> np.ndarray:
    """Inputs uint8 [n, 26] like movies: some genres, mostly one language, one bin of votes."""
    genres = rng.random((n, 10)) < [0.45, 0.35, 0.25, 0.2, 0.05, 0.2, 0.15, 0.1, 0.15, 0.1]
    vote_average = np.tile([0, 1, 1], (n, 1))
    language = (rng.random((n, 1)) < 0.15) * rng.integers(0, 2, (n, 3))
    vote_count = np.eye(10)[np.minimum(rng.geometric(0.3, n) - 1, 9)]
    return np.concatenate([genres, vote_average, language, vote_count], axis=1).astype(np.uint8)


def thermometers(rng: np.random.Generator, n: int) -> np.ndarray:
    """Labels uint8 [n, 10]: so many ones, then zeros."""
    return (np.arange(10) < rng.integers(1, 11, (n, 1))).astype(np.uint8)


def population_rows(users: int) -> Iterator[Row]:
    """The published rule for many users, beside numpy, MLPs and itself with twice as much."""
    rng = np.random.default_rng(0)
    for name, draw in (("even bits", uniform), ("bits like movies", like_movies)):
        population, who, questions, (inputs, labels) = filled(rng, users, STORED, draw)
        learning = processor_seconds(partial(population.learn, who["stored"], inputs, labels))
        ours = median_seconds(partial(population.recall, who["asked"], questions, threads=1))
        shape = f"{users} users × {STORED} stored × {ASKED} asked, {name}"
        each = [array.reshape(users, -1, array.shape[1]) for array in (inputs, labels, questions)]
        start = time.process_time()
        plain = np.concatenate([numpy_recall(*one) for one in zip(*each, strict=True)])
        in_numpy = time.process_time() - start
        if (plain != population.recall(who["asked"], questions, Default=False)).any():
            raise AssertionError("numpy and the engine disagree")
        yield beside(f"recall, {shape}", ours, "vectorised numpy", in_numpy)
        if draw is uniform:
            movies = made_up_movies(inputs)
            stars = labels.sum(axis=1) / 2
            train = Ratings(who["stored"], np.arange(len(stars)), stars, np.arange(len(stars)))
            mlp = processor_seconds(partial(TorchPerUserRecommender().fit, train, movies))
            against = f"training the users' MLPs all at once, {EPOCHS} steps"
            yield beside(f"learn and recall, {shape}", learning + ours, against, mlp)
            recall = partial(population.recall, who["asked"], questions)
            one, two = (
                min(elapsed_microseconds(partial(recall, threads=t)) for _ in range(REPEATS)) / 1e6
                for t in (1, 2)
            )
            yield beside(f"recall, {shape}, two threads, elapsed", two, "one thread", one)
            size = population.nbytes / population.counts.sum()
            yield Row("memory of a stored pattern, offsets and all", size, "bytes")
    times = {}
    for size in ((users // 4, STORED), (users // 2, STORED), (users // 4, 2 * STORED)):
        population, who, questions, stored = filled(rng, *size, uniform)
        population.learn(who["stored"], *stored)
        times[size] = median_seconds(partial(population.recall, who["asked"], questions, threads=1))
    (_, once), (_, users_twice), (_, memory_twice) = times.items()
    for what, more in (("users", users_twice), ("stored patterns", memory_twice)):
        yield Row(f"recall, twice the {what}", more, "s", "half as many", once, more / once)


def filled(
    rng: np.random.Generator, users: int, stored: int, draw: Callable
) -> tuple[ao.Population, dict[str, np.ndarray], np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """An empty population, whose patterns and questions, the questions, what is to be stored."""
    who = {
        "stored": np.repeat(np.arange(users), stored),
        "asked": np.repeat(np.arange(users), ASKED),
    }
    patterns = draw(rng, users * stored), thermometers(rng, users * stored)
    return ao.Population(ao.Arch(**MOVIE), users), who, draw(rng, users * ASKED), patterns


def numpy_recall(inputs: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The published rule for one user, in whole arrays: uint8 [asked, 10].

    A weighted Hamming distance is Σ wx + Σ wp − 2 Σ wxp, so all distances of a channel are one
    matrix product. The coin is left out: a neuron without a decision says 0.
    """
    state = np.empty_like(asked)
    for first, last in pairwise(np.cumsum([0, *MOVIE["arch_i"]])):
        channel = slice(first, last)
        state[:, channel] = numpy_fire(inputs[:, channel], inputs[:, channel], asked[:, channel])
    return numpy_fire(inputs, labels, state)


def numpy_fire(stored: np.ndarray, answers: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """A group of neurons: uint8 [asked, neurons]."""
    p, x, one = stored.astype(np.float32), asked.astype(np.float32), answers.T == 1
    both = (answers.T.astype(np.float32) @ p).astype(np.int64)  # (neurons, bits)
    w = weights(len(stored), stored.sum(0, np.int64), answers.sum(0, np.int64), both)
    fired, undecided = np.zeros((len(one), len(x)), bool), np.ones((len(one), len(x)), bool)
    for weight in (w.astype(np.float32), np.ones((1, p.shape[1]), np.float32)):
        distance = (x @ weight.T).T[:, :, None] + (weight @ p.T)[:, None]
        distance = distance - 2 * (x[None] * weight[:, None]) @ p.T  # (neurons, asked, stored)
        to_one = np.where(one[:, None], distance, np.inf).min(2)  # (neurons, asked)
        to_zero = np.where(one[:, None], np.inf, distance).min(2)
        fired |= undecided & (to_one < to_zero)
        undecided &= to_one == to_zero
    return fired.T.astype(np.uint8)


@numba.njit
def read_memory(words: np.ndarray) -> np.uint64:
    """Touch every word once, and do next to nothing with it."""
    total = np.uint64(0)
    for at in range(len(words)):
        total += words[at]
    return total


def scan_rows(patterns: int) -> Iterator[Row]:
    """Comparisons a second of one core, patterns of 64 bits, one question at a time."""
    rng = np.random.default_rng(1)
    for n in (patterns // 64, patterns, 16 * patterns):
        stored = rng.integers(0, 2**64, (1, n), np.uint64)
        answers, question = np.zeros((1, n), np.uint64), rng.integers(0, 2**64, 1, np.uint64)
        found = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
        scan = partial(nearest_by_hamming, stored, answers, 0, n, question, *found)
        read = partial(read_memory, stored[0])
        speeds = []
        for work in (scan, read):
            work()
            speeds.append(n / np.median([elapsed_microseconds(work) for _ in range(51)]) / 1e3)
        what = f"Hamming scan, {n:,} patterns of 64 bits ({n * 8 / 2**20:g} MB)"
        against = "reading the same memory, 10⁹ words/s"
        yield Row(what, speeds[0], "10⁹ comparisons/s", against, speeds[1], speeds[0] / speeds[1])


def agent_rows() -> Iterator[Row]:
    """One user's agent: storing one pattern, and asking once."""
    rng = np.random.default_rng(2)
    inputs, labels = uniform(rng, 2_000), thermometers(rng, 2_000)
    agent = ao.Agent(ao.Arch(**MOVIE))
    agent.next_state(inputs[0], labels[0], unsequenced=True)
    times = np.array(
        [
            elapsed_microseconds(partial(agent.next_state, *pair, unsequenced=True))
            for pair in zip(inputs, labels, strict=True)
        ]
    )
    first, last = np.median(times[:500]), np.median(times[-500:])
    yield Row("store one pattern, 26 → 10 bits, median of 2,000", np.median(times), "µs")
    yield Row("the same, 99th percentile", np.percentile(times, 99), "µs")
    yield Row("the same, the last 500", last, "µs", "the first 500", first, last / first)
    for stored in (20, 200, 2_000):
        agent = ao.Agent(ao.Arch(**MOVIE))
        agent.next_state_batch(inputs[:stored], labels[:stored], unsequenced=True)
        ask = partial(agent.next_state, unsequenced=True)
        ask(inputs[0])
        times = np.array([elapsed_microseconds(partial(ask, x)) for x in uniform(rng, 300)])
        yield Row(f"ask once, {stored:,} stored, median of 300", np.median(times), "µs")


def digit_rows() -> Iterator[Row]:
    """scikit-learn's digits as thermometers, half to learn and half to tell apart."""
    if not find_spec("sklearn"):
        return
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(3).permutation(len(digits.target))
    train, test = np.array_split(order, 2)
    bits = (digits.data[:, :, None] > np.arange(1, 16, 2)).reshape(len(order), 512).astype(np.uint8)
    one_hot = np.eye(10, dtype=np.uint8)[digits.target]

    def learned() -> ao.Agent:
        agent = ao.Agent(ao.Arch([8] * 64, [10], (), "forward_forward_conn"))
        agent.next_state_batch(bits[train], one_hot[train], unsequenced=True)
        return agent

    learning = median_seconds(learned)
    yield Row("digits: store one", 1e6 * learning / len(train), "µs")
    for name, dd in (("DD, Hamming, Default", True), ("Hamming, Default", False)):
        tell = partial(learned().next_state_batch, bits[test], unsequenced=True, DD=dd)
        right = float(np.mean(tell().argmax(1) == digits.target[test]))
        yield Row(f"digits: accuracy, {name}", right, "")
        yield Row(f"digits: tell one, {name}", 1e6 * median_seconds(tell) / len(test), "µs")


FIRST_CALL = f"""
import time
start = time.perf_counter()
import numpy as np, weightless as ao
imported = time.perf_counter()
population = ao.Population(ao.Arch(**{MOVIE!r}), 1)
population.learn([0], np.zeros((1, 26)), np.zeros((1, 10)))
population.recall([0], np.zeros((1, 26)))
population.agent(0).next_state([0] * 26, unsequenced=True)
print(imported - start, time.perf_counter() - imported)
"""


def first_call_rows() -> Iterator[Row]:
    """A process that must compile, and the next, which must not."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**environ, "NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}
        call = partial(subprocess.run, env=environment, check=True, capture_output=True, text=True)
        printed = [call([sys.executable, "-c", FIRST_CALL]).stdout.split() for _ in range(2)]
    (_, compiling), (importing, cached) = (map(float, words) for words in printed)
    yield Row("first calls on a machine, elapsed", compiling, "s")
    yield beside("first calls of the next process, elapsed", cached, "the first", compiling)
    yield Row("import weightless, elapsed", importing, "s")


# --- networks ------------------------------------------------------------------------------------


def made_up_movies(bits: np.ndarray) -> Movies:
    n, width = bits.shape
    return Movies(
        bits=bits,
        bit_names=tuple(f"bits:{k}" for k in range(width)),
        vote_average=np.full(n, np.nan),
        vote_count=np.zeros(n),
        movie_id=np.arange(n),
        title=np.full(n, "made up"),
    )


def made_up(users: int, ratings: int, movies: int) -> tuple[Ratings, Movies]:
    """So many users of `ratings` ratings each, give or take a half."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(users), rng.integers(ratings // 2, ratings * 3 // 2 + 1, users))
    stars = rng.integers(1, 11, len(user)) / 2
    train = Ratings(user, rng.integers(0, movies, len(user)), stars, np.arange(len(user)))
    return train, made_up_movies(uniform(rng, movies))


def per_user_rows(users: int) -> Iterator[Row]:
    """`torch`, all users at once, beside an ordinary loop (`tests/recommenders/test_per_user_mlp`
    shows that they give the same)."""
    train, movies = made_up(users, ratings=40, movies=1_000)
    together = TorchPerUserRecommender(device="cpu")
    seconds = median_seconds(partial(together.fit, train, movies), repeats=3)
    start = time.process_time()
    for user in range(users):
        plain_training(train.take(train.user == user), movies)
    apart = time.process_time() - start
    shape = f"{users} users, {len(train):,} ratings, {EPOCHS} steps"
    yield beside(f"per-user MLPs all at once, {shape}", seconds, "one after another", apart)


def plain_training(own: Ratings, movies: Movies) -> None:
    """The network of one user, as one writes it."""
    sizes = (movies.bits.shape[1], *HIDDEN, RATING_BITS)
    layers = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes)]
    network = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    x = torch.from_numpy(movies.bits[own.movie].astype(np.float32))  # (ratings, bits)
    y = torch.from_numpy(encode_ratings(own.stars, "half_stars").astype(np.float32))
    adam = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    for _ in range(EPOCHS):
        adam.zero_grad()
        nn.BCEWithLogitsLoss()(network(x), y).backward()
        adam.step()


def collaborative_rows(users: int) -> Iterator[Row]:
    """`colab` by its own kernels, beside PyTorch's."""
    train, movies = made_up(users, ratings=40, movies=2_000)
    ours, theirs = (TorchCollaborativeRecommender(device="cpu") for _ in range(2))
    theirs._train = theirs._train_with_torch  # type: ignore[method-assign]
    seconds, plain = (
        median_seconds(partial(model.fit, train, movies), repeats=3) for model in (ours, theirs)
    )
    yield beside(f"colab, {users} users, {len(train):,} ratings", seconds, "PyTorch", plain)


# --- recommenders --------------------------------------------------------------------------------


def model_costs(cell: Cell, models: tuple[str, ...]) -> Iterator[dict]:
    """What each recommender knows and costs on a cell, item baseline and film table being made.

    Columns: model, learns_from (whose ratings), fit_and_predict_seconds, times_as_fast (as the
    first model), one_more_rating (how a rating is taken in), one_more_rating_seconds (until a film
    is predicted that knows of it), bytes_per_user. All seconds of processor time.
    """
    first = None
    for name in track(models, "models", console=console, transient=True):
        cls = load_recommender(name)
        with one_thread():
            if declared(cls, "starts_from_film_table"):
                cell.film_tables(declared(cls, "learns_from_background"))  # made once, not counted
            start = time.process_time()
            measured = measure(build(cls, Options()), cell, "half_stars")
            seconds = time.process_time() - start
            how, more = one_more_rating(cls, cell, seconds)
        first = first or seconds
        yield {
            "model": name,
            "learns_from": whose_ratings(cls),
            "fit_and_predict_seconds": seconds,
            "times_as_fast": first / seconds,
            "one_more_rating": how,
            "one_more_rating_seconds": more,
            "bytes_per_user": measured.row["bytes_per_user"],
        }


def one_more_rating(cls: type, cell: Cell, refit: float) -> tuple[str, float]:
    """How a recommender takes in one more rating, and the seconds until it has predicted a film
    with that rating known: to store it alone is not yet an answer."""
    train = cell.personal.train
    if declared(cls, "learns_from_background"):
        return "everything fitted anew", refit
    if issubclass(cls, ContinualRecommender):
        tables = cell.personal_tables
        model = fit_on(
            build(cls, Options()), train, cell.movies, cell.item_baseline, film_tables=tables
        )
        test = cell.personal.test
        one = list(zip(test.user.tolist(), test.movie.tolist(), test.stars, strict=True))[:2_000]

        def learn_and_ask(user: int, movie: int, stars: float) -> None:
            model.learn_one(user, movie, stars)
            model.predict_one(user, movie)

        times = [elapsed_microseconds(partial(learn_and_ask, *rating)) for rating in one]
        return "learned", float(np.median(times)) / 1e6
    users, counts = np.unique(train.user, return_counts=True)
    typical = users[np.argsort(counts, kind="stable")[len(users) // 2]]  # of median history
    own = train.take(train.user == typical)
    model = build(cls, Options())

    def fit_and_ask() -> None:
        fit_on(model, own, cell.movies, cell.item_baseline).predict(own.user[:1], own.movie[:1])

    return "the user's model fitted anew", median_seconds(fit_and_ask)


def one_by_one_rows(cell: Cell) -> Iterator[Row]:
    """What one more rating costs `personal`, by how many a user has; beside `bayes_fm`, were its
    film vectors kept and the user's fitted anew to all ratings, and beside River."""
    seconds = processor_seconds(lambda: cell.personal_tables)
    tables, users = len(cell.personal_tables.tables), cell.n_background_users or cell.n_users
    yield Row(f"film tables: {tables} of {users:,} users, {len(cell.movies):,} films", seconds, "s")
    rng = np.random.default_rng(0)
    for held in (20, 200, 2_000):
        if held + HELD_OUT <= len(cell.movies):
            yield from rows_of_a_user(cell, held, rng)


def rows_of_a_user(cell: Cell, held: int, rng: np.random.Generator) -> Iterator[Row]:
    """The same of a user with `held` ratings, of films and stars drawn at random."""
    movie = rng.permutation(len(cell.movies))[: held + HELD_OUT]
    stars = rng.integers(1, 11, len(movie)) / 2
    ratings = Ratings(np.zeros(len(movie)), movie, stars, np.arange(len(movie)))
    first, more = ratings.take(np.arange(held)), ratings.take(np.arange(held, len(movie)))
    model = Personal().fit(first, cell.movies, cell.personal_tables)
    model.predict_one(0, int(movie[-1]))

    def learn_and_ask(one: int, other: int, given: float) -> None:
        model.learn_one(0, one, given)
        model.predict_one(0, other)

    learning, forgetting = [], []
    rows = more.movie.tolist()
    for one, other, given in zip(rows[:-1], rows[1:], more.stars[:-1].tolist(), strict=True):
        learning.append(elapsed_microseconds(partial(learn_and_ask, one, other, given)))
        forgetting.append(elapsed_microseconds(partial(model.forget_one, 0, one)))
    explaining = [elapsed_microseconds(partial(model.explain_one, 0, other)) for other in rows[:3]]
    any_of_them = [
        elapsed_microseconds(partial(model.forget_one, 0, one))
        for one in rng.permutation(movie[:held])[:5].tolist()
    ]
    what = f"one rating learned and one film asked about at {held:,} ratings"
    ours = float(np.median(learning))
    yield Row(f"{what}, 99th percentile", float(np.percentile(learning, 99)), "µs")
    folding = folding_in_microseconds(rng, held)
    yield beside(f"{what}, median", ours, "a user folded into bayes_fm", folding, "µs")
    river = river_microseconds(first, more)
    if river is not None:
        yield beside(f"{what}, median", ours, "River's BiasedMF", river, "µs")
    of_held = f"of {held:,} ratings"
    yield Row(f"the latest {of_held} forgotten, median", float(np.median(forgetting)), "µs")
    yield Row(f"any {of_held} forgotten, median of 5", float(np.median(any_of_them)), "µs")
    yield Row(f"reasons of a prediction {of_held}", float(np.median(explaining)), "µs")


def folding_in_microseconds(rng: np.random.Generator, held: int) -> float:
    """A user's vector fitted anew to all ratings with film vectors as they are, in each sample of
    `bayes_fm`, and a film asked about: a ridge regression for each sample. Made up numbers in
    arrays of the right shape."""
    size, samples = BayesianFM().rank + 1, BayesianFM().samples - BURN_IN
    q = rng.standard_normal((samples, held, size))  # film vectors
    residual, asked = rng.standard_normal(held), rng.standard_normal((samples, size))

    def fold_in() -> float:
        penalised = q.transpose(0, 2, 1) @ q + np.eye(size)  # (samples, size, size)
        vector = np.linalg.solve(penalised, (residual @ q)[:, :, None])[:, :, 0]
        return float(np.vecdot(vector, asked).mean())

    return float(np.median([elapsed_microseconds(fold_in) for _ in range(50)]))


def river_microseconds(first: Ratings, more: Ratings) -> float | None:
    """One rating learned and one film asked about by River's `BiasedMF`; None if it is not
    installed (requirements-dev.txt)."""
    try:
        from river.reco import BiasedMF
    except ImportError:
        return None
    model = BiasedMF(seed=0)
    for movie, stars in zip(first.movie.tolist(), first.stars.tolist(), strict=True):
        model.learn_one(0, movie, stars)

    def learn_and_ask(movie: int, stars: float) -> None:
        model.learn_one(0, movie, stars)
        model.predict_one(0, movie)

    rows = zip(more.movie.tolist(), more.stars.tolist(), strict=True)
    return float(np.median([elapsed_microseconds(partial(learn_and_ask, *row)) for row in rows]))


if __name__ == "__main__":
    run(main, Parameters)
