"""One cell of the grid in one iteration: who is in it, what is learned from, what is tested on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import LEARNED_ENCODINGS, encode_movies
from recbench.data.sampling import Sample, draw_sample
from recbench.evaluation.holdouts import Split
from recbench.evaluation.protocols import BackgroundUsers, Protocol
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.making import MoviesWithout, make_item_table, make_item_tables
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Movies, Ratings


@dataclass(frozen=True)
class Cell:
    """Users of the sample have dense indices 0 .. n_users - 1, background users those after.

    Attributes:
        movies: what is known of each movie, with its bits. Under a learned encoding with the code
            bits of the item table; where there is one for each fold of users, of one that was
            learned from all training rows, for recommenders that learn from all users anyway.
        candidates: int64, ascending, the movies that can be recommended: all that anybody in the
            dataset has rated, whether in training or not, and that are popular enough for the
            cell (`top_percentile`).
        item_baseline: fitted to all training ratings of the cell, background users' among them.
        personal: the split for recommenders of one user.
        collaborative: the split for those that learn from many. The same rows as `personal`, but
            for a holdout without `same_test_rows`.
        user_id: int64 [n_users], the ids behind the dense indices of the sample.
        n_background_users: outside the sample, learned from and never tested.
        seed: of the sample, and of the item tables.
        movies_without: if votes were counted over background users: the movies without the votes of
            some of them (dense indices).
        movie_ratings: whether item tables know how movies were rated; else they have the mean of
            the item baseline, which does not either, and no likeness but that of metadata.
        code_bits: learned bits of a movie; 0 but under a learned encoding.
    """

    movies: Movies
    candidates: np.ndarray
    item_baseline: ItemBaseline
    personal: Split
    collaborative: Split
    user_id: np.ndarray
    n_background_users: int
    seed: int = 0
    movies_without: MoviesWithout | None = None
    movie_ratings: bool = True
    code_bits: int = 0

    @cached_property
    def personal_tables(self) -> ItemTables:
        """The item tables for recommenders of one user. They are made when first asked for, and
        from metadata bits alone."""
        return self._tables(self.personal)

    @cached_property
    def collaborative_tables(self) -> ItemTables:
        """The item tables for those that learn from many; from their own training rows."""
        same = self.collaborative is self.personal
        return self.personal_tables if same else self._tables(self.collaborative)

    def item_tables(self, learns_from_background: bool) -> ItemTables:
        """Those for a recommender that is trained and tested as `train_and_test` says."""
        return self.collaborative_tables if learns_from_background else self.personal_tables

    def _tables(self, split: Split) -> ItemTables:
        movies = self.movies.without_codes()
        if not self.movie_ratings:
            return ItemTables.same_for_all(ItemTable.of_metadata(movies, self.item_baseline))
        return make_item_tables(
            split.train, split.background, movies, self.seed, self.movies_without
        )

    def movies_of_folds(self) -> list[Movies]:
        """The movies for a recommender of one user: for each item table those with its bits."""
        if not self.code_bits:
            return [self.movies]
        return [
            self.movies.with_codes(table.codes[:, : self.code_bits])
            for table in self.personal_tables.tables
        ]

    @property
    def n_users(self) -> int:
        """How many there are in the sample."""
        return len(self.user_id)

    def train_and_test(self, learns_from_background: bool) -> tuple[Ratings, Ratings]:
        """What a recommender learns from, and what it is tested on."""
        split = self.collaborative if learns_from_background else self.personal
        return split.training_ratings(learns_from_background), split.test


def make_cell(
    dataset: Dataset, protocol: Protocol, num_users: int, reviews_per_user: int, seed: int = 0
) -> Cell:
    """Draw the sample, encode the movies, split the ratings, fit the item baseline.

    Raises:
        InputError: fewer users exist than asked for, or a parameter is out of its range.
    """
    holdout = protocol.holdout_rule().fitted_to(dataset.ratings)
    sample = draw_sample(
        dataset,
        num_users,
        reviews_per_user,
        protocol.top_percentile,
        seed,
        protocol.user_set,
        holdout.sample_key,
    )

    def encoded(voters: np.ndarray) -> Movies:
        return encode_movies(
            dataset,
            protocol.vote_scale,
            voters,
            protocol.votes,
            holdout.cutoff,
            protocol.encoding,
        )

    movies = encoded(sample.background)
    drawn = dataset.ratings.take(sample.rows)
    dense_user = np.searchsorted(sample.users, drawn.user)
    ratings = Ratings(dense_user, drawn.movie, drawn.stars, drawn.time)
    others = _background_users(sample, protocol.background_users, seed)
    background = _background(dataset, sample, others)

    def movies_without(users: np.ndarray) -> Movies:
        voters = sample.background.copy()  # those of the sample are not counted anyway
        voters[others[users[users >= len(sample.users)] - len(sample.users)]] = False
        return encoded(voters)

    personal = holdout.split(ratings, background, seed)
    collaborative = personal
    known_to_all = personal.train
    if not holdout.same_test_rows:
        collaborative = holdout.split(ratings, background, seed, collaborative=True)
        either = holdout.held_out(ratings, seed) | holdout.held_out_collaborative(ratings, seed)
        known_to_all = ratings.take(~either)
    item_baseline = ItemBaseline.fit(
        Ratings.concatenate([known_to_all, personal.background]), movies, protocol.item_baseline
    )
    user_id = dataset.user_id[sample.users]
    cell = Cell(
        movies=movies,
        candidates=np.flatnonzero(sample.kept),  # `movies` are those that somebody has rated
        item_baseline=item_baseline,
        personal=personal,
        collaborative=collaborative,
        user_id=user_id,
        n_background_users=len(others),
        seed=seed,
        movies_without=None if dataset.source.has_votes else movies_without,
        movie_ratings=protocol.item_baseline,
        code_bits=protocol.code_bits if protocol.encoding in LEARNED_ENCODINGS else 0,
    )
    return _with_learned_bits(cell)


def validation_cell(cell: Cell, protocol: Protocol, seed: int) -> Cell:
    """The cell with a part of its *training* rows held out in place of the test: to choose on.

    The same holdout as the cell's own, within the training rows of its users; the test rows are
    in neither part.
    """
    train, background = cell.collaborative.train, cell.collaborative.background
    split = protocol.holdout_rule().fitted_to(train).split(train, background, seed)
    item_baseline = ItemBaseline.fit(
        split.training_ratings(with_background=True), cell.movies, protocol.item_baseline
    )
    return _with_learned_bits(
        replace(cell, item_baseline=item_baseline, personal=split, collaborative=split)
    )


def _with_learned_bits(cell: Cell) -> Cell:
    """The cell with the movies of a learned encoding: learned from its own training rows."""
    if not cell.code_bits:
        return cell
    of_folds = cell.movies_of_folds()
    if len(of_folds) == 1:
        movies = of_folds[0]
    else:
        everybody = cell.collaborative.training_ratings(with_background=True)
        table = make_item_table(everybody, cell.movies.without_codes(), cell.seed)
        movies = cell.movies.with_codes(table.codes[:, : cell.code_bits])
    with_bits = replace(cell, movies=movies)
    if "personal_tables" in cell.__dict__:  # the same: they are made from metadata bits
        with_bits.__dict__["personal_tables"] = cell.personal_tables
    return with_bits


def _background_users(sample: Sample, at_most: BackgroundUsers, seed: int) -> np.ndarray:
    """Up to `at_most` users outside the sample, their indices in the dataset, ascending."""
    outside = np.flatnonzero(sample.background)
    rng = np.random.default_rng([seed, 4])
    return np.sort(rng.permutation(outside)[: len(outside) if at_most == "all" else at_most])


def _background(dataset: Dataset, sample: Sample, chosen: np.ndarray) -> Ratings:
    """All ratings of the background users `chosen`, numbered after those of the sample."""
    rows = dataset.rows_of(chosen)
    rows = rows[sample.kept[dataset.ratings.movie[rows]]]
    theirs = dataset.ratings.take(rows)
    number = len(sample.users) + np.searchsorted(chosen, theirs.user)
    return Ratings(number, theirs.movie, theirs.stars, theirs.time)
