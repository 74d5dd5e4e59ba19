"""`hybrid`: the mean of a personal model and a collaborative one that remembers its errors."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from recbench.contract import OnlineRecommender, Training, bytes_of, time_for
from recbench.models.item_table.scales import Scales
from recbench.models.memories import Memories, histories
from recbench.ratings import MAX_STARS, MIN_STARS
from recbench.registry import load_recommender


class Hybrid(OnlineRecommender):
    """r̂ = ½ personal + ½ (m + memory of m's errors)

    m is a collaborative model fitted to all ratings, those of the user among them. The errors
    r − m of a user's ratings are remembered as `personal` remembers residuals from the item
    table: a Gaussian process on the same table. m was fitted to the very ratings that its errors
    are of, so less is to be learned from them: the kernel is smaller, most of all in what m knows
    best. What is left is mostly drift, and similarity in metadata.

    The two halves differ in what they know: m has the user's ratings in its own movie vectors, and
    the personal half compares movies by the item table. Their errors differ, so their mean does
    better than either (Breiman 1996, "Stacked regressions"). The halves are not fitted: finding
    weights would cost another fit of m.

    A rating is learned by both memories at once; m stays as it was fitted.

    Args:
        model: the collaborative model: a class, a name, or "file:Class". The default one is that
            of the cell, which is fitted once.
        share_of_similarity, share_of_metadata: of the kernel of the personal half, in that of the
            errors; drift is the same.
        noise: of the errors, in that of the personal half.
    """

    name: ClassVar[str] = "hybrid"
    learns_from: ClassVar[str] = "all"
    has_kernels: ClassVar[bool] = True
    builds_on: str = "bayes_fm"
    tuned: ClassVar[str] = "with the item table"

    def __init__(
        self,
        model: str | type | None = None,
        share_of_similarity: float = 0.25,
        share_of_metadata: float = 0.5,
        noise: float = 1.3,
    ) -> None:
        model = type(self).builds_on if model is None else model
        self._model_class = load_recommender(model) if isinstance(model, str) else model
        if model != type(self).builds_on:
            self.builds_on = ""  # a fitted model of the run would be another one
        self.share_of_similarity = share_of_similarity
        self.share_of_metadata = share_of_metadata
        self.noise = noise

    def fit(self, training: Training) -> Self:
        train, tables, movies = training.all_ratings, training.item_tables, training.movies
        self._model = training.fitted(self._model_class)
        self._train, self._history = train, dict(histories(train))
        self._personal = Memories(tables, movies)
        for user, rows in self._history.items():
            self._personal.store(user, train.movie[rows], train.stars[rows])
        # of users predicted so far
        self._errors = Memories(tables, movies, self._of_errors, with_mean=False)
        self._last = (-1, -1, 0.0)  # user, movie, and m's prediction
        return self

    def _of_errors(self, scales: Scales) -> Scales:
        """The scales of the kernel of m's errors, from those of stars."""
        return Scales(
            loading=self.share_of_similarity * scales.loading,
            similarity=self.share_of_similarity * scales.similarity,
            metadata=self.share_of_metadata * scales.metadata,
            slope=self.share_of_similarity * scales.slope,
            drift=scales.drift,
            uncertainty=self.noise * scales.uncertainty,
            noise=self.noise * scales.noise,
        )

    def _remember_errors(self, users: np.ndarray) -> None:
        """r − m of the ratings of these users. m predicts them when they are first needed: those
        of every background user take longer than all else."""
        new = [int(one) for one in np.unique(users) if int(one) not in self._errors]
        histories_of = [self._history[one] for one in new if one in self._history]
        if not histories_of:
            return
        theirs = self._train.take(np.concatenate(histories_of))
        predicted = self._model.predict(
            theirs.user, theirs.movie, **time_for(self._model, theirs.time)
        )
        errors = theirs.stars.astype(np.float64) - predicted
        ends = np.cumsum([len(rows) for rows in histories_of])[:-1]
        for rows, own in zip(histories_of, np.split(errors, ends), strict=True):
            self._errors.store(int(self._train.user[rows[0]]), self._train.movie[rows], own)

    def predict(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        modelled = self._model.predict(user, movie, **time_for(self._model, time))
        self._remember_errors(user)
        error, _ = self._errors.predict(user, movie, with_variance=False)
        personal, _ = self._personal.predict(user, movie, with_variance=False)
        mean = (modelled.astype(np.float64) + error + personal) / 2
        return mean.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def predict_one(self, user: int, movie: int) -> float:
        self._remember_errors(np.array([user]))
        modelled = self._modelled(user, movie) + self._errors.predict_one(user, movie)
        personal = self._personal.predict_one(user, movie)
        return float(min(max((modelled + personal) / 2, MIN_STARS), MAX_STARS))

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        self._remember_errors(np.array([user]))
        self._errors.learn(user, movie, stars - self._modelled(user, movie))
        self._personal.learn(user, movie, float(np.float32(stars)))

    def _modelled(self, user: int, movie: int) -> float:
        """m's prediction. A rating is mostly learned right after it was predicted."""
        if self._last[:2] != (user, movie):
            stars = float(self._model.predict(np.array([user]), np.array([movie]))[0])
            self._last = (user, movie, stars)
        return self._last[2]

    def state_bytes(self) -> int:
        errors = 4 * sum(len(rows) for rows in self._history.values())
        return errors + self._personal.state_bytes() + (bytes_of(self._model, "state_bytes") or 0)

    def shared_bytes(self) -> int:
        return self._personal.shared_bytes() + (bytes_of(self._model, "shared_bytes") or 0)


class HybridImplicit(Hybrid):
    """`Hybrid` over the model that also knows who rated what."""

    name: ClassVar[str] = "hybrid_implicit"
    builds_on: str = "bayes_fm_implicit"
