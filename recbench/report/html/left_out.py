"""What a run does not show: results that failed, and what was not measured."""

from __future__ import annotations

import pandas as pd

from recbench.report.html.run_files import GRID, RunFiles
from recbench.report.html.section import Section
from recbench.report.html.user_sections import PREDICTIONS


def left_out(run: RunFiles) -> Section:
    """Failures as a table, the rest in sentences."""
    failed = run.main[run.main["status"] != "ok"]
    text = [f"{len(failed)} of {len(run.main)} results failed." if len(failed) else _nothing(run)]
    text += _not_measured(run) if run.kind == GRID else _not_replayed(run)
    table = None
    if len(failed):
        error = failed["error"] if "error" in failed else pd.Series("", index=failed.index)
        by_reason = failed.assign(error=error.fillna("")).groupby(["model", "error"], sort=False)
        table = by_reason.size().rename("results").reset_index()
    return Section("left-out", "Failures, and what was left out", text, table)


def _nothing(run: RunFiles) -> str:
    return f"No failures: each of {len(run.main)} results is there."


def _not_measured(run: RunFiles) -> list[str]:
    done, text = run.done, []
    if not (run.folder / PREDICTIONS).is_file():
        text.append(
            "How errors spread over users, and for whom a recommender is better, is left out: "
            f"there is no {PREDICTIONS} beside this file. It holds ratings, so it is not published."
        )
    if not _any(done, "ranking_ndcg_at_10"):
        text.append("Ranking of all movies was not measured: the run was made without --ranking.")
    without = _without(run, "crps")
    if without:
        text.append(f"Without a predictive distribution, so without calibration: {without}.")
    without = _without(run, "bytes_per_user")
    if without:
        text.append(f"Who does not tell the bytes per user: {without}.")
    if run.tables["significance.csv"].empty:
        text.append("There is no significance.csv with differences from a reference.")
    return text


def _not_replayed(run: RunFiles) -> list[str]:
    text = []
    if run.tables["waiting.csv"].empty:
        text.append("The price of waiting is left out: nobody was fitted more than once.")
    return text


def _any(table: pd.DataFrame, column: str) -> bool:
    return column in table and bool(table[column].notna().any())


def _without(run: RunFiles, column: str) -> str:
    """The recommenders that have a result, but nothing in the column."""
    done = run.done
    has = set(done.loc[done[column].notna(), "model"]) if column in done else set()
    return ", ".join(name for name in done["model"].unique() if name not in has)
