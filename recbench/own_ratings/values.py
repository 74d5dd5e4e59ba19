"""What stands in the cells of a file: numbers, stars, years, titles, and dates in whatever order
of day and month."""

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

SECONDS = 10**11  # larger numbers are of milliseconds or less: it would be beyond the year 5000
NANOSECONDS = SECONDS * 10**9
TWO_DIGITS = 70  # from which a year of two digits is of the 20th century
DATE = re.compile(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})(?:(?:,?\s+|T)(.*))?", re.ASCII)
CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?\s*(?:([AP])\.?M\.?)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
IN_WORDS = ("%a %b %d %H:%M:%S %Y", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y")
ORDERS = {True: "month/day/year", False: "day/month/year"}


def number_of(text: str) -> float | None:
    """A number as text, with a comma or a point; None if it is none."""
    if not NUMBER.fullmatch(text.strip()):
        return None
    value = float(text.replace(",", "."))
    return value if math.isfinite(value) else None


def stars_of(text: str) -> float | None:
    """Stars as typed, "4.5" or "4,5"; None if these are none."""
    value = number_of(text)
    return value if value is not None and on_the_grid(value) else None


def on_the_grid(stars: float) -> bool:
    """Whether these are stars as MovieLens and Letterboxd have them: 0.5, 1.0 .. 5.0."""
    return MIN_STARS <= stars <= MAX_STARS and 2 * stars == int(2 * stars)


def year_of(text: str) -> int | None:
    """The first year in a text, 1870 .. 2099; None if there is none."""
    found = re.search(rf"\b{YEAR}\b", text)
    return int(found[1]) if found else None


def split_title(text: str) -> tuple[str, int | None]:
    """ "Alien (1979)" as title and year; the whole and None where no year stands at the end."""
    found = TITLE_WITH_YEAR.match(text.strip())
    return (found[1].strip(), int(found[2])) if found else (text.strip(), None)


# --- dates ---------------------------------------------------------------------------------------


def times_of(
    column: Sequence[str], other: Iterable[str], month_first: bool | None, site: str
) -> tuple[list[int | None], list[str]]:
    """The dates of a column in seconds since 1970 (UTC), None for those that cannot be read, and
    what to say about it. Whether "2/11/2024" is in February follows from all dates of the column:
    "4/18/2026" has one order alone. A date that fits both orders is not read if nothing tells.

    Args:
        other: dates of the same file that tell the order where those of the column do not.
        month_first: the order that `site` has in the United States; None: it has no such dates.
    """
    orders = [_orders(texts) for texts in (column, other)]
    told = next((one for one in orders if one), set())
    order = month_first if not told else True in told if len(told) == 1 else None
    times, unread, both = [], [], []
    for text in column:
        readings = _readings(text)
        if len(readings) == 2 and len(set(readings.values())) == 2:
            both.append(text)
            time = None if order is None else readings[order]
        else:
            time = next(iter(readings.values()), None)
        times.append(time)
        if time is None and text.strip():
            unread.append(text.strip())
    notes = []
    if both and order is not None:
        why = "as other dates show" if told else f"as {site} has them in the United States"
        notes.append(f"dates such as {both[0]} are read as {ORDERS[order]}, {why}")
    if unread:
        dates = "1 date" if len(unread) == 1 else f"{len(unread):,} dates"
        why = ": day or month may be first" if both and unread[0] == both[0].strip() else ""
        notes.append(f"{dates} could not be read, such as '{unread[0][:40]}'{why}")
    return times, notes


def seconds_of(text: str) -> int | None:
    """A date, or a number of seconds (or milliseconds) since 1970, as seconds (UTC); None if it is
    neither, or a date that fits two orders of day and month."""
    readings = set(_readings(text).values())
    return readings.pop() if len(readings) == 1 else None


def _orders(texts: Iterable[str]) -> set[bool]:
    """Whether the month is first, of dates that fit one order alone."""
    return {order for text in texts for order in _readings(text) if len(_readings(text)) == 1}


def _readings(text: str) -> dict[bool, int]:
    """The times that a text can mean, by whether the month is first; both where the order does not
    matter; none if it is no date."""
    text = text.strip()
    found = DATE.fullmatch(text)
    if not found:
        time = _time_of_number(text)
        time = _time_in_words(text) if time is None and text else time
        return {} if time is None else {True: time, False: time}
    first, by, second, third = found[1], found[2], found[3], found[4]
    clock = CLOCK.fullmatch(found[5].strip()) if found[5] else None
    if found[5] and not clock:
        return {}
    if len(first) == 4:  # the year
        dates = dict.fromkeys((True, False), (first, second, third))
    elif len(first) > 2 or len(third) not in ((4,) if by == "-" else (2, 4)):
        return {}
    elif by == ".":  # the day is first wherever dates are written so
        dates = dict.fromkeys((True, False), (third, second, first))
    else:
        dates = {True: (third, first, second), False: (third, second, first)}
    times = {order: _time(date, clock) for order, date in dates.items()}
    return {order: time for order, time in times.items() if time is not None}


def _time(date: tuple[str, str, str], clock: re.Match[str] | None) -> int | None:
    year, month, day = map(int, date)
    if year < 100:
        year += 2000 if year < TWO_DIGITS else 1900
    hour, minute, second = (int(part or 0) for part in clock.group(1, 2, 3)) if clock else (0, 0, 0)
    half, zone = clock.group(4, 5) if clock else (None, None)
    if half:
        hour = hour % 12 + 12 * (half in "pP") if 1 <= hour <= 12 else 24
    offset = zone[:3] + ":" + zone[-2:] if zone and zone[0] in "+-" else "+00:00"
    with suppress(ValueError):
        text = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}"
        return _since_1970(datetime.fromisoformat(text))
    return None


def _time_of_number(text: str) -> int | None:
    if re.fullmatch(r"(19|20)\d{6}", text, re.ASCII):  # 20240102, no number of seconds: of 1970
        with suppress(ValueError):
            return _since_1970(datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC))
    value = number_of(text)
    if value is None or not 0 <= value < NANOSECONDS:
        return None
    while value >= SECONDS:
        value /= 1000
    return int(value)


def _time_in_words(text: str) -> int | None:
    for form in IN_WORDS:
        with suppress(ValueError):
            date = datetime.strptime(text.replace(",", ""), form)
            return _since_1970(date.replace(tzinfo=UTC))
    return None


def _since_1970(date: datetime) -> int | None:
    seconds = int(date.timestamp())
    return seconds if seconds >= 0 else None
