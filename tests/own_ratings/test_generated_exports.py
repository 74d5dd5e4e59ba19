"""One list of made-up ratings as sites and spreadsheets write it: the same comes out."""

import csv
import io
import json
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
WRITTEN = (("utf-8-sig", "\n"), ("cp1252", "\r\n"))  # encoding, line end


def at(*day):
    return int(datetime(*day, tzinfo=UTC).timestamp())


def imdb(number, title, year, stars, _, date):
    of_movie = {"Title": title, "Original Title": title, "Title Type": "Movie", "Year": year}
    rated = {"Your Rating": int(2 * stars), "IMDb Rating": 9.9, "Date Rated": date}
    return {"Const": f"tt{number:07}", **rated, **of_movie}


def letterboxd(_, title, year, stars, __, date):
    return {"Date": date, "Name": title, "Year": year, "Letterboxd URI": "x", "Rating": stars}


def movielens(number, title, year, stars, day, _):
    of_rating = {"rating": stars, "timestamp": at(*day)}
    return {"userId": 7, "movieId": number, "title": f"{title} ({year})", **of_rating}


def kinopoisk(number, title, year, stars, _, date):
    names = {"id": 99, "nameEng": "" if number == 1 else title, "nameRus": title}
    return {**names, "rating": int(2 * stars), "date": date, "year": year}


def table(number, title, year, stars, _, date):
    ids = {"IMDb_ID": f"tt{number:07}", "TMDB": number, "Titel": title, "Jahr": year}
    return {**ids, "IMDb Wertung": 99, "Meine Note": 20 * stars, "Datum": date}


def as_it_comes_out(site, number, title, year, stars, day):
    rating = OwnRating(stars, title, year, at(*day))
    also = {
        imdb: {"imdb_id": f"tt{number:07}", "original_title": title},
        movielens: {"movie_id": number},
        kinopoisk: {"original_title": title},
        table: {"imdb_id": f"tt{number:07}", "tmdb_id": number},
    }
    return replace(rating, **also.get(site, {}))


def exported(site, locale, encoding, line_end):
    form, delimiter, point = LOCALES[locale]
    rows = []
    for number, (*movie, stars, day) in enumerate(RATINGS, start=1):
        date = form.format(year=day[0], month=day[1], day=day[2])
        cells = site(number, *movie, stars, day, date).items()
        rows.append({name: str(cell).replace(".", point) if cell == stars else cell
                     for name, cell in cells})  # fmt: skip
    text = io.StringIO()
    file = csv.DictWriter(text, rows[0], delimiter=delimiter, lineterminator=line_end)
    file.writeheader()
    file.writerows(reversed(rows))
    return text.getvalue().encode(encoding)


SITES = (imdb, letterboxd, movielens, kinopoisk, table)


@pytest.mark.parametrize(("site", "locale", "written"), [*product(SITES, LOCALES, WRITTEN)])
def test_the_same_ratings_come_out(site, locale, written):
    file = ratings_of(exported(site, locale, *written), "ratings.csv")
    assert file.kind.lower() == site.__name__
    assert list(file.ratings) == [
        as_it_comes_out(site, number, *row) for number, row in enumerate(RATINGS, start=1)
    ]
    order = {"US": "month/day/year", "GB": "day/month/year"}.get(locale)
    said = [f"read as {order}, as other dates show" in note for note in file.notes]
    assert any(said) == (order is not None and site is not movielens)
    assert any("read as 0 to 100" in note for note in file.notes) == (site is table)


def test_trakts_json():
    entries = [
        {"rated_at": datetime(*day, tzinfo=UTC).isoformat(), "rating": int(2 * stars),
         "type": "movie", "movie": {"title": title, "year": year, "rating": 9.9,
                                    "ids": {"trakt": 5, "imdb": f"tt{n:07}", "tmdb": n}}}
        for n, (title, year, stars, day) in enumerate(RATINGS, start=1)
    ]  # fmt: skip
    entries += [{"rating": 3, "show": {"title": "Seven", "year": 1995, "ids": {"trakt": 6}}}]
    file = ratings_of(json.dumps(entries).encode(), "ratings.json")
    assert (file.kind, file.notes) == ("Trakt", ("left out, since they are no movies: 1 show",))
    assert list(file.ratings) == [
        as_it_comes_out(table, number, *row) for number, row in enumerate(RATINGS, start=1)
    ]
