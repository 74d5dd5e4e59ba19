"""The stream: its order, what is known when, and that nothing later is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recbench.errors import InputError
from recbench.ratings import Ratings
from recbench.registry import load_recommender
from recbench.stream.learners import FIRST, Learner
from recbench.stream.replaying import replay
from recbench.stream.stream import Stream, ratings_in_time


def stream_of(dataset, folder, delay: int = 0, encoding: str = "extended") -> Stream:
    ratings = ratings_in_time(dataset, "all", 0, seed=1)
    return Stream(dataset, ratings, encoding, 0, folder / "tables", delay)


# --- when a learner is fitted anew -------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["personal", "personal@", "personal@x", "personal@x1", "personal@0", "ridge@3y"]
)
def test_a_learner_that_is_none(text):
    with pytest.raises(InputError, match=r"Expected a recommender and when it is refitted"):
        Learner.parse(text)


@pytest.mark.parametrize(
    ("retrained", "expected"),
    [
        ("never", [0]),
        ("400", [0, 400, 800, 1200, 1600, 2000, 2400, 2800]),
        ("x1.5", [0, FIRST, 1500, 2250]),
        ("x2", [0, FIRST, 2000]),
        ("1h", [0, 1200, 2400]),
        ("90m", [0, 1800]),
        ("1w", [0]),
    ],
)
def test_it_is_fitted_when_it_says(retrained, expected):
    time = 1_000_000 + 3 * np.arange(3_000)  # 9,000 seconds
    assert Learner("ridge", retrained).starts(time).tolist() == expected


def test_a_period_without_ratings_has_no_fit():
    time = np.array([0, 10, 100_000, 100_001, 400_000])
    assert Learner("ridge", "1d").starts(time).tolist() == [0, 2, 4]


# --- the order ---------------------------------------------------------------------------------


def test_ratings_come_in_the_order_of_time_and_users_in_that_of_their_first(synthetic):
    ratings = ratings_in_time(synthetic, "all", 0, seed=3)
    assert len(ratings) == len(synthetic.ratings)
    assert (np.diff(ratings.time) >= 0).all()
    _, first = np.unique(ratings.user, return_index=True)
    assert (np.diff(first) > 0).all()
    stars = sorted(zip(ratings.movie.tolist(), ratings.stars.tolist(), strict=True))
    own = zip(synthetic.ratings.movie.tolist(), synthetic.ratings.stars.tolist(), strict=True)
    assert stars == sorted(own)


def test_equal_times_come_in_an_order_of_the_seed_and_not_of_ids(synthetic):
    same = replace(synthetic.ratings, time=np.zeros(len(synthetic.ratings), dtype=np.int64))
    tied = replace(synthetic, ratings=same)
    one, again, other = (ratings_in_time(tied, "all", 0, seed).movie for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert (np.diff(ratings_in_time(tied, "all", 0, 1).movie[:50]) < 0).any()


def test_some_users(synthetic):
    few = ratings_in_time(synthetic, "all", 4, seed=0)
    assert few.user.max() == 3
    test = ratings_in_time(synthetic, "test", 0, seed=0)
    development = ratings_in_time(synthetic, "development", 0, seed=0)
    assert 0 < len(test) < len(development) < len(synthetic.ratings)


# --- nothing later is known --------------------------------------------------------------------


def changed_from(stream: Stream, row: int, folder) -> Stream:
    """The same stream with other stars and movies from that rating on."""
    r, rng = stream.ratings, np.random.default_rng(5)
    movie, stars = r.movie.copy(), r.stars.copy()
    movie[row:] = rng.permutation(movie[row:])
    stars[row:] = 5.5 - stars[row:]
    ratings = Ratings(r.user, movie, stars, r.time)
    return replace(stream, ratings=ratings, folder=folder / "others")


LEARNERS = [
    "personal@x2", "hybrid_implicit@x2", "ridge_recursive@x1.5", "ridge@300", "ao@x1.5",
    "colab@400", "bayes_fm@300", "bayes_fm_folded@x2", "user_mean@never", "movie_mean@400",
    "river_biased_mf@never", "torch_online@never",
]  # fmt: skip


@pytest.fixture
def few_samples(monkeypatch):
    from Collaborative import bayesian_fm

    plain = bayesian_fm.NormalFM

    def short(rank, samples, deviation, seed):
        return plain(2, 8, deviation, seed)

    monkeypatch.setattr(bayesian_fm, "NormalFM", short)


@pytest.mark.parametrize("text", LEARNERS)
def test_what_is_predicted_does_not_depend_on_what_comes_later(
    synthetic, tmp_path, few_samples, monkeypatch, text
):
    monkeypatch.setattr("recbench.stream.learners.FIRST", 200)
    stream = stream_of(synthetic, tmp_path)
    row = len(stream.ratings) * 2 // 3
    other = changed_from(stream, row, tmp_path)
    learner = Learner.parse(text)
    for start, end in learner.pieces(stream.ratings.time):
        if start > row:
            break
        models = [load_recommender(learner.spec)() for _ in range(2)]
        ours, theirs = (
            replay(model, one, start, min(end, row + 40), seed=1)
            for model, one in zip(models, (stream, other), strict=True)
        )
        before = row - start
        np.testing.assert_array_equal(ours.predicted[:before], theirs.predicted[:before])
        assert ours.predicted.dtype == np.float32
        assert ((ours.predicted >= 0.5) & (ours.predicted <= 5)).all()


def test_votes_movie_means_and_item_tables_are_those_of_before(synthetic, tmp_path):
    stream = stream_of(synthetic, tmp_path)
    other = changed_from(stream, 500, tmp_path)
    movies = stream.movies(500)
    np.testing.assert_array_equal(movies.bits, other.movies(500).bits)
    counted = np.bincount(stream.ratings.movie[:500], minlength=len(movies))
    np.testing.assert_array_equal(movies.vote_count, counted)
    assert synthetic.source.has_votes  # which are of the day the metadata were written
    baselines = (one.item_baseline(500, movies).stars for one in (stream, other))
    np.testing.assert_array_equal(*baselines)
    tables, others = (one.item_tables(500, movies)[0] for one in (stream, other))
    assert [t.checksum() for t in tables.tables] == [t.checksum() for t in others.tables]


def test_a_item_table_is_not_learned_from_the_user_it_is_for(synthetic, tmp_path):
    stream = stream_of(synthetic, tmp_path)
    movies = stream.movies(600)
    tables, seconds = stream.item_tables(600, movies)
    again, same_seconds = stream.item_tables(600, movies)
    assert seconds == same_seconds > 0  # made once, its cost known to all
    user = int(stream.ratings.user[0])
    mine = stream.ratings.user == user
    stars = np.where(mine, 5.5 - stream.ratings.stars, stream.ratings.stars)
    ratings = replace(stream.ratings, stars=stars)
    other = replace(stream, ratings=ratings, folder=tmp_path / "others")
    changed, _ = other.item_tables(600, movies)
    own = tables.fold_of(user)
    same = [a.checksum() == b.checksum() for a, b in zip(again.tables, changed.tables, strict=True)]
    assert same == [k == own for k in range(len(tables.tables))]
    assert tables.tables[-1].about["users"] == len(np.unique(stream.ratings.user[:600]))
    new = int(stream.ratings.user.max())
    first = int(np.flatnonzero(stream.ratings.user == new)[0])
    tables, _ = stream.item_tables(first, stream.movies(first))
    assert tables.fold_of(new) == len(tables.tables) - 1  # the one learned from all there were


# --- late feedback -----------------------------------------------------------------------------


def test_a_rating_is_known_after_its_delay(synthetic, tmp_path):
    stream = stream_of(synthetic, tmp_path)
    time = stream.ratings.time
    late = replace(stream, delay=86_400)
    for row in (0, 7, 400, len(time) - 1):
        assert stream.known_at(row) == row
        known = late.known_at(row)
        assert (time[:known] <= time[row] - 86_400).all()
        assert (time[known:row] > time[row] - 86_400).all()


@pytest.mark.parametrize("delay", [0, 3_600, 30 * 86_400])
def test_a_running_mean_by_a_plain_loop(synthetic, tmp_path, delay):
    stream = stream_of(synthetic, tmp_path, delay)
    n = 700
    r = stream.ratings
    expected = []
    for row in range(n):
        known = [k for k in range(row) if not delay or r.time[k] <= r.time[row] - delay]
        own = [r.stars[k] for k in known if r.user[k] == r.user[row]]
        everybody = [r.stars[k] for k in known]
        expected.append(np.mean(own) if own else np.mean(everybody) if everybody else 3.0)
    for starts in ([0], [0, 250, 400]):
        model = load_recommender("user_mean")()
        parts = [
            replay(model, stream, a, b, seed=0).predicted
            for a, b in zip(starts, [*starts[1:], n], strict=True)
        ]
        np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-5)
