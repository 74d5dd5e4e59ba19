"""A folder in one of the layouts of Kaggle's The Movies Dataset or GroupLens's MovieLens sets.

| layout | ratings | movies |
|---|---|---|
| Kaggle | ratings.csv, links.csv, or the same as ratings_small.csv .. | movies_metadata.csv |
| ml-latest-small, ml-20m, ml-25m, ml-32m | ratings.csv, links.csv | movies.csv |
| ml-1m, ml-10m | ratings.dat, cells parted by :: | movies.dat |
| ml-100k | u.data, cells parted by tabs | u.item |

Features of GroupLens's movies come from Kaggle's metadata if that is on this machine, matched
through links.csv (TMDB ids, else IMDb ids) or, without links, by title and year. Otherwise they
come from the set itself: title, year and genres, and votes counted over the ratings of users
outside the sample.

MovieTweetings has the layout of ml-1m. Its movieId is the number of an IMDb id. Its ratings, 0 to
10, are halved; 0 becomes 0.5, the lowest rating here.
"""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import polars as pl

from recbench.data import kaggle
from recbench.data.item_features import genres_in
from recbench.data.scanning import check_columns, read_text, scan_table
from recbench.data.tables import (
    MOVIE_COLUMNS,
    RATING_COLUMNS,
    Source,
    as_metadata,
    clean_links,
    clean_movies,
    read_ratings,
)
from recbench.errors import InputError

METADATA = "movies_metadata.csv"
GROUPLENS = {"ratings.csv": "movies.csv", "ratings.dat": "movies.dat", "u.data": "u.item"}
U_ITEM_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance"),
    *("Sci-Fi", "Thriller", "War", "Western"),
)
TITLE = r"^(.*?)\s*\((\d{4})[^)]*\)\s*$"  # "Toy Story (1995)"
ARTICLE = re.compile(r"^(.*), (the|a|an|les|la|le|das|der|die|il|el)$")  # "matrix, the"


@dataclass(frozen=True)
class Files:
    """The files of a folder: ratings; a list of movies in GroupLens's layout; links from movieId to
    TMDB id; Kaggle's metadata of movies."""

    ratings: Path
    listed: Path | None
    links: Path | None
    metadata: Path | None

    @property
    def all(self) -> tuple[Path, ...]:
        return tuple(file for file in astuple(self) if file is not None)


def files_of(folder: Path, small: bool = False) -> Files | None:
    """The files in a folder; None if it has none of the layouts.

    Args:
        small: read Kaggle's `_small` pair even if the large one exists.

    Raises:
        InputError: one of them is missing, or is not a regular file.
    """
    metadata = folder / METADATA
    ratings = next((folder / one for one in GROUPLENS if _is_grouplens(folder / one)), None)
    without = any(folder.glob("links*.csv")) and not (folder / "movies.csv").exists()
    if metadata.exists() or (ratings is None and without):
        files = Files(*_kaggle_pair(folder, small), metadata)
        if not metadata.exists():
            raise InputError(f"{folder}: has no {METADATA}. Put the Kaggle file there")
    elif ratings is not None:
        found, links = kaggle.find(), folder / "links.csv"
        files = Files(
            ratings,
            folder / GROUPLENS[ratings.name],
            links if found and links.is_file() else None,
            found and found / METADATA,
        )
        if files.listed and not files.listed.is_file():
            raise InputError(f"{folder}: has no {files.listed.name} beside {ratings.name}")
    else:
        return None
    for file in files.all:
        if not file.is_file():  # a folder, or a pipe that nobody writes to
            raise InputError(f"{file}: is not a regular file. Expected a CSV file")
    return files


def _is_grouplens(ratings: Path) -> bool:
    if not ratings.is_file() or ratings.suffix != ".csv":
        return ratings.is_file()
    with ratings.open("rb") as stream:
        heading = stream.readline(1000)
    return all(name.encode() in heading for name in RATING_COLUMNS)


def _kaggle_pair(folder: Path, small: bool) -> tuple[Path, None, Path | None]:
    stems = ("_small",) if small else ("", "_small")
    pairs = [(folder / f"ratings{stem}.csv", folder / f"links{stem}.csv") for stem in stems]
    there = [pair for pair in pairs if pair[0].exists()]
    for ratings, links in there:
        if links.exists():
            return ratings, None, links
    if there:
        return there[0][0], None, None
    raise InputError(
        f"{folder}: has no {' or '.join(ratings.name for ratings, _ in pairs)}. Give a folder with "
        f"the files of Kaggle's {kaggle.HANDLE} (--dataset FOLDER), or --dataset ml-100k"
    )


def read_files(files: Files, name: str, tweets: bool = False) -> Source:
    """Read the files of a folder.

    Args:
        name: the dataset's name in the results.
        tweets: whether it is MovieTweetings.

    Raises:
        InputError: a column is missing, or a row is invalid; names file and row.
    """
    if files.ratings.suffix == ".csv":
        check_columns(files.ratings, scan_table(files.ratings)[0], tuple(RATING_COLUMNS))
    own = None if files.listed is None else _read_listed(files.listed)
    links: pl.DataFrame | None
    if files.metadata is not None:
        movies, counts = clean_movies(read_text(files.metadata, MOVIE_COLUMNS))
        if movies.is_empty():
            raise InputError(f"{files.metadata}: no row has a number for its id. Is it the right "
                             "file?")  # fmt: skip
        links, of_links = _links(files.links, files.metadata, own, movies, tweets)
        counts = of_links | counts
    else:
        assert own is not None
        movies, counts = clean_movies(
            as_metadata(
                id=own["movieId"].cast(pl.String),
                title=own["title"],
                release_date=own["year"],
                genres=map(genres_in, own["genres"]),
            )
        )
        links = own.select("movieId", tmdbId="movieId")  # one id space
    return Source(
        name=name,
        read_ratings=partial(read_ratings, files.ratings, tweets),
        links=links,
        movies=movies,
        counts=counts,
        files=files.all,
        unit=2.0 if tweets else 1.0,
    )


def _links(
    file: Path | None, metadata: Path, own: pl.DataFrame | None, movies: pl.DataFrame, tweets: bool
) -> tuple[pl.DataFrame | None, dict[str, int]]:
    """movieId -> tmdbId, None without links or titles to match; and counts. `own` is GroupLens's
    list of movies: movieId, title, year."""
    if tweets and own is not None:
        return links_by_imdb(own.select("movieId", imdbId="movieId"), metadata), {}
    if file is not None:
        links, counts = clean_links(read_text(file, ("movieId", "tmdbId")))
        if links.is_empty() and own is not None:
            links = links_by_imdb(read_text(file, ("movieId", "imdbId")), metadata)
        return links, counts
    if own is None:
        return None, {}
    links = links_by_title(own, movies)
    return links, {"movies without a title and year in the metadata": len(own) - len(links)}


def links_by_title(own: pl.DataFrame, movies: pl.DataFrame) -> pl.DataFrame:
    """movieId -> tmdbId of the movies whose title and year belong to exactly one movie and one row
    of the metadata."""
    there = movies.select(tmdbId="id", title="title", year=pl.col("release_date").str.slice(0, 4))
    sides = [
        table.drop_nulls(["title", "year"])
        .with_columns(title=pl.col("title").map_elements(plain_title, return_dtype=pl.String))
        .unique(["title", "year"], keep="none", maintain_order=True)
        for table in (own, there)
    ]
    return sides[0].join(sides[1], on=["title", "year"]).select("movieId", "tmdbId")


def links_by_imdb(imdb_ids: pl.DataFrame, metadata_file: Path) -> pl.DataFrame:
    """movieId -> tmdbId of the movies whose imdbId ("0114709" or 114709) is that of a row of the
    metadata ("tt0114709")."""
    there = read_text(metadata_file, ("id", "imdb_id")).select(
        tmdbId=pl.col("id").cast(pl.Int64, strict=False),
        imdbId=pl.col("imdb_id").str.strip_prefix("tt").cast(pl.Int64, strict=False),
    )
    here = imdb_ids.select(pl.col("movieId", "imdbId").cast(pl.Int64, strict=False))
    once = there.drop_nulls().unique("imdbId", keep="first", maintain_order=True)
    return here.drop_nulls().join(once, on="imdbId").select("movieId", "tmdbId")


def plain_title(title: str) -> str:
    """A title without spelling variants: "the matrix" for "Matrix, The (a.k.a. ..)"."""
    text = re.sub(r"\s*\(.*", "", title.lower()).strip()
    article = ARTICLE.match(text)
    text = f"{article[2]} {article[1]}" if article else text
    return re.sub(r"[^\w]+", " ", text).strip()


def _read_listed(file: Path) -> pl.DataFrame:
    """movieId, title, year (text), genres (names separated by |)."""
    columns = ("movieId", "title", "genres")
    if file.suffix == ".csv":
        listed = read_text(file, columns)
    else:
        text = file.read_bytes().decode("utf-8", errors="replace")
        if "\ufffd" in text:  # the old sets
            text = file.read_bytes().decode("latin-1")
        lines = enumerate(text.splitlines(), start=1)
        rows = [_cells(line, number, file) for number, line in lines if line]
        listed = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    split = listed.select(
        pl.col("movieId").cast(pl.Int64, strict=False),
        pl.coalesce(pl.col("title").str.extract(TITLE, 1), "title").alias("title"),
        pl.col("title").str.extract(TITLE, 2).alias("year"),
        "genres",
    )
    return split.drop_nulls("movieId").unique("movieId", keep="first", maintain_order=True)


def _cells(line: str, number: int, file: Path) -> tuple[str, str, str]:
    """Id, title and genres of a line of movies.dat or u.item."""
    cells = line.split("::") if file.suffix == ".dat" else line.split("|")
    if file.suffix == ".dat" and len(cells) == 3:
        return cells[0], cells[1], cells[2]
    if file.suffix == ".item" and len(cells) == 5 + len(U_ITEM_GENRES):
        names = [name for name, bit in zip(U_ITEM_GENRES, cells[5:], strict=True) if bit == "1"]
        return cells[0], cells[1], "|".join(names)
    raise InputError(f"{file}, line {number}: has {len(cells)} cells. Is it GroupLens's file?")
