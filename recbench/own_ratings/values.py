"""Parse the cells of a file: numbers, stars, years, titles, and dates in either order of day and
month."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from recbench.ratings import MAX_STARS, MIN_STARS

NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
YEAR = r"(18[7-9]\d|19\d\d|20\d\d)"
TITLE_WITH_YEAR = re.compile(rf"^(.*\S)\s*\({YEAR}(?:[-–][^)]*)?\)\s*$")  # "Alien (1979)"

SECONDS = 10**11  # larger numbers are in milliseconds or less, or beyond the year 5000
NANOSECONDS = SECONDS * 10**9
# Formats of dates in a known order; and others, by whether the month is first
FORMS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y", "%a %b %d %H:%M:%S %Y"),
    *("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y"),
)
EITHER = {
    True: ("%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y"),
    False: ("%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y"),
}
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
ORDERS = {True: "month/day/year", False: "day/month/year"}


def number_of(text: str) -> float | None:
    """The number in a text, with decimal comma or point; None if it is no number."""
    if not NUMBER.fullmatch(text.strip()):
        return None
    value = float(text.replace(",", "."))
    return value if math.isfinite(value) else None


def stars_of(text: str) -> float | None:
    """Stars as typed, "4.5" or "4,5"; None if invalid."""
    value = number_of(text)
    return value if value is not None and on_the_grid(value) else None


def on_the_grid(stars: float) -> bool:
    """Whether stars are on the scale of MovieLens and Letterboxd: 0.5, 1.0 .. 5.0."""
    return MIN_STARS <= stars <= MAX_STARS and 2 * stars == int(2 * stars)


def year_of(text: str) -> int | None:
    """The first year in a text, 1870 .. 2099; None if there is none."""
    found = re.search(rf"\b{YEAR}\b", text)
    return int(found[1]) if found else None


def split_title(text: str) -> tuple[str, int | None]:
    """ "Alien (1979)" as title and year; the whole text and None if no year is at the end."""
    found = TITLE_WITH_YEAR.match(text.strip())
    return (found[1].strip(), int(found[2])) if found else (text.strip(), None)


# --- dates ---------------------------------------------------------------------------------------


def times_of(
    column: Sequence[str], other: Iterable[str], month_first: bool | None, site: str
) -> tuple[list[int | None], list[str]]:
    """The dates of a column in seconds since 1970 (UTC), None if unreadable, and notes for the
    user. Whether "2/11/2024" is in February follows from all dates of the column: "4/18/2026" fits
    only one order. If no date shows the order, dates that fit both are not read.

    Args:
        other: dates of the same file that show the order if those of the column do not.
        month_first: the order that `site` uses in the United States; None: it has no such dates.
    """
    readings = list(map(_readings, column))
    orders = _orders(readings) or _orders(map(_readings, other))
    known = len(orders) > 0
    order = month_first if not known else orders.pop() if len(orders) == 1 else None
    times, unread, both = [], [], []
    for text, reading in zip(column, readings, strict=True):
        times.append(next(iter(reading.values()), None))
        if len(set(reading.values())) == 2:
            both.append(text)
            times[-1] = None if order is None else reading[order]
        if times[-1] is None and text.strip():
            unread.append(text)
    notes = []
    if both and order is not None:
        why = "as other dates show" if known else f"as {site} has them in the United States"
        notes.append(f"dates such as {both[0]} are read as {ORDERS[order]}, {why}")
    if unread:
        dates = "1 date" if len(unread) == 1 else f"{len(unread):,} dates"
        why = ": day or month may be first" if unread[0] in both else ""
        notes.append(f"{dates} could not be read, such as '{unread[0].strip()[:40]}'{why}")
    return times, notes


def _orders(readings: Iterable[dict[bool, int]]) -> set[bool]:
    """Whether the month is first, from dates that fit only one order."""
    return {order for reading in readings if len(reading) == 1 for order in reading}


def _readings(text: str) -> dict[bool, int]:
    """The possible times of a text, by whether the month is first; both if the order does not
    matter; none if it is no date."""
    times = {order: _seconds_of(text.strip(), order) for order in ORDERS}
    return {order: time for order, time in times.items() if time is not None}


def _seconds_of(text: str, month_first: bool) -> int | None:
    """Seconds since 1970 of a date (20240102 is one, too), or of a number in seconds or less."""
    value = number_of(text)
    if value is None or len(text) == len("20240102"):
        iso = re.sub(r" UTC$| (?=[+-]\d\d:?\d\d$)", "", text)
        with suppress(ValueError):
            return _since_1970(datetime.fromisoformat(iso))
        for form in (*EITHER[month_first], *FORMS):
            for clock in CLOCKS if ":" in text and "%H" not in form else ("",):
                with suppress(ValueError):
                    return _since_1970(datetime.strptime(iso.replace(",", ""), form + clock))
    if value is None or not 0 <= value < NANOSECONDS:
        return None
    while value >= SECONDS:
        value /= 1000
    return int(value)


def _since_1970(moment: datetime) -> int | None:
    in_zone = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = int(in_zone.timestamp())
    return seconds if seconds >= 0 else None
