"""Nothing that is fitted, chosen or tuned sees a held-out rating.

Held-out ratings are set to nan: whatever looked at one would come out as nan, or differ.
"""

from dataclasses import replace

import numpy as np
import pytest

from recbench.data.encodings.movies import encode_movies
from recbench.data.sampling import user_sets
from recbench.evaluation.cells import make_cell, validation_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Ratings
from recbench.registry import RECOMMENDERS, load_recommender

STRICT = PROTOCOLS["strict"]
CASES = {
    "strict": STRICT,
    "published": PROTOCOLS["published"].changed(join="links"),
    "random": STRICT.changed(holdout="random"),
    "global-time": STRICT.changed(holdout="global-time"),
    "few background users": STRICT.changed(background_users=5),
    "popular movies": STRICT.changed(top_percentile=0.5),
    "test users": STRICT.changed(user_set="test"),
}


class Recorder:
    """Keeps all that it is given, and answers with what it learned."""

    def fit(self, train, movies):
        self.train, self.movies = train, movies
        return self

    def predict(self, user, movie):
        return np.full(len(user), np.clip(self.train.stars.mean(), 0.5, 5))


def with_stars(dataset, stars):
    ratings = dataset.ratings
    return replace(dataset, ratings=Ratings(ratings.user, ratings.movie, stars, ratings.time))


def held_out_stars_gone(dataset, cell, collaborative):
    """The dataset with nan for every rating that `cell` holds out."""
    _, test = cell.train_and_test(collaborative)
    key = dataset.user_id[dataset.ratings.user] * 10_000 + dataset.ratings.movie
    gone = np.isin(key, cell.user_id[test.user] * 10_000 + test.movie)
    assert gone.sum() == len(test) > 0
    return with_stars(dataset, np.where(gone, np.nan, dataset.ratings.stars))


@pytest.mark.parametrize("votes", ["from outside", "counted"])
@pytest.mark.parametrize("collaborative", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_no_protocol_shows_a_held_out_rating(synthetic, without_votes, case, collaborative, votes):
    dataset = synthetic if votes == "from outside" else without_votes
    reviews = 0 if case in ("global-time", "test users") else 10
    arguments = (CASES[case], 8, reviews, 3)
    cell = make_cell(dataset, *arguments)
    blind = make_cell(held_out_stars_gone(dataset, cell, collaborative), *arguments)
    seen, blindfold = Recorder(), Recorder()
    seen.fit(cell.train_and_test(collaborative)[0], cell.movies)
    blindfold.fit(blind.train_and_test(collaborative)[0], blind.movies)

    assert np.isnan(blind.train_and_test(collaborative)[1].stars).all()
    assert not np.isnan(blindfold.train.stars).any()
    for column in ("user", "movie", "stars", "time"):
        assert np.array_equal(getattr(seen.train, column), getattr(blindfold.train, column))
    assert np.array_equal(seen.movies.bits, blindfold.movies.bits)
    assert np.array_equal(seen.movies.vote_average, blindfold.movies.vote_average, equal_nan=True)
    assert np.array_equal(cell.item_baseline.stars, blind.item_baseline.stars)


@pytest.mark.parametrize("holdout", ["last", "random", "global-time"])
def test_validation_rows_are_training_rows(synthetic, holdout):
    protocol = STRICT.changed(holdout=holdout)
    cell = make_cell(synthetic, protocol, 20, 0, 3)
    blind = make_cell(held_out_stars_gone(synthetic, cell, True), protocol, 20, 0, 3)
    inner = validation_cell(blind, protocol, 3)
    for split in (inner.personal, inner.collaborative):
        assert len(split.test)
        assert not np.isnan(split.train.stars).any()
        assert not np.isnan(split.test.stars).any()
    assert len(inner.personal.train) + len(inner.personal.test) == len(cell.personal.train)
    train, _ = inner.train_and_test(True)
    expected = ItemBaseline.fit(train, inner.movies)
    assert np.array_equal(inner.item_baseline.stars, expected.stars)
    if holdout == "global-time":  # no later rating, of background users neither
        assert train.time.max() < inner.personal.test.time.min()
    assert inner.personal.test is inner.collaborative.test
    assert inner.personal.test.user.max() < cell.n_users  # no background user is tested


def test_development_sees_nothing_of_users_set_aside(synthetic, without_votes):
    for dataset in (synthetic, without_votes):
        held_out = ~user_sets(dataset.user_id)["development"][dataset.ratings.user]
        assert 0 < held_out.mean() < 0.5
        stars = np.where(held_out, np.nan, dataset.ratings.stars)
        protocol = STRICT.changed(user_set="development")
        cell = make_cell(with_stars(dataset, stars), protocol, 10, 20, 1)
        for split in (cell.personal, cell.collaborative):
            assert not np.isnan(split.train.stars).any()
            assert not np.isnan(split.test.stars).any()
            assert not np.isnan(split.background.stars).any()
        whole = make_cell(dataset, protocol, 10, 20, 1)
        assert np.array_equal(cell.movies.vote_average, whole.movies.vote_average, equal_nan=True)
        assert user_sets(whole.user_id)["development"].all()


def test_held_out_test_users_are_the_same_in_every_run(synthetic):
    protocol = STRICT.changed(user_set="test")
    for seed in range(3):
        cell = make_cell(synthetic, protocol, 5, 0, seed)
        assert user_sets(cell.user_id)["test"].all()
    shares = {name: whose.mean() for name, whose in user_sets(np.arange(100_000)).items()}
    expected = {"test": 0.2, "claim-1": 0.1, "claim-2": 0.1, "development": 0.6}
    assert shares == pytest.approx(expected, abs=0.005)
    assert (np.sum(list(user_sets(np.arange(1000)).values()), axis=0) == 1).all()


def test_without_votes_no_vote_is_shown(synthetic):
    with_votes = encode_movies(synthetic)
    without = encode_movies(synthetic, votes=False)
    votes = [name.startswith("vote") for name in without.bit_names]
    assert (without.bits[:, votes] == without.bits[0, votes]).all()
    assert np.isnan(without.vote_average).all()
    assert (without.vote_count == 0).all()
    others = ~np.array(votes)
    assert np.array_equal(without.bits[:, others], with_votes.bits[:, others])


def test_votes_counted_before_the_date_know_nothing_after_it(without_votes):
    dataset = without_votes
    date = int(np.median(dataset.ratings.time))
    later = dataset.ratings.time >= date
    changed = with_stars(dataset, np.where(later, np.nan, dataset.ratings.stars))
    all_users = np.ones(dataset.n_users, bool)
    movies = encode_movies(changed, background=all_users, cutoff=date)
    assert movies.vote_count.sum() == (~later).sum()
    assert np.array_equal(np.isnan(movies.vote_average), movies.vote_count == 0)


@pytest.fixture(scope="module")
def cell_and_mixed(synthetic):
    """A cell, and the same with shuffled test labels; each makes what its recommenders share."""
    cell = replace(make_cell(synthetic, STRICT, 6, 20, 3), model_seed=1)
    test = cell.personal.test
    shuffled = np.random.default_rng(0).permutation(test.stars)
    other = replace(test, stars=shuffled)
    mixed = replace(
        cell,
        personal=replace(cell.personal, test=other),
        collaborative=replace(cell.collaborative, test=other),
    )
    return cell, mixed


@pytest.mark.parametrize("name", RECOMMENDERS)
def test_shuffled_test_labels_change_no_prediction(cell_and_mixed, name):
    predictions = [measure(load_recommender(name), one).predictions for one in cell_and_mixed]
    for column in ("predicted", "predicted_ones"):
        assert np.array_equal(predictions[0][column], predictions[1][column])
    assert not np.array_equal(predictions[0]["stars"], predictions[1]["stars"])
