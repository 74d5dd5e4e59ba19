"""Features of items from a table beside the ratings: title, year, genres and language."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from recbench.data.foreign import plain, rows_of
from recbench.data.scanning import TEXTS, UTF_8, named_columns
from recbench.data.tables import genre_names

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
COLUMNS = ("item", *NAMES)
YEAR = re.compile(r"\b(?:1[5-9]\d\d|20\d\d)\b")
LANGUAGES = {"ger": "de", "deu": "de", "spa": "es", "jpn": "ja"}  # where two letters are others


def features_beside(
    ratings_file: Path, item_column: str, item_names: str, encoding: str
) -> tuple[pl.DataFrame, str]:
    """The features in a text table of movies, or of other items, beside a file of ratings.

    Args:
        item_column: item column of the ratings; the table has a column of that name, or one of
            `item_names`.
        encoding: of text.

    Returns:
        item, title, year, genres and language as text, null if unknown, one row per item, no rows
        without such a table; and their origin in words.

    Raises:
        InputError: the table cannot be read.
    """
    schema = dict.fromkeys(COLUMNS, pl.String)
    for file in sorted(ratings_file.parent.iterdir()):
        if plain(file.stem) not in STEMS.split() or file.suffix.lower() not in TEXTS:
            continue
        # titles have stray quotes and separators in them; a line that cannot be read costs the
        # features of one item
        declared = "" if encoding == UTF_8 else encoding
        table = rows_of(file.read_bytes(), str(file), declared, strict=False)
        known = f"{plain(item_column)} {item_names} id"
        key = named_columns({"item": known}, list(table.columns)).get("item")
        there = named_columns(NAMES, [one for one in table.columns if one != key])
        if key is None or not there:
            continue
        found: dict[str, tuple[str | None, ...]] = {}
        for _, row in table.rows:
            cell = {role: row.get(there.get(role, ""), "") for role in NAMES}
            title = re.sub(r"\s*\(\d{4}\)$", "", cell["title"])
            # of a title the last: "2001: A Space Odyssey (1968)"
            years = YEAR.findall(cell["year" if "year" in there else "title"])
            language = cell["language"].lower()
            language = LANGUAGES.get(language, language)[:2]
            if item := row.get(key):
                features = (title, *years[-1:], *[""][: not years], cell["genres"], language)
                found.setdefault(item, tuple(one or None for one in features))
        lost = f" ({table.skipped:,} of its lines cannot be read)" if table.skipped else ""
        what = f"{', '.join(there)} of items from {file.name}{lost}"
        rows = [(item, *features) for item, features in found.items()]
        return pl.DataFrame(rows, schema=schema, orient="row"), what
    return pl.DataFrame(schema=schema), "no table of items beside it, so that they have no features"


def genres_in(text: str | None) -> list[str]:
    """The names in a cell: a list of dicts like TMDB's, or names separated by | ; or ,."""
    listed = genre_names(text) if (text or "").startswith("[") else None
    if listed is not None:
        return list(listed)
    names = [one.strip() for one in re.split(r"[|;,]", text or "")]
    return [one for one in names if one and not one.startswith("(no genres")]
