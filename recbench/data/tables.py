"""The tables of a source, and their cleaning: what cannot be used is counted, never lost silently.

Every function here takes polars frames as read and returns clean ones with the counts of what
was found.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from recbench.data.scanning import check_columns, check_rows, collected, scan_table
from recbench.errors import InputError

RATING_COLUMNS = {
    "userId": pl.Int64,
    "movieId": pl.Int64,
    "rating": pl.Float32,
    "timestamp": pl.Int64,
}
MOVIE_COLUMNS = (
    "id",
    "title",
    "genres",
    "original_language",
    "release_date",
    "runtime",
    "belongs_to_collection",
    "vote_average",
    "vote_count",
)
FEATURES = MOVIE_COLUMNS[2:7]

# Genre names of GroupLens -> of TMDB, where they differ
TMDB_GENRES = {"Children's": "Family", "Children": "Family", "Sci-Fi": "Science Fiction"}
TMDB_GENRES |= {"Musical": "Music"}
LIKELY_TIMES = (631_152_000, 4_102_444_800)  # seconds since 1970: the years 1990 and 2100


@dataclass(frozen=True)
class Source:
    """A dataset as it comes, cleaned but not joined.

    Attributes:
        name: as it stands in the column `dataset` of every CSV.
        read_ratings: reads userId, movieId (MovieLens), rating (0.5 .. 5) and timestamp (seconds
            since 1970), checked, in the order of the file.
        links: movieId -> tmdbId, one row per movieId; None where there is no such file.
        movies: the columns `MOVIE_COLUMNS`, `id` whole and unique; vote_average on TMDB's scale
            of 0 .. 10, votes null where they are to be counted from the ratings.
        counts: what was found and cleaned in links and movies, in the order to print it.
        files: what it was read from, for the fingerprint.
        description: of a table of one's own, what was understood of it.
        unit: how much a star is on the scale of the files; 1: they hold stars.
        users: userId and `user`, the id in the files, where ids are not whole numbers; `movies` has
            a column `item` then, if theirs are not.
    """

    name: str
    read_ratings: Callable[[], pl.DataFrame]
    links: pl.DataFrame | None
    movies: pl.DataFrame
    counts: dict[str, int]
    files: tuple[Path, ...]
    description: str = ""
    unit: float = 1.0
    users: pl.DataFrame | None = None

    @property
    def has_features(self) -> bool:
        """Whether anything is known of the movies but their titles, and votes."""
        return any(self.movies[name].count() for name in FEATURES)

    @property
    def has_votes(self) -> bool:
        """Whether the metadata brings votes from outside; if not they are counted per sample."""
        return self.movies["vote_count"].null_count() < len(self.movies)

    def unit_in_words(self) -> str:
        """What a star is on the scale of the files; "" if they hold stars."""
        if self.unit == 1:
            return ""
        return (
            f"errors are in stars; a star is {self.unit:.4g} on the scale of {self.name}, and "
            "rmse_original and mae_original in comparison.csv are on that scale"
        )

    def fingerprint(self) -> str:
        """SHA-256 over the files read, 16 hexadecimal digits."""
        digest = hashlib.sha256()
        for file in self.files:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()[:16]


def read_ratings(file: Path, halved: bool = False) -> pl.DataFrame:
    """userId, movieId, rating and timestamp of a file with such a heading, or of one of GroupLens's
    without a heading.

    Args:
        halved: its ratings are 0, 1 .. 10; a 0 counts as half a star, the lowest rating here.

    Raises:
        InputError: a column is missing or a row cannot be used; names file and line.
    """
    scan, first_line = scan_table(file, without_heading=tuple(RATING_COLUMNS))
    check_columns(file, scan, tuple(RATING_COLUMNS))
    cells = scan.select(*RATING_COLUMNS).with_row_index("line", first_line)
    number = {name: pl.col(name).cast(kind, strict=False) for name, kind in RATING_COLUMNS.items()}
    if halved:  # what is beyond 10 stays, and is refused
        rating = number["rating"]
        half = pl.when(rating == 0).then(0.5).when(rating <= 10).then(rating / 2)
        number["rating"] = half.otherwise(rating).cast(pl.Float32)
    return check_ratings(collected(file, cells.select(**number)), file, cells)


def check_ratings(
    ratings: pl.DataFrame, file: Path, cells: pl.LazyFrame | None = None
) -> pl.DataFrame:
    """`ratings` itself, if every row can be used.

    Args:
        cells: the rows as they stand in the file, with their `line`; by default as in `ratings`.

    Raises:
        InputError: no rows, a missing value, or a rating off the scale 0.5, 1.0 .. 5.0; it names
            the line of `file`.
    """
    if ratings.is_empty():
        raise InputError(f"{file}: holds no ratings. Expected one row per rating")
    cells = ratings.lazy().with_row_index("line", 2) if cells is None else cells
    doubled = pl.col("rating") * 2
    on_grid = pl.col("rating").is_between(0.5, 5.0) & (doubled == doubled.round())
    whole = "a whole number of 18 digits at most"
    expected = {name: (pl.col(name).is_null(), whole) for name in RATING_COLUMNS}
    expected["rating"] = (~on_grid.fill_null(False), "0.5, 1.0 .. 5.0 stars")
    check_rows(file, ratings, cells, expected)
    unlikely = ratings.filter(~pl.col("timestamp").is_between(*LIKELY_TIMES))["timestamp"]
    if len(unlikely):
        hint = ". Are they milliseconds? Divide them by 1000"
        print(
            f"{file}: {len(unlikely):,} of {len(ratings):,} timestamps are not seconds from 1990 "
            f"to 2100, such as {unlikely[0]}{hint if unlikely[0] > LIKELY_TIMES[1] else ''}"
        )
    return ratings


def clean_links(links: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Links (movieId, tmdbId as text) -> one whole pair per movieId, with counts."""
    pairs = links.select(
        pl.col("movieId").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False),
        pl.col("tmdbId").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False),
    )
    whole = pairs.drop_nulls().unique("movieId", keep="first", maintain_order=True)
    return whole, {
        "links": len(links),
        "links without a tmdbId": pairs["tmdbId"].null_count(),
        "movieIds sharing a tmdbId": int(whole["tmdbId"].is_duplicated().sum()),
    }


def clean_movies(movies: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Metadata (all columns as text) -> typed, one row per id, with counts.

    A row whose id is no number is left out; of rows with the same id the first is kept; a row
    with missing or malformed genres, language or votes stays, with what it has.
    """
    id_number = pl.col("id").str.strip_chars().cast(pl.Int64, strict=False)
    with_id = movies.with_columns(id=id_number).filter(pl.col("id").is_not_null())
    unique = with_id.unique("id", keep="first", maintain_order=True)
    votes = pl.col("vote_average", "vote_count").cast(pl.Float64, strict=False)
    typed = unique.select(MOVIE_COLUMNS).with_columns(
        votes,
        pl.col("runtime").cast(pl.Float64, strict=False),
    )
    genres = typed["genres"]
    malformed = sum(genre_names(text) is None for text in genres.drop_nulls())
    return typed, {
        "movies": len(movies),
        "movies whose id is no number": len(movies) - len(with_id),
        "movies with an id seen before": len(with_id) - len(unique),
        "movies without genres text": genres.null_count(),
        "movies with malformed genres": malformed,
        "movies without votes": typed["vote_count"].null_count(),
    }


def as_metadata(**columns: object) -> pl.DataFrame:
    """Columns (text) of movies among those of Kaggle's metadata, the others empty. `genres` is a
    list of names for each movie, of GroupLens's or TMDB's."""
    lists = columns.pop("genres")
    genres = [str([{"name": TMDB_GENRES.get(one, one)} for one in names]) for names in lists]  # type: ignore[attr-defined]
    table = pl.DataFrame({**columns, "genres": pl.Series(genres, dtype=pl.String)})
    missing = [name for name in MOVIE_COLUMNS if name not in table.columns]
    empty = (pl.lit(None, pl.String).alias(name) for name in missing)
    return table.with_columns(empty).select(MOVIE_COLUMNS)


@lru_cache(maxsize=100_000)  # some thousand different texts stand in 45,000 rows
def genre_names(genres: object) -> tuple[str, ...] | None:
    """The names in a cell of `genres`, a list of dicts as text; None if it is not such a list."""
    try:
        listed = ast.literal_eval(genres)  # type: ignore[arg-type]
        return tuple(str(genre["name"]) for genre in listed)
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        return None
