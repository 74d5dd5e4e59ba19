"""The hypotheses of docs/hypotheses.md, tested on their runs -> results/main/hypotheses.csv

A hypothesis is a family of comparisons, written down before its runs: p is corrected for those of
the family together (Holm 1979), whatever else a run has.

    python -m experiments.hypotheses
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from scipy import stats

from experiments.claims import compared
from recbench.command_line import run
from recbench.errors import InputError
from recbench.evaluation.significance import ALPHA, holm
from recbench.files import write_csv

BETTER, BETTER_OR_LEVEL = 0.0, 0.005
LAST = ("ml-1m", "ml-100k", "extract", "movietweetings")
GLOBAL_TIME = ("ml-1m-global-time", "ml-100k-global-time", "movietweetings-global-time")
REFERENCE = {
    "ml-1m": "vb_all_recent",
    "ml-100k": "vb_all_recent",
    "extract": "vb_all_recent",
    "movietweetings": "bayes_fm_implicit",
    "ml-1m-global-time": "bayes_fm",
    "ml-100k-global-time": "vb_all",
    "movietweetings-global-time": "vb_all_recent",
}  # run -> the best of its references on validation ratings, see results/tuning
RANKING = "ranking_ndcg_at_10"
COLUMNS = [
    *("hypothesis", "run", "model", "reference", "score", "users"),
    *("difference", "percent", "low", "high", "two_way_low", "two_way_high"),
    *("p", "p_holm", "p_equivalent", "p_margin", "holds"),
]


@dataclass(frozen=True)
class Hypothesis:
    """That in each pair the model is better than the reference, or loses less than a margin.

    Attributes:
        name: "H1" …
        pairs: run, "model:reference".
        margin: part of the reference's score. 0: the model is better, p < .05 after Holm's
            correction for all pairs. .005: it is better, or level by a test of equivalence with
            that margin. More: the upper end of its loss is below the margin, by a one-sided test,
            corrected likewise.
        score: of significance.csv.
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    margin: float = BETTER
    score: str = "rmse"


def of_runs(model: str, runs: tuple[str, ...], reference: str = "") -> tuple[tuple[str, str], ...]:
    return tuple((one, f"{model}:{reference or REFERENCE[one]}") for one in runs)


HYPOTHESES = (
    Hypothesis("H1", of_runs("personal", LAST)),
    Hypothesis("H2", of_runs("personal", GLOBAL_TIME)),
    Hypothesis("H3", of_runs("ntuple", LAST), BETTER_OR_LEVEL),
    Hypothesis("H4", of_runs("ntuple", GLOBAL_TIME), BETTER_OR_LEVEL),
    Hypothesis("H5", of_runs("ntuple", LAST + GLOBAL_TIME, "personal"), 0.015),
    Hypothesis(
        "H6",
        tuple(
            (one, pair)
            for one in ("ml-1m", "ml-100k", "extract")
            for pair in ("user_mean:ao", "user_mean:torch", "ao:torch", "colab:user_mean")
        ),
    ),
    Hypothesis(
        "H7",
        tuple(
            (one, f"personal:{rival}")
            for one in ("ml-100k", "ml-1m-real-times", "movietweetings")
            for rival in ("bayes_fm_folded", "fold_in")
        ),
        score="stream",
    ),
    Hypothesis(
        "H8",
        tuple(
            (one, f"{ranker}:personal")
            for one in ("ml-1m-ranking", "ml-100k-ranking")
            for ranker in ("ials", "ease_implicit")
        ),
        score=RANKING,
    ),
)


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    results: str = "results"
    """the folder with main/ and continual/, whose runs have their predictions"""
    output: str = "results/main/hypotheses.csv"
    """the table to write; rows of runs that are not there are kept"""


def main(parameters: Parameters) -> None:
    output = Path(parameters.output)
    before = pd.read_csv(output) if output.exists() else pd.DataFrame(columns=COLUMNS)
    parts = [tested(one, Path(parameters.results), before) for one in HYPOTHESES]
    table = pd.concat([one for one in parts if len(one)], ignore_index=True)
    write_csv(table, output)
    print(table.drop(columns=["two_way_low", "two_way_high"]).to_string(index=False))


def tested(one: Hypothesis, results: Path, before: pd.DataFrame) -> pd.DataFrame:
    """A row for each pair; empty unless all runs of the hypothesis are there, or their rows."""
    rows = list(rows_of(one, results, before))
    if len(rows) < len(one.pairs):
        return pd.DataFrame(columns=COLUMNS)
    return judged(one, pd.DataFrame(rows)).reindex(columns=COLUMNS)


def rows_of(one: Hypothesis, results: Path, before: pd.DataFrame) -> Iterator[dict]:
    for folder, pair in one.pairs:
        model, _, reference = pair.partition(":")
        key = {"hypothesis": one.name, "run": folder, "model": model, "reference": reference}
        known = before[(before[list(key)] == list(key.values())).all(axis=1)]
        if one.score == "stream":
            path = results / "continual" / folder
            found = of_stream(path, model, reference) if path.exists() else known
        elif (results / "main" / folder / "predictions.parquet").exists():
            found = compared(results / "main" / folder, (pair,))
            whole = (found["num_users"] == 0) & (found["reviews_per_user"] == 0)
            found = found[whole & (found["score"] == one.score)]
        else:
            found = known
        for row in found.to_dict("records"):
            yield {**row, **key, "score": "rmse" if one.score == "stream" else one.score}


def of_stream(folder: Path, model: str, reference: str) -> pd.DataFrame:
    """Of a replay, in percent of the RMSE of the first learner, which is `model`.

    Raises:
        InputError: the first learner is another.
    """
    table = pd.read_csv(folder / "continual_summary.csv")
    if table["model"].iloc[0] != model:
        raise InputError(f"{folder}: the first learner is not {model}")
    row, rmse = table[table["model"] == reference].iloc[:1], float(table["rmse"].iloc[0])
    percent = {"percent": -row["percent"], "low": -row["high"], "high": -row["low"]}
    stars = {name: rmse / 100 * values for name, values in percent.items()}
    return pd.DataFrame(
        {**stars, "difference": stars["percent"], "percent": percent["percent"]}
    ).assign(p=row["p"], users=row["n_users"])


def judged(one: Hypothesis, rows: pd.DataFrame) -> pd.DataFrame:
    """With `p_holm`, `p_margin` and `holds`: whether the comparison is as the hypothesis says."""
    gain = -rows["difference"] if one.score != RANKING else rows["difference"]
    corrected = holm(rows["p"].to_numpy())
    better = (corrected < ALPHA) & (gain > 0)
    if one.margin == BETTER:
        return rows.assign(p_holm=corrected, holds=better)
    error = (rows["high"] - rows["low"]) / (2 * stats.norm.ppf(0.975))
    reference = 100 * rows["difference"] / rows["percent"]
    if one.margin == BETTER_OR_LEVEL:
        return rows.assign(p_holm=corrected, holds=better | (rows["p_equivalent"] < ALPHA))
    p = holm(stats.norm.sf((one.margin * reference + gain) / error))
    return rows.assign(p_holm=corrected, p_margin=p, holds=p < ALPHA)


if __name__ == "__main__":
    run(main, Parameters)
