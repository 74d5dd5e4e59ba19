"""`always_3`: the prediction that looks at nothing, which any model must beat."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from recbench.contract import Recommender, Training
from recbench.ratings import DEFAULT_STARS


class Always3(Recommender):
    """Three stars for every user and movie."""

    name: ClassVar[str] = "always_3"
    tuned: ClassVar[str] = "nothing to tune"
    learns_from: ClassVar[str] = "user"

    def fit(self, training: Training) -> Self:
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return np.full(len(user), DEFAULT_STARS, dtype=np.float32)

    def state_bytes(self) -> int:
        return 0

    def shared_bytes(self) -> int:
        return 0
