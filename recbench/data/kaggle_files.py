"""A folder in the layout of Kaggle's The Movies Dataset."""

from __future__ import annotations

from pathlib import Path

from recbench.data.csv_files import ratings_of, read_text
from recbench.data.tables import MOVIE_COLUMNS, Source, clean_links, clean_movies
from recbench.errors import InputError


def read_folder(folder: Path, name: str | None = None, small: bool = False) -> Source:
    """Read `ratings.csv` with `links.csv` where they are, else the `_small` pair, and metadata.

    Args:
        folder: holds the CSV files.
        name: the dataset's name in the results; else made of the folder's and the file's.
        small: take the `_small` pair even where the large one is.

    Raises:
        InputError: a file or column is missing, or a row cannot be used; names file and row.
    """
    files = files_of(folder, small)
    ratings_file, *links_file, metadata_file = files
    batches, counts = ratings_of(ratings_file)
    links = None
    if links_file:
        links, link_counts = clean_links(read_text(links_file[0], ("movieId", "tmdbId")))
        counts |= link_counts
    movies, movie_counts = clean_movies(read_text(metadata_file, MOVIE_COLUMNS))
    if movies.is_empty():
        raise InputError(f"{metadata_file}: no row has a number for its id. Is it the right file?")
    return Source(
        name=name or name_of(folder, ratings_file),
        batches=batches,
        links=links,
        movies=movies,
        counts=counts | movie_counts,
        files=files,
    )


def name_of(folder: Path, ratings_file: Path) -> str:
    """What a folder's dataset is called in the results."""
    return f"{folder.resolve().name}/{ratings_file.stem}"


def files_of(folder: Path, small: bool = False) -> tuple[Path, ...]:
    """Those that `read_folder` reads: ratings, links where there are any, metadata.

    Raises:
        InputError: one of them is not there, or is no ordinary file.
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
    files = (ratings_file, *([links_file] if links_file is not None else []), metadata_file)
    for file in files:
        if not file.is_file():  # a folder, or a pipe that nobody writes to
            raise InputError(f"{file}: is no ordinary file. Expected a CSV file")
    return files


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
