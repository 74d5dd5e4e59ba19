"""One list of made-up ratings as three sites and four spreadsheets write it: the same comes out."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from recbench.own_ratings.reading import OwnRating, ratings_of

# title, year, stars, day; every title is in Windows-1252, too
RATINGS = (
    ("Léon: The Professional", 1994, 4.5, (2024, 2, 11)),
    ("Good, the Bad and the Ugly, The", 1966, 5.0, (2024, 3, 10)),
    ('"Crocodile" Dundee', 1986, 2.5, (2024, 4, 18)),
    ("The Umbrellas of Cherbourg; or so", 1964, 0.5, (2024, 12, 1)),
    ("Smørrebrød", 2001, 3.0, (2025, 1, 2)),
    ("Ocean’s Eleven", 2001, 4.0, (2025, 1, 31)),
    ("Se7en", 1995, 1.0, (2025, 5, 6)),
)
# date, delimiter, decimal point
LOCALES = {
    "ISO": ("{year}-{month:02}-{day:02}", ",", "."),
    "US": ("{month}/{day}/{year}", ",", "."),
    "GB": ("{day:02}/{month:02}/{year}", ",", "."),
    "DE": ("{day:02}.{month:02}.{year}", ";", ","),
}
ENCODINGS = ("utf-8-sig", "cp1252")
LINE_ENDS = ("\n", "\r\n")


def at(*day):
    return int(datetime(*day, tzinfo=UTC).timestamp())


def imdb(number, title, year, stars, _, date):
    of_movie = {"Title": title, "Original Title": title, "Title Type": "Movie", "Year": year}
    return {
        "Const": f"tt{number:07}",
        "Your Rating": int(2 * stars),
        "Date Rated": date,
        **of_movie,
    }


def letterboxd(_, title, year, stars, __, date):
    return {"Date": date, "Name": title, "Year": year, "Letterboxd URI": "x", "Rating": stars}


def movielens(number, title, year, stars, day, _):
    of_rating = {"rating": stars, "timestamp": at(*day)}
    return {"userId": 7, "movieId": number, "title": f"{title} ({year})", **of_rating}


def as_it_comes_out(site, number, title, year, stars, day):
    rating = OwnRating(stars, title, year, at(*day))
    if site is imdb:
        return replace(rating, imdb_id=f"tt{number:07}", original_title=title)
    return replace(rating, movie_id=number) if site is movielens else rating


def exported(site, locale, encoding, line_end):
    form, delimiter, point = LOCALES[locale]
    rows = []
    for number, (*movie, stars, day) in enumerate(RATINGS, start=1):
        date = form.format(year=day[0], month=day[1], day=day[2])
        cells = site(number, *movie, stars, day, date).items()
        rows.append({name: str(cell).replace(".", point) if cell == stars else cell
                     for name, cell in cells})  # fmt: skip
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0], delimiter=delimiter, lineterminator=line_end)
    table.writeheader()
    table.writerows(reversed(rows))
    return text.getvalue().encode(encoding)


EXPORTS = [  # a time in seconds is alike everywhere: MovieLens with one line end
    *product((imdb, letterboxd), LOCALES, ENCODINGS, LINE_ENDS),
    *product((movielens,), LOCALES, ENCODINGS, LINE_ENDS[:1]),
]


def test_there_are_forty():
    assert len(set(EXPORTS)) == 40


@pytest.mark.parametrize(("site", "locale", "encoding", "line_end"), EXPORTS)
def test_the_same_ratings_come_out(site, locale, encoding, line_end):
    file = ratings_of(exported(site, locale, encoding, line_end), "ratings.csv")
    assert file.kind.lower() == site.__name__
    assert list(file.ratings) == [
        as_it_comes_out(site, number, *row) for number, row in enumerate(RATINGS, start=1)
    ]
    order = {"US": "month/day/year", "GB": "day/month/year"}.get(locale)
    said = [f"read as {order}, as other dates show" in note for note in file.notes]
    assert said == ([True] if order and site is not movielens else [])
