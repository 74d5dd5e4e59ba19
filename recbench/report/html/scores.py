"""The scores that a report can show, as they are called in it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from recbench.report.terminal import MORE_IS_BETTER


@dataclass(frozen=True)
class Score:
    """A column of comparison.csv: its title, and whether more of it is better."""

    name: str
    title: str

    @property
    def more_is_better(self) -> bool:
        return self.name in MORE_IS_BETTER


SCORES = (
    Score("rmse", "RMSE, stars"),
    Score("mae", "MAE, stars"),
    Score("accuracy_mean", "accuracy within one star"),
    Score("auc_like", "AUC of liked movies"),
    Score("ndcg_at_10", "nDCG at 10 of held-out movies"),
    Score("skill_over_bias", "skill over item and user bias"),
    Score("residual_correlation", "correlation of residuals"),
    Score("crps", "CRPS, stars"),
    Score("ranking_ndcg_at_10", "nDCG at 10 of all movies"),
    Score("ranking_recall_at_10", "recall at 10 of all movies"),
)


def scores_of(table: pd.DataFrame) -> list[Score]:
    """Those that the table, rows of comparison.csv, has a number of."""
    return [score for score in SCORES if score.name in table and table[score.name].notna().any()]
