"""`hybrid`: a collaborative model and personal memories, as much of each as has proved good."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from PerUser.crowd_opinion import CrowdOpinion
from PerUser.wnn_vote import WnnVote
from ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recommender import Recommender, build, load_recommender

HELD_OUT = 0.2  # of each person's ratings, the last, to find γ on
# γ where little can be held out, and how much that counts: as some twenty people would.
USUAL_SHARE, USUAL_WEIGHT = 0.4, 1.0


class Hybrid(Recommender):
    """r̂ = (1 − γ) (m + the memory of m's errors) + γ (c + the memory of the crowd's errors)

    m is a collaborative model, fitted to everybody's ratings, and c the crowd's opinion in stars
    (`CrowdOpinion`). On each of the two lies a memory as in `WnnVote`, of each person's surprises
    over it: r − m and r − c. The second part is `wnn_vote` itself.

    The first memory learns too little: m was fitted to the very ratings that its surprises are of,
    and knows a part of each by heart. The crowd knows none by heart, so the second part keeps alive
    what the first has swallowed.

    γ is found on ratings that were not learned from, each person's last fifth in time: both parts
    are fitted without them, γ is the least squares solution, each person counting once, and both
    are fitted again to all. So the better part prevails where it is much better: without other
    people's ratings the memory, without votes the model.

    Somebody without ratings is predicted (1 − γ) m + γ c: the memories come in as they fill.

    Args:
        seed: of the collaborative model.
        base: the collaborative model: a class, a name of `recommender.RECOMMENDERS`, or
            "file:Class".
        samples: of that model, if it samples; None: its own default.
        doubt: how many times stronger the priors of the first memory are than those of `WnnVote`:
            there is less left to learn, and as much noise in it.
    """

    learns_from_others: ClassVar[bool] = True

    tuned: ClassVar[str] = "results/sample-personal-model-research"

    # What a tuner may choose from.
    search_space: ClassVar[dict] = {"doubt": (0.5, 30.0, "log")}

    def __init__(
        self,
        seed: int = 0,
        base: str | type[Recommender] = "bayes_fm",
        samples: int | None = None,
        doubt: float = 3.0,
    ) -> None:
        cls = load_recommender(base) if isinstance(base, str) else base
        self._model = build(cls, seed=seed, **({} if samples is None else {"samples": samples}))
        self._personal = WnnVote()
        usual = self._personal
        self._errors = WnnVote(
            doubt * usual.prior_mean, doubt * usual.prior_bent, doubt * usual.prior_vote
        )

    def fit(self, train: Ratings, movies: Movies) -> Self:
        later = last_of_each(train, HELD_OUT)
        self._fit_parts(train.take(~later), movies)
        self.share = self._best_share(train.take(later))
        self._fit_parts(train, movies)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        of_model, of_crowd = self._parts(user, movie)
        stars = (1 - self.share) * of_model + self.share * of_crowd
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def _fit_parts(self, train: Ratings, movies: Movies) -> None:
        self._model.fit(train, movies)
        self._errors.start(movies, CrowdOpinion.fit(train, movies))
        self._errors.remember(
            train, train.stars.astype(np.float64) - self._model.predict(train.user, train.movie)
        )
        self._personal.fit(train, movies)

    def _parts(self, user: np.ndarray, movie: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the two parts say of each pair, float64 [n] each, not clipped."""
        user, movie = np.asarray(user), np.asarray(movie)
        crowd = self._personal.crowd.stars[movie]
        return (
            self._model.predict(user, movie) + self._errors.correction(user, movie),
            crowd + self._personal.correction(user, movie),
        )

    def _best_share(self, later: Ratings) -> float:
        """γ = Σ_u mean_u (r − A)(B − A) / Σ_u mean_u (B − A)², A and B being the two parts."""
        of_model, of_crowd = self._parts(later.user, later.movie)
        apart = of_crowd - of_model
        weight = 1 / np.bincount(later.user)[later.user] if len(later) else np.empty(0)
        wanted = (weight * apart) @ (later.stars - of_model) + USUAL_WEIGHT * USUAL_SHARE
        return float(np.clip(wanted / ((weight * apart) @ apart + USUAL_WEIGHT), 0, 1))

    def state_bytes(self) -> int:
        memories = self._personal.state_bytes() + self._errors.state_bytes()
        return memories + (self._model.state_bytes() or 0)


def last_of_each(ratings: Ratings, part: float) -> np.ndarray:
    """bool [n]: the last `part` in time of each person's ratings, rounded down to whole ratings."""
    order = np.lexsort((np.arange(len(ratings)), ratings.time, ratings.user))
    _, start, count = np.unique(ratings.user[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(start, count)
    last = np.zeros(len(order), dtype=bool)
    last[order] = place >= np.repeat(count - np.floor(part * count + 1e-9).astype(int), count)
    return last
