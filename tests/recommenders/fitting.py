"""A recommender fitted to toy data, without a run around it."""

from __future__ import annotations

from typing import Any

from recbench.contract import Training
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings


def fit(
    model: Any,
    train: Ratings,
    movies: Movies | None = None,
    item_baseline: ItemBaseline | None = None,
    **more: Any,
) -> Any:
    """`model` fitted to these; `more` are other fields of `Training`."""
    fits = {"item_baseline": lambda: item_baseline} if item_baseline is not None else {}
    return model.fit(Training(train, movies, fits=fits, **more))
