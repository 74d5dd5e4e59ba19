"""Compare chosen recommenders of a finished run with any references -> <run>/claims.csv

`significance.csv` compares every recommender with two references; a claim needs a comparison with
each reference that it names. The bootstrap is the same, on the run's predictions.parquet. p is not
corrected, since a claim defines its own family of comparisons (docs/claim.md). RMSE also has an
interval over users and movies, `two_way_low` and `two_way_high`.

    python -m experiments.claims --run results/my-run --claims personal:ridge,bayes_fm MyModel:ao
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from recbench.command_line import run
from recbench.errors import InputError
from recbench.evaluation.significance import LEVEL, significance
from recbench.files import CELL, write_csv
from recbench.runs.predictions import Predictions

TWO_WAY_RESAMPLES = 2_000
TWO_WAY_AT_ONCE = 200  # resamples of a block


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    run: str
    """the folder of a run of compare_all.py, with its predictions.parquet"""
    claims: tuple[str, ...] = (
        "personal:bayes_fm,svd,bias,colab,ridge,mlp_tuned,user_mean",
        "hybrid_implicit:bayes_fm,svd,bias,personal",
        "personal_median:bayes_fm_median,ridge_median",
        "hybrid_implicit_median:bayes_fm_median,ridge_median",
    )
    """model:reference,reference: pairs to compare, as far as the run has both"""


def main(parameters: Parameters) -> None:
    folder = Path(parameters.run)
    table = compared(folder, parameters.claims)
    write_csv(table, folder / "claims.csv")
    print(f"{len(table)} comparisons in {folder / 'claims.csv'}")


def compared(folder: Path, claims: tuple[str, ...]) -> pd.DataFrame:
    """Each claim in each cell and score of a run: the columns of significance.csv, and `percent`,
    `two_way_low` and `two_way_high` of RMSE.

    Raises:
        InputError: the run has no predictions, or a claim cannot be read.
    """
    predictions = Predictions(folder)
    losses = predictions.losses()
    if losses.empty:
        message = f"--run {folder}: has no predictions.parquet. Give a run of compare_all.py"
        raise InputError(message)
    pairs = pairs_of(claims, set(losses["model"]))
    cells, names = losses[CELL].drop_duplicates(), dict.fromkeys(name for _, name in pairs)
    references = [cells.assign(reference=name, reference_role=name) for name in names]
    table = significance(losses, pd.concat(references, ignore_index=True))
    claimed = pd.MultiIndex.from_frame(table[["model", "reference"]]).isin(pairs)
    table = table[claimed].drop(columns=["reference_role", "p_holm", "verdict"])
    return with_two_way_intervals(with_percent(table, losses), predictions)


def pairs_of(claims: tuple[str, ...], there: set[str]) -> list[tuple[str, str]]:
    """Model and reference of each claim, if the run has both.

    Raises:
        InputError: a claim cannot be read, or the run has both for no claim.
    """
    pairs = []
    for claim in claims:
        model, colon, references = claim.partition(":")
        if not (model and colon and references):
            raise InputError(f"--claims: '{claim}'. Expected model:reference,reference")
        pairs += [(model, reference) for reference in references.split(",")]
    both = [pair for pair in pairs if there.issuperset(pair)]
    if not both:
        models = ", ".join(sorted(there))
        raise InputError(f"--claims: the run has model and reference of no claim, only {models}")
    return both


def with_percent(table: pd.DataFrame, losses: pd.DataFrame) -> pd.DataFrame:
    """Add `percent`, the difference in percent of the reference's error, if the score is RMSE."""
    by_user = losses.groupby([*CELL, "model", "user_id"])["squared_error"].mean()
    rmse = by_user.groupby([*CELL, "model"]).mean() ** 0.5
    key = pd.MultiIndex.from_frame(table[[*CELL, "reference"]])
    percent = 100 * table["difference"].to_numpy() / rmse.loc[key].to_numpy()
    place = list(table.columns).index("difference") + 1
    table.insert(place, "percent", pd.Series(percent, table.index).where(table["score"] == "rmse"))
    return table


def with_two_way_intervals(table: pd.DataFrame, predictions: Predictions) -> pd.DataFrame:
    """Add the interval over users and movies, if the score is RMSE."""
    intervals = {}
    for cell, claimed in table[table["score"] == "rmse"].groupby(CELL, sort=False):
        names = sorted({*claimed["model"], *claimed["reference"]})
        sides = {name: predictions.of(cell, name) for name in names}
        for row in claimed.itertuples():
            intervals[row.Index] = two_way_interval(sides[row.model], sides[row.reference])
    columns = ["two_way_low", "two_way_high"]
    return table.join(pd.DataFrame.from_dict(intervals, orient="index", columns=columns))


def two_way_interval(
    ours: pd.DataFrame, theirs: pd.DataFrame, seed: int = 0, resamples: int = TWO_WAY_RESAMPLES
) -> tuple[float, float]:
    """95 % percentile interval of RMSE(ours) − RMSE(theirs), stars; users *and* movies are drawn.

    The pigeonhole bootstrap (Owen 2007): each resample draws users and, independently, movies with
    replacement; the weight of a rating is the product of how often its user and its movie were
    drawn. In addition to the bootstrap over users, it shows whether a conclusion would hold for
    other movies. It is conservative: its variance includes both that of users and that of movies.

    The RMSE is the root of the mean over users of their mean squared error; a user's iterations
    have equal weight, and a user without a drawn movie is left out of that resample.

    Args:
        ours, theirs: predictions of the same test ratings in the same order: user_id, movie_id,
            iteration, stars, predicted.

    Raises:
        ValueError: their ratings differ.
    """
    key = ["iteration", "user_id", "movie_id"]
    if not np.array_equal(ours[key].to_numpy(), theirs[key].to_numpy()):
        raise ValueError("the two sides are not predictions of the same ratings")
    user, _ = pd.factorize(ours["user_id"])
    movie, _ = pd.factorize(ours["movie_id"])
    shape = (user.max() + 1, movie.max() + 1)
    count = ours.groupby(["iteration", "user_id"])["stars"].transform("count").to_numpy()
    weight = 1.0 / count  # of a rating in its user's mean; iterations have the same total

    def by_user_and_movie(values: np.ndarray) -> sparse.csr_matrix:
        return sparse.csr_matrix((values, (user, movie)), shape=shape)

    weights = by_user_and_movie(weight)
    errors = [
        by_user_and_movie(
            weight * (side["predicted"] - side["stars"]).astype(float).to_numpy() ** 2
        )
        for side in (ours, theirs)
    ]
    rng = np.random.default_rng([seed, 7])
    differences = np.empty(resamples)
    for start in range(0, resamples, TWO_WAY_AT_ONCE):
        part = slice(start, min(start + TWO_WAY_AT_ONCE, resamples))
        size = part.stop - part.start
        users = _times_drawn(rng, shape[0], size)  # (users, resamples)
        movies = _times_drawn(rng, shape[1], size)  # (movies, resamples)
        total = weights @ movies  # (users, resamples)
        there = (total > 0) * users
        rmse = [
            np.sqrt((there * (error @ movies / np.where(total > 0, total, 1))).sum(axis=0))
            / np.sqrt(there.sum(axis=0))
            for error in errors
        ]
        differences[part] = rmse[0] - rmse[1]
    low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _times_drawn(rng: np.random.Generator, n: int, resamples: int) -> np.ndarray:
    """How often each of n is among n drawn with replacement, float64 [n, resamples]."""
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).T.astype(np.float64)


if __name__ == "__main__":
    run(main, Parameters)
