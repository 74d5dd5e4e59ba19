"""What `OnlineRecommender` promises, and each of them against learning everything at once."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from fitting import fit
from per_user_network import network_of
from river import optim, reco
from torch import nn

from Baselines.means import MovieMean, UserMean
from Collaborative.bayesian_fm import BayesianFM
from Collaborative.bayesian_fm_folded import CACHED, BayesianFMFolded, FrozenMachine
from Collaborative.personal_live import PersonalLive
from Collaborative.river_online import RiverBaseline, RiverBiasedMF
from PerUser.perUser import AoRecommender
from PerUser.recursive_ridge import RecursiveRidge
from PerUser.torch_online import TorchOnlineRecommender
from recbench.checks.toy_data import MOVIES, parts, stream, toy_tables
from recbench.checks.toy_data import NUM_MOVIES as FILMS
from recbench.contract import OnlineRecommender, declared
from recbench.data.encodings.thermometer import encode_ratings
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.making import FOLDS
from recbench.ratings import Ratings
from recbench.registry import RECOMMENDERS, load_recommender

TABLES = toy_tables(MOVIES)
BASELINE = ItemBaseline(np.linspace(2.5, 4, FILMS))
NOBODY = Ratings([], [], [], [])
USERS = [0, 1, 2, 3, 4, 8]
ASKED = np.repeat(USERS, FILMS), np.tile(np.arange(FILMS), len(USERS))
ONLINE = [name for name in RECOMMENDERS if issubclass(load_recommender(name), OnlineRecommender)]


def fitted(model, train: Ratings, **more):
    return fit(model, train, MOVIES, BASELINE, item_tables=TABLES, **more)


def rows(ratings: Ratings) -> list[tuple[int, int, float]]:
    columns = ratings.user, ratings.movie, ratings.stars
    return list(zip(*(column.tolist() for column in columns), strict=True))


def learn(model, ratings: Ratings) -> None:
    for row in rows(ratings):
        model.learn_one(*row)


@pytest.mark.parametrize("name", ONLINE)
def test_a_rating_of_one_user_changes_nothing_for_another(name):
    if declared(load_recommender(name), "learns_from") == "all":
        pytest.skip("it learns of movies from everybody")
    model = fitted(load_recommender(name)(), parts(stream())[0])
    known = np.isin(ASKED[0], (0, 2, 4))
    asked = ASKED[0][known], ASKED[1][known]
    before = model.predict(*asked)
    for user, movie in ((8, 20), (8, 21), (1, 22)):
        model.learn_one(user, movie, 0.5)
    np.testing.assert_array_equal(model.predict(*asked), before)


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


def others(copies: int) -> Ratings:
    """Of four users each."""
    one = stream(1)
    return Ratings.concatenate([replace(one, user=one.user + 100 + 10 * k) for k in range(copies)])


def folded(train: Ratings, samples: int = 25, copies: int = 2) -> BayesianFMFolded:
    model = BayesianFMFolded(rank=3, samples=samples)
    return fitted(model, train, background=others(copies))


def test_a_user_folded_in_is_the_linear_regression_of_each_sample():
    first, then = parts(stream())
    model = folded(first)
    learn(model, then)
    everything = stream()
    for user in (0, 1, 2, 4):
        own, machine = everything.take(everything.user == user), model._machine(user)
        expected = np.zeros(FILMS)
        samples = len(machine.noise)
        for s in range(samples):
            q, o = machine.q[:, s], machine.offset[:, s]
            prior = np.diag(1 / machine.prior_variance[s])
            x, y = q[own.movie], own.stars - o[own.movie]
            a = x.T @ x / machine.noise[s] + prior
            m = np.linalg.solve(a, x.T @ y / machine.noise[s] + prior @ machine.prior_mean[s])
            expected += (o + q @ m) / samples
        given = [model.predict_one(user, movie) for movie in range(FILMS)]
        np.testing.assert_allclose(given, expected.clip(0.5, 5), atol=1e-8)


def test_movie_vectors_and_sampled_users_give_what_the_machine_predicts():
    """Of the users that were sampled along, in place of those folded in."""
    train = stream()
    model = fitted(BayesianFM(rank=3, samples=25), train)
    frozen, kept = FrozenMachine.of(model, FILMS), list(model._model.kept_samples())
    for place, user in enumerate(np.unique(train.user)):
        vectors = np.array([np.append(v[place], w[place]) for _, w, v in kept])
        expected = frozen.stars((vectors, None), np.arange(FILMS))
        given = model.predict(np.full(FILMS, user), np.arange(FILMS))
        np.testing.assert_allclose(given, expected.clip(0.5, 5), atol=1e-5)
    trace = model._model._model.get_hyper_trace().iloc[-len(kept) :]
    np.testing.assert_allclose(frozen.noise, 1 / trace["alpha"])
    np.testing.assert_allclose(frozen.prior_mean[:, -1], trace["mu_w[0]"])
    np.testing.assert_allclose(frozen.prior_mean[:, 1], trace["mu_V[0,1]"])
    np.testing.assert_allclose(frozen.prior_variance[:, 2], 1 / trace["lambda_V[0,2]"])


@pytest.mark.parametrize("many", [True, False])
def test_no_machine_was_trained_on_the_user_whom_it_is_for(many):
    """Whatever a user's stars, the machine of that user is the same, bit for bit; with enough
    ratings in the background, those of the others are as well."""
    train = stream()
    changed = replace(train, stars=np.where(train.user == 1, 0.5, train.stars))
    before, after = (folded(one, 8, copies=5 if many else 2) for one in (train, changed))
    assert len(before._machines) == (1 if many else FOLDS)
    for user in (0, 1, 2, 4):
        same = (before._machine(user).q == after._machine(user).q).all()
        assert same == (many or before._fold[user] == before._fold[1]), user
    assert (before.predict(*ASKED) != after.predict(*ASKED)).any()


def test_alone_a_user_gets_a_mean_and_a_bias():
    model = fitted(BayesianFMFolded(), Ratings([0, 0], [3, 4], [4.0, 4.0], [1, 2]))
    np.testing.assert_allclose(model.predict([0, 0, 7], [3, 9, 9]), [3 + 2 / 3, 3 + 2 / 3, 4])


def test_more_users_than_are_held_ready():
    model = folded(parts(stream())[0], samples=8)
    for user in range(300, 330 + CACHED):
        model.learn_one(user, user % FILMS, 4.0)
    assert len(model._vectors) == CACHED
    alone = folded(parts(stream())[0], samples=8)
    alone.learn_one(300, 300 % FILMS, 4.0)
    for movie in range(FILMS):
        assert model.predict_one(300, movie) == pytest.approx(alone.predict_one(300, movie))


def test_a_user_who_comes_later_is_folded_into_a_machine_of_everybody():
    """Without background users: those of the fit have a machine that was not trained on them."""
    train = others(4)
    model = fitted(BayesianFMFolded(rank=3, samples=8), train)
    assert len(model._machines) == 4
    later = int(train.user.max()) + 1
    model.learn_one(later, 2, 4.0)
    predicted = model.predict_one(later, 5)
    assert len(model._machines) == 5
    whole = fitted(
        BayesianFMFolded(rank=3, samples=8), train.take(np.empty(0, int)), background=train
    )
    whole.learn_one(later, 2, 4.0)
    assert predicted == pytest.approx(whole.predict_one(later, 5))
    gone = weakref.ref(model)
    del model
    assert gone() is None  # machines have gigabytes: they must not wait for the garbage collector


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
    with pytest.raises(KeyError, match=f"user {user} has no rating of movie {own[2]}"):
        model.forget(user, [own[2]])


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
