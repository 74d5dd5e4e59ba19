"""What `recommender.Recommender` promises, over every recommender there is."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest
from toy_data import toy_ratings

from data_prep import decode_ratings
from recbench.ratings import Movies, Ratings
from recbench.recommender import RECOMMENDERS, Recommender, build, load_recommender

UNSEEN_USER, UNSEEN_MOVIE = 3, 21  # both within the tables, neither in the training ratings
NEVER_HEARD_OF = 50_000  # a user beyond every table


@pytest.fixture(params=RECOMMENDERS)
def make(request):
    """Builds the recommender anew; takes the options of its constructor."""
    cls = load_recommender(request.param)
    return lambda **options: build(cls, samples=20, **options)  # enough samples for a contract


def all_pairs(users: list[int], movies: int) -> tuple[np.ndarray, np.ndarray]:
    user, movie = np.meshgrid(users, np.arange(movies), indexing="ij")
    return user.ravel(), movie.ravel()


ASKED = all_pairs([0, 1, 2, UNSEEN_USER, 4, 5, NEVER_HEARD_OF], 23)


def assert_contract(stars: np.ndarray, n: int) -> None:
    assert isinstance(stars, np.ndarray)
    assert stars.dtype == np.float32
    assert stars.shape == (n,)
    assert np.isfinite(stars).all()
    assert ((stars >= 0.5) & (stars <= 5.0)).all()


def bits_of(model: Recommender, user: np.ndarray, movie: np.ndarray) -> np.ndarray | None:
    return model.predict_bits(user, movie) if hasattr(model, "predict_bits") else None


def test_predictions_are_float32_finite_and_in_range(make, train, movies):
    assert_contract(make().fit(train, movies).predict(*ASKED), len(ASKED[0]))


def test_fit_returns_the_recommender(make, train, movies):
    model = make()
    assert model.fit(train, movies) is model


def test_stars_are_read_from_the_bits(make, train, movies):
    model = make().fit(train, movies)
    bits = bits_of(model, *ASKED)
    if bits is None:
        pytest.skip("its output is not bits")
    assert bits.dtype == np.uint8
    assert bits.shape == (len(ASKED[0]), 10)
    assert set(np.unique(bits)) <= {0, 1}
    np.testing.assert_array_equal(decode_ratings(bits), model.predict(*ASKED))


@pytest.mark.parametrize("rows", [[], [0], [12], [0, 12], slice(0, 12), slice(20, 42)])
def test_small_training_tables(make, train, movies, rows):
    """No rating at all, one rating, one user with one rating, two users with one, one user."""
    few = train.take(
        np.arange(len(train))[rows] if isinstance(rows, slice) else np.array(rows, int)
    )
    assert_contract(make().fit(few, movies).predict(*ASKED), len(ASKED[0]))


@pytest.mark.parametrize("stars", [0.5, 5.0])
def test_everybody_gives_the_same_stars(make, train, movies, stars):
    same = replace(train, stars=np.full(len(train), stars))
    assert_contract(make().fit(same, movies).predict(*ASKED), len(ASKED[0]))


def test_movies_all_alike_and_unknown_to_the_crowd(make, train, movies):
    blank = replace(
        movies,
        bits=np.zeros_like(movies.bits),
        crowd_stars=np.full_like(movies.crowd_stars, np.nan),
        crowd_votes=np.zeros_like(movies.crowd_votes),
    )
    assert_contract(make().fit(train, blank).predict(*ASKED), len(ASKED[0]))


@pytest.mark.parametrize("labels", ["half_stars", "truncated"])
@pytest.mark.parametrize("loss", ["logits", "double_sigmoid"])
def test_every_choice_of_labels_and_loss(make, train, movies, labels, loss):
    model = make(labels=labels, loss=loss).fit(train, movies)
    assert_contract(model.predict(*ASKED), len(ASKED[0]))


def test_nothing_asked_nothing_answered(make, train, movies):
    model = make().fit(train, movies)
    nobody = np.empty(0, dtype=np.int32)
    assert_contract(model.predict(nobody, nobody), 0)
    bits = bits_of(model, nobody, nobody)
    assert bits is None or bits.shape == (0, 10)


def test_inputs_are_left_as_they_were(make, train, movies):
    arrays = [getattr(train, name) for name in ("user", "movie", "stars", "time")]
    arrays += [getattr(movies, name) for name in ("bits", "crowd_stars", "crowd_votes", "title")]
    arrays += [array.copy() for array in ASKED]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.setflags(write=False)
    make().fit(train, movies).predict(arrays[-2], arrays[-1])
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_same_seed_same_result(make, train, movies):
    first, second = (make(seed=5).fit(train, movies) for _ in range(2))
    np.testing.assert_array_equal(first.predict(*ASKED), second.predict(*ASKED))


def test_another_seed_another_result(make, train, movies):
    if "seed" not in inspect.signature(type(make())).parameters:
        pytest.skip("it takes no seed: nothing in it is random")
    first, second = (make(seed=seed).fit(train, movies) for seed in (5, 6))
    assert (first.predict(*ASKED) != second.predict(*ASKED)).any()


def test_fitting_again_leaves_nothing_of_the_first_time(make, train, movies):
    other = replace(train, stars=5.5 - train.stars)
    twice = make().fit(other, movies).fit(train, movies)
    once = make().fit(train, movies)
    np.testing.assert_array_equal(twice.predict(*ASKED), once.predict(*ASKED))


def test_asking_changes_nothing(make, train, movies):
    model = make().fit(train, movies)
    size = model.state_bytes()
    first = model.predict(*ASKED)
    model.predict(np.array([NEVER_HEARD_OF + 1, 0]), np.array([UNSEEN_MOVIE, 0]))
    bits_of(model, *ASKED)
    np.testing.assert_array_equal(model.predict(*ASKED), first)
    assert model.state_bytes() == size


def test_the_order_of_the_questions_does_not_matter(make, train, movies):
    model = make().fit(train, movies)
    stars = model.predict(*ASKED)
    order = np.random.default_rng(1).permutation(len(stars))
    shuffled = model.predict(ASKED[0][order], ASKED[1][order])
    np.testing.assert_allclose(shuffled, stars[order], atol=1e-5)
    for place in (0, 30, len(stars) - 1):
        alone = model.predict(ASKED[0][[place]], ASKED[1][[place]])
        np.testing.assert_allclose(alone, stars[[place]], atol=1e-5)


def test_ids_and_titles_of_movies_are_not_looked_at(make, train, movies):
    renamed = replace(
        movies, movie_id=movies.movie_id[::-1].copy(), title=movies.title[::-1].copy()
    )
    np.testing.assert_array_equal(
        make().fit(train, renamed).predict(*ASKED), make().fit(train, movies).predict(*ASKED)
    )


def test_movies_neither_rated_nor_asked_about_do_not_matter(make, train, movies):
    """What is fitted is fitted on the training ratings, not on the whole table of movies."""
    bits, crowd = movies.bits.copy(), movies.crowd_stars.copy()
    bits[UNSEEN_MOVIE + 1 :] ^= 1
    crowd[UNSEEN_MOVIE + 1 :] = 5.0
    changed: Movies = replace(movies, bits=bits, crowd_stars=crowd)
    asked = all_pairs([0, 2, UNSEEN_USER], UNSEEN_MOVIE + 1)
    np.testing.assert_array_equal(
        make().fit(train, changed).predict(*asked), make().fit(train, movies).predict(*asked)
    )


def test_a_personal_model_does_not_care_what_others_rated(make, movies):
    """Others, of ten ratings each, swap their ratings and movies among themselves; all counts and
    means stay, and so does the opinion that the movies bring along."""
    if type(make()).learns_from_others:
        pytest.skip("it learns from others")
    movies = replace(movies, crowd_opinion=np.linspace(2, 4, 23))
    train = toy_ratings([10, 10, 7, 0, 10, 10], movies=20)
    me = 2
    rows = np.flatnonzero(train.user != me)
    swapped = np.random.default_rng(2).permutation(rows)
    movie, stars = train.movie.copy(), train.stars.copy()
    movie[rows], stars[rows] = train.movie[swapped], train.stars[swapped]
    other: Ratings = replace(train, movie=movie, stars=stars)
    asked = all_pairs([me], 23)
    np.testing.assert_allclose(
        make().fit(other, movies).predict(*asked),
        make().fit(train, movies).predict(*asked),
        atol=1e-5,
    )


def test_users_are_not_mixed_up(make, train, movies):
    """Somebody who hates everything is not predicted to like it more than one who loves it all."""
    stars = np.where(train.user == 0, 5.0, train.stars)
    stars = np.where(train.user == 5, 0.5, stars)
    model = make(loss="logits").fit(replace(train, stars=stars), movies)
    asked = np.arange(23)
    lover = model.predict(np.full(23, 0), asked).mean()
    hater = model.predict(np.full(23, 5), asked).mean()
    assert lover >= hater


def test_it_says_how_large_it_is(make, train, movies):
    size = make().fit(train, movies).state_bytes()
    assert size is None or (isinstance(size, int) and size >= 0)
