"""What `recbench.Recommender` promises, check by check, over every recommender there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from few_samples import few_samples

from recbench.checks.candidate import Broken, Candidate, LeftOut
from recbench.checks.checks import CHECKS
from recbench.checks.toy_data import (
    ASKED,
    UNSEEN_MOVIE,
    UNSEEN_USER,
    all_pairs,
    toy_ratings,
    toy_tables,
)
from recbench.contract import Options, build, declared, fit_on
from recbench.errors import InputError
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings
from recbench.registry import RECOMMENDERS, load_recommender

# By design: the means of movies that it goes on learning are nobody's, and stay.
MOVIE_MEANS_STAY = {"a_changed_rating_takes_the_place", "what_is_forgotten_leaves_no_trace"}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("name", RECOMMENDERS)
def test_the_contract_is_kept(name, check):
    candidate = Candidate(load_recommender(name), **few_samples(name))
    try:
        if name == "personal_live" and check.name in MOVIE_MEANS_STAY:
            with pytest.raises(Broken):
                check.run(candidate)
        else:
            check.run(candidate)
    except LeftOut as reason:
        pytest.skip(str(reason))


# --- what is not promised of one's own: the house's rules for its recommenders -------------------


@pytest.fixture(params=RECOMMENDERS)
def make(request):
    """Builds the recommender anew, with few samples if it samples; takes the options of a run."""
    cls = load_recommender(request.param)
    return lambda **options: build(cls, Options(**options), **few_samples(request.param))


def fit(model, train, movies):
    """Fits it with what it declares that it needs."""
    baseline = ItemBaseline.fit(train, movies)
    return fit_on(model, train, movies, baseline, item_tables=toy_tables(movies))


def test_ids_and_titles_of_movies_are_not_looked_at(make, train, movies):
    renamed = replace(
        movies, movie_id=movies.movie_id[::-1].copy(), title=movies.title[::-1].copy()
    )
    np.testing.assert_array_equal(
        fit(make(), train, renamed).predict(*ASKED), fit(make(), train, movies).predict(*ASKED)
    )


def test_movies_neither_rated_nor_asked_about_do_not_matter(make, train, movies):
    """What is fitted is fitted on the training ratings, not on the whole table of movies."""
    bits, votes = movies.bits.copy(), movies.vote_average.copy()
    bits[UNSEEN_MOVIE + 1 :] ^= 1
    votes[UNSEEN_MOVIE + 1 :] = 5.0
    changed: Movies = replace(movies, bits=bits, vote_average=votes)
    asked = all_pairs((0, 2, UNSEEN_USER), UNSEEN_MOVIE + 1)
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
        fit_on(make(), one, movies, baseline, item_tables=toy_tables(movies))
        for one in (train, other)
    )
    asked = all_pairs((me,))
    np.testing.assert_allclose(after.predict(*asked), before.predict(*asked), atol=1e-5)


# --- what is declared --------------------------------------------------------------------------


def test_no_item_baseline_is_fitted_silently(make, train, movies):
    model = make()
    if not declared(model, "starts_from_item_baseline"):
        pytest.skip("it starts from none")
    with pytest.raises(ValueError, match="Hand it one"):
        model.fit(train, movies)


def test_no_item_table_is_made_silently(make, train, movies):
    """Who a table may be learned from, only the maker of the split can say."""
    model = make()
    if not declared(model, "starts_from_item_table"):
        pytest.skip("it starts from none")
    with pytest.raises((ValueError, TypeError), match=r"item_tables|item table"):
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


def test_bytes_of_users_and_of_what_serves_all_are_told_apart(make, train, movies):
    """Of twice as many users, who rate alike, the first are twice as many and the second as many
    as before."""
    model, later = make(), train.user + train.user.max() + 1
    model.rank_of_many = 0  # of `bayes_fm_implicit`: more users, another rank
    if fit(model, train, movies).shared_bytes() is None:
        pytest.skip("it does not say what serves all")
    movie, stars, time = (np.tile(one, 2) for one in (train.movie, train.stars, train.time))
    twice = Ratings(np.append(train.user, later), movie, stars, time)
    size, shared = model.state_bytes(), model.shared_bytes()
    fit(model, twice, movies)
    # `user_knn` has a number for each pair of users
    assert 1.7 * size <= model.state_bytes() <= (4 if type(model).name == "user_knn" else 2) * size
    grows = {"bayes_fm_implicit", "hybrid_implicit", "boosted_trees"}  # who rated what; other trees
    assert model.shared_bytes() == shared or type(model).name in grows
