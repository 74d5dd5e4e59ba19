"""What `recbench.Recommender` promises, check by check, over every recommender there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from few_samples import few_samples

from recbench.checks import CHECKS
from recbench.checks.candidate import Broken, Candidate, LeftOut
from recbench.checks.toy_data import (
    ASKED,
    UNSEEN_MOVIE,
    UNSEEN_USER,
    all_pairs,
    toy_ratings,
    toy_tables,
)
from recbench.contract import Training, declared, fit
from recbench.errors import InputError
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Ratings
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
    """Makes the recommender anew, with few samples if it samples."""
    return lambda: load_recommender(request.param)(**few_samples(request.param))


def training_of(train, movies, baseline=None, **fits):
    baseline, tables = baseline or ItemBaseline.fit(train, movies), toy_tables(movies)
    fits |= {"item_baseline": lambda: baseline, "item_tables": lambda: tables}
    return Training(train, movies, seed=2, fits=fits)


def fitted(model, *training):
    fit(model, training_of(*training))
    return model


def test_ids_titles_and_movies_neither_rated_nor_asked_about_do_not_matter(make, train, movies):
    """What is fitted is fitted on the training ratings, not on the whole table of movies."""
    bits, votes = movies.bits.copy(), movies.vote_average.copy()
    bits[UNSEEN_MOVIE + 1 :] ^= 1
    votes[UNSEEN_MOVIE + 1 :] = 5.0
    renamed = {name: getattr(movies, name)[::-1].copy() for name in ("movie_id", "title")}
    asked = all_pairs((0, 2, UNSEEN_USER), UNSEEN_MOVIE + 1)
    stars = fitted(make(), train, movies).predict(*asked)
    for changed in (renamed, {"bits": bits, "vote_average": votes}):
        model = fitted(make(), train, replace(movies, **changed))
        np.testing.assert_array_equal(model.predict(*asked), stars)


def test_a_personal_model_does_not_depend_on_other_users_ratings(make, movies):
    """Other users, of ten ratings each, swap their ratings and movies among themselves; all counts
    and means stay, and so does the item baseline."""
    if declared(make(), "learns_from") == "all":
        pytest.skip("it learns from background users")
    baseline = ItemBaseline(np.linspace(2, 4, 23))
    train = toy_ratings([10, 10, 7, 0, 10, 10], movies=20)
    me = 2
    rows = np.flatnonzero(train.user != me)
    swapped = np.random.default_rng(2).permutation(rows)
    movie, stars = train.movie.copy(), train.stars.copy()
    movie[rows], stars[rows] = train.movie[swapped], train.stars[swapped]
    other = replace(train, movie=movie, stars=stars)
    before, after = (fitted(make(), one, movies, baseline) for one in (train, other))
    asked = all_pairs((me,))
    np.testing.assert_allclose(after.predict(*asked), before.predict(*asked), atol=1e-5)


# --- what is declared --------------------------------------------------------------------------


def test_a_recommender_sees_what_it_declares(train, movies):
    seen = {}

    class Own:
        """Derives from nothing."""

        def fit(self, training):
            seen[self.learns_from] = training

    for learns_from in ("user", "user+items", "all"):
        Own.learns_from = learns_from
        background = replace(train, user=train.user + 10)
        fit(Own(), replace(training_of(train, movies), background=background))
    assert [len(one.background) for one in seen.values()] == [0, 0, len(train)]
    assert len(seen["all"].all_ratings) == 2 * len(train)
    assert len(seen["user"].all_ratings) == len(train)
    for learns_from in ("user+items", "all"):
        assert len(seen[learns_from].item_tables.tables) == 1
        assert len(seen[learns_from].item_baseline.stars) == len(movies)
    for what in ("item_baseline", "item_tables"):
        with pytest.raises(InputError, match=r"learns_from = \"user\+items\" or \"all\""):
            getattr(seen["user"], what)


@pytest.mark.parametrize("name", RECOMMENDERS)
def test_no_item_baseline_or_table_is_made_silently(name, train, movies):
    """Who they may be learned from, only the maker of the split can say."""
    cls = load_recommender(name)
    if declared(cls, "learns_from") == "user":
        fit(cls(**few_samples(name)), Training(train, movies))
        return
    asked, training = [], training_of(train, movies)
    fits = {
        what: lambda what=what, get=get: (asked.append(what), get())[1]
        for what, get in training.fits.items()
    }
    fit(cls(**few_samples(name)), replace(training, fits=fits))
    if asked:
        with pytest.raises(InputError, match="to learn from"):
            fit(cls(**few_samples(name)), Training(train, movies))


def test_what_it_contains_is_not_fitted_twice(train, movies):
    """A fitted base gives the same predictions, and is not fitted again."""
    builds_on = {
        "bayes_fm_recent": "bayes_fm",
        "hybrid_implicit": "bayes_fm_implicit",
        "ridge_median": "ridge",
        "personal_median": "personal",
    }
    for name, base in builds_on.items():
        cls = load_recommender(name)
        assert cls.builds_on == base
        contained = fitted(load_recommender(base)(), train, movies)
        before = contained.predict(*ASKED)
        alone, shared = fitted(cls(), train, movies), cls()
        fit(shared, training_of(train, movies, **{base: lambda one=contained: one}))
        assert contained in (vars(shared).get("_model"), vars(shared).get("_mean"))
        np.testing.assert_array_equal(contained.predict(*ASKED), before)
        np.testing.assert_array_equal(alone.predict(*ASKED), shared.predict(*ASKED))


def test_what_there_is_not_to_learn_from_is_an_error(train, movies):
    odd = type("Odd", (), {"learns_from": "all!", "fit": lambda self, train, movies: self})
    with pytest.raises(InputError, match=r'Odd.learns_from is "all!". Expected "user", "user\+'):
        fitted(odd(), train, movies)


def test_bytes_of_users_and_of_what_serves_all_are_told_apart(make, train, movies):
    """Of twice as many users, who rate alike, the first are twice as many and the second as many
    as before."""
    model, later = make(), train.user + train.user.max() + 1
    model.rank_of_many = 0  # of `bayes_fm_implicit`: more users, another rank
    if fitted(model, train, movies).shared_bytes() is None:
        pytest.skip("it does not say what serves all")
    movie, stars, time = (np.tile(one, 2) for one in (train.movie, train.stars, train.time))
    twice = Ratings(np.append(train.user, later), movie, stars, time)
    size, shared = model.state_bytes(), model.shared_bytes()
    fitted(model, twice, movies)
    # `user_knn` has a number for each pair of users
    assert 1.7 * size <= model.state_bytes() <= (4 if type(model).name == "user_knn" else 2) * size
    grows = {"bayes_fm_implicit", "bayes_fm_implicit_recent", "hybrid_implicit"}  # who rated what
    assert model.shared_bytes() == shared or type(model).name in grows
