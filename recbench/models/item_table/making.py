"""How item tables are made from the ratings of background users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import sparse

from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import encode_movies
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.scales import (
    EVEN,
    Block,
    Scales,
    Steps,
    arcsine_kernel,
    blocks_of,
    fit_scales,
    fit_steps,
    prequential,
)  # fmt: skip
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Movies, Ratings
from recbench.threads import one_thread

RANK, SAMPLES, SAMPLES_FOR_SCALES = 14, 113, 25
INITIAL_DEVIATION = 0.021
FACTORS = 32
CODE_BITS = 512
POOL = 4_096  # hyperplanes to choose code bits from
MOST_RATED = 500  # movies that the choice looks at
ASIDE_AT_MOST = 300  # users that the scales are fitted to, as near as can be
MOST_FOLDS = 4  # that are set aside in turn, where there are few
FEWEST_USERS = 10
MOST_USERS = 20_000  # that a table is learned from
DECIMALS = 4  # of what is in the table; processors differ in the last digits of what they compute
FOLDS = 4  # of the users of a sample, a table for each
ENOUGH = 4  # background ratings for each training rating of the sample

MoviesWithout = Callable[[np.ndarray], Movies]  # users -> the movies without their votes


def make_item_tables(
    train: Ratings,
    background: Ratings,
    movies: Movies,
    seed: int,
    movies_without: MoviesWithout | None = None,
) -> ItemTables:
    """From `background` users, if these have at least four times as many ratings as those of
    `train`. Else a table for each fold of the latter, from `background` and the other folds:
    where the sample is most of what there is, a table without it would be poor. There are four
    folds; two, where half of the users are more than a table is learned from.

    Args:
        train: training ratings of the users that the tables are for.
        background: of other users.
        movies_without: see `make_item_table`; where there is no background nobody's votes are
            counted.
    """
    if len(background) >= ENOUGH * max(len(train), 1):
        table = make_item_table(background, movies, seed, CODE_BITS, movies_without)
        return ItemTables.same_for_all(table)
    users = int(train.user.max(initial=-1)) + 1
    folds = 2 if users >= 2 * MOST_USERS else FOLDS
    fold = fold_of_each(np.arange(users), seed, folds)
    tables = []
    for k in range(folds):
        others = Ratings.concatenate([train.take(fold[train.user] != k), background])
        tables.append(make_item_table(others, movies, seed, CODE_BITS, movies_without, 1))
    return ItemTables(tuple(tables), fold)


def fold_of_each(users: np.ndarray, seed: int, folds: int = FOLDS) -> np.ndarray:
    """Users, int [n], in folds of like size, drawn at random: int64 [n], 0 .. folds − 1."""
    fold = np.empty(len(users), dtype=np.int64)
    fold[np.random.default_rng([seed, 7]).permutation(len(users))] = np.arange(len(users)) % folds
    return fold


def item_table_of(
    dataset: Dataset, seed: int = 0, code_bits: int = CODE_BITS
) -> tuple[ItemTable, Movies]:
    """The item table of a whole dataset, for users who are not in it, and the movies with the bits
    it is for: everybody in it is a background user.

    Args:
        seed, code_bits: see `make_item_table`.
    """
    everybody = np.ones(dataset.n_users, dtype=bool)
    movies = encode_movies(dataset, background=everybody, encoding="extended")

    def movies_without(users: np.ndarray) -> Movies:
        voters = everybody.copy()
        voters[users] = False
        return encode_movies(dataset, background=voters, encoding="extended")

    counted = None if dataset.source.has_votes else movies_without
    return make_item_table(dataset.ratings, movies, seed, code_bits, counted), movies


def make_item_table(
    background: Ratings,
    movies: Movies,
    seed: int = 0,
    code_bits: int = CODE_BITS,
    movies_without: MoviesWithout | None = None,
    most_folds: int = MOST_FOLDS,
    most_users: int = MOST_USERS,
) -> ItemTable:
    """Learn the table from `background`, and from nobody else.

    Scales and steps have to be right for users whom the table was not learned from. So a first
    table is learned without some 300 users, scales and steps are fitted to these, and the table is
    then learned again from all. Of few users, up to four parts are set aside in turn.

    Args:
        movies: all movies that the table is to have; only metadata bits are looked at.
        seed: of the sampler, of who is set aside and of the codes.
        code_bits: bits of a code, 0 or more.
        movies_without: where the votes of `movies` were counted over background users: the movies
            with those of some users (int [k]) not counted. None: they come from elsewhere.
        most_folds: in how many parts users are set aside, at most.
        most_users: of more, this many are drawn at random: they suffice to learn a movie's
            factors, and the time to learn no longer grows with the dataset.
    """
    users = np.unique(background.user)
    if len(users) > most_users:
        users = np.sort(np.random.default_rng([seed, 8]).permutation(users)[:most_users])
        background = background.take(np.isin(background.user, users))
    if len(users) < FEWEST_USERS:
        return ItemTable.of_metadata(movies)
    with one_thread():
        blocks: list[Block] = []
        for chosen in _aside(users, seed, most_folds):
            aside = np.isin(background.user, chosen)
            others = background.take(~aside)
            without = movies_without(chosen) if movies_without else movies
            first = _learn(others, without, seed, SAMPLES_FOR_SCALES, code_bits=0)
            item_baseline = ItemBaseline.fit(others, without).stars
            blocks += blocks_of(background.take(aside), first, item_baseline, without)
        scales, part_of_fm = fit_scales(blocks)
        steps = fit_steps(*prequential(blocks, scales, part_of_fm))

        table = _learn(background, movies, seed, SAMPLES, code_bits)
        h, item_baseline = round(part_of_fm, 3), ItemBaseline.fit(background, movies).stars
        mean = h * table.mean + (1 - h) * item_baseline
    about: dict[str, object] = {"users": len(users), "ratings": len(background), "seed": seed}
    about["part_of_fm"] = h
    # to three digits: a search stops at other digits on another processor
    scales = Scales.of_array(np.array([float(f"{x:.3g}") for x in scales.as_array()]))
    steps = Steps(steps.cuts.round(DECIMALS), round(steps.spread, DECIMALS))
    return replace(table, mean=mean.round(DECIMALS), scales=scales, steps=steps, about=about)


def _aside(users: np.ndarray, seed: int, most_folds: int) -> list[np.ndarray]:
    """Users to set aside: one part of 300 of many, or all in up to four parts of few."""
    order = np.random.default_rng([seed, 5]).permutation(users)
    each = min(len(users) // MOST_FOLDS, ASIDE_AT_MOST)
    folds = min(-(-ASIDE_AT_MOST // each), most_folds)
    return [order[k * each : (k + 1) * each] for k in range(folds)]


def _learn(ratings: Ratings, movies: Movies, seed: int, samples: int, code_bits: int) -> ItemTable:
    """Mean over users, factors and codes of each movie; no scales yet."""
    mean, factors = mean_and_factors(ratings, movies, seed, RANK, samples, FACTORS)
    factors = factors.round(DECIMALS)
    count = np.bincount(ratings.movie, minlength=len(movies))
    codes = choose_codes(factors[:, 1:], count, code_bits, seed)
    return ItemTable(movies.movie_id, mean, factors, codes, Scales(), EVEN)


# --- mean and factors --------------------------------------------------------------------------


def mean_and_factors(
    ratings: Ratings, movies: Movies, seed: int, rank: int, samples: int, factors: int
) -> tuple[np.ndarray, np.ndarray]:
    """The mean over users of a movie's stars, and factors of their covariance between movies.

    A factorisation machine (Rendle 2010) of users and of movies with their bits and votes is
    sampled as in Freudenthaler, Schmidt-Thieme & Rendle (2011). In a sample s a movie is a vector q
    of `rank` + 1 numbers, the sum of v over its features and a one; a user is (v_u, w_u). Over
    users these have a mean ū and a covariance C. So over users the stars of two movies have the
    covariance qᵢ·C qⱼ and the mean w₀ + w·x + Σ_{j<k} (v_j·v_k) x_j x_k + q·ū, sums over the
    features of the movie alone. Both are averaged over samples; neither depends on the rotation of
    a sample.

    Args:
        ratings: of background users; at least one.
        rank, samples: see `Collaborative.bayesian_fm`.
        factors: numbers of each movie, at most.

    Returns:
        stars float64 [movies], not clipped; F float64 [movies, ≤ factors] with F F' the covariance:
        its principal axes, a movie weighing as many ratings as it has, the largest first.
    """
    from recbench.models import factorization as fm  # myFM: needed to make a table only

    users, rated = np.unique(ratings.user), np.unique(ratings.movie)
    side, groups = fm.movie_features(movies, rated)
    place = fm.places(np.arange(len(movies)), rated)  # len(rated): nobody rated it
    own = fm.one_hot(place, len(rated) + 1)
    row = fm.places(ratings.movie, rated)
    design = fm.Design(
        fm.one_hot(fm.places(ratings.user, users), len(users)),
        [fm.block_of(row, sparse.hstack((own[rated, :-1], side[rated])))],
    )
    model = fm.NormalFM(rank, samples, INITIAL_DEVIATION, seed)
    model.fit(design, ratings.stars, [len(users), len(rated), *groups])

    features = fm.MovieFeatures(sparse.hstack((own, side)).tocsr())
    sampled = list(model.kept_samples())
    stars = np.full(len(movies), model.mean)
    parts = []  # (movies, rank + 1) of each sample, its outer product the covariance of that sample
    for offset, w, v in sampled:
        of_users = np.column_stack((v[: len(users)], w[: len(users)]))  # (users, rank + 1)
        v_movie, w_movie = (_with_mean(both[len(users) :], len(rated)) for both in (v, w))
        of_movie, q = features.vectors(w_movie, v_movie)  # (movies,), (movies, rank + 1)
        stars += (offset + of_movie + q @ of_users.mean(axis=0)) / len(sampled)
        values, axes = np.linalg.eigh(np.cov(of_users.T, bias=True))
        root = axes * np.sqrt(values.clip(0))  # of the covariance, which may be singular
        parts.append(q @ root / np.sqrt(len(sampled)))
    count = np.bincount(ratings.movie, minlength=len(movies))
    return stars, _leading(np.hstack(parts), count, factors)


def _with_mean(of_features: np.ndarray, rated: int) -> np.ndarray:
    """A movie that nobody rated is expected to be like the mean of those that somebody did: that
    row is put in after the `rated` ones. The prior of a movie has this mean, which is not 0."""
    return np.insert(of_features, rated, of_features[:rated].mean(axis=0), axis=0)


def _leading(wide: np.ndarray, count: np.ndarray, factors: int) -> np.ndarray:
    """`wide` (movies, k) projected on its principal axes, the `factors` largest first. Each is
    turned so that its largest number is positive: a solver may return either sign."""
    weighted = wide * np.sqrt(count)[:, None]
    values, axes = np.linalg.eigh(weighted.T @ weighted)
    narrow = wide @ axes[:, np.argsort(-values, kind="stable")[:factors]]  # (movies, factors)
    largest = narrow[np.abs(narrow).argmax(axis=0), np.arange(narrow.shape[1])]
    return narrow * np.where(largest < 0, -1.0, 1.0)


# --- codes -------------------------------------------------------------------------------------


def choose_codes(factors: np.ndarray, count: np.ndarray, bits: int, seed: int) -> np.ndarray:
    """A code of `bits` bits for each movie, from its factors.

    A bit is the side of a random hyperplane that a movie's factors lie on. Of two movies with the
    angle θ between them the part of bits that agree is 1 − θ/π on average (Charikar 2002), so that

        (agreeing − differing) / bits ≈ 2/π arcsin(cos θ)

    the arc-sine kernel (Williams 1998). Random hyperplanes miss it by 1/√bits. Here they are chosen
    one after another out of a pool, each time the one after which the sum of squared errors over
    pairs of movies is least, as in kernel herding (Chen, Welling & Smola 2010).

    Args:
        factors: float64 [movies, f], without the first factor, in which all movies are similar.
        count: int [movies], how many ratings of each there are; the choice weighs movies by √count.
        bits: any number; 0: none.
        seed: of the pool.

    Returns:
        uint8 [movies, bits], 0 or 1. A movie without factors has zeros.
    """
    if bits == 0 or not factors.any():
        return np.zeros((len(factors), bits), dtype=np.uint8)
    planes = np.random.default_rng([seed, 6]).standard_normal((factors.shape[1], max(POOL, bits)))
    most = np.argsort(-count, kind="stable")[:MOST_RATED]
    most = most[np.linalg.norm(factors[most], axis=1) > 0]
    chosen = _herded(factors[most], np.sqrt(count[most] + 1.0), planes, bits)
    return (factors @ planes[:, chosen] > 0).astype(np.uint8)


def _herded(factors: np.ndarray, weight: np.ndarray, planes: np.ndarray, bits: int) -> list[int]:
    """The hyperplanes, in the order chosen.

    With the target T and sides s of ±1 each, Σ_ij w_i w_j (T_ij − 1/t Σ_b s_bi s_bj)² over t bits
    is least for the next bit where t·s'T s − Σ_b (s's_b)² is greatest, products weighted by w.
    """
    sides = np.where(factors @ planes > 0, 1.0, -1.0)  # (movies, pool)
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    weight = weight / weight.mean()
    weighted = sides * weight[:, None]
    target = np.vecdot(weighted.T, (arcsine_kernel(unit, unit) @ weighted).T)  # s'T s, (pool,)
    taken = np.zeros(len(target))  # Σ_b (s's_b)²
    chosen: list[int] = []
    for step in range(1, bits + 1):
        gain = step * target - taken
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        taken += (weighted.T @ sides[:, chosen[-1]]) ** 2
    return chosen
