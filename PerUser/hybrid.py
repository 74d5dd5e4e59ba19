"""`hybrid`: each person's own memory of how a collaborative model errs on him."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from PerUser.crowd_opinion import CrowdOpinion
from PerUser.wnn_vote import WnnVote
from ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recommender import Recommender, build, load_recommender


class Hybrid(Recommender):
    """r̂ = b + the memory's correction, b = (1 − γ) m + γ c

    m is a collaborative model and c the crowd's opinion in stars (`CrowdOpinion`). The memory is
    that of `WnnVote`, but what it stores of a rating is its surprise over b: r − b.

    The model has been fitted to the ratings that the surprises are of, and knows a part of each by
    heart; a correction learned from them alone would be too small. The crowd's opinion knows
    nothing by heart, so the γ in b keeps alive what m has swallowed: the correction is linear in
    the surprises, and r̂ is between m with a small correction (γ = 0) and `WnnVote` (γ = 1).
    Surprises over models that had not seen the rating (cross-fitting) were tried in its place; see
    docs/personal-model.md.

    Somebody without ratings is predicted b: the memory comes in as it fills.

    Args:
        seed: of the collaborative model.
        base: the collaborative model: a class, a name of `recommender.RECOMMENDERS`, or
            "file:Class".
        samples: of that model, if it samples; None: its own default.
        crowd_share: γ.
        prior_mean, prior_bent, prior_vote: κ, b and λ of the memory: twice those of `WnnVote`,
            since there is less left to learn and as much noise in it.
    """

    learns_from_others: ClassVar[bool] = True

    tuned: ClassVar[str] = "results/sample-personal-model-research"

    # What a tuner may choose from.
    search_space: ClassVar[dict] = {
        "crowd_share": (0.0, 1.0, "linear"),
        "prior_mean": (1.0, 60.0, "log"),
        "prior_bent": (2.0, 200.0, "log"),
        "prior_vote": (0.1, 10.0, "log"),
    }

    def __init__(
        self,
        seed: int = 0,
        base: str | type[Recommender] = "bayes_fm",
        samples: int | None = None,
        crowd_share: float = 0.4,
        prior_mean: float = 8.0,
        prior_bent: float = 8.0,
        prior_vote: float = 1.2,
    ) -> None:
        self.crowd_share = crowd_share
        cls = load_recommender(base) if isinstance(base, str) else base
        self._model = build(cls, seed=seed, **({} if samples is None else {"samples": samples}))
        self._memory = WnnVote(prior_mean, prior_bent, prior_vote)

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._model.fit(train, movies)
        self._memory.start(movies, CrowdOpinion.fit(train, movies))
        self._memory.remember(train, train.stars - self._starting_point(train.user, train.movie))
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = self._starting_point(user, movie) + self._memory.correction(user, movie)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def _starting_point(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """b of each pair, float64 [n]."""
        crowd = self._memory.crowd.stars[np.asarray(movie)]
        of_model = self._model.predict(user, movie)
        return (1 - self.crowd_share) * of_model + self.crowd_share * crowd

    def state_bytes(self) -> int:
        return self._memory.state_bytes() + (self._model.state_bytes() or 0)
