"""Nobody's item table knows anything of that person: equal bit for bit, whatever they rated."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from recbench.data.dataset import Dataset
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.item_table import codes, learning, making
from recbench.models.item_table.making import FOLDS
from recbench.models.item_table.table import ItemTable
from recbench.ratings import Ratings
from recbench.registry import load_recommender

STRICT = PROTOCOLS["strict"]
ALONE = STRICT.changed(background_users=0)
Personal = load_recommender("personal")
USERS, REVIEWS, SEED = 20, 10, 3


@pytest.fixture(autouse=True)
def small_tables(monkeypatch):
    learn = partial(making.learn_factors, iterations=6, rank=4)
    monkeypatch.setattr(making, "learn_factors", learn)
    monkeypatch.setattr(codes, "POOL", 512)


@pytest.fixture(params=["votes of the metadata", "votes counted"])
def dataset(request, synthetic, without_votes) -> Dataset:
    return synthetic if request.param == "votes of the metadata" else without_votes


def cell_of(dataset: Dataset, protocol=STRICT) -> Cell:
    return make_cell(dataset, protocol, USERS, REVIEWS, SEED)


def other_stars(dataset: Dataset, rows: np.ndarray) -> Dataset:
    """The dataset with other stars in `rows` (bool)."""
    r = dataset.ratings
    stars = np.where(rows, 5.5 - r.stars, r.stars)
    assert (stars != r.stars).sum() > 0.5 * rows.sum() > 0
    return replace(dataset, ratings=replace(r, stars=stars))


def other_ratings(dataset: Dataset, rows: np.ndarray) -> Dataset:
    """The dataset with `rows` (bool) of movies that their users have not rated, of other stars and,
    within each user, in another order of time."""
    rng, r = np.random.default_rng(1), dataset.ratings
    movie, stars, time = r.movie.copy(), r.stars.copy(), r.time.copy()
    for user in np.unique(r.user[rows]):
        own = np.flatnonzero(rows & (r.user == user))
        others = np.setdiff1d(np.arange(len(dataset.table)), r.movie[r.user == user])
        movie[own] = rng.permutation(others)[: len(own)]
        time[own] = rng.permutation(r.time[own])
    stars[rows] = rng.integers(1, 11, int(rows.sum())) / 2
    return replace(dataset, ratings=Ratings(r.user, movie, stars, time))


CHANGES = [other_stars, other_ratings]


def rows_of(dataset: Dataset, cell: Cell, user: int) -> np.ndarray:
    return dataset.user_id[dataset.ratings.user] == cell.user_id[user]


def held_out_rows(dataset: Dataset, cell: Cell) -> np.ndarray:
    """bool, of all ratings of the dataset."""
    test, key = cell.personal.test, len(dataset.table)
    pairs = np.searchsorted(dataset.user_id, cell.user_id[test.user]) * key + test.movie
    rows = np.isin(dataset.ratings.user * key + dataset.ratings.movie, pairs)
    assert rows.sum() == len(test)
    return rows


def checksums(cell: Cell) -> list[str]:
    return [table.checksum() for table in cell.personal_tables.tables]


@pytest.mark.parametrize("change", CHANGES)
def test_with_background_users_the_table_knows_nobody_who_is_tested(dataset, change):
    cell = cell_of(dataset)
    before = checksums(cell)
    assert len(cell.personal.background) >= 4 * len(cell.personal.train)
    assert len(before) == 1
    other = cell_of(change(dataset, rows_of(dataset, cell, 7)))
    assert (other.user_id == cell.user_id).all()
    assert not np.array_equal(other.personal.train.stars, cell.personal.train.stars)
    assert checksums(other) == before
    everybody = np.isin(dataset.user_id[dataset.ratings.user], cell.user_id)
    assert checksums(cell_of(other_stars(dataset, everybody))) == before
    assert checksums(cell_of(other_stars(dataset, ~everybody))) != before  # it does learn


@pytest.mark.parametrize("change", CHANGES)
def test_without_background_users_ones_own_table_knows_all_but_oneself(dataset, change):
    """The tables of the other folds, which learn from the user, do change."""
    only_the_own_fold_stays(dataset, change, FOLDS)


def only_the_own_fold_stays(dataset: Dataset, change, folds: int) -> None:
    cell, user = cell_of(dataset, ALONE), 11
    other = cell_of(change(dataset, rows_of(dataset, cell, user)), ALONE)
    tables, before = cell.personal_tables, checksums(cell)
    assert len(set(before)) == folds
    assert (other.personal_tables.fold == tables.fold).all()
    same = [a == b for a, b in zip(before, checksums(other), strict=True)]
    assert same == [fold == tables.fold_of(user) for fold in range(folds)]
    assert np.bincount(tables.fold).tolist() == [USERS // folds] * folds
    for fold, table in enumerate(tables.tables):
        assert table.about["users"] == USERS - (tables.fold == fold).sum()


@pytest.mark.parametrize("protocol", [STRICT, ALONE], ids=["background", "alone"])
@pytest.mark.parametrize("change", CHANGES)
def test_no_table_knows_a_held_out_rating(dataset, protocol, change):
    """Neither which movies are held out nor their stars, and no prediction: a user's movies are
    those of the training rows."""
    cell = cell_of(dataset, protocol)
    train, test = cell.personal.train, cell.personal.test
    rows = held_out_rows(dataset, cell)
    other = cell_of(change(dataset, rows), protocol)
    for name in ("user", "movie", "stars"):
        same = getattr(other.personal.train, name) == getattr(train, name)
        assert same.all()
    assert checksums(other) == checksums(cell)
    first, second = (one.fit(one.new(Personal)).recommender for one in (cell, other))
    for before, after in zip(
        first.predict_normal(test.user, test.movie),
        second.predict_normal(test.user, test.movie),
        strict=True,
    ):
        assert (before == after).all()
    for user, memory in second.memories.items():
        assert set(memory.known) == set(train.movie[train.user == user])


def test_learned_bits_of_ones_own_fold_know_all_but_oneself(synthetic):
    protocol = ALONE.changed(encoding="published+learned")
    cell = cell_of(synthetic, protocol)
    own = cell.personal_tables.fold_of(4)
    other = cell_of(other_ratings(synthetic, rows_of(synthetic, cell, 4)), protocol)
    same = [
        np.array_equal(a.bits, b.bits)
        for a, b in zip(cell.movies_of_folds, other.movies_of_folds, strict=True)
    ]
    assert same == [fold == own for fold in range(FOLDS)]
    assert cell.movies_of_folds[0].channels["learned"] == 128


# --- those whom scales and steps are fitted to -------------------------------------------------


@pytest.fixture
def set_aside(monkeypatch):
    """(users, factors, item baseline, movies) of each part of users set aside, as it is used."""
    seen = []

    def recorded(ratings, found, item_baseline, movies):
        seen.append((np.unique(ratings.user), found, item_baseline, movies))
        return blocks_of(ratings, found, item_baseline, movies)

    blocks_of = making.blocks_of
    monkeypatch.setattr(making, "blocks_of", recorded)
    return seen


def ids_of(dataset: Dataset, cell: Cell, background: np.ndarray) -> np.ndarray:
    """The ids of background users, where all users outside the sample are."""
    outside = dataset.user_id[~np.isin(dataset.user_id, cell.user_id)]
    return outside[background - cell.n_users]


def test_votes_are_counted_without_those_set_aside(without_votes, set_aside):
    dataset = without_votes
    cell = cell_of(dataset)
    assert len(cell.personal_tables.tables) == 1
    assert len(set_aside) == making.MOST_FOLDS
    of_user = dataset.user_id[dataset.ratings.user]
    for users, _, _, movies in set_aside:
        nobody = np.append(cell.user_id, ids_of(dataset, cell, users))
        counted = dataset.ratings.take(~np.isin(of_user, nobody))
        count = np.bincount(counted.movie, minlength=len(movies))
        assert (movies.vote_count == count).all()
        total = np.bincount(counted.movie, counted.stars, minlength=len(movies))
        average = total[count > 0] / count[count > 0]
        np.testing.assert_allclose(movies.vote_average[count > 0], average, rtol=1e-5)


def test_scales_are_fitted_to_users_of_whom_nothing_was_known(dataset, set_aside, monkeypatch):
    """Neither factors nor item baseline nor movies differ when they rate otherwise. They say when
    to stop, so here there is one pass to stop after."""
    monkeypatch.setattr(learning, "CHECK_EVERY", 6)
    cell = cell_of(dataset)
    checksums(cell)
    before = set_aside.copy()
    of_user = dataset.user_id[dataset.ratings.user]
    for part in (0, making.MOST_FOLDS - 1):
        set_aside.clear()
        own = np.isin(of_user, ids_of(dataset, cell, before[part][0]))
        checksums(cell_of(other_stars(dataset, own)))
        same = [
            (a[0] == b[0]).all()
            and (a[2] == b[2]).all()
            and all(np.array_equal(x, vars(b[1])[name]) for name, x in vars(a[1]).items())
            and np.array_equal(a[3].bits, b[3].bits)
            and np.array_equal(a[3].vote_average, b[3].vote_average, equal_nan=True)
            for a, b in zip(before, set_aside, strict=True)
        ]
        assert same == [other == part for other in range(making.MOST_FOLDS)]


def test_who_is_set_aside(monkeypatch):
    """Of few two quarters, of many one part; as near to 300 as can be, here to 30. Those with ten
    ratings, if they are enough."""
    monkeypatch.setattr(making, "ASIDE_AT_MOST", 30)
    for users, parts, each in ((10, 2, 2), (31, 2, 7), (80, 2, 20), (120, 1, 30), (500, 1, 30)):
        for many in (parts * each - 1, parts * each):
            count = np.where(np.arange(users) < many, 10, 9)
            chosen = making._aside(np.arange(users) + 7, count, 0, making.MOST_FOLDS)
            assert [len(part) for part in chosen] == [each] * parts
            together = np.concatenate(chosen)
            assert len(np.unique(together)) == len(together)
            assert np.isin(together, np.arange(users) + 7).all()
            assert (together < many + 7).all() == (many == parts * each)


def test_of_too_few_users_no_table_is_learned(synthetic):
    for more in (-1, 0):
        few = cell_of(synthetic, STRICT.changed(background_users=making.FEWEST_USERS + more))
        table = making.make_item_table(few.personal.background, few.movies)
        without = table.checksum() == ItemTable.of_metadata(few.movies).checksum()
        assert without == (more < 0)


def test_beside_a_sample_of_as_many_ratings_there_is_a_table_for_each_fold(synthetic):
    """Of background users and of the other folds: of either its ratings count."""
    cell = cell_of(synthetic, STRICT.changed(background_users=8))
    train, background, tables = cell.personal.train, cell.personal.background, cell.personal_tables
    assert len(background) < 4 * len(train)
    assert len(tables.tables) == FOLDS
    for k, table in enumerate(tables.tables):
        others = train.user[tables.fold[train.user] != k]
        assert table.about["users"] == len(np.unique([*background.user, *others]))


def test_where_ratings_of_movies_are_not_to_be_known_there_are_votes_and_bits_alone(synthetic):
    cell = cell_of(synthetic, STRICT.changed(item_baseline=False))
    (table,) = cell.personal_tables.tables
    assert table.checksum() == ItemTable.of_metadata(cell.movies, cell.item_baseline).checksum()


def test_of_many_users_a_table_is_learned_from_some(synthetic, monkeypatch):
    """Which are drawn is a matter of the seed, not of their ratings."""
    cell = cell_of(synthetic, ALONE)
    ratings = cell.personal.train
    users = np.unique(ratings.user)
    drawn = np.random.default_rng([5, 8]).permutation(users)[:12]
    some = ratings.take(np.isin(ratings.user, drawn))
    monkeypatch.setattr(making, "MOST_USERS", 12)
    table = making.make_item_table(ratings, cell.movies, seed=5)
    assert table.about["users"] == 12
    assert table.checksum() == making.make_item_table(some, cell.movies, seed=5).checksum()


def test_where_half_of_the_users_are_enough_there_are_two_folds(synthetic, monkeypatch):
    monkeypatch.setattr(making, "MOST_USERS", USERS // 2)
    only_the_own_fold_stays(synthetic, other_stars, 2)
