"""What a table beside the ratings says of the items: title, year, genres and language."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pandas as pd
import polars as pl

from recbench.data.scanning import (
    SUFFIXES,
    TEXTS,
    as_text,
    collected,
    named_columns,
    plain_name,
    scan_table,
    unreadable,
)
from recbench.data.tables import genre_names
from recbench.errors import InputError

STEMS = (
    "movies movie films items item books book bxbooks products songs tracks artists jokes games "
)
STEMS += "anime recipes beers wines shows metadata"
NAMES = {
    "title": "title originaltitle movietitle booktitle name itemname",
    "year": "year releaseyear publicationyear yearofpublication originalpublicationyear "
    "releasedate date",
    "genres": "genres genre categories category",
    "language": "language originallanguage languagecode lang",
}
YEAR = r"\b(?:1[5-9]\d\d|20\d\d)\b"
LANGUAGES = {"ger": "de", "deu": "de", "spa": "es", "jpn": "ja"}  # where two letters are others


def features_beside(
    ratings_file: Path, item_column: str, item_names: str, encoding: str
) -> tuple[pl.DataFrame, str]:
    """The features in a table of movies, or of other items, beside a file of ratings.

    Args:
        item_column: of the ratings; the table has one of that name, or one of `item_names`.
        encoding: of text.

    Returns:
        item, title, year, genres and language as text, null where nothing is known, a row for each
        item, none without such a table; and what they are from, in words.

    Raises:
        InputError: the table cannot be read.
    """
    for file in sorted(ratings_file.parent.iterdir()):
        if plain_name(file.stem) not in STEMS.split() or file.suffix.lower() not in SUFFIXES:
            continue
        rows, skipped = _read_as_text(file, encoding)
        known = f"{plain_name(item_column)} {item_names} id"
        key = named_columns({"item": known}, rows.columns).get("item")
        there = named_columns(NAMES, [one for one in rows.columns if one != key])
        if key is None or not there:
            continue
        nothing = pl.lit(None, pl.String)
        cell = dict.fromkeys(NAMES, nothing)
        for role, column in there.items():
            stripped = pl.col(column).str.strip_chars()
            cell[role] = pl.when(stripped != "").then(stripped)
        year = cell["year"] if "year" in there else cell["title"]
        language = cell["language"].str.to_lowercase().replace(LANGUAGES).str.slice(0, 2)
        found = rows.select(
            item=pl.col(key).str.strip_chars(),
            title=cell["title"].str.replace(r"\s*\(\d{4}\)$", ""),
            # of a title the last: "2001: A Space Odyssey (1968)"
            year=year.str.extract_all(YEAR).list.last(),
            genres=cell["genres"],
            language=language,
        )
        lost = f" ({skipped:,} of its lines cannot be read)" if skipped else ""
        what = f"{', '.join(there)} of items from {file.name}{lost}"
        return found.drop_nulls("item").unique("item", keep="first", maintain_order=True), what
    empty = pl.DataFrame(schema=dict.fromkeys(("item", *NAMES), pl.String))
    return empty, "no table of items beside it, so that they have no features"


def genres_in(text: str | None) -> list[str]:
    """The names in a cell: a list of dicts as TMDB's, or names with | ; or , between."""
    listed = genre_names(text) if (text or "").startswith("[") else None
    if listed is not None:
        return list(listed)
    names = [one.strip() for one in re.split(r"[|;,]", text or "")]
    return [one for one in names if one and not one.startswith("(no genres")]


def _read_as_text(file: Path, encoding: str) -> tuple[pl.DataFrame, int]:
    """Its cells, and how many lines were left out. Titles have stray quotes and separators in them;
    a line that cannot be read costs the features of one item."""
    if file.suffix.lower() not in TEXTS:
        scan, _ = scan_table(file, encoding)
        flat = [name for name, kind in scan.collect_schema().items() if not kind.is_nested()]
        return collected(file, scan.select(pl.col(flat).cast(pl.String))), 0
    copy, separator, _ = as_text(file, encoding)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            rows = pd.read_csv(
                copy,
                sep=separator,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                escapechar="\\",
                on_bad_lines="warn",
            )
        except (ValueError, OSError) as error:
            raise InputError(unreadable(file, error)) from None
    skipped = sum(str(one.message).count("Skipping line") for one in caught)
    return pl.from_pandas(rows.reset_index(drop=True)).cast(pl.String), skipped
