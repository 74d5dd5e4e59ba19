"""From a dataset to its catalogue and item table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from recbench.data.csv_files import read_text
from recbench.data.dataset import Dataset
from recbench.data.tables import genre_names
from recbench.models.item_table.making import item_table_of
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.kinds import split_title, year_of
from recbench.own_ratings.known_movies import KnownMovies
from recbench.own_ratings.titles import article_first
from recbench.ratings import Movies

METADATA, LINKS, MOVIELENS_TITLES = (
    "movies_metadata.csv",
    ("links.csv", "links_small.csv"),
    "movies.csv",
)


def known_movies_of(dataset: Dataset) -> KnownMovies:
    """Learn the item table from everybody in `dataset`; a minute a million ratings."""
    table, movies = item_table_of(dataset)
    return KnownMovies(catalogue_of(dataset, movies), table)


def catalogue_of(dataset: Dataset, movies: Movies) -> Catalogue:
    """Facts about the movies of `dataset`; ids and other titles as far as its files have them."""
    table, files = dataset.table, dataset.source.files
    imdb_id, other_titles = _from_metadata(files), _from_metadata(files, "original_title")
    links, movielens = _from_links(files), _movielens_titles(files)
    by_row = list(zip(table["id"], table["movieId"], movies.title, strict=True))
    return Catalogue(
        dataset=dataset.source.name,
        movies=movies,
        shown=tuple(article_first(title) for title in movies.title),
        year=np.array([year_of(str(date or "")[:4]) or 0 for date in table["release_date"]]),
        genres=tuple(genre_names(genres) or () for genres in table["genres"]),
        language=tuple(language or "" for language in table["original_language"]),
        rated_by=np.bincount(dataset.ratings.movie, minlength=len(movies)),
        imdb_id=tuple(imdb_id.get(one) or links.get(movie) or "" for one, movie, _ in by_row),
        other_titles=tuple(
            tuple(
                dict.fromkeys(
                    other
                    for other in (other_titles.get(one), movielens.get(movie))
                    if other and other != title
                )
            )
            for one, movie, title in by_row
        ),
    )


def _from_metadata(files: tuple[Path, ...], column: str = "imdb_id") -> dict[int, str]:
    """A column of Kaggle's metadata by id; empty where there is none."""
    file = next((file for file in files if file.name == METADATA), None)
    if file is None or column not in _heading(file):
        return {}
    rows = read_text(file, ("id", column)).with_columns(
        id=pl.col("id").str.strip_chars().cast(pl.Int64, strict=False)
    )
    found = rows.drop_nulls().unique("id", keep="first", maintain_order=True)
    return dict(found.iter_rows())


def _from_links(files: tuple[Path, ...]) -> dict[int, str]:
    """movieId -> IMDb id, of the links beside the ratings, which have its digits alone."""
    for name in LINKS:
        file = files[0].with_name(name)
        if file.is_file() and {"movieId", "imdbId"} <= set(_heading(file)):
            rows = read_text(file, ("movieId", "imdbId")).with_columns(
                pl.col("movieId", "imdbId").cast(pl.Int64, strict=False)
            )
            return {movie: f"tt{one:07d}" for movie, one in rows.drop_nulls().iter_rows()}
    return {}


def _movielens_titles(files: tuple[Path, ...]) -> dict[int, str]:
    """movieId -> title without year, of the list of movies beside the ratings: it has alternative
    titles in parentheses."""
    file = files[0].with_name(MOVIELENS_TITLES)
    if not file.is_file() or not {"movieId", "title"} <= set(_heading(file)):
        return {}
    rows = read_text(file, ("movieId", "title")).with_columns(
        pl.col("movieId").cast(pl.Int64, strict=False)
    )
    return {movie: split_title(title)[0] for movie, title in rows.drop_nulls().iter_rows()}


def _heading(file: Path) -> list[str]:
    return pl.read_csv(file, n_rows=0, infer_schema=False, truncate_ragged_lines=True).columns
