"""Files that are added to a profile: which movie a rating is of, which of two counts, and what is
said about it; in any order."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_movies import HERE, catalogue_of_titles, known_movies_of_titles, session_of

from PerUser.personal import Personal
from recbench.errors import InputError
from recbench.own_ratings.profile import Profile
from recbench.own_ratings.reading import OwnRating, ratings_of, read_ratings
from recbench.own_ratings.session import Session


def test_a_file_is_added(session):
    (said, *_) = session.add(*read_ratings(HERE / "letterboxd.csv"))
    assert f"Letterboxd: {len(session.rated)} of 253 ratings found their movie" in said
    assert session.learned == len(session.rated) >= 248
    assert len(session.lacking) == 253 - len(session.rated)
    again = Session(session.known_movies, Personal, session.profile)
    assert again.rated == session.rated
    assert again.recommend(5) == session.recommend(5)


def rating(title, stars, when=None):
    return OwnRating(stars=stars, title=title, year=1979, time=when)


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        ((3, 10), (4, 20), 4),
        ((3, 20), (4, 10), 3),
        ((3, None), (4, None), 4),
        ((3, 10), (4, 10), 4),
    ],
)
def test_of_a_movie_named_twice_the_latest_counts(session, first, second, counts):
    pair = [rating("Alien", *first), rating("alien", *second)]
    said = session.add(sorted(pair, key=lambda one: one.time or 0))
    assert said[1:] == ["rated twice, the latest counts:", "  Alien (1979)"]
    assert list(session.rated.values()) == [counts]


def test_a_movie_that_was_watched_is_used_and_not_recommended(seen):
    seen.add([])  # ratings of one second, by name
    before = {one.movie: one for one in seen.recommend(1000)}
    movie = seen.recommend(1)[0].movie
    watched = OwnRating(None, seen.catalogue.shown[movie], int(seen.catalogue.year[movie]))
    unknown = OwnRating(None, "Nobody Knows It", 1950)
    alien = OwnRating(None, "Alien", 1979, time=2_000_000_000)
    lines = seen.add([watched, unknown, alien])
    assert "movies watched and not rated: 2 of 3 found their movie" in lines
    assert seen.watched == {movie}
    assert (seen.rated[seen._movie("Alien")], len(seen.rated)) == (4.5, 6)  # the rating stays
    assert seen.profile.summary == "6 ratings, 2 movies watched and not rated"
    again = Session(seen.known_movies, Personal, Profile.decoded(seen.profile.encoded(), "file"))
    after = {one.movie: one for one in again.recommend(1000)}
    assert before.keys() - after.keys() == {movie}
    assert any(after[row].stars != before[row].stars for row in after)
    seen.add([replace(watched, stars=2, time=1)])
    assert (seen.rated[movie], seen.watched) == (2, set())
    again.forget(watched.name)
    assert again.recommend(1000) == list(before.values())


IMDB = "Const,Your Rating,Date Rated,Title,Year"


def lines_of(session, *rows, heading="Name,Year,Rating,Letterboxd URI", kind="Letterboxd"):
    file = ratings_of("\n".join((heading, *rows)).encode(), "r.csv")
    assert file.kind == kind
    return "\n".join(session.add(*file))


def test_a_match_one_year_off_yields_to_an_exact_one():
    session = session_of("Whiplash (2014)")
    said = lines_of(session, "Whiplash,2014,5", "Whiplash,2013,1")
    assert "1 of 2 ratings found their movie (1 by title and year)" in said
    assert "Whiplash (2013) was not matched to Whiplash (2014): another of your ratings" in said
    assert session.rated == {0: 5}
    assert [one.name for one in session.lacking] == ["Whiplash (2013)"]
    again = Session(session.known_movies, Personal, session.profile)
    assert again.rated == {0: 5}
    alone = session_of("Whiplash (2014)")
    assert "(1 nearly)\n  Whiplash (2013) was matched to Whiplash (2014)" in lines_of(
        alone, "Whiplash,2013,1"
    )
    assert alone.rated == {0: 1}
    assert "Whiplash (2013) was not matched to Whiplash (2014)" in lines_of(
        alone, "Whiplash,2014,5"
    )
    assert alone.profile == session.profile


@pytest.mark.parametrize(
    ("there", "title", "other"),
    [
        ("The Gift (2015)", "Gift", "The Gift"),
        ("The Gift (2015)", "A Gift", "Gift, The"),
        ("Gattaca Station (2015)", "Gatacca Station", "Gattaca Station"),
    ],
)
def test_what_is_not_the_title_itself_is_shown_and_yields(there, title, other):
    session = session_of(there)
    said = lines_of(session, f'"{title}",2015,1')
    assert f"(1 nearly)\n  {title} (2015) was matched to {there}" in said
    assert session.rated == {0: 1}
    session = session_of(there)
    said = lines_of(session, f'"{title}",2015,1', f'"{other}",2015,5')
    assert f"{title} (2015) was not matched to {there}" in said
    assert session.rated == {0: 5}


def test_two_in_as_much_doubt_and_two_ids_are_not_decided():
    session = session_of("The Gift (2015)", "Chaos (2005)")
    said = lines_of(session, "A Gift,2015,1", "Gift,2015,5")
    assert "0 of 2 ratings found" in said
    assert said.count("was not matched to The Gift (2015)") == 2
    said = lines_of(session, "tt01,9,,Chaos,2005", "tt02,1,,Chaos,2005",
                    heading=IMDB, kind="IMDb")  # fmt: skip
    assert said.count("Chaos (2005) was not matched to Chaos (2005)") == 1
    assert session.rated == {}


def test_two_spellings_of_one_movie_are_rated_twice():
    session = session_of("Seven (a.k.a. Se7en) (1995)")
    assert "latest counts:\n  Seven (a.k.a. Se7en) (1995), also as Se7en (1995)" in lines_of(
        session, "Seven,1995,5", "Se7en,1995,2"
    )
    assert session.rated == {0: 2}


def test_another_id_is_named():
    catalogue = catalogue_of_titles(["Heat (1995)"], imdb_id=["tt0000001"])
    session = Session(known_movies_of_titles(catalogue), Personal)
    said = lines_of(session, "tt0113277,9,Heat,1995", heading="Const,Your Rating,Title,Year",
                    kind="IMDb")  # fmt: skip
    assert "was matched to Heat (1995), but the ids differ: tt0113277, tt0000001" in said


TITLES = (
    *("Whiplash (2014)", "The Gift (2015)", "Seven (a.k.a. Se7en) (1995)", "Heat (1995)"),
    "Heat (1986)",
)
WRITTEN = (
    *(("Whiplash", 2013), ("Whiplash", 2014), ("Whiplash", 2015), ("Gift", 2015), ("A Gift", 2015)),
    *(("The Gift", 2016), ("Seven", 1995), ("Se7en (Final Cut)", 1995), ("Heat", 1986)),
    *(("Heat", 1987), ("Nope", 2022)),
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(WRITTEN), min_size=6, max_size=6), st.permutations(range(6)))
def test_any_files_in_any_order_give_one_profile(titles, times):
    rows = [OwnRating(1 + time / 2, *title, time=time)
            for title, time in zip(titles, times, strict=True)]  # fmt: skip
    profiles = set()
    for order in permutations((rows[:2], rows[2:4], rows[4:])):
        session = session_of(*TITLES)
        for file in (*order, order[0]):
            session.add(sorted(file, key=lambda row: row.time))
        profiles.add(session.profile.encoded())
        assert Session(session.known_movies, Personal, session.profile).rated == session.rated
    assert len(profiles) == 1


def test_movies_later_than_the_data_are_counted(session):
    said = lines_of(session, "Tár,2022,4", "Oppenheimer,2023,5", "Nobody Knows It,1950,3")
    last = session.catalogue.last_year
    assert f"of these, from later years: 2; movies go until {last} in a set of tests" in said
    assert "until 2023 (239 MB) in --dataset ml-32m" in said
    assert "nearest" not in said


def test_what_finds_no_movie_stays_and_is_named_with_the_nearest(session):
    unknown = OwnRating(stars=4, title="Trainspottingg Two", year=2017)
    said = session.add([unknown, rating("Alien", 3)])
    assert said[2] == "  Trainspottingg Two (2017) (nearest: Trainspotting (1996))"
    assert session.lacking == [unknown]
    assert session.learned == 1
    later = session_of("Trainspottingg Two (2017)", "Alien (1979)", profile=session.profile)
    assert later.rated == {0: 4, 1: 3}
    assert session.forget("Trainspottingg Two (2017)") == "Trainspottingg Two (2017)"
    assert session.lacking == []


def test_numbers_of_movies_of_another_set(known_movies):
    of_100k = replace(known_movies, catalogue=replace(known_movies.catalogue, dataset="ml-100k"))
    session = Session(of_100k, Personal)
    session.add([OwnRating(stars=3, movie_id=253)])
    with pytest.raises(InputError, match=r"movieId 2571 is not in ml-100k.*--dataset"):
        session.add([OwnRating(stars=3, movie_id=1), OwnRating(stars=3, movie_id=2571)])
    assert list(session.rated.values()) == [3]
