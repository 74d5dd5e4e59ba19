"""Item factors from the ratings of background users, by variational Bayes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from recbench.models.item_baseline import SHRINKAGE, vote_columns
from recbench.ratings import Movies, Ratings
from weightless.compiled import compiled as numeric

RANK = 14
MOST_ITERATIONS = 80
CHECK_EVERY, PATIENCE = 3, 2  # iterations, and checks without progress after which it ends
SETTLED = 5e-4  # of the held-out squared error: less is no progress
IMPLICIT_RANK = 200  # directions that B is made of
IMPLICIT_PRECISION = 10.0
GAMMA = 0.02  # rate of the Gamma priors of precisions, their shape is 1


@dataclass(frozen=True)
class ItemFactors:
    """The result of `learn_factors` for m movies with k factors.

    Attributes:
        mean: float64 [m], the movie's mean over users, stars.
        factors: float64 [m, k], w; over users the stars of two movies have the covariance w·w.
        implicit: float64 [m, k], B: effect of having rated the movie on a user's vector.
        implicit_mean: float64 [k], B's̄, the mean of B's_u over background users.
        uncertainty: float64 [m], the summed variance of the movie's own numbers, squared stars.
        iterations: number of passes made.
    """

    mean: np.ndarray
    factors: np.ndarray
    implicit: np.ndarray
    implicit_mean: np.ndarray
    uncertainty: np.ndarray
    iterations: int


def learn_factors(
    ratings: Ratings,
    movies: Movies,
    seed: int = 0,
    held_out: Ratings | None = None,
    iterations: int = MOST_ITERATIONS,
    rank: int = RANK,
) -> ItemFactors:
    """Learn a linear-Gaussian factor model:

        r_ui = μ + b_i + w_i·x_u + ε          ε ~ N(0, σ²)
        x_u ~ N(B'(s_u − s̄), I)               s_u = |N(u)|^−½ 1[j ∈ N(u)], the movies u has rated
        (w_i, b_i) ~ N(A'z_i, diag(λ)^−1)     z_i = (1, bits, votes, t_i)
        t_i = |U(i)|^−½ Σ_{u ∈ U(i)} E x_u,   who has rated i

    with a normal q(x_u) and q(w_i, b_i) for each user and movie (Lim & Teh 2007, "Variational
    Bayesian approach to movie rating prediction"; Raiko, Ilin & Karhunen 2007). The prior of a user
    is the implicit feedback of SVD++ (Koren 2008) as a regression (Agarwal & Chen 2009). After each
    pass over the users, x_u minus its prior mean is whitened and all other parameters transformed
    accordingly; without this parameter expansion (Qi & Jaakkola 2006), many times more passes are
    needed. λ, σ² and the precisions of A follow from the evidence (MacKay 1992). t_i depends on
    x_u, which q(x_u) ignores, so no bound is guaranteed to rise, and many passes overfit if users
    have few ratings. Therefore users outside the training decide when to stop.

    Args:
        ratings: of background users; at least one.
        movies: all movies of the table; for one without ratings the prior is returned.
        seed: of the initial values.
        held_out: ratings of users who are not in `ratings`: the later half of each user's is
            predicted from the earlier half, and the pass with the lowest error is the last. If
            None, or nobody has two ratings, all `iterations` are made.
        iterations: largest number of passes.
        rank: k.
    """
    model = FactorModel(ratings, movies, seed, rank)
    parts = halves(held_out, model.known) if held_out is not None else None
    best, least, waited = None, np.inf, 0
    for iteration in range(1, iterations + 1):
        model.iterate()
        if parts is None or (iteration % CHECK_EVERY and iteration < iterations):
            continue
        error = model.squared_error(*parts)
        waited = 0 if error < least * (1 - SETTLED) else waited + 1
        if error < least:
            best, least = model.found(iteration), error
        if waited == PATIENCE:
            break
    return best or model.found(iterations)


def halves(ratings: Ratings, known: np.ndarray) -> tuple[Ratings, Ratings] | None:
    """The earlier and the later ratings of each user, the latter only of `known` movies (bool [m]);
    users are renumbered. None if there are no later ones."""
    _, user = np.unique(ratings.user, return_inverse=True)
    order = np.lexsort((ratings.time, user))
    place = np.arange(len(user)) - np.searchsorted(user[order], user[order])
    later = 2 * place >= np.bincount(user)[user[order]]
    ordered = Ratings(user, ratings.movie, ratings.stars, ratings.time).take(order)
    usable = later & known[ordered.movie]
    return (ordered.take(~later), ordered.take(usable)) if usable.any() else None


class FactorModel:
    """The state of the iteration.

    There are U users and M movies; x̃ = (x, 1) and w̃ = (w, b) have K = k + 1 numbers.
    """

    def __init__(self, ratings: Ratings, movies: Movies, seed: int, rank: int = RANK) -> None:
        self.rank = k = rank
        _, user = np.unique(ratings.user, return_inverse=True)
        users, m = int(user.max()) + 1, len(movies)
        self.centre = float(ratings.stars.mean(dtype=np.float64))  # μ
        self.stars = ratings.stars.astype(np.float64) - self.centre
        self.rated, self.stars_of = self._tables(user, ratings.movie, self.stars, users, m)
        self.rated_by, self.stars_by = self.rated.T.tocsr(), self.stars_of.T.tocsr()  # (M, U)
        self.count = np.bincount(ratings.movie, minlength=m)
        self.known = self.count > 0
        self.implicit = _Implicit(self.rated, rank, seed)

        votes = vote_columns(movies.vote_average, movies.vote_count, SHRINKAGE)
        facts = np.column_stack((movies.metadata_bits, votes[:, 1:])).astype(float)
        facts -= facts[self.known].mean(axis=0)
        columns = 1 + facts.shape[1]
        self.z = np.column_stack((np.ones(m), facts, np.zeros((m, k))))  # t last
        self.groups = slice(1, columns), slice(columns, columns + k)  # facts, t: a precision each
        self.a = np.zeros((columns + k, k + 1))
        self.a_precision = np.full(columns + k, 1000.0)
        self.a_precision[0] = 1e-6

        rng = np.random.default_rng([seed, 14])
        of_movie = self.stars_by.sum(axis=1) / (self.count + 10)
        self.w = np.column_stack((0.1 * rng.standard_normal((m, k)), of_movie))  # (M, K)
        self.w[:, 0] = 0.3
        self.w_covariance: np.ndarray = np.zeros((m, k + 1, k + 1))
        self.w_precision = np.full(k + 1, 20.0)  # λ
        self.noise = 0.8  # σ²
        self.prior_x = np.zeros((users, k))  # B'(s_u − s̄)

    @staticmethod
    def _tables(
        user: np.ndarray, movie: np.ndarray, stars: np.ndarray, users: int, movies: int
    ) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Which movies each user rated, and the stars: [users, movies] each."""
        one, shape = np.ones(len(user)), (users, movies)
        return (
            sparse.csr_array((one, (user, movie)), shape=shape),
            sparse.csr_array((stars, (user, movie)), shape=shape),
        )

    def iterate(self) -> None:
        """One pass over users, movies and priors."""
        x, covariance = self.users(self.rated, self.stars_of, self.prior_x)
        x, covariance = self._whiten(x, covariance)
        self._learn_movies(x, covariance)
        self.prior_x = self.implicit.fit(x)

    def users(
        self, rated: sparse.csr_array, stars: sparse.csr_array, prior: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """q(x_u): the mean float64 [U, k], and covariance [U, k, k]."""
        k = self.rank
        w, c = self.w[:, :k], self.w_covariance
        ww = _outer(w) + c[:, :k, :k]  # E w w'
        wb = w * self.w[:, k:] + c[:, :k, k]  # E w b
        precision = _unpacked(rated @ _packed(ww), k) / self.noise + np.eye(k)
        covariance = inverses(precision)
        evidence = (stars @ w - rated @ wb) / self.noise
        return np.matvec(covariance, prior + evidence), covariance

    def _whiten(self, x: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same in coordinates in which x_u minus its prior mean has mean 0 and covariance I
        over users; A is transformed accordingly, w and B follow from the new x."""
        k, left = self.rank, x - self.prior_x
        shift = left.mean(axis=0)
        spread = covariance.mean(axis=0) + (left - shift).T @ (left - shift) / len(x)
        root = np.linalg.cholesky(spread)
        back = np.linalg.inv(root)
        self.a[:, k] += self.a[:, :k] @ shift
        self.a[:, :k] = self.a[:, :k] @ root
        self.a[self.groups[1]] = root.T @ self.a[self.groups[1]]  # its input t is turned, too
        return (x - shift) @ back.T, back @ covariance @ back.T

    def _learn_movies(self, x: np.ndarray, covariance: np.ndarray) -> None:
        """q(w_i, b_i), then A and its precisions, λ and σ²."""
        k = self.rank
        x1 = np.column_stack((x, np.ones(len(x))))  # x̃, (U, K)
        xx = _outer(x1)
        xx[:, :k, :k] += covariance
        products = _unpacked(self.rated_by @ _packed(xx), k + 1)  # Σ_u E x̃x̃', (M, K, K)
        stars_x = self.stars_by @ x1  # Σ_u (r − μ) E x̃, (M, K)
        self.z[:, self.groups[1]] = (self.rated_by @ x) / np.sqrt(self.count.clip(1))[:, None]
        precision = products / self.noise
        precision[:, range(k + 1), range(k + 1)] += self.w_precision
        self.w_covariance = inverses(precision)
        prior = self.z @ self.a * self.w_precision
        self.w = np.matvec(self.w_covariance, prior + stars_x / self.noise)

        self._fit_a()
        w, z = self.w[self.known], self.z[self.known]
        own = np.diagonal(self.w_covariance[self.known], axis1=1, axis2=2)  # (known, K)
        away = ((w - z @ self.a) ** 2 + own).sum(axis=0)
        self.w_precision = len(z) / (away + 2 * GAMMA)
        ww = _outer(self.w) + self.w_covariance
        squares = self.stars @ self.stars - 2 * (self.w * stars_x).sum() + (ww * products).sum()
        self.noise = float(squares) / len(self.stars)

    def _fit_a(self) -> None:
        """Ridge regression of w̃ on z; a precision for facts, one for t."""
        z, w = self.z[self.known], self.w[self.known]
        gram, right = z.T @ z, z.T @ w
        squares = np.zeros(len(gram))  # E A², summed over the K columns
        for d, precision in enumerate(self.w_precision):
            covariance = np.linalg.inv(precision * gram + np.diag(self.a_precision))
            self.a[:, d] = covariance @ (precision * right[:, d])
            squares += self.a[:, d] ** 2 + np.diagonal(covariance)
        for group in self.groups:
            numbers = (group.stop - group.start) * len(self.w_precision)
            self.a_precision[group] = numbers / (squares[group].sum() + 2 * GAMMA)

    def squared_error(self, earlier: Ratings, later: Ratings) -> float:
        """Squared error of the `later` ratings of users outside the training, predicted from their
        `earlier` ones (at least one each); users are numbered from 0 in both."""
        k, users = self.rank, int(earlier.user.max()) + 1
        stars = earlier.stars - self.centre
        rated, stars_of = self._tables(earlier.user, earlier.movie, stars, users, len(self.w))
        x, _ = self.users(rated, stars_of, self.implicit.of(rated))
        user, movie = later.user, later.movie
        predicted = np.vecdot(x[user], self.w[movie, :k]) + self.w[movie, k] + self.centre
        return float(((later.stars - predicted) ** 2).mean())

    def movies(self) -> np.ndarray:
        """(w, b) of each movie, float64 [M, K]; for one without ratings, from its metadata."""
        return np.where(self.known[:, None], self.w, self.z @ self.a)

    def found(self, iterations: int) -> ItemFactors:
        """The result in principal axes, movies weighted by their ratings, largest first. The
        largest number of each axis is made positive, since a solver may return either sign."""
        k, lacking, w = self.rank, ~self.known, self.movies()
        variance = np.trace(self.w_covariance, axis1=1, axis2=2)
        variance[lacking] = (1 / self.w_precision).sum()
        factors = w[:, :k]
        _, axes = np.linalg.eigh((factors * self.count[:, None]).T @ factors)
        turned = factors @ axes
        largest = turned[np.abs(turned).argmax(axis=0), range(k)]
        axes = (axes * np.where(largest < 0, -1.0, 1.0))[:, ::-1]
        b = self.implicit.b @ axes
        return ItemFactors(
            mean=self.centre + w[:, k],
            factors=factors @ axes,
            implicit=b,
            implicit_mean=self.implicit.mean @ b,
            uncertainty=variance,
            iterations=iterations,
        )


class _Implicit:
    """B: ridge regression of users' vectors on s_u − s̄, within the span of its leading singular
    vectors, so the cost grows with the number of ratings, not with the square of that of movies."""

    def __init__(self, rated: sparse.csr_array, rank: int, seed: int) -> None:
        s = self._shares(rated)
        self.mean = np.asarray(s.sum(axis=0)).ravel() / s.shape[0]  # s̄
        self.left, self.singular, self.right = _leading(s, self.mean, IMPLICIT_RANK, seed)
        self.b = np.zeros((rated.shape[1], rank))

    @staticmethod
    def _shares(rated: sparse.csr_array) -> sparse.csr_array:
        """s_u of each user."""
        count = np.asarray(rated.sum(axis=1)).ravel().clip(1)
        return sparse.csr_array(rated.multiply(count[:, None] ** -0.5))

    def of(self, rated: sparse.csr_array) -> np.ndarray:
        """B'(s_u − s̄) of further users, float64 [U, k]."""
        return self._shares(rated) @ self.b - self.mean @ self.b

    def fit(self, x: np.ndarray) -> np.ndarray:
        """Fit B to E x_u, float64 [U, k]; returns B'(s_u − s̄) of each user, float64 [U, k]."""
        shrunk = self.singular / (self.singular**2 + IMPLICIT_PRECISION)
        inside = shrunk[:, None] * (self.left.T @ x)  # (r, k)
        self.b = self.right @ inside  # (M, k)
        return self.left @ (self.singular[:, None] * inside)


def _leading(
    s: sparse.csr_array, mean: np.ndarray, rank: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leading singular vectors and values of S − 1 s̄' (Halko, Martinsson & Tropp 2011): U float64
    [users, r], σ [r], V [movies, r]."""
    transposed, smaller = s.T.tocsr(), min(s.shape)

    def forward(v: np.ndarray) -> np.ndarray:
        return s @ v - mean @ v

    def backward(u: np.ndarray) -> np.ndarray:
        return transposed @ u - np.outer(mean, u.sum(axis=0))

    start = np.random.default_rng([seed, 15]).standard_normal((s.shape[1], min(rank + 10, smaller)))
    q = np.linalg.qr(forward(start))[0]
    for _ in range(3):
        q = np.linalg.qr(forward(np.linalg.qr(backward(q))[0]))[0]
    right, values, left = np.linalg.svd(backward(q), full_matrices=False)
    return (q @ left.T)[:, :rank], values[:rank], right[:, :rank]


def _outer(x: np.ndarray) -> np.ndarray:
    """x x' of each row: [n, k] -> [n, k, k]."""
    return x[:, :, None] * x[:, None, :]


def _packed(square: np.ndarray) -> np.ndarray:
    """The upper triangles of symmetric [n, k, k]: [n, k (k + 1) / 2]."""
    i, j = np.triu_indices(square.shape[-1])
    return square[:, i, j]


def _unpacked(packed: np.ndarray, k: int) -> np.ndarray:
    """Symmetric [n, k, k] from upper triangles."""
    i, j = np.triu_indices(k)
    square = np.empty((len(packed), k, k))
    square[:, i, j] = packed
    square[:, j, i] = packed
    return square


@numeric
def inverses(matrices: Any) -> Any:
    """Inverses of symmetric positive definite matrices [n, k, k], in place, by sweeping each pivot
    (Goodnight 1979). LAPACK takes five times as long for such small matrices."""
    n, k, _ = matrices.shape
    for at in range(n):
        a = matrices[at]
        for p in range(k):
            pivot = 1 / a[p, p]
            a[p, p] = 1.0
            for j in range(k):
                a[p, j] *= pivot
            for i in range(k):
                if i != p:
                    factor = a[i, p]
                    a[i, p] = 0.0
                    for j in range(k):
                        a[i, j] -= factor * a[p, j]
    return matrices
