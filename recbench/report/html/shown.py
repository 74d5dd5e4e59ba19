"""Which recommenders the pictures of a page show at first."""

from __future__ import annotations

import pandas as pd

MOST = 14  # recommenders in a picture; of more the lines cannot be told apart
KEPT = 10  # then those of the lowest error


def shown_at_first(models: list[str], done: pd.DataFrame, references: list[str]) -> list[str]:
    """All `models` if they can be told apart; else those of the lowest mean RMSE in the rows
    `done`, and the `references`; in their order."""
    if len(models) <= MOST:
        return models
    mean = done[done["model"].isin(models)].groupby("model")["rmse"].mean()
    kept = {*mean.sort_values(kind="stable").index[:KEPT], *references}
    return [name for name in models if name in kept]
