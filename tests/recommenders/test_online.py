"""What `OnlineRecommender` promises, and each of them against learning everything at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fitting import fit
from per_user_network import network_of
from river import optim, reco
from torch import nn

from Baselines.means import MovieMean, UserMean
from Collaborative.bayesian_fm import BayesianFM
from Collaborative.bayesian_fm_folded import CACHED, BayesianFMFolded
from Collaborative.hybrid import Hybrid
from Collaborative.personal_live import PersonalLive
from Collaborative.river_online import RiverBaseline, RiverBiasedMF
from PerUser.perUser import AoRecommender
from PerUser.recursive_ridge import RecursiveRidge
from PerUser.torch_online import TorchOnlineRecommender
from recbench.checks.toy_data import MOVIES, parts, stream, toy_tables
from recbench.checks.toy_data import NUM_MOVIES as FILMS
from recbench.contract import OnlineRecommender
from recbench.data.encodings.thermometer import encode_ratings
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Ratings
from recbench.registry import RECOMMENDERS, load_recommender

TABLES = toy_tables(MOVIES)
BASELINE = ItemBaseline(np.linspace(2.5, 4, FILMS))
NOBODY = Ratings([], [], [], [])
USERS = [0, 1, 2, 3, 4, 8]
ASKED = np.repeat(USERS, FILMS), np.tile(np.arange(FILMS), len(USERS))
ONLINE = [name for name in RECOMMENDERS if issubclass(load_recommender(name), OnlineRecommender)]


def fitted(model, train: Ratings):
    return fit(model, train, MOVIES, BASELINE, item_tables=TABLES)


def rows(ratings: Ratings) -> list[tuple[int, int, float]]:
    columns = ratings.user, ratings.movie, ratings.stars
    return list(zip(*(column.tolist() for column in columns), strict=True))


def learn(model, ratings: Ratings) -> None:
    for row in rows(ratings):
        model.learn_one(*row)


@pytest.mark.parametrize("cls", [MovieMean, UserMean, AoRecommender, TorchOnlineRecommender])
@pytest.mark.parametrize("first", [0, 20, 38])
def test_learning_one_by_one_is_learning_all(cls, first):
    """Of those that find nothing else in `fit`; what an unknown user gets is found there."""
    online, at_once = (cls() for _ in range(2))
    fitted(online, parts(stream(), first)[0])
    learn(online, parts(stream(), first)[1])
    fitted(at_once, stream())
    known = np.isin(ASKED[0], (0, 1, 2, 4)) | (cls in (MovieMean, UserMean))
    np.testing.assert_array_equal(online.predict(*ASKED)[known], at_once.predict(*ASKED)[known])
    assert online.state_bytes() + (online.shared_bytes() or 0) > 0


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (RiverBaseline(), reco.Baseline(optimizer=optim.SGD(0.01))),
        (RiverBiasedMF(), reco.BiasedMF(seed=0)),
    ],
)
def test_river_is_river(ours, theirs):
    fitted(ours, NOBODY)
    assert ours.predict_one(0, 0) == 3.0  # nothing is known
    for row in rows(stream()):
        theirs.learn_one(*row)
        ours.learn_one(*row)
    for user in (0, 1, 2, 4):
        for movie in np.unique(stream().movie).tolist():
            expected = np.clip(theirs.predict_one(user, movie), 0.5, 5)
            assert ours.predict_one(user, movie) == pytest.approx(expected, abs=1e-12)
    state = ours.predict(*ASKED)
    ours.predict_one(77, 22)
    np.testing.assert_array_equal(ours.predict(*ASKED), state)


@pytest.mark.parametrize("seed", range(3))
def test_recursive_ridge_is_the_regression(seed):
    first, then = parts(stream(seed))
    model = fitted(RecursiveRidge(alpha=7.0, damping=3.0), first)
    learn(model, then)
    residual = first.stars - BASELINE.stars[first.movie]
    mean = residual.mean()
    features = np.column_stack((MOVIES.bits, BASELINE.stars))
    z = np.column_stack((np.ones(FILMS), features - features[first.movie].mean(axis=0)))
    everything = stream(seed)
    penalty = np.diag([3.0] + [7.0] * (z.shape[1] - 1))
    for user in USERS:
        own = everything.take(everything.user == user)
        x, y = z[own.movie], own.stars - BASELINE.stars[own.movie] - mean
        w = np.linalg.solve(x.T @ x + penalty, x.T @ y)
        expected = (BASELINE.stars + mean + z @ w).clip(0.5, 5)
        given = model.predict(np.full(FILMS, user), np.arange(FILMS))
        np.testing.assert_allclose(given, expected, atol=1e-5)


def folded(train: Ratings, samples: int = 25) -> BayesianFMFolded:
    return fitted(BayesianFMFolded(rank=3, samples=samples), train)


def test_a_user_folded_in_is_the_linear_regression_of_each_sample():
    first, then = parts(stream())
    model = folded(first)
    learn(model, then)
    everything = stream()
    for user in (0, 1, 2, 4):
        own = everything.take(everything.user == user)
        expected = np.zeros(FILMS)
        samples = len(model._noise)
        for s in range(samples):
            q, o = model._q[:, s], model._offset[:, s]
            prior = np.diag(1 / model._prior_variance[s])
            x, y = q[own.movie], own.stars - o[own.movie]
            a = x.T @ x / model._noise[s] + prior
            m = np.linalg.solve(a, x.T @ y / model._noise[s] + prior @ model._prior_mean[s])
            expected += (o + q @ m) / samples
        given = [model.predict_one(user, movie) for movie in range(FILMS)]
        np.testing.assert_allclose(given, expected.clip(0.5, 5), atol=1e-8)


def test_movie_vectors_and_sampled_users_give_what_the_machine_predicts():
    """Of the users that were sampled along, in place of those folded in."""
    first, _ = parts(stream())
    model = folded(first)
    kept = list(model._model.kept_samples())
    for place, user in enumerate(np.unique(first.user)):
        expected = np.zeros(FILMS)
        for s, (_, w, v) in enumerate(kept):
            vector = np.append(v[place], w[place])
            expected += (model._offset[:, s] + model._q[:, s] @ vector) / len(kept)
        given = BayesianFM.predict(model, np.full(FILMS, user), np.arange(FILMS))
        np.testing.assert_allclose(given, expected.clip(0.5, 5), atol=1e-5)


def test_more_users_than_are_held_ready():
    model = folded(parts(stream())[0], samples=8)
    for user in range(100, 130 + CACHED):
        model.learn_one(user, user % FILMS, 4.0)
    assert len(model._vectors) == CACHED
    alone = folded(parts(stream())[0], samples=8)
    alone.learn_one(100, 100 % FILMS, 4.0)
    for movie in range(FILMS):
        assert model.predict_one(100, movie) == pytest.approx(alone.predict_one(100, movie))


def test_a_hybrid_learns_as_if_its_model_had_been_fitted_before():
    first, then = parts(stream())
    base = fitted(BayesianFM(rank=3, samples=20), first)
    online, at_once = (
        fit(Hybrid(), ratings, MOVIES, item_tables=TABLES, bayes_fm=base)
        for ratings in (first, stream())
    )
    learn(online, then)
    np.testing.assert_allclose(online.predict(*ASKED), at_once.predict(*ASKED), atol=1e-5)


# that of `personal_live` leaves what movie means have learned
FORGETTING = [name for name in ONLINE if hasattr(load_recommender(name), "forget_one")]
FORGETTING.remove("personal_live")


@pytest.mark.parametrize("name", FORGETTING)
def test_what_is_forgotten_was_never_there(name):
    """Some of what `fit` learned and some of what came after, one by one and several at once."""
    first, then = parts(stream())
    model = fitted(load_recommender(name)(), first)
    learn(model, then)
    everything = stream()
    user = int(np.bincount(everything.user).argmax())
    own = everything.movie[everything.user == user].tolist()
    model.forget_one(user, own[2])
    model.forget(user, [own[-1], own[5]])
    gone = (everything.user == user) & np.isin(everything.movie, [own[2], own[-1], own[5]])
    without = fitted(load_recommender(name)(), first.take(~gone[:20]))
    if name == "ridge_recursive":  # what is found in `fit` for all users together
        without._z, without._mean = model._z, model._mean
        without._users = {}
        learn(without, first.take(~gone[:20]))
    learn(without, then.take(~gone[20:]))
    for movie in range(FILMS):
        ours, theirs = (one.predict_one(user, movie) for one in (model, without))
        assert ours == pytest.approx(theirs, abs=1e-8)
    for forget in (model.forget_one, lambda user, movie: model.forget(user, [movie])):
        with pytest.raises(KeyError, match=f"user {user} has no rating of movie {own[2]}"):
            forget(user, own[2])
        with pytest.raises(KeyError, match="user 999 has no rating of movie 1"):
            forget(999, 1)


def test_movie_means_follow_the_ratings_as_in_a_plain_loop():
    first, then = parts(stream())
    live = PersonalLive(variance=0.4, half=3.0)
    fitted(live, first)
    plain = fitted(load_recommender("personal")(), first)
    count = np.bincount(first.movie, minlength=FILMS)
    away, spread = np.zeros(FILMS), 0.4 / (1 + count / 3)
    for user, movie, stars in rows(then):
        mean, variance = (x[0] for x in plain.predict_normal(np.array([user]), np.array([movie])))
        predicted = np.clip(mean + away[movie], 0.5, 5)
        assert live.predict_one(user, movie) == pytest.approx(predicted, abs=1e-9)
        assert live.explain_one(user, movie).stars == pytest.approx(predicted, abs=1e-9)
        gain = spread[movie] / (spread[movie] + variance)
        away[movie] += gain * (stars - predicted)
        spread[movie] *= 1 - gain
        live.learn_one(user, movie, stars)
        plain.learn_one(user, movie, stars)
    mean, variance = live.predict_normal(*ASKED)
    without, narrower = plain.predict_normal(*ASKED)
    np.testing.assert_allclose(mean, without + away[ASKED[1]], atol=1e-9)
    np.testing.assert_allclose(variance, narrower + spread[ASKED[1]], atol=1e-9)


@pytest.mark.parametrize("loss", ["logits", "double_sigmoid"])
def test_torch_online_is_one_step_of_adam_a_rating(loss):
    ratings = stream()
    model = fit(TorchOnlineRecommender(), ratings, MOVIES, seed=6, loss=loss)
    bits = torch.from_numpy(MOVIES.bits.astype(np.float32))
    for user in np.unique(ratings.user):
        own = ratings.take(ratings.user == user)
        own = own.take(np.argsort(own.time, kind="stable"))
        network = network_of(int(user), seed=6)
        adam = torch.optim.Adam(network.parameters(), lr=0.001)
        y = torch.from_numpy(encode_ratings(own.stars, "half_stars").astype(np.float32))
        for movie, target in zip(own.movie.tolist(), y, strict=True):
            adam.zero_grad()
            z = network(bits[movie])
            nn.BCEWithLogitsLoss()(torch.sigmoid(z) if loss != "logits" else z, target).backward()
            adam.step()
        scores = torch.sigmoid(network(bits)).detach().numpy()
        sure = np.abs(scores - 0.5) > 1e-4
        given = model.predict_bits(np.full(FILMS, user), np.arange(FILMS))
        np.testing.assert_array_equal(given[sure], (scores > 0.5)[sure])
