"""Numbers and dates as sites and spreadsheets write them; the order of day and month."""

from datetime import UTC, datetime

import pytest

from recbench.own_ratings.values import number_of, times_of


def at(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp())


def times(*texts, other=(), month_first=None):
    found, notes = times_of(texts, other, month_first, "IMDb")
    return found, " ".join(notes)


def seconds_of(text):
    return times(text)[0][0]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2024-01-02T10:00:00.000Z", (2024, 1, 2, 10)),
        ("2024-01-02T10:00:00+05:30", (2024, 1, 2, 4, 30)),
        ("2024-01-02 10:00:00 +0200", (2024, 1, 2, 8)),
        ("2024-01-02 10:00:00 UTC", (2024, 1, 2, 10)),
        ("2024/1/2", (2024, 1, 2)),
        ("20240102", (2024, 1, 2)),
        ("19.07.2024, 15:34", (2024, 7, 19, 15, 34)),
        ("2.1.24", (2024, 1, 2)),
        ("18-04-2026", (2026, 4, 18)),
        ("4/18/26", (2026, 4, 18)),
        ("4/18/2026 3:04 PM", (2026, 4, 18, 15, 4)),
        ("4/18/2026 12:04 am", (2026, 4, 18, 0, 4)),
        ("2/2/2024", (2024, 2, 2)),
        ("Fri Jan 31 00:00:00 2014", (2014, 1, 31)),
        ("April 18, 2026", (2026, 4, 18)),
        ("18 Apr 2026", (2026, 4, 18)),
    ],
)
def test_a_date(text, when):
    assert seconds_of(text) == seconds_of(f" {text} ") == at(*when)


def test_a_number_of_seconds_or_less():
    for zeros in ("", "000", "000000", "000000000"):
        assert seconds_of(f"1112486027{zeros}") == 1112486027
    assert seconds_of("0") == 0
    assert seconds_of("1112486027.0") == 1112486027


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "-5", "1e300", "9" * 400, "nan", "1_000", "٣", "2/11/2024"),
        *("2024-13-02", "31/31/2024", "2024-02-30", "24-01-02", "2024-01-02T25:00", "1/2/3/2024"),
        *("2024-01-02 at noon", "1960-01-01", "0/0/2024"),
    ],
)
def test_what_is_no_date_or_not_one_alone(text):
    assert seconds_of(text) is None


def test_the_order_follows_from_the_whole_column():
    found, notes = times("2/11/2024", "4/18/2026", "")
    assert found == [at(2024, 2, 11), at(2026, 4, 18), None]
    assert "dates such as 2/11/2024 are read as month/day/year, as other dates show" in notes
    found, notes = times("2/11/2024", "18/4/2026", month_first=True)
    assert found == [at(2024, 11, 2), at(2026, 4, 18)]
    assert "day/month/year" in notes


def test_the_order_follows_from_other_dates_of_the_file():
    found, notes = times("2/11/2024", other=["", "2024-01-02", "25/12/1999"], month_first=True)
    assert found == [at(2024, 11, 2)]
    assert "as other dates show" in notes
    found, _ = times("2/11/2024", "4/18/2026", other=["25/12/1999"])  # those of the column first
    assert found == [at(2024, 2, 11), at(2026, 4, 18)]


def test_else_it_is_the_order_of_the_site_which_is_said():
    found, notes = times("2/11/2024", month_first=True)
    assert found == [at(2024, 2, 11)]
    assert "read as month/day/year, as IMDb has them in the United States" in notes


@pytest.mark.parametrize("more", [[], ["4/18/2026", "18/4/2026"]])
def test_what_fits_both_orders_is_not_guessed(more):
    """Neither without a habit of the site, nor where the column has both orders."""
    found, notes = times("2/11/2024", "2/2/2024", *more, month_first=True if more else None)
    assert found[:2] == [None, at(2024, 2, 2)]
    assert found[2:] == [at(2026, 4, 18)] * len(more)
    assert "1 date could not be read, such as '2/11/2024': day or month may be first" in notes


def test_dates_that_cannot_be_read_are_counted():
    found, notes = times("soon", "2024-01-02", "", "later")
    assert found == [None, at(2024, 1, 2), None, None]
    assert notes == "2 dates could not be read, such as 'soon'"


def test_numbers():
    assert [number_of(text) for text in ("4.5", " 4,5 ", "4.", ".5", "1e3", "-1")] == [
        *(4.5, 4.5, 4, 0.5, 1000, -1)
    ]
    wrong = ("", "x", "nan", "inf", "1e400", "1_000", "٣", "1,2,3", "4.5.6", "0x1")
    assert [number_of(text) for text in wrong] == [None] * len(wrong)
