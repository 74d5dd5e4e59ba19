"""`hybrid`: a collaborative model and personal memories, as much of each as has proved good."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
from scipy.optimize import nnls

from PerUser.wnn_vote import WnnVote
from ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recommender import Recommender, build, load_recommender

HELD_OUT = 0.2  # of each person's ratings, the last, to find the shares on
USUAL_WEIGHT = 5.0  # of the usual shares: as some hundred people whose parts are .2 stars apart
EXACTLY = 1e4  # the weight of "the shares sum to one"


class Hybrid(Recommender):
    """r̂ = γ₁ (c + memory) + γ₂ (m + the memory of m's errors) + γ₃ m′(what the memory says)

    There are two ways of laying a memory and a model over each other, and the memory by itself:

    1. `wnn_vote`: the crowd's opinion c and a person's memory of what was given beyond it.
    2. A collaborative model m fitted to everybody's ratings, and a memory as in `WnnVote` of each
       person's surprises r − m. It learns too little: m was fitted to the very ratings that its
       surprises are of, and knows a part of each by heart.
    3. The same collaborative model, told what the first memory says, as a feature: for each
       training rating what it said when it held the earlier ones alone, so that nothing is known
       by heart. The model finds out how much that is worth, and for whom. Only for a model that
       can be told (`fit(train, movies, told)`).

    Their errors differ, so a mixture does better than any. γ ≥ 0, Σ γ = 1 is found on ratings that
    were not learned from, each person's last fifth in time: all parts are fitted without them, γ is
    the least squares solution, each person counting once, shrunk to equal shares, and all are
    fitted again to everything. So the better parts prevail where they are much better: without
    other people's ratings the memory, without votes the model.

    c is the opinion of the training ratings that it is given, other people's among them; the one
    that movies bring along knows the ratings that γ is found on.

    Somebody without ratings is predicted γ₁ c + γ₂ m + γ₃ m′(0): the memories come in as they fill.

    Args:
        seed: of the collaborative model.
        base: the collaborative model: a class, a name of `recommender.RECOMMENDERS`, or
            "file:Class".
        samples: of that model, if it samples; None: its own default.
        samples_for_shares: the same, while the shares are looked for.
        doubt: how many times stronger the priors of the memory of m's errors are than those of
            `WnnVote`: there is less left to learn, and as much noise in it.
    """

    learns_from_others: ClassVar[bool] = True

    tuned: ClassVar[str] = "results/sample-tuning"  # where the trials of the defaults are

    # What a tuner may choose from.
    search_space: ClassVar[dict] = {"doubt": (0.5, 30.0, "log")}

    def __init__(
        self,
        seed: int = 0,
        base: str | type[Recommender] = "bayes_fm",
        samples: int | None = None,
        samples_for_shares: int = 60,
        doubt: float = 5.5,
    ) -> None:
        self._base = load_recommender(base) if isinstance(base, str) else base
        self._can_be_told = "told" in inspect.signature(self._base.fit).parameters
        self.seed = seed
        self.samples = samples
        self.samples_for_shares = samples_for_shares
        personal = self._personal = WnnVote()
        self._errors = WnnVote(
            doubt * personal.prior_mean,
            doubt * personal.prior_bent,
            doubt * personal.prior_taste,
            doubt * personal.prior_vote,
        )

    def fit(self, train: Ratings, movies: Movies) -> Self:
        later = last_of_each(train, HELD_OUT)
        self._fit_parts(train.take(~later), movies, self.samples_for_shares)
        self.shares = self._best_shares(train.take(later))  # (parts,)
        self._fit_parts(train, movies, self.samples)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = self._parts(user, movie) @ self.shares
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def _fit_parts(self, train: Ratings, movies: Movies, samples: int | None) -> None:
        options = {"seed": self.seed} | ({} if samples is None else {"samples": samples})
        stars = train.stars.astype(np.float64)
        movies = replace(movies, crowd_opinion=None)  # that of `train` alone: no rating held out
        self._personal.fit(train, movies)
        crowd = self._personal.crowd

        self._model = build(self._base, **options).fit(train, movies)
        self._errors.start(movies, crowd, train.movie)
        self._errors.remember(train, stars - self._model.predict(train.user, train.movie))

        if self._can_be_told:
            said = self._personal.corrections_before(train, stars - crowd[train.movie])
            self._listener = build(self._base, **options).fit(train, movies, told=said)

    def _parts(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """What the parts say of each pair, float64 [n, parts]; not all clipped."""
        user, movie = np.asarray(user), np.asarray(movie)
        said = self._personal.correction(user, movie)  # (n,)
        parts = [
            self._personal.crowd[movie] + said,
            self._model.predict(user, movie) + self._errors.correction(user, movie),
        ]
        if self._can_be_told:
            parts.append(self._listener.predict(user, movie, told=said))
        return np.stack(parts, axis=1).astype(np.float64)

    def _best_shares(self, later: Ratings) -> np.ndarray:
        """γ = argmin Σ_u mean_u (r − Σ_k γ_k part_k)² + 5 ‖γ − 1/K‖², float64 [K]."""
        parts = self._parts(later.user, later.movie)  # (n, K)
        kinds = parts.shape[1]
        root = 1 / np.sqrt(np.bincount(later.user)[later.user]) if len(later) else np.empty(0)
        rows = [
            (root[:, None] * parts, root * later.stars),
            (np.sqrt(USUAL_WEIGHT) * np.eye(kinds), np.full(kinds, np.sqrt(USUAL_WEIGHT) / kinds)),
            (np.full((1, kinds), EXACTLY), np.array([EXACTLY])),
        ]
        shares, _ = nnls(np.vstack([x for x, _ in rows]), np.concatenate([y for _, y in rows]))
        return shares / shares.sum()

    def state_bytes(self) -> int:
        memories = self._personal.state_bytes() + self._errors.state_bytes()
        models = [self._model, self._listener] if self._can_be_told else [self._model]
        return memories + sum(model.state_bytes() or 0 for model in models)


def last_of_each(ratings: Ratings, part: float) -> np.ndarray:
    """bool [n]: the last `part` in time of each person's ratings, rounded down to whole ratings."""
    order = np.lexsort((np.arange(len(ratings)), ratings.time, ratings.user))
    _, start, count = np.unique(ratings.user[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(start, count)
    last = np.zeros(len(order), dtype=bool)
    last[order] = place >= np.repeat(count - np.floor(part * count + 1e-9).astype(int), count)
    return last
