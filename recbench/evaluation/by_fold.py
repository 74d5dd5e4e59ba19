"""A recommender of one user, fitted to each fold of users with the movies of that fold."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from recbench.contract import bytes_of, declared
from recbench.ratings import Ratings

Fit = Callable[[Any, Ratings, int], Any]  # recommender, training ratings, fold -> fitted


class ByFold:
    """Under a learned encoding the bits of a movie come from other folds than the user's own, so a
    movie has other bits for each fold: a copy of the recommender for each, with its own users.

    Args:
        recommender: not fitted yet.
        fold_of: users, int [n] -> the fold of each, int [n].
        folds: how many there are.
    """

    def __init__(
        self, recommender: Any, fold_of: Callable[[np.ndarray], np.ndarray], folds: int
    ) -> None:
        self.asks_for_time = declared(recommender, "asks_for_time")
        self._fold_of = fold_of
        modules = {id(module): module for module in sys.modules.values()}  # one may hold its engine
        self._copies = [deepcopy(recommender, dict(modules)) for _ in range(folds)]
        for method in ("predict_bits", "predict_distribution"):
            if hasattr(recommender, method):
                setattr(self, method, getattr(self, f"_{method}"))

    def fit(self, train: Ratings, fit: Fit) -> None:
        """Fit each copy to the ratings of its own users, with `fit`."""
        fold = self._fold_of(train.user)
        self._copies = [fit(copy, train.take(fold == k), k) for k, copy in enumerate(self._copies)]

    def predict(self, user: np.ndarray, movie: np.ndarray, **asked: Any) -> np.ndarray:
        return self._each("predict", user, movie, asked)

    def _predict_bits(self, user: np.ndarray, movie: np.ndarray, **asked: Any) -> np.ndarray:
        return self._each("predict_bits", user, movie, asked)

    def _predict_distribution(
        self, user: np.ndarray, movie: np.ndarray, **asked: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        grid = self._copies[0].predict_distribution(user[:0], movie[:0], **_none_of(asked))[0]
        return grid, self._each("predict_distribution", user, movie, asked, part=1)

    def _each(
        self,
        method: str,
        user: np.ndarray,
        movie: np.ndarray,
        asked: dict[str, Any],
        part: int | None = None,
    ) -> np.ndarray:
        """What each copy says of its own users, put back in the order asked."""
        fold = self._fold_of(user)
        rows = [np.flatnonzero(fold == k) for k in range(len(self._copies))]
        said = []
        for copy, own in zip(self._copies, rows, strict=True):
            of_own = {name: None if a is None else a[own] for name, a in asked.items()}
            answer = getattr(copy, method)(user[own], movie[own], **of_own)
            said.append(np.asarray(answer if part is None else answer[part]))
        together = np.concatenate(said)
        back = np.argsort(np.concatenate(rows), kind="stable")
        return together[back]

    def state_bytes(self) -> int | None:
        sizes = self._sizes("state_bytes")
        return None if sizes is None else sum(sizes)

    def shared_bytes(self) -> int | None:
        """Of one copy, the largest: a user needs one."""
        sizes = self._sizes("shared_bytes")
        return None if sizes is None else max(sizes)

    def _sizes(self, what: str) -> list[int] | None:
        sizes = [bytes_of(copy, what) for copy in self._copies]
        known = [size for size in sizes if size is not None]
        return known if len(known) == len(sizes) else None

    @property
    def user_notes(self) -> Counter[str]:
        """Of all copies."""
        return sum((Counter(getattr(copy, "user_notes", {})) for copy in self._copies), Counter())


def _none_of(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: None if a is None else a[:0] for name, a in asked.items()}
