"""Kaggle's The Movies Dataset: found where it lies, or fetched once through kagglehub; read."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from recbench.data.csv_files import check_columns, read_ratings, read_text
from recbench.data.tables import (
    MOVIE_COLUMNS,
    RATING_COLUMNS,
    Source,
    check_ratings,
    clean_links,
    clean_movies,
)
from recbench.errors import InputError

HANDLE = "rounakbanik/the-movies-dataset"
VERSION = 7  # the last one published; pinned, so that the same name is the same data
SILENCE_SECONDS = 30  # no byte arrived for so long: give up
ANSWER_SECONDS = 15  # the same before the first byte

BY_HAND = (
    f"Or fetch https://www.kaggle.com/datasets/{HANDLE} by hand, unpack it, "
    "and give its folder: --dataset FOLDER"
)


def find() -> Path | None:
    """The folder of a whole copy on this machine: mounted by Kaggle, or kept by kagglehub.

    The cache is looked into by hand: kagglehub needs the network to find what it already has
    unless it is asked for a version, and deletes the copy before it fetches when forced.
    """
    mounted = Path("/kaggle/input/the-movies-dataset")
    if (mounted / "ratings.csv").exists():
        return mounted
    kept = _cache_folder() / "datasets" / HANDLE
    marker = kept / f"{VERSION}.complete"
    folder = kept / "versions" / str(VERSION)
    return folder if marker.exists() and (folder / "ratings.csv").exists() else None


def fetch() -> Path:
    """Download the dataset through kagglehub and return its folder.

    Raises:
        InputError: it could not be had; says why and what to do by hand.
    """
    print(f"asking Kaggle for {HANDLE} (it has {ANSWER_SECONDS} seconds to answer) ...", flush=True)
    code = f"import kagglehub; print(kagglehub.dataset_download('{HANDLE}/versions/{VERSION}'))"
    command = [sys.executable, "-c", code]
    output = run_with_deadline(command, _cache_folder(), SILENCE_SECONDS, ANSWER_SECONDS)
    return Path(output.strip().splitlines()[-1])


def run_with_deadline(
    command: list[str], watched: Path, silence_seconds: float, answer_seconds: float
) -> str:
    """What `command` prints; it is ended once `watched` has not grown for `silence_seconds`, or at
    all within `answer_seconds`.

    A process of its own, because a server that accepts and never answers hangs the client.

    Raises:
        InputError: it failed or was ended.
    """
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    size, grown_at, allowed = _size_of(watched), time.monotonic(), answer_seconds
    while process.poll() is None:
        time.sleep(0.1)
        now_size = _size_of(watched)
        if now_size != size:
            size, grown_at, allowed = now_size, time.monotonic(), silence_seconds
        elif time.monotonic() - grown_at > allowed:
            process.kill()
            process.communicate()
            raise InputError(
                f"Kaggle sent nothing for {allowed:.0f} seconds. Try again later. {BY_HAND}"
            )
    output, errors = process.communicate()
    if process.returncode != 0:
        last_line = (errors.strip().splitlines() or ["no reason given"])[-1]
        reason = last_line.split(":")[0].split(".")[-1]  # "ConnectionError", not the whole story
        raise InputError(f"Kaggle cannot be reached ({reason}). {BY_HAND}")
    return output


def _size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _cache_folder() -> Path:
    from kagglehub.config import get_cache_folder  # slow to import, and seldom needed

    return Path(get_cache_folder())


# --- a folder in its layout ---------------------------------------------------------------------


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
    check_columns(ratings_file, tuple(RATING_COLUMNS))
    links: pl.DataFrame | None = None
    link_counts: dict[str, int] = {}
    if links_file:
        links, link_counts = clean_links(read_text(links_file[0], ("movieId", "tmdbId")))
    movies, movie_counts = clean_movies(read_text(metadata_file, MOVIE_COLUMNS))
    if movies.is_empty():
        raise InputError(f"{metadata_file}: no row has a number for its id. Is it the right file?")
    return Source(
        name=name or name_of(folder, ratings_file),
        read_ratings=lambda: check_ratings(read_ratings(ratings_file), ratings_file),
        links=links,
        movies=movies,
        counts=link_counts | movie_counts,
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
