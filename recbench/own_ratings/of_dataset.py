"""From a dataset to its catalogue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from recbench.data.dataset import Dataset
from recbench.data.scanning import read_text, scan_table
from recbench.data.tables import genre_names
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.titles import article_first
from recbench.own_ratings.values import split_title, year_of
from recbench.ratings import Movies


def catalogue_of(dataset: Dataset, movies: Movies) -> Catalogue:
    """Facts about the movies of `dataset`; ids and other titles as far as its files have them: in
    Kaggle's metadata, and in the links and the list of movies beside the ratings."""
    table, files = dataset.table, dataset.source.files
    metadata = next((file for file in files if file.name == "movies_metadata.csv"), None)
    imdb_id = _column(metadata, "id", "imdb_id")
    originals = _column(metadata, "id", "original_title")
    titles = _column(files[0].with_name("movies.csv"), "movieId", "title")
    links = _column(files[0].with_name("links.csv"), "movieId", "imdbId") or _column(
        files[0].with_name("links_small.csv"), "movieId", "imdbId"
    )  # only the digits of the IMDb id
    linked = _column(files[0].with_name("links.csv"), "movieId", "tmdbId")

    def imdb_id_of(tmdb_id: int, movie_id: int) -> str:
        digits = links.get(movie_id, "").strip()
        return imdb_id.get(tmdb_id) or (f"tt{int(digits):07d}" if digits.isdecimal() else "")

    def tmdb_id_of(own_id: int, movie_id: int) -> int:
        digits = linked.get(movie_id, "").strip()
        return own_id if own_id in imdb_id else int(digits) if digits.isdecimal() else 0

    def other_titles(tmdb_id: int, movie_id: int, title: str) -> tuple[str, ...]:
        listed, _ = split_title(titles.get(movie_id, ""))  # with alternatives in parentheses
        both = dict.fromkeys((originals.get(tmdb_id), listed))
        return tuple(other for other in both if other and other != title)

    ids = list(zip(table["id"], table["movieId"], strict=True))
    return Catalogue(
        dataset=dataset.source.name,
        movies=movies,
        shown=tuple(article_first(title) for title in movies.title),
        year=np.array([year_of(str(date or "")[:4]) or 0 for date in table["release_date"]]),
        genres=tuple(genre_names(genres) or () for genres in table["genres"]),
        language=tuple(language or "" for language in table["original_language"]),
        rated_by=np.bincount(dataset.ratings.movie, minlength=len(movies)),
        imdb_id=tuple(imdb_id_of(*pair) for pair in ids),
        tmdb_id=np.array([tmdb_id_of(*pair) for pair in ids], dtype=int),
        other_titles=tuple(
            other_titles(*pair, title) for pair, title in zip(ids, movies.title, strict=True)
        ),
    )


def _column(file: Path | None, key: str, column: str) -> dict[int, str]:
    """A column of a CSV file by the whole numbers in another; empty if one is missing."""
    if file is None or not file.is_file():
        return {}
    if not {key, column} <= set(scan_table(file)[0].collect_schema().names()):
        return {}
    rows = read_text(file, (key, column)).with_columns(
        pl.col(key).str.strip_chars().cast(pl.Int64, strict=False)
    )
    return dict(rows.drop_nulls().unique(key, keep="first", maintain_order=True).iter_rows())
