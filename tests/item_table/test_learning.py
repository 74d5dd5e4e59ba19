"""Learning of item factors: one pass against loops, and what is found in data made with it."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table import learning, making
from recbench.models.item_table.learning import GAMMA, FactorModel, ItemFactors, learn_factors
from recbench.models.item_table.scales import Scales
from recbench.ratings import Movies, Ratings

USERS, MANY, RANK = 14, 11, 3
UNRATED = 4  # a movie


def movies_of(n: int) -> Movies:
    rng = np.random.default_rng(5)
    return Movies(
        bits=rng.integers(0, 2, (n, 4)),
        bit_names=tuple(f"genres:{k}" for k in range(4)),
        vote_average=np.where(np.arange(n) % 5, rng.uniform(2, 5, n), np.nan),
        vote_count=np.where(np.arange(n) % 5, rng.integers(1, 500, n), 0),
        movie_id=np.arange(n),
        title=[""] * n,
    )


MOVIES = movies_of(MANY)


def some_ratings(seed: int = 0, users: int = USERS) -> Ratings:
    """Each of those pairs with a chance of a half, but of one movie none."""
    rng = np.random.default_rng(seed)
    user, movie = np.nonzero(
        rng.random((users, MANY)) < np.where(np.arange(MANY) == UNRATED, 0, 0.5)
    )
    stars = rng.integers(1, 11, len(user)) / 2
    return Ratings(user, movie, stars, rng.integers(0, 30, len(user)))


@pytest.fixture
def model() -> FactorModel:
    """In the midst of learning, so that nothing is zero any more."""
    made = FactorModel(some_ratings(), MOVIES, 0, RANK)
    for _ in range(2):
        made.iterate()
    return made


def state(model: FactorModel) -> dict[str, np.ndarray]:
    names = ("w", "w_covariance", "w_precision", "a", "a_precision", "noise", "prior_x")
    return {name: getattr(model, name) for name in names} | {"b": model.implicit.b}


# --- one pass, by loops --------------------------------------------------------------------------


def plain_user(old, movie, stars, prior) -> tuple[np.ndarray, np.ndarray]:
    """q(x) of one user, from stars less the mean of all."""
    precision, right = np.eye(RANK), prior.copy()
    for i, r in zip(movie, stars, strict=True):
        w, b, c = old["w"][i, :RANK], old["w"][i, RANK], old["w_covariance"][i]
        precision = precision + (np.outer(w, w) + c[:RANK, :RANK]) / old["noise"]
        right = right + (w * r - (w * b + c[:RANK, RANK])) / old["noise"]
    covariance = np.linalg.inv(precision)
    return covariance @ right, covariance


def shares(ratings: Ratings, users: int) -> np.ndarray:
    """s_u of each user, dense."""
    s = np.zeros((users, MANY))
    s[ratings.user, ratings.movie] = 1
    return s / np.sqrt(s.sum(axis=1, keepdims=True).clip(1))


def plain_pass(old: dict, z: np.ndarray, ratings: Ratings) -> dict:
    """One pass over users, movies, and what is above them; one after the other."""
    k, new = RANK, {}
    stars = ratings.stars - ratings.stars.mean(dtype=float)
    of_users = []
    for u in range(USERS):
        own = ratings.user == u
        of_users.append(plain_user(old, ratings.movie[own], stars[own], old["prior_x"][u]))
    x = np.array([mean for mean, _ in of_users])
    left = x - old["prior_x"]
    shift = left.mean(axis=0)
    spread = sum(
        covariance + np.outer(one - shift, one - shift)
        for one, (_, covariance) in zip(left, of_users, strict=True)
    )
    root = np.linalg.cholesky(spread / USERS)
    back = np.linalg.inv(root)
    x = np.array([back @ (one - shift) for one in x])
    s = [back @ covariance @ back.T for _, covariance in of_users]
    a = np.column_stack((old["a"][:, :k] @ root, old["a"][:, k] + old["a"][:, :k] @ shift))
    a[-k:] = root.T @ a[-k:]

    z, known = z.copy(), np.isin(np.arange(MANY), ratings.movie)
    new["w"], new["w_covariance"] = np.zeros((MANY, k + 1)), np.zeros((MANY, k + 1, k + 1))
    xx = [np.outer(np.append(m, 1), np.append(m, 1)) for m in x]  # E x̃x̃'
    for u in range(USERS):
        xx[u][:k, :k] += s[u]
    for i in range(MANY):
        rows = np.flatnonzero(ratings.movie == i)
        raters = ratings.user[rows]
        z[i, -k:] = sum((x[u] for u in raters), np.zeros(k)) / max(len(rows), 1) ** 0.5
        precision, right = np.diag(old["w_precision"]), old["w_precision"] * (z[i] @ a)
        for row, u in zip(rows, raters, strict=True):
            precision = precision + xx[u] / old["noise"]
            right = right + stars[row] * np.append(x[u], 1) / old["noise"]
        new["w_covariance"][i] = np.linalg.inv(precision)
        new["w"][i] = new["w_covariance"][i] @ right

    new["a"], squares = np.zeros_like(a), np.zeros(len(a))
    for d in range(k + 1):
        gram = old["w_precision"][d] * z[known].T @ z[known] + np.diag(old["a_precision"])
        right = old["w_precision"][d] * z[known].T @ new["w"][known, d]
        new["a"][:, d] = np.linalg.solve(gram, right)
        squares += new["a"][:, d] ** 2 + np.diag(np.linalg.inv(gram))
    facts = slice(1, len(a) - k)
    new["a_precision"] = old["a_precision"].copy()
    for group in (facts, slice(len(a) - k, len(a))):
        numbers = squares[group].size * (k + 1)
        new["a_precision"][group] = numbers / (squares[group].sum() + 2 * GAMMA)
    new["w_precision"] = np.zeros(k + 1)
    for d in range(k + 1):
        away = sum(
            (new["w"][i, d] - z[i] @ new["a"][:, d]) ** 2 + new["w_covariance"][i, d, d]
            for i in np.flatnonzero(known)
        )
        new["w_precision"][d] = known.sum() / (away + 2 * GAMMA)
    total = 0.0
    for u, i, r in zip(ratings.user, ratings.movie, stars, strict=True):
        w = new["w"][i]
        second = np.trace((np.outer(w, w) + new["w_covariance"][i]) @ xx[u])
        total += r**2 - 2 * r * (w @ np.append(x[u], 1)) + second
    new["noise"] = total / len(ratings)
    centred = shares(ratings, USERS)
    centred = centred - centred.mean(axis=0)
    ridge = centred.T @ centred + learning.IMPLICIT_PRECISION * np.eye(MANY)
    new["b"] = np.linalg.solve(ridge, centred.T @ x)
    new["prior_x"] = centred @ new["b"]
    return new


def test_one_pass_is_that_of_plain_loops(model):
    """Of B too, which is dense ridge regression where no direction is left out."""
    expected = plain_pass(deepcopy(state(model)), model.z, some_ratings())
    model.iterate()
    for name, found in state(model).items():
        np.testing.assert_allclose(found, expected[name], rtol=1e-7, atol=1e-9, err_msg=name)


def test_principal_axes_change_no_prediction(model):
    """Of the movie nobody rated the prior is there. Axes are those of movies as often as rated."""
    found = model.found(7)
    w = np.where((model.count == 0)[:, None], model.z @ model.a, model.w)
    b = model.implicit.b
    np.testing.assert_allclose(found.mean, model.centre + w[:, RANK])
    w = w[:, :RANK]
    np.testing.assert_allclose(found.factors @ found.factors.T, w @ w.T, atol=1e-12)
    np.testing.assert_allclose(found.factors @ found.implicit.T, w @ b.T, atol=1e-12)
    of_mean = w @ (shares(some_ratings(), USERS).mean(axis=0) @ b)
    np.testing.assert_allclose(found.factors @ found.implicit_mean, of_mean, atol=1e-12)
    weighted = (found.factors * model.count[:, None]).T @ found.factors
    np.testing.assert_allclose(weighted, np.diag(np.diag(weighted)), atol=1e-9)
    assert (np.diff(np.diag(weighted)) <= 0).all()
    assert (found.factors.max(axis=0) >= -found.factors.min(axis=0)).all()
    of_each = [np.trace(one) for one in model.w_covariance]
    of_each[UNRATED] = (1 / model.w_precision).sum()
    np.testing.assert_allclose(found.uncertainty, of_each)
    assert found.iterations == 7


def test_the_error_of_users_who_are_not_learned_from_is_that_of_plain_loops(model):
    """The later half of each from the earlier one; not of a movie that is not known."""
    ratings, known = some_ratings(9, 6), model.count > 0
    assert not known[UNRATED]
    movie = np.where(ratings.movie == 1, UNRATED, ratings.movie)
    ratings = Ratings(ratings.user + 100, movie, ratings.stars, ratings.time)
    squares = []
    for user in range(100, 106):
        rows = [row for row in range(len(ratings)) if ratings.user[row] == user]
        rows = sorted(rows, key=lambda row: (ratings.time[row], row))
        earlier, later = rows[: (len(rows) + 1) // 2], rows[(len(rows) + 1) // 2 :]
        seen = ratings.movie[earlier]
        prior = model.implicit.b[seen].sum(axis=0) / len(seen) ** 0.5
        prior = prior - shares(some_ratings(), USERS).mean(axis=0) @ model.implicit.b
        x, _ = plain_user(state(model), seen, ratings.stars[earlier] - model.centre, prior)
        for row in later:
            i = ratings.movie[row]
            if known[i]:
                predicted = model.w[i] @ np.append(x, 1) + model.centre
                squares.append((ratings.stars[row] - predicted) ** 2)
    halves = learning.halves(ratings, known)
    assert halves is not None
    assert len(squares) == len(halves[1]) < len(ratings) - len(halves[0])
    assert model.squared_error(*halves) == pytest.approx(np.mean(squares))


# --- the whole -----------------------------------------------------------------------------------


def same(first: ItemFactors, second: ItemFactors, within: float = 0.0) -> bool:
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return all(np.allclose(one, other, rtol=0, atol=within) for one, other in pairs)


def test_it_is_learned_from_ratings_alone_and_not_from_their_order():
    ratings, held_out = some_ratings(), some_ratings(1)

    def learned(ratings: Ratings = ratings, seed: int = 0, iterations: int = 12) -> ItemFactors:
        return learn_factors(ratings, MOVIES, seed, held_out, iterations, RANK)

    first = learned()
    assert same(first, learned())
    assert not same(first, learned(seed=1), 1e-3)
    order = np.random.default_rng(2).permutation(len(ratings))
    names = np.random.default_rng(3).permutation(USERS)
    renamed = Ratings(names[ratings.user] * 10, ratings.movie, ratings.stars, ratings.time)
    assert same(first, learned(renamed.take(order)), 1e-8)
    later = Ratings(ratings.user, ratings.movie, ratings.stars, ratings.time[::-1])
    assert same(first, learned(later))


@pytest.mark.parametrize(
    ("errors", "best", "last"),
    [
        ([1.0, 0.5, 0.6, 0.55, 0.1], 6, 12),
        ([1.0, 0.5, 0.49999, 0.49998, 0.1], 12, 12),  # no progress, but the least
        ([1.0, 0.5, 0.6, 0.4, 0.5, 0.45, 0.3], 12, 18),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], 20, 20),
    ],
)
def test_users_who_are_not_learned_from_say_when_to_stop(monkeypatch, errors, best, last):
    """Every third pass, and the last, is looked at; after two without progress it ends."""
    passes, left = [], iter(errors)
    iterate = FactorModel.iterate
    monkeypatch.setattr(FactorModel, "iterate", lambda model: (passes.append(1), iterate(model)))
    monkeypatch.setattr(FactorModel, "squared_error", lambda *_: next(left))
    found = learn_factors(some_ratings(), MOVIES, 0, some_ratings(1), 20, RANK)
    assert (found.iterations, len(passes)) == (best, last)
    assert same(found, learn_factors(some_ratings(), MOVIES, 0, None, best, RANK))


def test_what_was_learned_is_in_the_table_to_four_digits(monkeypatch):
    """From all ratings, after as many passes as were best without those set aside; the mean is h of
    that and the rest of the item baseline, B is multiplied by g."""
    parts = np.array([0.3, 1.7])
    monkeypatch.setattr(making, "fit_scales", lambda _: (Scales(noise=0.123456), parts))
    ratings = some_ratings(users=40)
    table = making.make_item_table(ratings, MOVIES, seed=3)
    passes = table.about["passes"]
    assert isinstance(passes, int)
    found = learn_factors(ratings, MOVIES, 3, iterations=passes)
    item_baseline = ItemBaseline.fit(ratings, MOVIES).stars
    expected = {
        "mean": 0.3 * found.mean + 0.7 * item_baseline,
        "factors": found.factors,
        "implicit": 1.7 * found.implicit,
        "implicit_mean": 1.7 * found.implicit_mean,
        "uncertainty": found.uncertainty,
        "count": np.bincount(ratings.movie, minlength=MANY),
    }
    for name, numbers in expected.items():
        np.testing.assert_allclose(getattr(table, name), numbers, atol=0.500001e-4)
    assert table.scales == Scales(noise=0.123)


def planted(users: int, seed: int) -> tuple[Ratings, np.ndarray]:
    """Of 60 movies with two factors; a user rates mostly what agrees with the user's own vector."""
    movies, truth = 60, np.random.default_rng(8)
    w, mean = 0.8 * truth.standard_normal((movies, 2)), truth.uniform(2.5, 4, movies)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((users, 2))
    agree = w @ x.T
    user, movie = np.nonzero(rng.random((users, movies)) < 0.8 / (1 + np.exp(1 - 2 * agree.T)))
    stars = mean[movie] + agree[movie, user] + 0.4 * rng.standard_normal(len(user))
    return Ratings(user, movie, stars, rng.permutation(len(user))), w


def test_a_planted_model_is_found_again():
    """Predictions from it come near to the noise, .4² = .16; and which movies somebody rated, stars
    unseen, makes for better ones than means do."""
    ratings, w = planted(400, 0)
    held_out, _ = planted(100, 1)
    found = learn_factors(ratings, movies_of(60), 0, held_out, rank=4)
    correlation = np.corrcoef((found.factors @ found.factors.T).ravel(), (w @ w.T).ravel())
    assert correlation[0, 1] > 0.98
    of_all = np.bincount(ratings.movie, ratings.stars) / np.bincount(ratings.movie)
    earlier, later = learning.halves(held_out, np.ones(60, bool)) or (ratings, ratings)
    errors = []
    for user in range(100):
        seen, stars = earlier.movie[earlier.user == user], earlier.stars[earlier.user == user]
        query, true = later.movie[later.user == user], later.stars[later.user == user]
        prior = found.implicit[seen].sum(axis=0) / len(seen) ** 0.5 - found.implicit_mean
        f, g = found.factors[seen], found.factors[query]
        left = stars - found.mean[seen] - f @ prior
        x = prior + np.linalg.solve(f.T @ f + 0.2 * np.eye(4), f.T @ left)
        predicted = of_all[query], found.mean[query] + g @ prior, found.mean[query] + g @ x
        errors.append([(true - one) ** 2 for one in predicted])
    by_means, by_rated, by_stars = np.mean(np.concatenate(errors, axis=1), axis=1)
    assert by_stars < 0.25 < 0.4 * by_means
    assert by_rated < 0.9 * by_means
