"""The bits of each movie. A movie's bits are the same for every recommender."""

from __future__ import annotations

import numpy as np

from recbench.data.dataset import Dataset
from recbench.data.encodings.extended import extended_bits, facts_of
from recbench.data.encodings.published import published_bits
from recbench.ratings import Movies

LEARNED_ENCODINGS = ("learned", "published+learned")  # code bits of an item table after metadata
VOTE_SCALES = {"as_published": 1.0, "halved": 0.5}  # TMDB's 0 .. 10 read as 0 .. 5, or halved


def encode_movies(
    dataset: Dataset,
    vote_scale: str = "halved",
    background: np.ndarray | None = None,
    votes: bool = True,
    cutoff: int | None = None,
    encoding: str = "published",
) -> Movies:
    """The movies of `dataset` with their bits.

    Args:
        vote_scale: for the published encoding: "halved"; or "as_published", a vote average of 0 ..
            10 read as 0 .. 5.
        background: bool [users], the users outside the sample. Without external votes, votes are
            counted over their ratings.
        votes: False hides all votes.
        cutoff: only ratings before this time are counted as votes, in seconds since 1970.
        encoding: "published", 26 bits: genres 10, vote average 3, language 3, vote count 10; or
            "extended", see `recbench.data.encodings.extended`. For "published+learned" and
            "learned" these are the published or extended bits only; learned bits come from an item
            table. If only votes are known of the movies, there are no bits.
    """
    table = dataset.table
    count, average = np.zeros(len(table)), np.zeros(len(table))
    names: tuple[str, ...]
    if votes:
        count, average = external_votes(dataset, background, cutoff)  # average on TMDB's 0 .. 10
    if not dataset.source.has_features:
        bits, names = np.zeros((len(table), 0), dtype=np.uint8), ()
    elif encoding in ("extended", "learned"):
        bits, names = _extended_bits(dataset, count, average, votes)
    else:
        bits, names = published_bits(table, count, average * VOTE_SCALES[vote_scale])
    return Movies(
        bits=bits,
        bit_names=names,
        vote_average=np.where(count > 0, average / 2, np.nan).astype(np.float32),
        vote_count=np.nan_to_num(count).astype(np.float32),
        movie_id=table["movieId"].to_numpy().astype(np.int64),
        title=table["title"].fill_null("").to_numpy(),
    )


def _extended_bits(
    dataset: Dataset, count: np.ndarray, average: np.ndarray, votes: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Thresholds are those of the whole table of movies, rated or not. Counted votes exist for
    rated movies only, so then only these count."""
    movies = facts_of(dataset.table, count, average)
    population, whole = movies, dataset.source.movies
    if votes and dataset.source.has_votes:
        counts, averages = whole["vote_count"], whole["vote_average"]
        population = facts_of(whole, counts.to_numpy(), averages.to_numpy())
    elif not count.any():
        population = facts_of(whole, np.zeros(len(whole)), np.zeros(len(whole)))
    return extended_bits(movies, population)


def external_votes(
    dataset: Dataset, background: np.ndarray | None = None, cutoff: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Vote count and vote average (TMDB's scale of 0 .. 10) of each movie.

    They come from the metadata or, if it has none, from the ratings of the `background` users (bool
    [users]; None: nobody) before the time `cutoff`, if given. Without votes: 0 and 0. Missing in
    the metadata: nan.
    """
    if dataset.source.has_votes:
        count, average = dataset.table["vote_count"], dataset.table["vote_average"]
        return count.to_numpy().astype(float), average.to_numpy().astype(float)
    if background is None:
        background = np.zeros(dataset.n_users, bool)
    ratings, movies = dataset.ratings, len(dataset.table)
    counted = background[ratings.user]  # no rating of anybody else is looked at
    if cutoff is not None:
        counted &= ratings.time < cutoff
    movie, stars = ratings.movie[counted], ratings.stars[counted]
    votes = np.bincount(movie, minlength=movies).astype(np.float64)
    return votes, 2 * np.bincount(movie, stars, movies) / np.maximum(votes, 1)


def channels_as_lists(movies: Movies) -> dict[str, list[list[int]]]:
    """Channel -> the bits of each movie as a list, as in the published interface."""
    if not movies.bit_names:
        return {}
    ends = np.cumsum(list(movies.channels.values()))
    parts = np.split(movies.bits, ends[:-1], axis=1)
    return {channel: part.tolist() for channel, part in zip(movies.channels, parts, strict=True)}
