"""A recommender fitted to toy data, without a run around it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from recbench.checks.toy_data import toy_ratings
from recbench.contract import Training
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Movies, Ratings


def fit(
    model: Any,
    train: Ratings,
    movies: Movies | None = None,
    item_baseline: ItemBaseline | None = None,
    *,
    item_tables: ItemTables | None = None,
    **more: Any,
) -> Any:
    """`model` fitted to these; `more` are other fields of `Training`, or models fitted already."""
    fields = {name: more[name] for name in more if name in Training.__dataclass_fields__}
    found = {"item_baseline": item_baseline, "item_tables": item_tables, **more}
    fits = {
        name: lambda one=one: one
        for name, one in found.items()
        if one is not None and name not in fields
    }
    return model.fit(Training(train, movies, fits=fits, **fields))


def shuffled_ratings(lengths: list[int], movies: int = 40, seed: int = 4) -> Ratings:
    """As `toy_ratings`, the rows not in the order of time, and some times equal."""
    train, rng = toy_ratings(lengths, movies, seed=seed), np.random.default_rng(seed)
    mixed = train.take(rng.permutation(len(train)))
    return replace(mixed, time=rng.integers(0, 30, len(train)))
