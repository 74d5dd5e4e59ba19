"""`river_mf`: the factorisation that River learns online, one rating at a time."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from Collaborative.surprise_trainset import Known, look_up
from recbench.compiled import numeric
from recbench.contract import Recommender, Training
from recbench.models.item_baseline import Start
from recbench.ratings import MAX_STARS, MIN_STARS

INITIAL_DEVIATION = 0.1  # of a factor, as in River


class RiverFactorization(Recommender):
    """r̂_ui = o_i + m + b_u + b_i + q_i·p_u, the model and the updates of River's `BiasedMF`.

    o is the item baseline of each movie in stars and the mean residual from it, or the mean of all
    ratings; m is the running mean of what is left. The ratings are learned one by one in the
    order of their time (equal times in the order of the rows). With g = 2 (r̂_ui − r_ui), the
    gradient of the squared error before the rating is learned,

        b_u ← b_u − η_b (g + λ_b b_u)        p_u ← p_u − η (g q_i + λ p_u)
        b_i ← b_i − η_b (g + λ_b b_i)        q_i ← q_i − η (g p_u + λ q_i)

    all from the values before. River does this in Python, in dictionaries: 100 000 ratings a
    second. Here it is the same arithmetic, compiled, and a test holds it to River. Biases and
    factors of an unknown user or movie are zero; River would draw the factors at random.

    Args:
        factors: numbers in p_u and q_i.
        epochs: how often all ratings are gone through; 1: online, each rating is seen once.
        learning_rate_bias: η_b.
        learning_rate: η.
        l2_bias: λ_b.
        l2: λ.
        start: what o is, "item_baseline" or "mean".

    River's own are 10 factors, η = η_b = 0.01, no regularisation, and the mean.
    """

    name: ClassVar[str] = "river_mf"
    learns_from: ClassVar[str] = "all"
    has_kernels: ClassVar[bool] = True
    search_space: ClassVar[dict] = {
        "factors": (4, 128, "int"),
        "epochs": (1, 60, "int"),
        "learning_rate_bias": (0.0005, 0.02, "log"),
        "learning_rate": (0.001, 0.03, "log"),
        "l2_bias": (0.01, 0.3, "log"),
        "l2": (0.03, 0.5, "log"),
        "start": ("item_baseline", "mean"),
    }
    tuned: ClassVar[str] = "results/tuning/references"

    def __init__(
        self,
        factors: int = 97,
        epochs: int = 41,
        learning_rate_bias: float = 0.0012,
        learning_rate: float = 0.01,
        l2_bias: float = 0.024,
        l2: float = 0.39,
        start: Start = "item_baseline",
    ) -> None:
        self.factors = factors
        self.epochs = epochs
        self.learning_rate_bias = learning_rate_bias
        self.learning_rate = learning_rate
        self.l2_bias = l2_bias
        self.l2 = l2
        self.start: Start = start

    def fit(self, training: Training) -> Self:
        train = training.all_ratings
        self._known = Known.of(training, self.start)
        in_time = train.take(np.argsort(train.time, kind="stable"))
        user = np.searchsorted(self._known.users, in_time.user)
        movie = np.searchsorted(self._known.movies, in_time.movie)
        residual = in_time.stars - self._known.level[in_time.movie]  # (ratings,)
        self._user_bias = np.zeros(len(self._known.users))
        self._movie_bias = np.zeros(len(self._known.movies))
        self._user_factors, self._movie_factors = initial_factors(
            user, movie, self.factors, training.seed
        )
        self._mean = learn_in_order(
            user,
            movie,
            residual,
            (self._user_bias, self._movie_bias),
            (self._user_factors, self._movie_factors),
            self.epochs,
            (self.learning_rate_bias, self.learning_rate),
            (self.l2_bias, self.l2),
        )
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        users, movies = (self._known.users, user), (self._known.movies, movie)
        p = look_up(self._user_factors, *users)  # (rows, factors)
        q = look_up(self._movie_factors, *movies)  # (rows, factors)
        biases = look_up(self._user_bias, *users) + look_up(self._movie_bias, *movies)
        stars = self._known.level[movie] + self._mean + biases + (p * q).sum(axis=1)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._user_bias.nbytes + self._user_factors.nbytes

    def shared_bytes(self) -> int:
        of_movies = (self._movie_bias, self._movie_factors, self._known.level)
        return sum(table.nbytes for table in of_movies)


def initial_factors(
    user: np.ndarray, movie: np.ndarray, factors: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Factors as River draws them: when a user or movie is first met, the user first.

    Args:
        user, movie: int [ratings], in the order in which they are learned, each numbered from 0
            without gaps.

    Returns:
        float64 [users, factors] and float64 [movies, factors].
    """
    _, first_of_user = np.unique(user, return_index=True)
    _, first_of_movie = np.unique(movie, return_index=True)
    users = len(first_of_user)
    met = np.argsort(np.concatenate((2 * first_of_user, 2 * first_of_movie + 1)))
    drawn = np.empty((len(met), factors))
    generator = np.random.RandomState(seed)  # River's; the newer ones draw other numbers
    drawn[met] = generator.normal(0.0, INITIAL_DEVIATION, drawn.shape)
    return drawn[:users].copy(), drawn[users:].copy()


@numeric
def learn_in_order(user, movie, stars, biases, factors, epochs, rates, l2):  # pragma: no cover
    """What `BiasedMF.learn_one` does with each rating; changes `biases` and `factors` in place.

    Args:
        user, movie: int [ratings], rows of the tables.
        stars: float64 [ratings], what is learned.
        biases: float64 [users] and [movies].
        factors: float64 [users, factors] and [movies, factors].
        epochs: how often.
        rates, l2: of the biases, of the factors.

    Returns:
        The running mean.
    """
    (b_u, b_i), (p, q) = biases, factors
    mean, n = 0.0, 0
    for _ in range(epochs):
        for row in range(len(stars)):
            u, i = user[row], movie[row]
            n += 1
            mean += (stars[row] - mean) / n
            predicted = mean + b_u[u] + b_i[i]
            for k in range(p.shape[1]):
                predicted += p[u, k] * q[i, k]
            g = 2.0 * (predicted - stars[row])
            b_u[u] -= rates[0] * (g + l2[0] * b_u[u])
            b_i[i] -= rates[0] * (g + l2[0] * b_i[i])
            for k in range(p.shape[1]):
                p_k, q_k = p[u, k], q[i, k]
                p[u, k] -= rates[1] * (g * q_k + l2[1] * p_k)
                q[i, k] -= rates[1] * (g * p_k + l2[1] * q_k)
    return mean
