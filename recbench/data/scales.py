"""How your own table of ratings is read: its flags, also after a file name, and scales.

A file name with flags is one text, "books.csv?scale=0-10&missing=0", so other processes read the
file in the same way.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from recbench.errors import InputError
from recbench.ratings import MAX_STARS, MIN_STARS

NUMBER = r"([+-]?\d+(?:\.\d+)?)"
SCALE = re.compile(rf"\s*{NUMBER}\s*(?:-|–|:|\.\.|to)\s*{NUMBER}\s*")


@dataclass
class TableFlags:
    """How your own table of ratings is read; not for datasets by name."""

    scale: str = "0.5-5"
    """lowest and highest rating, such as 0-10 or -10-10; mapped linearly to 0.5 to 5 stars"""
    missing: str = "none"
    """cell that means "no rating", such as 0; its rows are removed and counted"""
    text_encoding: str = "utf-8"
    """encoding of its text, such as latin-1"""


@dataclass(frozen=True)
class Scale:
    """The lowest and the highest rating of a file."""

    low: float = MIN_STARS
    high: float = MAX_STARS

    @classmethod
    def parse(cls, text: str) -> Scale:
        """The scale written "0-10", "-10-10", "-10..10", "-10:10" or "-10 to 10".

        Raises:
            InputError: `text` is not a scale.
        """
        found = SCALE.fullmatch(text)
        if not found or not float(found[1]) < float(found[2]):
            raise InputError(
                f"--scale is '{text}'. Expected the lowest and the highest rating of the file, "
                "such as 0-10 or -10-10"
            )
        return cls(float(found[1]), float(found[2]))

    @property
    def unit(self) -> float:
        """Length of one star on this scale."""
        return (self.high - self.low) / (MAX_STARS - MIN_STARS)

    def __str__(self) -> str:
        return f"{self.low:g}-{self.high:g}"


def with_flags(dataset: str, flags: TableFlags) -> str:
    """The name of a dataset with these flags appended, if any is set."""
    if not _set(flags):
        return dataset
    path, given = split_flags(dataset)
    return f"{path}?{urlencode(_set(given) | _set(flags))}"


def split_flags(dataset: str) -> tuple[str, TableFlags]:
    """Undo `with_flags`: name and flags.

    Raises:
        InputError: there is no such flag, or its value is invalid.
    """
    path, mark, words = dataset.rpartition("?")
    if not mark or Path(dataset).expanduser().exists():
        return dataset, TableFlags()
    names = {field.name for field in fields(TableFlags)}
    given = dict(parse_qsl(words, keep_blank_values=True))
    if not given or not given.keys() <= names:
        raise InputError(
            f"--dataset {dataset}: after the ? there is '{words}'. Expected "
            f"{', '.join(sorted(names))}, such as scale=0-10&missing=0"
        )
    flags = replace(TableFlags(), **given)
    Scale.parse(flags.scale)
    try:
        codecs.lookup(flags.text_encoding)
    except LookupError:
        raise InputError(
            f"--text-encoding is '{flags.text_encoding}'. Expected one that Python knows, such as "
            "utf-8, latin-1, cp1252 or utf-16"
        ) from None
    return path, flags


def _set(flags: TableFlags) -> dict[str, str]:
    """Flags with other values than their defaults."""
    values = {field.name: getattr(flags, field.name) for field in fields(TableFlags)}
    return {name: text for name, text in values.items() if text != getattr(TableFlags, name)}
