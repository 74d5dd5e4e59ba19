"""A file of one user's ratings, of any of the three kinds."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from recbench.errors import InputError
from recbench.own_ratings.decoding import read_text, text_of
from recbench.own_ratings.kinds import KINDS, KNOWN, Kind, Row, WrongValue, is_movie
from recbench.own_ratings.rating import OwnRating

DELIMITERS = ",;\t"
LONGEST_HEADING = 200  # signs of it in a message
MOST_USERS = 5  # named in a message


@dataclass(frozen=True)
class ReadFile:
    """What is in a file.

    Attributes:
        kind: "MovieLens", "Letterboxd" or "IMDb".
        ratings: the latest last; those without a time first, in the order of the file.
        notes: what was left out and why, a sentence each.
    """

    kind: str
    ratings: tuple[OwnRating, ...]
    notes: tuple[str, ...]


def read_ratings(path: str | Path, user: str = "") -> ReadFile:
    """Read the ratings of one user.

    Args:
        user: whose, where the file has the column userId with several users in it.

    Raises:
        InputError: it is no text, of no known kind, or a row cannot be used; names row and value.
    """
    path = Path(path).expanduser()
    return _ratings_in(read_text(path), path, user, "--user")


def ratings_of(content: bytes, name: str, user: str = "", flag: str = "--user") -> ReadFile:
    """The same of the bytes of a file.

    Args:
        name: of the file, for messages.
        flag: what gives `user`, for messages.
    """
    path = Path(name)
    return _ratings_in(text_of(content, path), path, user, flag)


def _ratings_in(text: str, path: Path, user: str, flag: str) -> ReadFile:
    kind, heading, rows = _table(text, path)
    if "userid" in heading:
        rows = _rows_of_one(rows, user, path, flag)
    elif user:
        raise InputError(f"{flag} {user}: {path} has no column userId. Leave {flag} out")

    ratings: list[OwnRating] = []
    other_kinds: Counter[str] = Counter()
    unrated = 0
    for line, row in rows:
        if not is_movie(row):
            other_kinds[row["title type"]] += 1
            continue
        try:
            rating = kind.read(row)
        except WrongValue as error:
            raise InputError(f"{path}, line {line}: {error}") from None
        if rating is None:
            unrated += 1
        else:
            ratings.append(rating)
    notes = []
    if other_kinds:
        listed = ", ".join(f"{count:,} {kind}" for kind, count in other_kinds.most_common())
        notes.append(f"left out, since they are no movies: {listed}")
    if unrated:
        notes.append(f"left out, since they have no rating: {unrated:,} rows")
    if not ratings:
        why = f" ({'; '.join(notes)})" if notes else ""
        raise InputError(f"{path}: holds no ratings{why}. Expected a row for each rating")
    ratings.sort(key=lambda rating: rating.time or 0)  # stable
    return ReadFile(kind.name, tuple(ratings), tuple(notes))


def _table(text: str, path: Path) -> tuple[Kind, list[str], list[tuple[int, Row]]]:
    """The kind of the file, its heading in lower case, and each row with its line number."""
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, Row]] = []
    heading: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not heading:
                heading = [cell.strip().lower() for cell in cells]
                kind = _kind(heading, cells, path)
                continue
            filled = [cell.strip() for cell in cells] + [""] * (len(heading) - len(cells))
            rows.append((reader.line_num, dict(zip(heading, filled, strict=False))))
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: cannot be read ({error})") from None
    return kind, heading, rows


def _kind(heading: list[str], as_written: list[str], path: Path) -> Kind:
    for kind in KINDS:
        if kind.fits(heading):
            return kind
    found = ", ".join(cell.strip() for cell in as_written)[:LONGEST_HEADING]
    shown = "".join(sign if sign.isprintable() else "?" for sign in found)
    raise InputError(
        f"{path}: is of no known kind; its columns are {shown}. Three kinds are known: {KNOWN}"
    )


def _rows_of_one(
    rows: list[tuple[int, Row]], user: str, path: Path, flag: str
) -> list[tuple[int, Row]]:
    users = list(dict.fromkeys(row["userid"] for _, row in rows))
    if user:
        chosen = [(line, row) for line, row in rows if row["userid"] == user]
        if rows and not chosen:
            raise InputError(f"{flag} {user}: {path} has no such userId. It has {_some(users)}")
        return chosen
    if len(users) > 1:
        raise InputError(
            f"{path}: holds ratings of {len(users):,} users ({_some(users)}). Say which is you: "
            f"{flag} ID"
        )
    return rows


def _some(users: list[str]) -> str:
    more = f" and {len(users) - MOST_USERS:,} more" if len(users) > MOST_USERS else ""
    return ", ".join(users[:MOST_USERS]) + more
