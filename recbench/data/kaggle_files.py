"""A folder in the layout of Kaggle's The Movies Dataset."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from recbench.data.tables import (
    MOVIE_COLUMNS,
    RATING_COLUMNS,
    Source,
    check_ratings,
    clean_links,
    clean_movies,
)
from recbench.errors import InputError

LONGEST_HEADING = 200  # signs of it in a message


def read_folder(folder: Path, name: str | None = None, small: bool = False) -> Source:
    """Read `ratings.csv` with `links.csv` where they are, else the `_small` pair, and metadata.

    Args:
        folder: holds the CSV files.
        name: the dataset's name in the results; else made of the folder's and the file's.
        small: take the `_small` pair even where the large one is.

    Raises:
        InputError: a file or column is missing, or a row cannot be used; names file and row.
    """
    if not folder.is_dir():
        raise InputError(
            f"--dataset {folder}: no such folder. Expected one of auto, the-movies-dataset, "
            "the-movies-dataset-small, ml-100k, or a folder with ratings.csv or ratings_small.csv"
        )
    ratings_file, links_file = _choose_pair(folder, small)
    metadata_file = folder / "movies_metadata.csv"
    if not metadata_file.exists():
        raise InputError(f"{folder}: has no movies_metadata.csv. Put the Kaggle file there")
    for file in (ratings_file, links_file, metadata_file):
        if file is not None and not file.is_file():  # a folder, or a pipe that nobody writes to
            raise InputError(f"{file}: is no ordinary file. Expected a CSV file")

    ratings = check_ratings(read_ratings(ratings_file), ratings_file)
    counts = {"ratings": len(ratings), "users": ratings["userId"].n_unique()}
    links = None
    if links_file is not None:
        links, link_counts = clean_links(read_text(links_file, ("movieId", "tmdbId")))
        counts |= link_counts
    movies, movie_counts = clean_movies(read_text(metadata_file, MOVIE_COLUMNS))
    if movies.is_empty():
        raise InputError(f"{metadata_file}: no row has a number for its id. Is it the right file?")
    return Source(
        name=name or f"{folder.resolve().name}/{ratings_file.stem}",
        ratings=ratings,
        links=links,
        movies=movies,
        counts=counts | movie_counts,
        files=tuple(f for f in (ratings_file, links_file, metadata_file) if f is not None),
    )


def _choose_pair(folder: Path, small: bool) -> tuple[Path, Path | None]:
    stems = ("_small",) if small else ("", "_small")
    pairs = [(folder / f"ratings{stem}.csv", folder / f"links{stem}.csv") for stem in stems]
    for ratings_file, links_file in pairs:
        if ratings_file.exists() and links_file.exists():
            return ratings_file, links_file
    for ratings_file, _ in pairs:
        if ratings_file.exists():
            return ratings_file, None
    wanted = " or ".join(ratings_file.name for ratings_file, _ in pairs)
    raise InputError(
        f"{folder}: has no {wanted}. Give a folder with the files of Kaggle's "
        "rounakbanik/the-movies-dataset (--dataset FOLDER), or --dataset ml-100k"
    )


def read_ratings(file: Path) -> pl.DataFrame:
    """userId, movieId, rating and timestamp of a CSV file with such a heading."""
    _check_columns(file, tuple(RATING_COLUMNS))
    try:
        return (
            pl.scan_csv(file, schema_overrides=RATING_COLUMNS, glob=False)
            .select(list(RATING_COLUMNS))
            .collect(engine="streaming")
        )
    except pl.exceptions.PolarsError as error:
        raise InputError(_first_unreadable(file) or _unreadable(file, error)) from None


def _first_unreadable(file: Path) -> str | None:
    """Where the first cell stands that is no number; read again as text to find it."""
    text = read_text(file, tuple(RATING_COLUMNS)).with_row_index("line", offset=2)
    for column, dtype in RATING_COLUMNS.items():
        bad = text.filter(
            pl.col(column).is_not_null() & pl.col(column).cast(dtype, strict=False).is_null()
        )
        if not bad.is_empty():
            line, value = bad["line"][0], bad[column][0]
            whole = "a whole number" if dtype == pl.Int64 else "a number from 0.5 to 5"
            return f"{file}, line {line}: {column} is '{value}'. Expected {whole}"
    return None


def read_text(file: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """The named columns of a CSV file as text. Rows of the wrong length are cut or filled."""
    _check_columns(file, columns)
    try:
        return pl.read_csv(
            file, columns=list(columns), infer_schema=False, truncate_ragged_lines=True, glob=False
        ).select(columns)
    except pl.exceptions.PolarsError as error:
        raise InputError(_unreadable(file, error)) from None


def _unreadable(file: Path, error: Exception) -> str:
    """What a user can do about a file that polars cannot read, and where."""
    damage = _first_damage(file)
    if damage:
        return f"{file}, {damage}"
    reason = str(error).splitlines()[0].split("; ")[0].rstrip(".")
    return f"{file}: is not a CSV file that can be read ({reason}). Save it as CSV in UTF-8 anew"


def _first_damage(file: Path) -> str | None:
    """The line where a CSV file is no text, where a quote is never closed, or that has too many
    cells, and the remedy; None if nothing of that is found."""
    opened = None
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return f"line {number}: is no text in UTF-8. Save the file in UTF-8"
            if line.count(b'"') % 2:
                opened = number if opened is None else None
    if opened is not None:
        return (
            f'line {opened}: a quote (") is opened and not closed, so that the rest of the file is '
            "one cell. Close or remove it"
        )
    with file.open(encoding="utf-8", newline="") as text:
        rows = csv.reader(text)
        width = len(next(rows, []))
        for row in rows:
            if len(row) > width:
                return (
                    f"line {rows.line_num}: has {len(row)} cells, the heading {width}. Mend or "
                    "remove the row"
                )
    return None


def _check_columns(file: Path, columns: tuple[str, ...]) -> None:
    try:
        header = pl.read_csv(
            file, n_rows=0, infer_schema=False, truncate_ragged_lines=True, glob=False
        ).columns
    except pl.exceptions.NoDataError:
        raise InputError(
            f"{file}: is empty. Expected a heading with {', '.join(columns)}"
        ) from None
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{file}: cannot be read ({error})") from None
    if any("\r" in name for name in header):
        raise InputError(
            f"{file}: its lines end with a carriage return alone, as of old on the Macintosh. "
            "Save it with line ends of Unix or Windows"
        )
    missing = [column for column in columns if column not in header]
    if missing:
        raise InputError(
            f"{file}: has no column {', '.join(missing)}; its heading is {_shown(header)}. "
            f"Expected {', '.join(columns)}"
        )


def _shown(header: list[str]) -> str:
    """The heading, not longer than a line or two, with signs that cannot be printed as numbers."""
    text = ", ".join(header)
    return text[:LONGEST_HEADING].encode("unicode_escape").decode("ascii") if text else "empty"
