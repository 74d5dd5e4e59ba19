"""What `recbench.Recommender` promises, over every recommender there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from few_samples import few_samples
from toy_data import toy_ratings, toy_tables

from recbench.data.encodings.thermometer import decode_ratings
from recbench.errors import InputError
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings
from recbench.recommender import Options, Recommender, build, declared, fit_on
from recbench.registry import load_recommender, recommenders

UNSEEN_USER, UNSEEN_MOVIE = 3, 21  # both within the tables, neither in the training ratings
NEVER_HEARD_OF = 50_000  # a user beyond every table


@pytest.fixture(params=recommenders())
def make(request):
    """Builds the recommender anew, with few samples if it samples; takes the options of a run."""
    cls = load_recommender(request.param)
    return lambda **options: build(cls, Options(**options), **few_samples(request.param))


def fit(model, train, movies):
    """Fits it with what it declares that it needs."""
    baseline = ItemBaseline.fit(train, movies)
    return fit_on(model, train, movies, baseline, film_tables=toy_tables(movies))


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
    assert_contract(fit(make(), train, movies).predict(*ASKED), len(ASKED[0]))


def test_fit_returns_the_recommender(make, train, movies):
    model = make()
    assert fit(model, train, movies) is model


def test_stars_are_read_from_the_bits(make, train, movies):
    model = fit(make(), train, movies)
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
    assert_contract(fit(make(), few, movies).predict(*ASKED), len(ASKED[0]))


@pytest.mark.parametrize("stars", [0.5, 5.0])
def test_all_ratings_alike(make, train, movies, stars):
    same = replace(train, stars=np.full(len(train), stars))
    assert_contract(fit(make(), same, movies).predict(*ASKED), len(ASKED[0]))


def test_movies_all_alike_and_without_votes(make, train, movies):
    blank = replace(
        movies,
        bits=np.zeros_like(movies.bits),
        vote_average=np.full_like(movies.vote_average, np.nan),
        vote_count=np.zeros_like(movies.vote_count),
    )
    assert_contract(fit(make(), train, blank).predict(*ASKED), len(ASKED[0]))


@pytest.mark.parametrize("labels", ["half_stars", "truncated"])
@pytest.mark.parametrize("loss", ["logits", "double_sigmoid"])
def test_every_choice_of_labels_and_loss(make, train, movies, labels, loss):
    model = fit(make(labels=labels, loss=loss), train, movies)
    assert_contract(model.predict(*ASKED), len(ASKED[0]))


def test_nothing_asked_nothing_answered(make, train, movies):
    model = fit(make(), train, movies)
    nobody = np.empty(0, dtype=np.int32)
    assert_contract(model.predict(nobody, nobody), 0)
    bits = bits_of(model, nobody, nobody)
    assert bits is None or bits.shape == (0, 10)


def test_inputs_are_left_as_they_were(make, train, movies):
    arrays = [getattr(train, name) for name in ("user", "movie", "stars", "time")]
    arrays += [getattr(movies, name) for name in ("bits", "vote_average", "vote_count", "title")]
    arrays += [array.copy() for array in ASKED]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.setflags(write=False)
    fit(make(), train, movies).predict(arrays[-2], arrays[-1])
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_same_seed_same_result(make, train, movies):
    first, second = (fit(make(seed=5), train, movies) for _ in range(2))
    np.testing.assert_array_equal(first.predict(*ASKED), second.predict(*ASKED))


def test_another_seed_another_result(make, train, movies):
    if "seed" not in declared(make(), "options"):
        pytest.skip("it takes no seed: nothing in it is random")
    first, second = (fit(make(seed=seed), train, movies) for seed in (5, 6))
    assert (first.predict(*ASKED) != second.predict(*ASKED)).any()


def test_fitting_again_leaves_nothing_of_the_first_time(make, train, movies):
    other = replace(train, stars=5.5 - train.stars)
    twice = fit(fit(make(), other, movies), train, movies)
    once = fit(make(), train, movies)
    np.testing.assert_array_equal(twice.predict(*ASKED), once.predict(*ASKED))


def test_asking_changes_nothing(make, train, movies):
    model = fit(make(), train, movies)
    size = model.state_bytes()
    first = model.predict(*ASKED)
    model.predict(np.array([NEVER_HEARD_OF + 1, 0]), np.array([UNSEEN_MOVIE, 0]))
    bits_of(model, *ASKED)
    np.testing.assert_array_equal(model.predict(*ASKED), first)
    assert model.state_bytes() == size


def test_the_order_of_the_questions_does_not_matter(make, train, movies):
    model = fit(make(), train, movies)
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
        fit(make(), train, renamed).predict(*ASKED), fit(make(), train, movies).predict(*ASKED)
    )


def test_any_time_may_be_asked_about(make, train, movies):
    """Long before training, long after, and none, which is the last time of training."""
    if not declared(make(), "asks_for_time"):
        pytest.skip("it does not ask when it is asked")
    model = fit(make(), train, movies)
    n = len(ASKED[0])
    for time in (-(10**9), 0, int(train.time[0]), 10**11):
        assert_contract(model.predict(*ASKED, time=np.full(n, time)), n)
    last = np.full(n, train.time.max())
    np.testing.assert_array_equal(model.predict(*ASKED, time=last), model.predict(*ASKED))
    nobody = np.empty(0, dtype=np.int64)
    assert_contract(model.predict(nobody, nobody, time=nobody), 0)


def test_movies_neither_rated_nor_asked_about_do_not_matter(make, train, movies):
    """What is fitted is fitted on the training ratings, not on the whole table of movies."""
    bits, votes = movies.bits.copy(), movies.vote_average.copy()
    bits[UNSEEN_MOVIE + 1 :] ^= 1
    votes[UNSEEN_MOVIE + 1 :] = 5.0
    changed: Movies = replace(movies, bits=bits, vote_average=votes)
    asked = all_pairs([0, 2, UNSEEN_USER], UNSEEN_MOVIE + 1)
    np.testing.assert_array_equal(
        fit(make(), train, changed).predict(*asked), fit(make(), train, movies).predict(*asked)
    )


def test_a_personal_model_does_not_depend_on_other_users_ratings(make, movies):
    """Other users, of ten ratings each, swap their ratings and movies among themselves; all counts
    and means stay, and so does the item baseline."""
    if declared(make(), "learns_from_background"):
        pytest.skip("it learns from background users")
    baseline = ItemBaseline(np.linspace(2, 4, 23))
    train = toy_ratings([10, 10, 7, 0, 10, 10], movies=20)
    me = 2
    rows = np.flatnonzero(train.user != me)
    swapped = np.random.default_rng(2).permutation(rows)
    movie, stars = train.movie.copy(), train.stars.copy()
    movie[rows], stars[rows] = train.movie[swapped], train.stars[swapped]
    other: Ratings = replace(train, movie=movie, stars=stars)
    before, after = (
        fit_on(make(), one, movies, baseline, film_tables=toy_tables(movies))
        for one in (train, other)
    )
    asked = all_pairs([me], 23)
    np.testing.assert_allclose(after.predict(*asked), before.predict(*asked), atol=1e-5)


def test_users_are_not_mixed_up(make, train, movies):
    """A user who hates everything is not predicted to like it more than one who loves it all."""
    stars = np.where(train.user == 0, 5.0, train.stars)
    stars = np.where(train.user == 5, 0.5, stars)
    model = fit(make(loss="logits"), replace(train, stars=stars), movies)
    asked = np.arange(23)
    lover = model.predict(np.full(23, 0), asked).mean()
    hater = model.predict(np.full(23, 5), asked).mean()
    assert lover >= hater


def test_it_says_how_large_it_is(make, train, movies):
    size = fit(make(), train, movies).state_bytes()
    assert size is None or (isinstance(size, int) and size >= 0)


# --- what is declared --------------------------------------------------------------------------


def test_no_item_baseline_is_fitted_silently(make, train, movies):
    model = make()
    if not declared(model, "starts_from_item_baseline"):
        pytest.skip("it starts from none")
    with pytest.raises(ValueError, match="Hand it one"):
        model.fit(train, movies)


def test_no_film_table_is_made_silently(make, train, movies):
    """Who a table may be learned from, only the maker of the split can say."""
    model = make()
    if not declared(model, "starts_from_film_table"):
        pytest.skip("it starts from none")
    with pytest.raises((ValueError, TypeError), match=r"film_tables|film table"):
        model.fit(train, movies)


def test_what_it_contains_is_not_fitted_twice(train, movies):
    """A fitted base gives the same predictions, and is not fitted again."""
    builds_on = {
        "hybrid": "bayes_fm",
        "hybrid_implicit": "bayes_fm_implicit",
        "ridge_median": "ridge",
        "personal_median": "personal",
    }
    tables = toy_tables(movies)
    for name, base in builds_on.items():
        cls, options = load_recommender(name), Options(seed=2)
        assert cls.builds_on == base
        item_baseline = ItemBaseline.fit(train, movies)
        fitted = fit_on(
            build(load_recommender(base), options), train, movies, item_baseline, None, tables
        )
        before = fitted.predict(*ASKED)
        alone = fit_on(build(cls, options), train, movies, item_baseline, None, tables)
        shared = fit_on(build(cls, options), train, movies, item_baseline, fitted, tables)
        assert fitted in (vars(shared).get("_model"), vars(shared).get("_mean"))
        np.testing.assert_array_equal(fitted.predict(*ASKED), before)
        np.testing.assert_array_equal(alone.predict(*ASKED), shared.predict(*ASKED))


class OfOnesOwn:
    """Derives from nothing, and declares what it takes."""

    options = ("seed",)
    starts_from_item_baseline = True

    def __init__(self, seed=0, shift=0.0):
        self.seed, self.shift = seed, shift

    def fit(self, train, movies, item_baseline):
        self.stars = item_baseline.stars
        return self

    def predict(self, user, movie):
        return (self.stars[movie] + self.shift).clip(0.5, 5).astype(np.float32)


def test_a_class_of_ones_own_gets_what_it_declares(train, movies):
    model = build(OfOnesOwn, Options(seed=7, loss="double_sigmoid"), shift=0.5)
    assert model.seed == 7
    expected = (ItemBaseline.fit(train, movies).stars[ASKED[1]] + 0.5).clip(0.5, 5)
    np.testing.assert_allclose(fit(model, train, movies).predict(*ASKED), expected, atol=1e-6)


def test_an_option_that_does_not_exist_is_an_error():
    class Wrong(OfOnesOwn):
        options = ("sead",)

    with pytest.raises(InputError, match=r"options names 'sead'.*seed, labels, loss, wnn_engine"):
        build(Wrong, Options())


def test_a_setting_that_a_recommender_does_not_have_is_an_error(make):
    with pytest.raises(TypeError):
        build(type(make()), Options(), no_such_setting=1)
