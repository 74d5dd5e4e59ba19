"""The extended encoding of a movie: more metadata, in finer steps.

`CHANNELS` is the table of channels with their numbers of thresholds and reasons. Bits depend on the
movie and the table of movies, never on ratings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from recbench.data.tables import genre_names

LANGUAGES = ("en", "fr", "de", "ja", "it", "es")
FIRST_YEAR, LAST_YEAR = 1870, 2100  # a release date outside is a typing error


# Channel -> how many thresholds its thermometer has; 0: none, a bit for each name
CHANNELS = {
    "genres": 0,  # of every genre in the table: the published ten leave out animation, war, others
    # the external vote average: the published code has one step a star, and three movies in four
    # lie between 5 and 7.5
    "vote_average": 8,
    # how widely known it is: one hundred votes and two hundred differ more than 800 and 900
    "vote_count": 8,
    "year": 8,  # of release: users prefer some eras, and a neighbouring year is nearer
    "runtime": 4,  # minutes: short, usual, long, very long
    # the original one: the six of the published code, one bit each, so that any two are equally far
    "language": 0,
    "collection": 0,  # whether it belongs to a series: sequels are liked or avoided as such
}


# Channel -> of each movie a number, nan where unknown (float64 [m]), or its names; see `CHANNELS`
Facts = dict[str, Any]


def facts_of(table: pl.DataFrame, votes: np.ndarray, average: np.ndarray) -> Facts:
    """Facts of the m movies in `table` (columns `recbench.data.tables.MOVIE_COLUMNS`).

    Args:
        votes, average: float [m], as in `external_votes`; nan means no votes, with an average of 0.
    """
    released = table["release_date"].str.slice(0, 4).cast(pl.Float64, strict=False)
    votes = np.nan_to_num(votes)
    return {
        "genres": [genre_names(text) or () for text in table["genres"]],
        "vote_average": np.where(votes > 0, np.nan_to_num(average), 0.0),
        "vote_count": votes,
        "year": _known(released, FIRST_YEAR, LAST_YEAR),
        "runtime": _known(table["runtime"].cast(pl.Float64), 1, np.inf),
        "language": [(code,) for code in table["original_language"]],
        "collection": [("yes",) if text else () for text in table["belongs_to_collection"]],
    }


def extended_bits(movies: Facts, population: Facts) -> tuple[np.ndarray, tuple[str, ...]]:
    """The bits of `movies`, by the genres and thresholds of `population`.

    Thresholds are quantiles of the population with movies weighted by the square root of their
    votes: a compromise between the catalogue, mostly movies that hardly anybody has seen, and
    views, mostly of a few hundred movies. Without votes all weights are equal.

    An unknown year or runtime counts as the median, so it is not far from any. Without votes there
    are no vote bits.

    Returns:
        uint8 [m, b], and the meaning of each of the b bits, as "channel:meaning"; see `CHANNELS`. A
        thermometer has fewer bits than levels if thresholds coincide.
    """
    genres = sorted({name for of_movie in population["genres"] for name in of_movie})
    known = {"genres": genres, "language": LANGUAGES, "collection": ("yes",)}
    columns: list[np.ndarray] = []  # each (movies,)
    names: list[str] = []
    for channel, levels in CHANNELS.items():
        values = movies[channel]
        if levels:
            cuts = thresholds(population[channel], np.sqrt(population["vote_count"]), levels)
            if len(cuts):
                values = np.where(np.isnan(values), cuts[len(cuts) // 2], values)
            columns += [values >= cut for cut in cuts]
            names += [f"{channel}:>={cut:g}" for cut in cuts]
        else:
            columns += [np.array([name in own for own in values]) for name in known[channel]]
            names += [f"{channel}:{name}" for name in known[channel]]
    return np.stack(columns, axis=1).astype(np.uint8), tuple(names)


def thresholds(values: np.ndarray, weight: np.ndarray, levels: int) -> np.ndarray:
    """Up to `levels` quantiles of the weighted distribution.

    Args:
        values, weight: float [m]; nan values are left out. If all weights are 0, all are 1.

    Returns:
        float64, ascending and distinct. A threshold that all reach is uninformative and left out.
    """
    known = ~np.isnan(values)
    values, weight = values[known], weight[known]
    if not weight.any():
        weight = np.ones(len(values))
    counted = weight > 0
    if not counted.any():
        return np.empty(0)
    order = np.argsort(values[counted], kind="stable")
    ascending, share = values[counted][order], np.cumsum(weight[counted][order])
    parts = np.arange(1, levels + 1) / (levels + 1) * share[-1]
    cuts = np.unique(ascending[np.searchsorted(share, parts)])
    return cuts[cuts > values.min()]


def _known(column: pl.Series, low: float, high: float) -> np.ndarray:
    """Numbers within low .. high, float64; nan else."""
    numbers = column.fill_null(np.nan).to_numpy().astype(np.float64)
    return np.where((numbers >= low) & (numbers <= high), numbers, np.nan)
