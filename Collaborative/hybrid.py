"""`hybrid`: the mean of a personal model and a collaborative one that remembers its errors."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from PerUser.personal import Memory, Personal, histories, remember, rows_by_user
from recbench.contract import OnlineRecommender, Training, bytes_of, time_for
from recbench.models.item_kernel import MovieKernel
from recbench.models.item_table.kernel import Scales
from recbench.ratings import MAX_STARS, MIN_STARS
from recbench.registry import load_recommender


class Hybrid(OnlineRecommender):
    """r̂ = ½ personal + ½ (m + memory of m's errors)

    m is a collaborative model fitted to all ratings, those of the user among them. The errors
    r − m of a user's ratings are remembered as in `Personal`: a Gaussian process on the same movie
    table. m was fitted to the very ratings that its errors are of, so less is to be learned from
    them: the kernel is smaller, most of all in what m knows best. What is left is mostly drift, and
    likeness in metadata.

    The two halves differ in what they know: m has the user's ratings in its own movie vectors, and
    `Personal` has its own opinion of how alike movies are. Their errors differ, so their mean does
    better than either (Breiman 1996, "Stacked regressions"). The halves are not fitted: finding
    weights would cost another fit of m.

    A rating is learned by both memories at once; m stays as it was fitted.

    Args:
        model: the collaborative model: a class, a name, or "file:Class". The default one is that
            of the cell, which is fitted once.
        share_of_likeness, share_of_metadata: of the kernel of `Personal`, in that of the errors;
            drift is the same.
        noise: of the errors, in that of `Personal`.
    """

    name: ClassVar[str] = "hybrid"
    learns_from: ClassVar[str] = "all"
    has_kernels: ClassVar[bool] = True
    builds_on: str = "bayes_fm"
    tuned: ClassVar[str] = "with the item table"

    def __init__(
        self,
        model: str | type | None = None,
        share_of_likeness: float = 0.25,
        share_of_metadata: float = 0.5,
        noise: float = 1.3,
    ) -> None:
        model = type(self).builds_on if model is None else model
        self._model_class = load_recommender(model) if isinstance(model, str) else model
        if model != type(self).builds_on:
            self.builds_on = ""  # a fitted model of the run would be another one
        self.share_of_likeness = share_of_likeness
        self.share_of_metadata = share_of_metadata
        self.noise = noise

    def fit(self, training: Training) -> Self:
        train, movies, item_tables = training.all_ratings, training.movies, training.item_tables
        self._model = training.fitted(self._model_class)
        self._personal = Personal().fit(training)
        self._tables = item_tables
        self._kernels = [
            Personal.kernel_of(replace(table, scales=self._of_errors(table.scales)), movies)
            for table in item_tables.tables
        ]
        self._train = train
        self._history = dict(histories(train))
        self._memories: dict[int, Memory] = {}  # of m's errors, of users asked about one by one
        self._last = (-1, -1, 0.0)  # user, movie, and what m said
        return self

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        error = stars - self._modelled(user, movie)
        remember(self._kernel(user), self._memory_of_errors(user), movie, error)
        self._personal.learn_one(user, movie, stars)

    def predict_one(self, user: int, movie: int) -> float:
        kernel, memory, one = self._kernel(user), self._memory_of_errors(user), np.array([movie])
        modelled = self._modelled(user, movie)
        if memory.process is not None:
            asked = kernel.asked(one, memory.movie, memory.patterns)
            modelled += float(memory.process.ask(asked, kernel.variance(one))[0][0])
        personal, _ = self._personal.predict_normal(np.array([user]), one)
        return float(min(max((modelled + personal[0]) / 2, MIN_STARS), MAX_STARS))

    def _memory_of_errors(self, user: int) -> Memory:
        """Of a user's ratings so far, and what follows from it; kept for the next question."""
        if user not in self._memories:
            rated = self._train.movie[self._history.get(user, np.empty(0, dtype=np.int64))]
            errors = self._errors_of(np.array([user])).get(user, np.empty(0))
            kernel = self._kernel(user)
            memory = Memory(kernel.stored(rated), rated, errors)
            if len(rated):
                memory.process = kernel.process(rated, memory.patterns, errors)
            self._memories[user] = memory
        return self._memories[user]

    def _kernel(self, user: int) -> MovieKernel:
        return self._kernels[self._tables.fold_of(user)]

    def _modelled(self, user: int, movie: int) -> float:
        """What m says, as it was fitted. A rating is mostly learned after it was asked for."""
        if self._last[:2] != (user, movie):
            stars = float(self._model.predict(np.array([user]), np.array([movie]))[0])
            self._last = (user, movie, stars)
        return self._last[2]

    def _of_errors(self, scales: Scales) -> Scales:
        """The scales of the kernel of m's errors, from those of stars."""
        return Scales(
            level=self.share_of_likeness * scales.level,
            likeness=self.share_of_likeness * scales.likeness,
            metadata=self.share_of_metadata * scales.metadata,
            slope=self.share_of_likeness * scales.slope,
            drift=scales.drift,
            noise=self.noise * scales.noise,
        )

    def predict(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        modelled = self._model.predict(user, movie, **time_for(self._model, time))
        modelled = modelled.astype(np.float64) + self._expected_errors(user, movie)
        personal, _ = self._personal.predict_normal(user, movie)
        return ((modelled + personal) / 2).clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def _expected_errors(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """What to add to m, float64 [n]; 0 for a user without ratings.

        The errors of a user are looked at when the user is asked about: to predict every training
        rating of every background user takes longer than all else.
        """
        expected = np.zeros(len(user))
        unchanged = np.setdiff1d(user, list(self._memories))
        errors = self._errors_of(unchanged)
        waiting: dict[int, list[tuple[int, np.ndarray]]] = {}  # by item table: user and rows
        for one, rows in rows_by_user(user):
            kernel, memory = self._kernel(one), self._memories.get(one)
            if memory is not None and memory.process is not None:
                asked = kernel.asked(movie[rows], memory.movie, memory.patterns)
                expected[rows], _ = memory.process.ask(asked, kernel.variance(movie[rows]))
            elif one in errors:
                waiting.setdefault(self._tables.fold_of(one), []).append((one, rows))
        for fold, users in waiting.items():
            expected[np.concatenate([rows for _, rows in users])], _ = self._kernels[
                fold
            ].posteriors(
                [self._train.movie[self._history[one]] for one, _ in users],
                [errors[one] for one, _ in users],
                [movie[rows] for _, rows in users],
                variance=False,
            )
        return expected

    def _errors_of(self, users: np.ndarray) -> dict[int, np.ndarray]:
        """r − m of the ratings of each of these users that has any, in the order of time."""
        histories_of = {int(u): self._history[int(u)] for u in users if int(u) in self._history}
        if not histories_of:
            return {}
        theirs = self._train.take(np.concatenate(list(histories_of.values())))
        said = self._model.predict(theirs.user, theirs.movie, **time_for(self._model, theirs.time))
        ends = np.cumsum([len(rows) for rows in histories_of.values()])
        errors = np.split(theirs.stars.astype(np.float64) - said, ends[:-1])
        return dict(zip(histories_of, errors, strict=True))

    def state_bytes(self) -> int:
        errors = 4 * sum(len(rows) for rows in self._history.values())
        return errors + self._personal.state_bytes() + (bytes_of(self._model, "state_bytes") or 0)

    def shared_bytes(self) -> int:
        return self._personal.shared_bytes() + (bytes_of(self._model, "shared_bytes") or 0)


class HybridImplicit(Hybrid):
    """`Hybrid` over the model that also knows who rated what."""

    name: ClassVar[str] = "hybrid_implicit"
    builds_on: str = "bayes_fm_implicit"
