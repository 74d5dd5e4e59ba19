"""`hybrid`: a collaborative model and the memories of each user, mixed by stacking weights."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from scipy.optimize import nnls

from PerUser.wnn_vote import WnnVote
from recbench.evaluation.holdouts import hold_out_tail
from recbench.item_baseline import ItemBaseline
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recbench.recommender import (
    Options,
    Recommender,
    SideFeatureRecommender,
    build,
    declared,
    fit_on,
)
from recbench.registry import load_recommender

HELD_OUT = 0.2  # of each user's ratings, the last, to find the stacking weights on
PRIOR_WEIGHT = 5.0  # of equal weights: as some hundred users whose parts are .2 stars apart
EXACTLY = 1e4  # the weight of "the stacking weights sum to one"


class Hybrid(Recommender):
    """r̂ = γ₁ (c + memory) + γ₂ (m + the memory of m's residuals) + γ₃ m′(memory as side feature)

    There are two ways of combining a memory and a model, and the memory by itself:

    1. `wnn_vote`: the item baseline c and a user's memory of the residuals from it.
    2. A collaborative model m fitted to all ratings, and a memory as in `WnnVote` of each user's
       residuals r − m. It learns too little: m was fitted to the very ratings that the residuals
       are of, so they are smaller than out of sample.
    3. The same collaborative model with a side feature: for each training rating the
       out-of-sample (prequential) prediction of the first memory, made when it held the earlier
       ratings alone. The model finds out how much that is worth, and for whom. Only for a
       `SideFeatureRecommender`.

    Their errors differ, so a mixture does better than any: stacking (Wolpert 1992; Breiman 1996).
    The stacking weights γ ≥ 0, Σ γ = 1 are found on each user's last fifth of training ratings in
    time: all parts are fitted without it, γ is the least squares solution, each user counting
    once, shrunk to equal weights, and all parts are fitted again to everything. So the better
    parts prevail where they are much better: without background users the memory, without votes
    the model.

    c is fitted here, to the ratings that `fit` is given and, for γ, to those that are left of
    them: the item baseline of the split knows the ratings that γ is found on.

    A user without ratings is predicted γ₁ c + γ₂ m + γ₃ m′(0).

    Args:
        seed: of the collaborative model.
        background: whether there are background users; it then has other settings, see `build`.
        model: the collaborative model: a class, a name, or "file:Class".
        samples: of that model, if its search space has such a setting; None: its own default.
        samples_for_stacking: the same, while γ is looked for.
        regularisation: how many times stronger the shrinkage of the memory of m's residuals is
            than that of `WnnVote`: there is less left to learn, and as much noise in it.
    """

    name: ClassVar[str] = "hybrid"
    learns_from_background: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("seed", "background")
    builds_on: str = "bayes_fm"
    search_space: ClassVar[dict] = {"regularisation": (0.5, 30.0, "log")}
    tuned: ClassVar[str] = "results/tuning/trials"

    def __init__(
        self,
        seed: int = 0,
        background: bool = True,
        model: str | type[Recommender] = "bayes_fm",
        samples: int | None = None,
        samples_for_stacking: int = 60,
        regularisation: float = 5.5,
    ) -> None:
        self._model_class = load_recommender(model) if isinstance(model, str) else model
        if samples is not None or model != type(self).builds_on:
            self.builds_on = ""  # a fitted model of the run would be another one
        self.seed = seed
        self.background = background
        self.samples = samples
        self.samples_for_stacking = samples_for_stacking
        personal = self._personal = WnnVote()
        self._residuals = WnnVote(
            regularisation * personal.shrinkage_bias,
            regularisation * personal.shrinkage_slope,
            regularisation * personal.shrinkage_weights,
            regularisation * personal.shrinkage_kernel,
        )

    def fit(self, train: Ratings, movies: Movies, base: Recommender | None = None) -> Self:
        """`base`: the collaborative model, fitted to `train` already."""
        later = self._last_of_each_user(train)
        self._fit_parts(train.take(~later), movies, self.samples_for_stacking)
        self.stacking_weights = self._best_weights(train.take(later))  # γ, (parts,)
        self._fit_parts(train, movies, self.samples, base)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = self._parts(user, movie) @ self.stacking_weights
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    @staticmethod
    def _last_of_each_user(train: Ratings) -> np.ndarray:
        """bool [n]: rounded down to whole ratings, so that of fewer than five none is held out."""
        order = np.lexsort((np.arange(len(train)), train.time, train.user))
        return hold_out_tail(
            train, order, lambda count: np.floor(HELD_OUT * count + 1e-9).astype(np.int64)
        )

    def _fit_parts(
        self,
        train: Ratings,
        movies: Movies,
        samples: int | None,
        fitted_model: Recommender | None = None,
    ) -> None:
        item_baseline = ItemBaseline.fit(train, movies)
        self._personal.fit(train, movies, item_baseline)
        baseline = self._personal.baseline  # (movies,)

        self._train = train
        self._model = fitted_model or fit_on(self._new_model(samples), train, movies, item_baseline)
        self._residuals.start_from(movies, baseline, train.movie)

        self._stacked = None
        if issubclass(self._model_class, SideFeatureRecommender):
            residual = train.stars.astype(np.float64) - baseline[train.movie]
            said = self._personal.prequential_corrections(train, residual)  # (ratings,)
            self._stacked = self._new_model(samples).fit(train, movies, said)

    def _new_model(self, samples: int | None) -> Recommender:
        settings = {}
        if samples is not None and "samples" in declared(self._model_class, "search_space"):
            settings["samples"] = samples
        options = Options(seed=self.seed, background=self.background)
        return build(self._model_class, options, **settings)

    def _parts(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The prediction of each part for each pair, float64 [n, parts]; not all clipped."""
        user, movie = np.asarray(user), np.asarray(movie)
        self._store_residuals_of(user)
        said = self._personal.correction(user, movie)  # (n,)
        parts = [
            self._personal.baseline[movie] + said,
            self._model.predict(user, movie) + self._residuals.correction(user, movie),
        ]
        if self._stacked is not None:
            parts.append(self._stacked.predict(user, movie, said))
        return np.stack(parts, axis=1).astype(np.float64)

    def _store_residuals_of(self, user: np.ndarray) -> None:
        """Fill the memories of m's residuals of the users asked about, once they are asked about:
        to predict every training rating of every background user takes longer than all else."""
        missing = np.setdiff1d(user, list(self._residuals.memories))
        theirs = self._train.take(np.isin(self._train.user, missing))
        if len(theirs):
            predicted = self._model.predict(theirs.user, theirs.movie)
            self._residuals.store(theirs, theirs.stars.astype(np.float64) - predicted)

    def _best_weights(self, later: Ratings) -> np.ndarray:
        """γ = argmin Σ_u mean_u (r − Σ_k γ_k part_k)² + 5 ‖γ − 1/K‖², float64 [K]."""
        parts = self._parts(later.user, later.movie)  # (n, K)
        kinds = parts.shape[1]
        root = 1 / np.sqrt(np.bincount(later.user)[later.user]) if len(later) else np.empty(0)
        equal = np.full(kinds, np.sqrt(PRIOR_WEIGHT) / kinds)
        rows = [
            (root[:, None] * parts, root * later.stars),
            (np.sqrt(PRIOR_WEIGHT) * np.eye(kinds), equal),
            (np.full((1, kinds), EXACTLY), np.array([EXACTLY])),
        ]
        weights, _ = nnls(np.vstack([x for x, _ in rows]), np.concatenate([y for _, y in rows]))
        return weights / weights.sum()

    def state_bytes(self) -> int:
        memories = 2 * self._personal.state_bytes()  # of as many ratings in either
        models = [self._model] if self._stacked is None else [self._model, self._stacked]
        return memories + sum(model.state_bytes() or 0 for model in models)
