"""Titles as they are written in many ways find their movie, and no other; and a search."""

import csv

import pytest
from own_movies import HERE, catalogue_of_titles

from recbench.own_ratings.filters import Filters
from recbench.own_ratings.matching import Matcher
from recbench.own_ratings.reading import OwnRating, read_ratings
from recbench.own_ratings.titles import article_first, key
from recbench.own_ratings.values import split_title


def rating_of(title, **more):
    name, year = split_title(title)
    return OwnRating(stars=3, title=name, year=year, **more)


def found(catalogue, title, **more):
    match = Matcher(catalogue).find(rating_of(title, **more))
    return None if match.movie is None else (catalogue.name(match.movie), match.how)


# As the catalogue has it, as a file has it, how it is found
SAME = [
    ("Matrix, The (1999)", "The Matrix (1999)", "title"),
    ("The Matrix (1999)", "Matrix, The (1999)", "title"),
    ("The Matrix (1999)", "matrix (1999)", "nearly"),
    ("City of Lost Children, The (Cité des enfants perdus, La) (1995)",
     "La cité des enfants perdus (1995)", "title"),
    ("City of Lost Children, The (Cité des enfants perdus, La) (1995)",
     "The City of Lost Children (1995)", "title"),
    ("Avventura, L' (1960)", "L'Avventura (1960)", "title"),
    ("Avventura, L' (1960)", "L’avventura (1960)", "title"),
    ("Postino, Il (1994)", "Il postino (1994)", "title"),
    ("Blechtrommel, Die (1979)", "Die Blechtrommel (1979)", "title"),
    ("Seven (a.k.a. Se7en) (1995)", "Se7en (1995)", "title"),
    ("Seven (a.k.a. Se7en) (1995)", "Seven (1995)", "title"),
    ("Léon: The Professional (a.k.a. The Professional) (Léon) (1994)", "Léon (1994)", "title"),
    ("WALL·E (2008)", "WALL-E (2008)", "title"),
    ("Cook the Thief His Wife & Her Lover, The (1989)",
     "The Cook, the Thief, His Wife and Her Lover (1989)", "title"),
    ("Alien³ (1992)", "Alien 3 (1992)", "title"),
    ("Rocky II (1979)", "Rocky 2 (1979)", "title"),
    ("Rocky V (1990)", "Rocky 5 (1990)", "title"),
    ("Godfather: Part II, The (1974)", "The Godfather Part 2 (1974)", "title"),
    ("Twelve Monkeys (1995)", "12 Monkeys (1995)", "title"),
    ("8 1/2 (1963)", "8½ (1963)", "title"),
    ("M*A*S*H (1970)", "MASH (1970)", "title"),
    ("Amélie (2001)", "Amelie (2001)", "title"),
    ("Smørrebrød (2001)", "Smorrebrod (2001)", "title"),
    ("Dr. Strangelove or: How I Learned (1964)", "Doctor Strangelove (1964)", "nearly"),
    ("Alien (1979)", "Alien (1980)", "nearly"),
    ("Alien (1979)", "Alien", "nearly"),
    ("Star Wars (1977)", "Star Wars: Episode IV - A New Hope (1977)", "nearly"),
    ("Empire Strikes Back, The (1980)",
     "Star Wars: Episode V - The Empire Strikes Back (1980)", "nearly"),
    ("Borat: Cultural Learnings of America (2006)", "Borat (2006)", "nearly"),
    ("Monty Python's Life of Brian (1979)", "Life of Brian (1979)", "nearly"),
    ("Raiders of the Lost Ark (1981)",
     "Indiana Jones and the Raiders of the Lost Ark (1981)", "nearly"),
    ("Gattaca Station (1997)", "Gatacca Station (1997)", "nearly"),
    ("七人の侍 (1954)", "七人の侍 (1954)", "title"),
    ("!!! (2001)", "!!! (2001)", "title"),
]  # fmt: skip


@pytest.mark.parametrize(("there", "title", "how"), SAME)
def test_the_same_movie(there, title, how):
    catalogue = catalogue_of_titles([there, "Another Story (1979)", "Vertigo (1958)"])
    assert found(catalogue, title) == (catalogue.name(0), how)


DIFFERENT = [
    ("Alien (1979)", "Aliens (1986)"),
    ("Alien (1979)", "Alien (1985)"),
    ("Rocky II (1979)", "Rocky III (1979)"),
    ("Ocean's Twelve (2004)", "Ocean's Thirteen (2004)"),
    ("Public Enemies (2009)", "Superman/Batman: Public Enemies (2009)"),
    ("Star Wars (1977)", "Star Wars: The Clone Wars (2008)"),
    ("Mission: Impossible (1996)", "Impossible (1996)"),
    ("Malcolm (1986)", "Malcolm X (1986)"),
    ("Part 2 (2001)", "Something: Part 2 (2001)"),
    ("Up (2009)", "Upside Down (2009)"),
    ("American: The Bill Hicks Story (2010)", "The American (2010)"),
    ("I Know What You Did Last Summer (1997)", "I Still Know What You Did Last Summer (1998)"),
]


@pytest.mark.parametrize(("there", "title"), DIFFERENT)
def test_another_movie(there, title):
    assert found(catalogue_of_titles([there]), title) is None


def test_the_nearest_year_wins_and_a_tie_is_not_decided():
    catalogue = catalogue_of_titles(["Chaos (2000)", "Chaos (2001)", "Chaos (2003)"])
    assert found(catalogue, "Chaos (2001)") == ("Chaos (2001)", "title")
    match = Matcher(catalogue).find(rating_of("Chaos (2002)"))
    assert match.movie is None
    assert match.candidates == (1, 2)


def test_a_movie_that_is_there_twice_is_one():
    catalogue = catalogue_of_titles(["Alien (1979)", "Nightwatch (1997)", "Nightwatch (1997)"])
    assert found(catalogue, "Nightwatch (1997)") == ("Nightwatch (1997)", "title")
    for movie_id in (2, 3):
        assert Matcher(catalogue).find(OwnRating(stars=3, movie_id=movie_id)).movie == 1
    assert Filters().passing(catalogue).tolist() == [True, True, False]
    other = catalogue_of_titles(["Chaos (2005)"] * 2, imdb_id=["tt01", "tt02"])
    assert Matcher(other).find(rating_of("Chaos (2005)")).candidates == (0, 1)


def test_the_title_itself_comes_before_an_alternative_one():
    catalogue = catalogue_of_titles(["Other, The (Nikita) (1990)", "Nikita (1990)"])
    assert found(catalogue, "Nikita (1990)") == ("Nikita (1990)", "title")


def test_original_titles_of_both_sides():
    catalogue = catalogue_of_titles(["Run Lola Run (1998)"], other=[("Lola rennt",)])
    assert found(catalogue, "Lola Rennt (1998)")
    catalogue = catalogue_of_titles(["Lola rennt (1998)"])
    assert found(catalogue, "Run Lola Run (1998)", original_title="Lola rennt")


def test_ids_come_first():
    catalogue = catalogue_of_titles(["A Story (1990)", "B Story (1991)"], imdb_id=["tt01", "tt02"])
    assert found(catalogue, "A Story (1990)", imdb_id="tt02") == ("B Story (1991)", "id")
    # two ids that differ are two movies, but for those of the very same title and year
    assert found(catalogue, "A Story (1991)", imdb_id="tt03") is None
    assert found(catalogue, "A Story (1990)", imdb_id="tt03") == ("A Story (1990)", "nearly")
    # a number without a title is trusted, with another title it is of another numbering
    assert Matcher(catalogue).find(OwnRating(stars=3, movie_id=2)).movie == 1
    assert found(catalogue, "A Story (1990)", movie_id=2) == ("A Story (1990)", "title")
    assert Matcher(catalogue).find(OwnRating(stars=3, movie_id=9)).movie is None
    assert found(catalogue, "Any (1950)", tmdb_id=102) == ("B Story (1991)", "id")


def test_the_nearest(catalogue):
    near = [catalogue.name(row) for row in Matcher(catalogue).nearest("Lord of the Rings")]
    assert near[:2] == [
        "The Lord of the Rings: The Two Towers (2002)",
        "The Lord of the Rings: The Fellowship of the Ring (2001)",
    ]
    assert catalogue.name(Matcher(catalogue).nearest("Trainspoting")[0]) == "Trainspotting (1996)"


@pytest.mark.parametrize("name", ["letterboxd", "imdb", "movielens"])
def test_the_sample_files_find_their_movies(name, catalogue):
    """Movies stand in the same order in all of them, MovieLens's numbers apart."""
    matcher, ratings = Matcher(catalogue), read_ratings(HERE / f"{name}.csv").ratings
    place = {title: row for row, title in enumerate(by_row(name))}
    missed = 0
    for rating in ratings:
        movie = matcher.find(rating).movie
        truth = rating.movie_id - 1 if name == "movielens" else place[rating.title, rating.year]
        assert movie in (truth, None), rating.name
        missed += movie is None
    assert missed <= 5


def by_row(name):
    """Title and year of each movie as the site has them."""
    if name == "movielens":
        return []
    title, encoding = {"letterboxd": ("Name", "utf-8"), "imdb": ("Title", "cp1252")}[name]
    with (HERE / f"{name}.csv").open(encoding=encoding, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("Title Type", "Movie") == "Movie"]
    return [(row[title], int(row["Year"])) for row in rows]


def test_keys_and_articles():
    assert (key("Amélie & Léon"), key("X"), key("…")) == ("amelieandleon", "x", "…")
    assert article_first("Matrix, The") == "The Matrix"
    assert article_first("Atalante, L'") == "L'Atalante"
    spoken = "The City of Lost Children (La Cité des enfants perdus)"
    assert article_first("City of Lost Children, The (Cité des enfants perdus, La)") == spoken
    assert article_first("Me, Myself & Irene") == "Me, Myself & Irene"


# --- a search ------------------------------------------------------------------------------------


def test_search_finds_by_words_and_slips(catalogue):
    matcher = Matcher(catalogue)

    def names(typed, count=8):
        return [catalogue.name(row) for row in matcher.search(typed, count)]

    assert names("alien")[0] == "Alien (1979)"
    assert names("ALIEN (1979)") == ["Alien (1979)"]
    assert names("crusade last") == ["Indiana Jones and the Last Crusade (1989)"]
    assert names("Toy Stori")[0] == "Toy Story (1995)"
    assert names("alien (1950)")[0] == "Alien (1979)"
    assert names("") == names(" ?! ") == names("(1979)") == []
    assert len(names("t", 3)) == 3
    assert all(name in names(name) for name in map(catalogue.name, range(len(catalogue))))


def test_the_whole_name_comes_first_then_its_beginning_then_the_best_known():
    titles = ["Heat of Alien (1990)", "Aliens (1986)", "Alien 3 (1992)", "Alien (1979)"]
    other = [(), (), (), ("Das Heat-Wesen",)]
    matcher = Matcher(catalogue_of_titles(titles, other=other))
    assert matcher.search("alien", 9) == [3, 1, 2, 0]
    assert matcher.search("heat", 9) == [0, 3]
    assert matcher.search("alien (1986)", 9) == [1]
    assert matcher.search("alien", 2) == [3, 1]
