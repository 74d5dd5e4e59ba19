"""`hybrid`: each person's own memory of how a collaborative model errs on him."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from PerUser.crowd_opinion import CrowdOpinion
from PerUser.wnn_vote import WnnVote
from ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recommender import Recommender, build, load_recommender

SAMPLES = 100  # of each collaborative model; three of them are averaged


class Hybrid(Recommender):
    """r̂ = b + the memory's correction, b = (1 − γ) m + γ c

    m is a collaborative model and c the crowd's opinion in stars (`CrowdOpinion`). The memory is
    that of `WnnVote`, but what it stores of a rating is its surprise over b.

    A model's errors on the ratings that it was fitted to are too small to learn from: a
    factorisation machine explains half of them by heart. So the training ratings are dealt out at
    random to K parts, K models are fitted, each without one part, and a rating's surprise is taken
    over the model that has not seen it (cross-fitting, as in stacked regression: Breiman 1996).
    The m of a new pair is the mean of the K models, which errs less than one of them (Krogh &
    Vedelsby 1995).

    Somebody without ratings is predicted b: the memory comes in as it fills.

    Args:
        seed: of the deal and of the collaborative models.
        base: the collaborative model: a class, a name of `recommender.RECOMMENDERS`, or
            "file:Class".
        folds: K.
        samples: of each collaborative model, if it samples.
        crowd_share: γ.
        prior_mean, prior_bent, prior_vote: κ, b and λ of the memory. About twice those of
            `WnnVote`: there is less left to learn, and as much noise in it.
    """

    learns_from_others: ClassVar[bool] = True

    # What a tuner may choose from.
    search_space: ClassVar[dict] = {
        "crowd_share": (0.0, 0.5, "linear"),
        "prior_mean": (1.0, 60.0, "log"),
        "prior_bent": (2.0, 200.0, "log"),
        "prior_vote": (0.1, 10.0, "log"),
    }

    def __init__(
        self,
        seed: int = 0,
        base: str | type[Recommender] = "bayes_fm",
        folds: int = 3,
        samples: int = SAMPLES,
        crowd_share: float = 0.125,
        prior_mean: float = 6.0,
        prior_bent: float = 8.0,
        prior_vote: float = 1.3,
    ) -> None:
        self.seed = seed
        self.base = base
        self.folds = folds
        self.samples = samples
        self.crowd_share = crowd_share
        self._memory = WnnVote(prior_mean, prior_bent, prior_vote)

    def fit(self, train: Ratings, movies: Movies) -> Self:
        crowd = CrowdOpinion.fit(train, movies)
        unseen = self._fit_models(train, movies)
        self._memory.start(movies, crowd)
        self._memory.remember(train, train.stars - self._mixed(unseen, train.movie))
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        answers = [model.predict(user, movie) for model in self._models]  # (models, n)
        stars = self._mixed(np.mean(answers, axis=0, dtype=np.float64), movie)
        stars += self._memory.correction(user, movie)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def _fit_models(self, train: Ratings, movies: Movies) -> np.ndarray:
        """What the models say of the training ratings that they have not seen, float64 [n]."""
        cls = load_recommender(self.base) if isinstance(self.base, str) else self.base
        parts = max(min(self.folds, len(train)), 1)
        part = np.random.default_rng([self.seed, 5]).permutation(len(train)) % parts
        unseen = np.empty(len(train))
        self._models = []
        for k in range(parts):
            model = build(cls, seed=self.seed + k, samples=self.samples)
            left_out = part == k
            model.fit(train.take(~left_out), movies)
            unseen[left_out] = model.predict(train.user[left_out], train.movie[left_out])
            self._models.append(model)
        return unseen

    def _mixed(self, model_stars: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """b of each pair."""
        crowd = self._memory.crowd.stars[movie]
        return (1 - self.crowd_share) * model_stars + self.crowd_share * crowd

    def state_bytes(self) -> int:
        return self._memory.state_bytes() + sum(m.state_bytes() or 0 for m in self._models)
