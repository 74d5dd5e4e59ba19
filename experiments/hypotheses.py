"""The hypotheses of docs/hypotheses.md, tested on their runs -> results/main/hypotheses.csv

A hypothesis is a family of comparisons, written down before its runs: p is corrected for all
comparisons of the family (Holm 1979), whatever else a run has. A comparison with several references
is one: it holds if it holds against each of them, so its p is the largest of theirs (the
intersection-union test: Berger 1982).

    python -m experiments.hypotheses
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from experiments.claims import compared
from recbench.command_line import run
from recbench.errors import InputError
from recbench.evaluation.significance import ALPHA, LEVEL, MARGIN, holm
from recbench.files import write_csv

# run -> user set, holdout, iterations
RUNS = {
    "ml-1m": ("test", "last", 1),
    "ml-100k": ("test", "last", 3),
    "extract": ("test", "last", 3),
    "movietweetings": ("claim-1", "last", 3),
    "ml-1m-global-time": ("test", "global-time", 3),
    "ml-100k-global-time": ("test", "global-time", 3),
    "movietweetings-global-time": ("claim-2", "global-time", 3),
    "ml-1m-ranking": ("test", "last", 1),
    "ml-100k-ranking": ("test", "last", 1),
}
LAST = ("ml-1m", "ml-100k", "extract", "movietweetings")
GLOBAL_TIME = ("ml-1m-global-time", "ml-100k-global-time", "movietweetings-global-time")
REFERENCES = (
    *("vb_all", "vb_all_recent", "bayes_fm", "bayes_fm_recent"),
    *("bayes_fm_implicit", "bayes_fm_implicit_recent"),
)
UNKNOWN = dict.fromkeys(("difference", "low", "high", "margin", "p"), np.nan)
RANKING = "ranking_ndcg_at_10"
KEY = ["hypothesis", "run", "model", "reference"]
COLUMNS = [
    *(*KEY, "score", "users", "difference", "percent", "low", "high"),
    *("two_way_low", "two_way_high", "margin", "p", "p_holm", "holds"),
]


@dataclass(frozen=True)
class Hypothesis:
    """A claim that in each comparison the model beats the references, or loses less than a margin.

    Attributes:
        name: "H1" …
        comparisons: run, model, references.
        margin: share of the reference's RMSE. 0: the model is better, by the two-sided p of
            significance.csv and the sign. Else its loss is below the margin, by a one-sided test.
        score: "stream" is the RMSE of a replay.
    """

    name: str
    comparisons: tuple[tuple[str, str, tuple[str, ...]], ...]
    margin: float = 0.0
    score: str = "rmse"


def of_runs(model: str, runs: tuple[str, ...], *references: str) -> tuple:
    return tuple((one, model, references) for one in runs)


HYPOTHESES = (
    Hypothesis("H1", of_runs("personal", LAST, *REFERENCES)),
    Hypothesis("H2", of_runs("personal", GLOBAL_TIME, *REFERENCES)),
    Hypothesis("H3", of_runs("ntuple", LAST, *REFERENCES), MARGIN),
    Hypothesis("H4", of_runs("ntuple", GLOBAL_TIME, *REFERENCES), MARGIN),
    Hypothesis("H5", of_runs("ntuple", LAST, "personal"), 0.015),
    Hypothesis(
        "H6",
        (
            *of_runs("user_mean", LAST[:3], "ao"),
            *of_runs("user_mean", LAST[:3], "torch"),
            *of_runs("ao", LAST[:3], "torch"),
            *of_runs("colab", LAST[:3], "user_mean"),
        ),
    ),
    Hypothesis(
        "H7",
        of_runs(
            "personal",
            ("ml-100k", "ml-1m-real-times", "movietweetings"),
            *("bayes_fm_folded", "fold_in"),
        ),
        score="stream",
    ),
    Hypothesis(
        "H8",
        (
            *of_runs("ials", ("ml-1m-ranking", "ml-100k-ranking"), "personal"),
            *of_runs("ease_implicit", ("ml-1m-ranking", "ml-100k-ranking"), "personal"),
        ),
        score=RANKING,
    ),
)


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    results: str = "results"
    """folder with main/ and continual/; the runs there need their predictions"""
    output: str = "results/main/hypotheses.csv"
    """the table to write; its rows of missing runs are kept"""


def main(parameters: Parameters) -> None:
    output = Path(parameters.output)
    before = pd.read_csv(output) if output.exists() else pd.DataFrame(columns=COLUMNS)
    rows = [rows_of(one, Path(parameters.results), before) for one in HYPOTHESES]
    parts = [judged(one, pd.DataFrame(of)) for one, of in zip(HYPOTHESES, rows, strict=True)]
    table = pd.concat([one.reindex(columns=COLUMNS) for one in parts], ignore_index=True)
    write_csv(table, output)
    print(table.drop(columns=["two_way_low", "two_way_high"]).to_string(index=False))


def rows_of(one: Hypothesis, results: Path, before: pd.DataFrame) -> Iterator[dict]:
    """A row per comparison and reference; if run and earlier row are missing, with its key only."""
    for number, (folder, model, references) in enumerate(one.comparisons):
        main = results / "main" / folder
        if one.score != "stream" and (main / "predictions.parquet").exists():
            check_announced(main)
            found = compared(main, (f"{model}:{','.join(references)}",))
            whole = (found["num_users"] == 0) & (found["reviews_per_user"] == 0)
            found = found[whole & (found["score"] == one.score)]
        elif one.score == "stream" and (results / "continual" / folder).exists():
            found = of_stream(results / "continual" / folder, model)
        else:
            found = before[(before[KEY[:3]] == [one.name, folder, model]).all(axis=1)]
        there = found.set_index("reference").to_dict("index")
        for reference in references:
            key = dict(zip(KEY, (one.name, folder, model, reference), strict=True))
            score = "rmse" if one.score == "stream" else one.score
            yield {**UNKNOWN, **there.get(reference, {}), **key, "score": score, "of": number}


def check_announced(folder: Path) -> None:
    """Raises InputError unless users, holdout and iterations are those of `RUNS`."""
    parameters = json.loads((folder / "run.json").read_text())["parameters"]
    found = tuple(parameters[name] for name in ("user_set", "holdout", "iterations"))
    announced = RUNS[folder.name]
    if tuple(one or "last" for one in found) != announced:
        raise InputError(f"{folder}: was run with {found}. The hypotheses announce {announced}")


def of_stream(folder: Path, model: str) -> pd.DataFrame:
    """The differences of a replay's first learner, `model`, from the others: in stars, and in
    percent of the other's RMSE.

    Raises:
        InputError: `model` is not the first learner.
    """
    table = pd.read_csv(folder / "continual_summary.csv")
    if table["model"].iloc[0] != model:
        raise InputError(f"{folder}: the first learner is not {model}")
    others = table.iloc[1:].drop_duplicates("model")
    stars = -table["rmse"].iloc[0] / 100 * others[["percent", "high", "low"]]
    stars.columns = pd.Index(["difference", "low", "high"])
    about = {"reference": others["model"], "users": others["n_users"], "p": others["p"]}
    return pd.DataFrame({**about, **stars, "percent": 100 * stars["difference"] / others["rmse"]})


def judged(one: Hypothesis, rows: pd.DataFrame) -> pd.DataFrame:
    """Add `p` of the hypothesis, and `p_holm` and `holds` of each comparison, equal for all of its
    references; empty if one of the family has not been run."""
    gain = rows["difference"] if one.score == RANKING else -rows["difference"]
    p = rows["p"].where(gain > 0, 1.0)
    if one.margin:
        error = (rows["high"] - rows["low"]) / (2 * stats.norm.ppf((1 + LEVEL) / 2))
        t = (rows["margin"] / MARGIN * one.margin + gain) / error
        p = pd.Series(stats.t.sf(t.astype(float), rows["users"].astype(float) - 1))
    rows = rows.assign(p=p.where(rows["difference"].notna()), p_holm=np.nan, holds=None)
    if rows["p"].isna().any():
        return rows
    largest = rows.groupby("of")["p"].max()
    corrected = pd.Series(holm(largest.to_numpy()), largest.index)
    return rows.assign(p_holm=rows["of"].map(corrected), holds=rows["of"].map(corrected < ALPHA))


if __name__ == "__main__":
    run(main, Parameters)
