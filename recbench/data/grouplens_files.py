"""A folder in one of the layouts of GroupLens's MovieLens sets.

| layout | ratings | movies |
|---|---|---|
| since 2013 (ml-latest-small, ml-20m, ml-25m, ml-32m) | ratings.csv | movies.csv, links.csv |
| ml-1m, ml-10m | ratings.dat, cells parted by :: | movies.dat |
| ml-100k | u.data, cells parted by tabs | u.item |

What a movie is comes from Kaggle's metadata where that is on this machine, found through links.csv
(its TMDB ids, or if it has none its IMDb ids) or, where a set has no links, by title and year; else
from the set itself: title, year and genres, and votes counted over the ratings of users outside the
sample.

MovieTweetings has the layout of ml-1m. Its movieId is the number of an IMDb id. Its ratings, 0 to
10, are halved; a 0 counts as 0.5, the lowest rating here.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import polars as pl

from recbench.data import kaggle
from recbench.data.csv_files import (
    check_columns,
    read_ratings,
    read_text,
    unreadable_cell,
)
from recbench.data.scanning import collected, scan_table
from recbench.data.tables import (
    MOVIE_COLUMNS,
    RATING_COLUMNS,
    Source,
    as_metadata,
    check_ratings,
    clean_links,
    clean_movies,
)
from recbench.errors import InputError

NO_GENRES = "(no genres listed)"
U_ITEM_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance"),
    *("Sci-Fi", "Thriller", "War", "Western"),
)
TITLE = re.compile(r"^(.*?)\s*\((\d{4})[^)]*\)\s*$")  # "Toy Story (1995)"
ARTICLE = re.compile(r"^(.*), (the|a|an|les|la|le|das|der|die|il|el)$")  # "matrix, the"


def is_grouplens(folder: Path) -> bool:
    """Whether the folder is laid out like one of GroupLens's sets."""
    file = _ratings_file(folder)
    if file is None or file.suffix != ".csv":
        return file is not None
    with file.open("rb") as stream:
        heading = stream.readline(1000)
    return all(name.encode() in heading for name in RATING_COLUMNS)


def read_grouplens(folder: Path, name: str, tweets: bool = False) -> Source:
    """Read a set.

    Args:
        name: the dataset's name in the results.
        tweets: whether it is MovieTweetings.

    Raises:
        InputError: a file or column is missing, or a row cannot be used; names file and row.
    """
    files = files_of(folder)
    ratings_file, movies_file, *more = files
    if ratings_file.suffix == ".csv":
        check_columns(ratings_file, tuple(RATING_COLUMNS))
    own = _read_movies(movies_file)  # movieId, title, year, genres
    if more:
        *links_file, metadata_file = more
        movies, movie_counts = clean_movies(read_text(metadata_file, MOVIE_COLUMNS))
        link_counts: dict[str, int] = {}
        if links_file:
            links, link_counts = clean_links(read_text(links_file[0], ("movieId", "tmdbId")))
        if tweets:
            links = links_by_imdb(own.select("movieId", imdbId="movieId"), metadata_file)
        elif links_file and links.is_empty():
            links = links_by_imdb(read_text(links_file[0], ("movieId", "imdbId")), metadata_file)
        elif not links_file:
            links = links_by_title(own, movies)
            link_counts = {"movies without a title and year in the metadata": len(own) - len(links)}
    else:
        link_counts = {}
        movies, movie_counts = clean_movies(
            as_metadata(
                id=own["movieId"].cast(pl.String),
                title=own["title"],
                release_date=own["year"],
                genres=[
                    [word for word in (names or "").replace(NO_GENRES, "").split("|") if word]
                    for names in own["genres"]
                ],
            )
        )
        links = own.select("movieId", tmdbId="movieId")  # one id space
    return Source(
        name=name,
        read_ratings=partial(_ratings_of, ratings_file, tweets),
        links=links,
        movies=movies,
        counts=link_counts | movie_counts,
        files=files,
        unit=2.0 if tweets else 1.0,
    )


def files_of(folder: Path) -> tuple[Path, ...]:
    """Those that `read_grouplens` reads: ratings and movies; where Kaggle's metadata is on this
    machine, links if the set has any, and the metadata.

    Raises:
        InputError: there are no movies beside the ratings.
    """
    ratings_file = _ratings_file(folder)
    assert ratings_file is not None
    movies_file = ratings_file.with_name(
        {"ratings.csv": "movies.csv", "ratings.dat": "movies.dat", "u.data": "u.item"}[
            ratings_file.name
        ]
    )
    if not movies_file.is_file():
        raise InputError(f"{folder}: has no {movies_file.name} beside {ratings_file.name}")
    files = [ratings_file, movies_file]
    metadata = kaggle.find()
    if metadata is not None:
        links_file = folder / "links.csv"
        files += [links_file] if links_file.is_file() else []
        files.append(metadata / "movies_metadata.csv")
    return tuple(files)


def links_by_title(own: pl.DataFrame, movies: pl.DataFrame) -> pl.DataFrame:
    """movieId -> tmdbId of the movies whose title and year are those of exactly one row of the
    metadata, and of one movie."""
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
    """ "the matrix" of "Matrix, The (a.k.a. ..)": without what is written in many ways."""
    text = re.sub(r"\s*\(.*", "", title.lower()).strip()
    article = ARTICLE.match(text)
    text = f"{article[2]} {article[1]}" if article else text
    return re.sub(r"[^\w]+", " ", text).strip()


def _ratings_file(folder: Path) -> Path | None:
    for name, movies in (("ratings.csv", "movies.csv"), ("ratings.dat", ""), ("u.data", "")):
        if (folder / name).is_file() and (not movies or (folder / movies).is_file()):
            return folder / name
    return None


def _ratings_of(file: Path, tweets: bool) -> pl.DataFrame:
    """The ratings of a file in any of the layouts, checked."""
    if file.suffix == ".csv":
        return check_ratings(read_ratings(file), file)
    rows, rating = _read_cells(file), pl.col("rating")
    if tweets:  # what is neither 0 nor in 1 .. 10 stays, and is refused
        stars = pl.when(rating == 0).then(0.5).when(rating <= 10).then(rating / 2)
        rows = rows.with_columns(rating=stars.otherwise(rating).cast(pl.Float32))
    return check_ratings(rows, file, first_line=1)


def _read_cells(file: Path) -> pl.DataFrame:
    scan, _ = scan_table(file, without_heading=tuple(RATING_COLUMNS))
    table = collected(file, scan)
    if table.columns != list(RATING_COLUMNS):
        raise InputError(
            f"{file}: has {table.width} columns. Expected user, movie, rating and time, parted by "
            f"{'::' if file.suffix == '.dat' else 'tabs'}"
        )
    if wrong := unreadable_cell(file, table, first_line=1):
        raise InputError(wrong)
    return table.select(pl.col(name).cast(kind) for name, kind in RATING_COLUMNS.items())


def _read_movies(file: Path) -> pl.DataFrame:
    """movieId, title, year (text), genres (names parted by |)."""
    if file.suffix == ".csv":
        rows = read_text(file, ("movieId", "title", "genres")).rows()
    else:
        text = file.read_bytes().decode("utf-8", errors="replace")
        if "\ufffd" in text:  # the old sets
            text = file.read_bytes().decode("latin-1")
        rows = [
            _cells(line, number, file)
            for number, line in enumerate(text.splitlines(), start=1)
            if line
        ]
    split = [TITLE.match(title or "") for _, title, _ in rows]
    table = pl.DataFrame(
        {
            "movieId": pl.Series([one for one, _, _ in rows], dtype=pl.String),
            "title": [
                found[1] if found else title
                for found, (_, title, _) in zip(split, rows, strict=True)
            ],
            "year": [found[2] if found else None for found in split],
            "genres": pl.Series([genres for _, _, genres in rows], dtype=pl.String),
        },
        schema_overrides={"title": pl.String, "year": pl.String},
    )
    with_id = table.with_columns(movieId=pl.col("movieId").cast(pl.Int64, strict=False))
    return with_id.filter(pl.col("movieId").is_not_null()).unique(
        "movieId", keep="first", maintain_order=True
    )


def _cells(line: str, number: int, file: Path) -> tuple[str, str, str]:
    """Id, title and genres of a line of movies.dat or u.item."""
    cells = line.split("::") if file.suffix == ".dat" else line.split("|")
    if file.suffix == ".dat" and len(cells) == 3:
        return cells[0], cells[1], cells[2]
    if file.suffix == ".item" and len(cells) == 5 + len(U_ITEM_GENRES):
        names = [name for name, bit in zip(U_ITEM_GENRES, cells[5:], strict=True) if bit == "1"]
        return cells[0], cells[1], "|".join(names)
    raise InputError(f"{file}, line {number}: has {len(cells)} cells. Is it GroupLens's file?")
