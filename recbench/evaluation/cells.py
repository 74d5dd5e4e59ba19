"""One cell of the grid in one iteration: its users, training ratings and test ratings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from filelock import FileLock

from recbench.contract import NO_RATINGS, Training, declared, fit, time_for, with_defaults
from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import LEARNED_ENCODINGS, encode_movies
from recbench.data.sampling import draw_sample
from recbench.evaluation.holdouts import Split
from recbench.evaluation.protocols import PROTOCOLS, Protocol
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.codes import codes_of
from recbench.models.item_table.making import MoviesWithout, make_item_table, make_item_tables
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Movies, Ratings
from recbench.registry import load_recommender
from recbench.threads import one_thread


@dataclass(frozen=True)
class Fitted:
    """A recommender fitted to a cell, and its seconds, including those of recommenders it builds
    on, without those of item tables."""

    recommender: Any
    seconds: float


@dataclass(frozen=True)
class Shard:
    """Some users of a cell: `users`, bool [n_users], or None for all. With a learned encoding and
    an item table per fold of users, `fold` tells whose movie bits it has."""

    users: np.ndarray | None = None
    fold: int = 0

    def part_of(self, ratings: Ratings) -> Ratings:
        """The rows of `ratings` (of the sample) by its users, in order."""
        return ratings if self.users is None else ratings.take(self.rows_of(ratings.user))

    def rows_of(self, user: np.ndarray) -> np.ndarray:
        """Indices at which `user` (int [n], of the sample) is one of its users, int [k],
        ascending."""
        return np.arange(len(user)) if self.users is None else np.flatnonzero(self.users[user])


WHOLE = Shard()


@dataclass(frozen=True)
class Cell:
    """Users of the sample have dense indices 0 .. n_users - 1, background users those after.

    Attributes:
        encoded: the movies with their bits, without those of a learned encoding; see `movies`.
        candidates: int64, ascending, the movies that can be recommended: all with a rating in the
            dataset, in training or not, that are popular enough for the cell (`top_percentile`).
        item_baseline: fitted to all training ratings of the cell, including those of background
            users.
        personal: the split for recommenders of one user.
        collaborative: the split for those that learn from many. The same rows as `personal`, unless
            the holdout has no `same_test_rows`.
        user_id: int64 [n_users], the ids behind the dense indices of the sample.
        n_background_users: number of users outside the sample who are learned from and never
            tested.
        protocol: what the cell was made by.
        seed: of the sample, and of the item tables.
        model_seed: of the recommenders; None: `seed`.
        settings: constructor arguments by class of recommender; defaults for other classes.
        wnn_engine: of the weightless recommenders.
        movies_without: if votes were counted over background users: the movies without the votes of
            some of them (dense indices).
        folder: where item tables are stored and loaded from; None: nowhere.
        fits: recommenders fitted to the cell, by name, for those that build on them. Delete those
            no longer needed: one may take gigabytes.
    """

    encoded: Movies
    candidates: np.ndarray
    item_baseline: ItemBaseline
    personal: Split
    collaborative: Split
    user_id: np.ndarray
    n_background_users: int
    protocol: Protocol = PROTOCOLS["strict"]
    seed: int = 0
    model_seed: int | None = None
    settings: dict[type, dict[str, object]] = field(default_factory=dict)
    wnn_engine: str = "weightless"
    movies_without: MoviesWithout | None = None
    folder: Path | None = None
    fits: dict[str, Fitted] = field(default_factory=dict, init=False)

    @property
    def voters_from(self) -> int | None:
        """First index of the users whose ratings are counted as votes, see `ItemBaseline.fit`."""
        return self.n_users if self.movies_without else None

    @property
    def n_users(self) -> int:
        """Number of users in the sample."""
        return len(self.user_id)

    def split(self, collaborative: bool) -> Split:
        """The split of collaborative recommenders, or of the others."""
        return self.collaborative if collaborative else self.personal

    def train_and_test(self, collaborative: bool) -> tuple[Ratings, Ratings]:
        """Training and test ratings of a recommender."""
        split = self.split(collaborative)
        return split.training_ratings(collaborative), split.test

    # --- item tables, and the movies with learned bits ------------------------------------------

    @cached_property
    def personal_tables(self) -> ItemTables:
        """The item tables for recommenders of one user, made from metadata bits only."""
        return self._tables(self.personal, "item_tables")

    @cached_property
    def collaborative_tables(self) -> ItemTables:
        """The item tables for collaborative recommenders, from their training rows."""
        if self.collaborative is self.personal:
            return self.personal_tables
        return self._tables(self.collaborative, "all_users_tables")

    def _tables(self, split: Split, name: str) -> ItemTables:
        movies = self.encoded.without_codes()
        if not self.protocol.item_baseline:
            return ItemTables.same_for_all(ItemTable.of_metadata(movies, self.item_baseline))

        def make() -> ItemTables:
            of_votes = (self.movies_without, self.voters_from)
            return make_item_tables(split.train, split.background, movies, self.seed, *of_votes)

        return make() if self.folder is None else _stored(self.folder / name, make)

    @cached_property
    def movies_of_folds(self) -> list[Movies]:
        """The movies for a recommender of one user; with a learned encoding, for each item table,
        with its bits."""
        if self.protocol.encoding not in LEARNED_ENCODINGS:
            return [self.encoded]
        return [self._with_learned_bits(table) for table in self.personal_tables.tables]

    @cached_property
    def movies(self) -> Movies:
        """The movies for collaborative recommenders. With a learned encoding they have the bits of
        the item table, or, if there are several, of one learned from all training rows."""
        if len(self.movies_of_folds) == 1:
            return self.movies_of_folds[0]
        everybody = self.collaborative.training_ratings(with_background=True)
        return self._with_learned_bits(make_item_table(everybody, self.encoded, self.seed))

    def _with_learned_bits(self, table: ItemTable) -> Movies:
        codes = codes_of(table, seed=self.seed)
        return self.encoded.with_codes(codes[:, : self.protocol.code_bits])

    # --- fitting ----------------------------------------------------------------------------------

    def new(self, cls: type, **settings: object) -> Any:
        """An instance with these settings or the cell's, and otherwise the protocol's defaults, see
        `contract.with_defaults`."""
        settings = self.settings.get(cls, {}) | settings
        return with_defaults(cls, self.protocol.background_users != 0, **settings)

    def shards(self, users_per_shard: int = 0) -> list[Shard]:
        """The users in shards of at most this many (0: no limit); with a learned encoding, each
        within one fold."""
        users = np.arange(self.n_users)
        chunk = users // users_per_shard if users_per_shard else np.zeros_like(users)
        many = len(self.movies_of_folds) > 1
        fold = self.personal_tables.folds_of(users) if many else np.zeros_like(users)
        if not chunk.any() and not fold.any():
            return [WHOLE]
        kinds = np.unique(np.column_stack((chunk, fold)), axis=0)
        return [Shard((chunk == c) & (fold == k), int(k)) for c, k in kinds]

    def fit(self, recommender: Any, shard: Shard = WHOLE) -> Fitted:
        """Fit it to the training ratings of the shard's users, on one thread, and time it."""
        collaborative = declared(recommender, "learns_from") == "all"
        split, base = self.split(collaborative), declared(recommender, "builds_on")
        uncounted = 0.0  # seconds

        def shared(make: Callable[[], Any]) -> Callable[[], Any]:
            def get() -> Any:
                nonlocal uncounted
                started = time.perf_counter()
                made = make()
                uncounted += time.perf_counter() - started
                if isinstance(made, Fitted):
                    uncounted -= made.seconds
                    return made.recommender
                return made

            return get

        fits = {
            "item_baseline": shared(lambda: self.item_baseline),
            "item_tables": shared(
                lambda: self.collaborative_tables if collaborative else self.personal_tables
            ),
        }
        if base and shard.users is None:
            fits[base] = shared(lambda: self.fitted(base))
        training = Training(
            ratings=shard.part_of(split.train),
            movies=self.movies if collaborative else self.movies_of_folds[shard.fold],
            background=split.background,
            everyone=split.train,
            seed=self.seed if self.model_seed is None else self.model_seed,
            labels=self.protocol.labels,
            loss=self.protocol.loss,
            wnn_engine=self.wnn_engine,
            has_background=self.protocol.background_users != 0,
            fits=fits,
        )
        with one_thread():
            compile_kernels(recommender, training)
            uncounted, started = 0.0, time.perf_counter()
            fit(recommender, training)
            return Fitted(recommender, time.perf_counter() - started - uncounted)

    def fitted(self, name: str) -> Fitted:
        """The recommender of that name with its defaults, fitted to the cell once."""
        if name not in self.fits:
            self.fits[name] = self.fit(self.new(load_recommender(name)))
        return self.fits[name]


def make_cell(
    dataset: Dataset, protocol: Protocol, num_users: int, reviews_per_user: int, seed: int = 0
) -> Cell:
    """Draw the sample, encode the movies, split the ratings, fit the item baseline.

    Raises:
        InputError: there are fewer users than requested, a parameter is out of its range, or the
            holdout leaves no rating for training or for the test.
    """
    holdout = protocol.holdout_rule().fitted_to(dataset.ratings)
    size, popular = (num_users, reviews_per_user), protocol.top_percentile
    sample = draw_sample(dataset, *size, popular, seed, protocol.user_set, holdout.sample_key)

    def encoded(voters: np.ndarray) -> Movies:
        scale, votes = protocol.vote_scale, protocol.votes
        return encode_movies(dataset, scale, voters, votes, holdout.cutoff, protocol.encoding)

    movies = encoded(sample.background)
    drawn = dataset.ratings.take(sample.rows)
    dense_user = np.searchsorted(sample.users, drawn.user)
    ratings = Ratings(dense_user, drawn.movie, drawn.stars, drawn.time)
    others = np.flatnonzero(sample.background)
    at_most = len(others) if protocol.background_users == "all" else protocol.background_users
    others = np.sort(np.random.default_rng([seed, 4]).permutation(others)[:at_most])
    rows = dataset.rows_of(others)
    theirs = dataset.ratings.take(rows[sample.kept[dataset.ratings.movie[rows]]])
    number = len(sample.users) + np.searchsorted(others, theirs.user)
    background = Ratings(number, theirs.movie, theirs.stars, theirs.time)

    def movies_without(users: np.ndarray) -> Movies:
        voters = sample.background.copy()  # those of the sample are not counted anyway
        voters[others[users[users >= len(sample.users)] - len(sample.users)]] = False
        return encoded(voters)

    personal = holdout.split(ratings, background, seed)
    holdout.check_sides(len(personal.train), len(personal.test))
    collaborative = personal
    known_to_all = personal.train
    if not holdout.same_test_rows:
        collaborative = holdout.split(ratings, background, seed, collaborative=True)
        either = holdout.held_out(ratings, seed) | holdout.held_out_collaborative(ratings, seed)
        known_to_all = ratings.take(~either)
    item_baseline = ItemBaseline.fit(
        Ratings.concatenate([known_to_all, personal.background]),
        movies,
        protocol.item_baseline,
        None if dataset.source.has_votes else len(sample.users),
    )
    return Cell(
        encoded=movies,
        candidates=np.flatnonzero(sample.kept),  # `movies` has only movies with ratings
        item_baseline=item_baseline,
        personal=personal,
        collaborative=collaborative,
        user_id=dataset.user_id[sample.users],
        n_background_users=len(others),
        protocol=protocol,
        seed=seed,
        movies_without=None if dataset.source.has_votes else movies_without,
    )


def validation_cell(cell: Cell, protocol: Protocol, seed: int) -> Cell:
    """The cell with some of its *training* rows held out instead of the test rows, for model
    choice.

    It applies the cell's holdout to the training rows; the test rows are in neither part.

    Raises:
        InputError: there are too few to split.
    """
    train, background = cell.collaborative.train, cell.collaborative.background
    holdout = protocol.holdout_rule().fitted_to(train)
    split = holdout.split(train, background, seed)
    holdout.check_sides(len(split.train), len(split.test))
    item_baseline = ItemBaseline.fit(
        split.training_ratings(with_background=True),
        cell.encoded,
        protocol.item_baseline,
        cell.voters_from,
    )
    return replace(
        cell, item_baseline=item_baseline, personal=split, collaborative=split, folder=None
    )


def _stored(folder: Path, make: Callable[[], ItemTables]) -> ItemTables:
    """The tables in `folder`; if there are none, they are made and stored there, completely or not
    at all, while other processes wait."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        tables = ItemTables.load(folder)
        if tables is None:
            tables = make()
            scratch = folder.with_name(f"{folder.name}.{uuid4().hex}")
            scratch.mkdir()
            tables.save(scratch)
            os.rename(scratch, folder)
        return tables


# --- compiling ------------------------------------------------------------------------------------

FEW = 50  # ratings that kernels are compiled with
_compiled: set[type] = set()  # in this process


def compile_kernels(recommender: Any, training: Training) -> None:
    """If the recommender has kernels, let a copy learn and predict a few ratings, once per class,
    so the timed fit and predictions do not include compilation."""
    cls, ratings = type(recommender), training.all_ratings
    if not declared(recommender, "has_kernels") or cls in _compiled or len(ratings) < 2:
        return
    few, model = ratings.take(np.arange(min(len(ratings), FEW))), copy(recommender)
    learned = few.take(np.arange(len(few) - 1))
    fit(model, replace(training, ratings=learned, background=NO_RATINGS, everyone=None))
    if hasattr(model, "learn_one"):
        model.learn_one(int(few.user[-1]), int(few.movie[-1]), float(few.stars[-1]))
        model.predict_one(int(few.user[-1]), int(few.movie[-1]))
    for method in ("predict", "predict_distribution"):
        if hasattr(model, method):
            getattr(model, method)(few.user, few.movie, **time_for(model, None))
    _compiled.add(cls)
