"""`wnn_vote`: its equations in plain Python, by hand, and what a memory must keep."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_data import toy_movies, toy_ratings

import PerUser.wnn_vote as script
from PerUser.wnn_vote import CHANNEL_WEIGHT, WnnVote
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings

THREE = ItemBaseline(np.full(400, 3.0))
NEVER = 1e9  # a shrinkage so strong that the step it belongs to adds nothing


def plainly(
    model: WnnVote,
    movies: Movies,
    rated_movies: np.ndarray,
    rated: list[tuple[int, float]],
    movie: int,
) -> float:
    """The equations of the docstring, one rating after another; `rated_movies`: of all."""
    c, c_mean = model.baseline, model.baseline[rated_movies].mean()
    n = len(rated)
    g = [(1 + (n - 1 - j) / model.decay_after) ** -model.decay_power for j in range(n)]
    e = [stars - c[m] for m, stars in rated]
    x = [c[m] - c_mean for m, _ in rated]
    mu = sum(gj * ej for gj, ej in zip(g, e, strict=True)) / (sum(g) + model.shrinkage_bias)
    s = sum(g[j] * (e[j] - mu) * x[j] for j in range(n)) / (
        sum(g[j] * x[j] ** 2 for j in range(n)) + model.shrinkage_slope
    )
    z = movies.bits - movies.bits[rated_movies].mean(axis=0)
    left = [e[j] - mu - s * x[j] for j in range(n)]
    t = ridge_by_descent(z[[m for m, _ in rated]], np.array(left), model.shrinkage_weights)
    votes = weights = 0.0
    for j, (stored, _) in enumerate(rated):
        d, first = 0.0, 0
        for channel, bits in movies.channels.items():
            ours = movies.bits[movie][first : first + bits].tolist()
            theirs = movies.bits[stored][first : first + bits].tolist()
            differ = sum(a != b for a, b in zip(ours, theirs, strict=True))
            d += model.inverse_bandwidth * CHANNEL_WEIGHT.get(channel, 1.0) * differ / bits
            first += bits
        w = g[j] * math.exp(-d)
        votes += w * (left[j] - t @ z[stored])
        weights += w
    vote = votes / (weights + model.shrinkage_kernel)
    return min(max(c[movie] + mu + s * (c[movie] - c_mean) + t @ z[movie] + vote, 0.5), 5.0)


def ridge_by_descent(z: np.ndarray, y: np.ndarray, prior: float) -> np.ndarray:
    """The t that makes Σ (y − t·z)² + prior ‖t‖² least, one bit after another until all rest."""
    t = np.zeros(z.shape[1])
    for _ in range(10_000):
        before = t.copy()
        for k in range(len(t)):
            others = y - z @ t + z[:, k] * t[k]
            t[k] = z[:, k] @ others / (z[:, k] @ z[:, k] + prior)
        if np.abs(t - before).max() < 1e-15:
            return t
    raise AssertionError("it does not come to rest")


def history(train: Ratings, user: int) -> list[tuple[int, float]]:
    own = train.take(train.user == user)
    order = np.argsort(own.time, kind="stable")
    return list(zip(own.movie[order].tolist(), own.stars[order].tolist(), strict=True))


@pytest.mark.parametrize(
    "settings_of",
    [
        {},
        {"decay_power": 0.0},
        {"inverse_bandwidth": 3.0, "shrinkage_kernel": 0.05},
        {"shrinkage_slope": 0.5, "shrinkage_weights": 3.0},
    ],
)
def test_the_fast_way_is_the_plain_way(settings_of, monkeypatch):
    monkeypatch.setattr(script, "PAIRS_AT_ONCE", 40)  # many blocks
    movies = toy_movies(60, seed=3)
    train = toy_ratings([12, 1, 30, 0, 45], movies=50, seed=4)
    model = WnnVote(**settings_of).fit(train, movies, ItemBaseline.fit(train, movies))
    for user in range(5):
        rated = history(train, user)
        expected = [plainly(model, movies, train.movie, rated, movie) for movie in range(60)]
        stars = model.predict(np.full(60, user), np.arange(60))
        np.testing.assert_allclose(stars, expected, atol=1e-6)
        one_by_one = [model.predict_one(user, movie) for movie in range(60)]
        np.testing.assert_allclose(one_by_one, expected, atol=1e-12)


def tiny() -> Movies:
    """Four movies, two genre bits and one of another channel; vote averages of 3 stars."""
    return Movies(
        bits=np.array([[1, 0, 0], [1, 0, 1], [0, 1, 1], [1, 1, 0]], np.uint8),
        bit_names=("genres:War", "genres:Drama", "mood:dark"),
        vote_average=np.full(4, 3, np.float32),
        vote_count=np.full(4, np.expm1(5.0), np.float32),
        movie_id=np.arange(4),
        title=np.array(["A", "B", "C", "D"], dtype=object),
    )


def by_hand() -> WnnVote:
    """The worked example of docs/personal-model.md."""
    model = WnnVote(
        shrinkage_bias=2.0,
        shrinkage_weights=0.5,
        shrinkage_kernel=0.5,
        decay_power=0.0,
        channel_weight={"genres": 2 * math.log(2), "mood": math.log(2)},
    )
    model.start_from(tiny(), np.full(4, 3.0), np.array([0, 2]))
    model.learn_one(7, 0, 5.0)
    model.learn_one(7, 2, 3.0)
    return model


def test_the_worked_example():
    """c = 3, e = +2 and 0, μ = 2 / (2 + 2) = .5, left 1.5 and −.5. Every bit is usually a half, so
    z_A = (½, −½, −½) = −z_C, |z|² = ¾; t = z_A (1.5 + .5) / (2 · ¾ + ½) = z_A. That says +¾ of A,
    −¾ of C, and of B, (½, −½, ½), +½ for its genres and −¼ for its mood. ε = .75 and .25.
    Movie B differs from A in the mood, d = ln 2, w = 1/2; from C in both genres, d = 2 ln 2,
    w = 1/4. The vote is (.375 + .0625) / (.75 + .5) = .35, the prediction 3 + .5 + .25 + .35."""
    model = by_hand()
    assert model.predict_one(7, 1) == pytest.approx(4.1, abs=1e-12)
    explanation = model.explain_one(7, 1)
    parts = [(part.movie, round(part.stars, 9)) for part in explanation.contributions]
    features = [(None, 0.5), (None, -0.25)]
    assert parts == [(None, 3.0), (None, 0.5), (None, 0.0), *features, (0, 0.3), (2, 0.05)]
    assert [part.reason for part in explanation.contributions][3:5] == [
        "feature weights: genres",
        "feature weights: mood",
    ]
    model.forget_one(7, 2)  # μ = 2/3, left 4/3, t = z_A (4/3) / (3/4 + 1/2): of A .8, of B 4/15
    vote = (1 / 2) * (4 / 3 - 0.8) / (1 / 2 + 1 / 2)
    assert model.predict_one(7, 1) == pytest.approx(3 + 2 / 3 + 4 / 15 + vote, abs=1e-12)
    assert 3 + 2 / 3 + 4 / 15 + vote == pytest.approx(4.2)


def test_a_user_without_ratings_is_predicted_the_baseline(train, movies):
    model = WnnVote().fit(train, movies, ItemBaseline.fit(train, movies))
    stars = model.predict(np.full(23, 3), np.arange(23))
    np.testing.assert_allclose(stars, model.baseline.clip(0.5, 5), atol=1e-6)
    assert [part.reason for part in model.explain_one(3, 5).contributions] == ["item baseline"]


def test_the_first_rating_moves_it_a_little(movies):
    model = WnnVote()
    model.start_from(movies, np.full(23, 3.0), np.arange(23))
    before = model.predict_one(0, 4)
    model.learn_one(0, 4, 5.0)
    assert before < model.predict_one(0, 4) < 5.0
    assert before < model.predict_one(0, 5) < model.predict_one(0, 4)


# --- where it starts from ----------------------------------------------------------------------


def test_it_starts_from_the_item_baseline_and_the_mean_residual_of_users(movies):
    """Who rates much does not count for more: user 0 gives ½ more ten times, user 1 ½ less once."""
    known = np.linspace(2, 4, 23)
    given = ItemBaseline(known)
    rated = np.arange(11)
    stars = known[rated] + np.where(rated < 10, 0.5, -0.5)
    train = Ratings((rated == 10).astype(int), rated, stars, rated)
    np.testing.assert_allclose(WnnVote().fit(train, movies, given).baseline, known, atol=1e-6)
    higher = Ratings(train.user, train.movie, train.stars + 0.25, train.time)
    model = WnnVote().fit(higher, movies, given)
    np.testing.assert_allclose(model.baseline, known + 0.25, atol=1e-6)
    np.testing.assert_allclose(model.predict(np.full(23, 9), np.arange(23)), known + 0.25)


# --- what it would have said -------------------------------------------------------------------


def test_prequential_corrections_are_those_of_learning_one_after_another(movies, monkeypatch):
    monkeypatch.setattr(script, "PAIRS_AT_ONCE", 40)  # many blocks
    train = toy_ratings([12, 1, 7, 0, 3, 19], movies=20, seed=6)
    train = train.take(np.random.default_rng(0).permutation(len(train)))
    model = WnnVote().fit(train, movies, ItemBaseline.fit(train, movies))
    before = model.prequential_corrections(train, train.stars - model.baseline[train.movie])
    other = empty_like(model, movies, train.movie)
    for row in np.argsort(train.time, kind="stable"):
        user, movie = int(train.user[row]), int(train.movie[row])
        said = other.correction(np.array([user]), np.array([movie]))[0]
        assert before[row] == pytest.approx(said, abs=1e-9)
        other.learn_one(user, movie, train.stars[row])
    assert (before != 0).sum() == len(train) - 5  # all but each user's first


def test_prequential_corrections_know_nothing_of_the_rating_itself_or_of_later_ones(movies):
    train = toy_ratings([15, 9], movies=20, seed=6)
    residual = train.stars - 3.0
    model = WnnVote()
    model.start_from(movies, np.full(23, 3.0), np.arange(23))
    before = model.prequential_corrections(train, residual)
    later = (train.user == 0) & (train.time >= np.sort(train.time[train.user == 0])[8])
    changed = model.prequential_corrections(train, np.where(later, 9.9, residual))
    first = np.argsort(train.time[later])[0]
    same = ~later
    same[np.flatnonzero(later)[first]] = True
    np.testing.assert_array_equal(changed[same], before[same])
    assert (changed[~same] != before[~same]).all()


# --- learning on, and forgetting ---------------------------------------------------------------


def state(model: WnnVote) -> dict:
    return {
        user: (memory.movie.tolist(), memory.residual.tolist())
        for user, memory in model.memories.items()
    }


def empty_like(model: WnnVote, movies: Movies, rated: np.ndarray) -> WnnVote:
    """A model with the baseline and means of `model`, and no ratings."""
    other = WnnVote()
    other.start_from(movies, model.baseline, rated)
    return other


def test_learning_one_by_one_in_the_order_of_time_is_fit(train, movies):
    rng = np.random.default_rng(5)
    shuffled = train.take(rng.permutation(len(train)))
    shuffled = replace(shuffled, time=rng.integers(0, 9, len(train)))  # many equal times
    model = WnnVote().fit(shuffled, movies, ItemBaseline.fit(shuffled, movies))
    other = empty_like(model, movies, train.movie)
    for row in np.argsort(shuffled.time, kind="stable"):
        other.learn_one(shuffled.user[row], shuffled.movie[row], shuffled.stars[row])
    assert state(other) == state(model)
    user, movie = np.repeat(np.arange(7), 23), np.tile(np.arange(23), 7)
    np.testing.assert_array_equal(other.predict(user, movie), model.predict(user, movie))


def test_a_movie_rated_again_counts_once_the_latest(movies):
    twice = Ratings([0, 0, 0], [4, 5, 4], [1.0, 3.0, 5.0], [10, 20, 30])
    once = Ratings([0, 0], [5, 4], [3.0, 5.0], [20, 30])
    model = WnnVote().fit(twice, movies, ItemBaseline.fit(twice, movies))
    assert model.memories[0].movie.tolist() == [5, 4]
    other = empty_like(model, movies, twice.movie)
    for movie, stars in ((4, 1.0), (5, 3.0), (4, 5.0)):
        other.learn_one(0, movie, stars)
    assert state(other) == state(model)
    third = empty_like(model, movies, twice.movie)
    for movie, stars in zip(once.movie, once.stars, strict=True):
        third.learn_one(0, movie, stars)
    assert state(third) == state(model)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_forgetting_is_as_if_never_seen(data):
    """Whatever is learned and forgotten, in whatever order, leaves what was not forgotten."""
    movies = toy_movies(12)
    model = WnnVote()
    model.start_from(movies, ItemBaseline.fit(toy_ratings([8, 5], 12), movies).stars, np.arange(3))
    kept: dict[int, dict[int, float]] = {}
    for _ in range(data.draw(st.integers(0, 25))):
        user, movie = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 11))
        own = kept.setdefault(user, {})
        if movie in own and data.draw(st.booleans()):
            model.forget_one(user, movie)
            del own[movie]
        else:
            stars = data.draw(st.integers(1, 10)) / 2
            model.learn_one(user, movie, stars)
            own.pop(movie, None)
            own[movie] = stars
    never = empty_like(model, movies, np.arange(3))
    for user, own in kept.items():
        for movie, stars in own.items():
            never.learn_one(user, movie, stars)
    assert state(never) == state(model)
    user, movie = np.repeat(np.arange(3), 12), np.tile(np.arange(12), 3)
    np.testing.assert_array_equal(never.predict(user, movie), model.predict(user, movie))


def test_what_was_never_rated_cannot_be_forgotten(train, movies):
    model = WnnVote().fit(train, movies, ItemBaseline.fit(train, movies))
    before = state(model)
    for user, movie in ((3, 0), (1, int(train.movie[train.user == 0][0])), (99, 5)):
        if movie not in train.movie[train.user == user]:
            with pytest.raises(KeyError):
                model.forget_one(user, movie)
    assert state(model) == before


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(0, 40), st.floats(0.02, 5.0))
def test_contributions_sum_to_the_prediction_exactly(seed, length, prior):
    movies = toy_movies(50, seed=seed)
    train = toy_ratings([length, 9], 50, seed=seed)
    model = WnnVote(shrinkage_kernel=prior, shrinkage_bias=prior).fit(
        train, movies, ItemBaseline.fit(train, movies)
    )
    stars = model.predict(np.zeros(50, int), np.arange(50))
    for movie in range(50):
        explanation = model.explain_one(0, movie)
        assert math.fsum(part.stars for part in explanation.contributions) == explanation.stars
        assert explanation.stars == model.predict_one(0, movie)
        assert np.isclose(explanation.stars, stars[movie], atol=1e-6)
        assert 0.5 <= explanation.stars <= 5.0
        of_movies = {part.movie for part in explanation.contributions} - {None}
        assert of_movies == set(train.movie[train.user == 0].tolist())


def user_who_likes_one_bit() -> tuple[Ratings, Movies, np.ndarray]:
    """Ratings of the first 300 movies, and the stars that this user would give to each."""
    movies = toy_movies(400)
    truth = 3 + 1.5 * (movies.bits[:, 11].astype(float) - 0.5)
    rated = np.arange(300)
    return Ratings(np.zeros(300), rated, truth[rated], rated), movies, truth


def test_the_kernel_finds_a_bit_where_its_channel_weighs():
    """The bit is one of three of its channel; the other channels are noise."""
    train, movies, truth = user_who_likes_one_bit()
    asked = np.zeros(100, int), np.arange(300, 400)
    weights = dict.fromkeys(movies.channels, 0.0) | {"vote_average": 12.0}
    model = WnnVote(channel_weight=weights, shrinkage_weights=NEVER)
    model.fit(train, movies, THREE)
    assert np.corrcoef(model.predict(*asked), truth[300:])[0, 1] > 0.8
    blind = WnnVote(channel_weight=weights | {"vote_average": 0.0}, shrinkage_weights=NEVER)
    assert np.ptp(blind.fit(train, movies, THREE).predict(*asked)) < 1e-6


def test_feature_weights_find_the_bit_by_themselves():
    train, movies, truth = user_who_likes_one_bit()
    model = WnnVote(shrinkage_kernel=NEVER).fit(train, movies, THREE)
    assert (
        np.corrcoef(model.predict(np.zeros(100, int), np.arange(300, 400)), truth[300:])[0, 1]
        > 0.99
    )
    likes, likes_not = (
        {part.reason: part.stars for part in model.explain_one(0, movie).contributions}
        for movie in (300 + np.argmax(truth[300:]), 300 + np.argmin(truth[300:]))
    )
    assert likes["feature weights: vote_average"] > 0.3
    assert likes_not["feature weights: vote_average"] < -0.3
    assert abs(likes["feature weights: genres"]) < 0.1


def test_what_is_recent_weighs_more(movies):
    """The same ratings, first low then high, or first high then low."""
    stars = np.repeat([1.0, 5.0], 10)
    rising = Ratings(np.zeros(20), np.arange(20), stars, np.arange(20))
    falling = replace(rising, time=rising.time[::-1])
    up, down = (
        WnnVote().fit(train, movies, ItemBaseline.fit(train, movies)).predict([0], [21])[0]
        for train in (rising, falling)
    )
    assert up > down + 0.3
    same = [
        WnnVote(decay_power=0.0)
        .fit(train, movies, ItemBaseline.fit(train, movies))
        .predict([0], [21])[0]
        for train in (rising, falling)
    ]
    assert same[0] == pytest.approx(same[1], abs=1e-6)


def test_learning_about_one_user_leaves_the_others_alone(train, movies):
    model = WnnVote().fit(train, movies, ItemBaseline.fit(train, movies))
    user, movie = np.repeat([0, 2, 3, 4], 23), np.tile(np.arange(23), 4)
    before = model.predict(user, movie)
    for movie_rated in (3, 8, 21):
        model.learn_one(5, movie_rated, 0.5)
        model.learn_one(77, movie_rated, 5.0)
    model.forget_one(5, 8)
    np.testing.assert_array_equal(model.predict(user, movie), before)
    assert model.predict_one(77, 4) > model.predict_one(3, 4)


def test_explaining_changes_nothing(train, movies):
    model = WnnVote().fit(train, movies, ItemBaseline.fit(train, movies))
    before, size = state(model), model.state_bytes()
    for user in (0, 3, 99):
        model.explain_one(user, 22)
        model.predict_one(user, 22)
    assert state(model) == before
    assert model.state_bytes() == size == 42 * 12  # a row number and a residual a rating


def test_a_baseline_that_is_the_same_for_all_movies_has_no_slope(train, movies):
    model = WnnVote().fit(train, movies, ItemBaseline(np.full(23, 3.0)))
    parts = model.explain_one(0, 22).contributions
    assert parts[2].stars == pytest.approx(0, abs=1e-12)
    assert model.predict_one(0, 22) != model.predict_one(0, 21)  # but there are bits
