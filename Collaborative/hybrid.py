"""`hybrid_implicit`: the mean of the personal model and the best collaborative one."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from recbench.contract import OnlineRecommender, Training, bytes_of, time_for
from recbench.registry import load_recommender


class HybridImplicit(OnlineRecommender):
    """r̂ = ½ `personal` + ½ `bayes_fm_implicit`

    The collaborative half is trained on everybody, the user included, and has a vector of each user
    and movie. The personal half compares movies by an item table learned without the user, and
    knows the order of the user's ratings. Their errors differ, so their mean is better than either
    (Breiman 1996, "Stacked regressions"). The weights are not fitted, since that would need another
    fit of the collaborative half.

    The personal half learns a rating at once; the other half stays as fitted.

    Args:
        model: the collaborative half: a class, a name, or "file:Class"; None: the one shared by the
            cell.
    """

    name: ClassVar[str] = "hybrid_implicit"
    learns_from: ClassVar[str] = "all"
    has_kernels: ClassVar[bool] = True
    builds_on: ClassVar[str] = "bayes_fm_implicit"
    tuned: ClassVar[str] = "with the item table"

    def __init__(self, model: str | type | None = None) -> None:
        self.model = model

    def fit(self, training: Training) -> Self:
        self._personal = load_recommender("personal")().fit(training)
        self._model = training.fitted(self.model or self.builds_on)
        return self

    def predict(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> np.ndarray:
        modelled = self._model.predict(user, movie, **time_for(self._model, time))
        return (self._personal.predict(user, movie, time) + modelled) / 2

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        self._personal.learn_one(user, movie, stars)

    def state_bytes(self) -> int:
        return self._personal.state_bytes() + (bytes_of(self._model, "state_bytes") or 0)

    def shared_bytes(self) -> int:
        return self._personal.shared_bytes() + (bytes_of(self._model, "shared_bytes") or 0)
