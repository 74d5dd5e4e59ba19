"""What a session knows, recommends and forgets."""

import time
from dataclasses import replace

import numpy as np
import pytest
from own_movies import HERE, SOME, catalogue_of_titles, known_movies_of_titles

from PerUser.personal import Personal
from recbench.errors import InputError
from recbench.models.item_table.table import ItemTables
from recbench.own_ratings import session as module
from recbench.own_ratings.changes import Changes
from recbench.own_ratings.filters import Filters
from recbench.own_ratings.rating import OwnRating
from recbench.own_ratings.reading import read_ratings
from recbench.own_ratings.recommendation import interval
from recbench.own_ratings.session import Session
from recbench.ratings import Ratings


def test_recommendations_are_those_of_the_model(seen, known_movies):
    movies, movie = known_movies.catalogue.movies, list(seen.rated)
    train = Ratings(np.zeros(6), movie, list(SOME.values()), np.arange(6))
    model = Personal().fit(train, movies, ItemTables.same_for_all(known_movies.table))
    stars = model.predict(np.zeros(len(movies), int), np.arange(len(movies)))
    stars[movie] = 0
    films = seen.recommend(10)
    assert [film.stars for film in films] == pytest.approx(np.sort(stars)[::-1][:10], abs=1e-5)
    for film in films:
        assert film.stars == pytest.approx(stars[film.movie], abs=1e-5)
        grid, probability = model.predict_distribution([0], [film.movie])
        inside = (grid >= film.low) & (grid <= film.high)
        assert probability[0][inside].sum() >= 0.8
        shares = {part.movie: part.stars for part in model.explain_one(0, film.movie).contributions}
        for reason in film.reasons:
            row = next(row for row in movie if known_movies.catalogue.name(row) == reason.film)
            assert reason.stars == pytest.approx(shares[row])
            assert "you gave it" in reason.words


def test_reasons_do_not_say_the_opposite(seen):
    model, mean = seen._fitted(), seen.known_movies.table.mean
    row = {seen.catalogue.name(movie): movie for movie in seen.rated}
    for film in seen.recommend(50):
        for_it = [reason for reason in film.reasons if reason.stars > 0]
        agree = [model.agreement(film.movie, [row[reason.film]])[0] for reason in for_it]
        liked = [seen.rated[row[reason.film]] > mean[row[reason.film]] for reason in for_it]
        says_so = [(part >= 0.5) == like for part, like in zip(agree, liked, strict=True)]
        assert all(says_so) or not any(says_so)
        for reason, part in zip(for_it, agree, strict=True):
            assert f"{part:.0%}" in reason.words


def test_no_movie_that_was_rated_is_recommended(seen):
    everything = seen.recommend(1000)
    assert len(everything) == len(seen.catalogue) - len(SOME)
    assert not {film.movie for film in everything} & set(seen.rated)


def test_without_ratings_the_mean_of_others(session):
    films = session.recommend(3)
    assert [film.reasons for film in films] == [(), (), ()]
    best = np.sort(session.known_movies.table.mean)[::-1][:3]
    assert [film.stars for film in films] == pytest.approx(best)


def test_filters_and_diversity(seen):
    comedies = seen.recommend(5, Filters(genres=("Comedy",)))
    assert all("Comedy" in film.genres for film in comedies)
    varied = [film.movie for film in seen.recommend(10, diversity=0.7)]
    plain = [film.movie for film in seen.recommend(10)]
    assert varied != plain
    model = seen._fitted()
    alike = [model.correlation(np.array(one), np.array(one)).mean() for one in (varied, plain)]
    assert alike[0] < alike[1]


def test_the_correlation_of_movies(seen):
    movies = np.arange(20)
    correlation = seen._fitted().correlation(movies, movies)
    np.testing.assert_allclose(np.diagonal(correlation), 1)
    np.testing.assert_allclose(correlation, correlation.T, atol=1e-12)
    assert np.abs(correlation).max() <= 1 + 1e-12


def test_reasons_are_the_shares_without_what_forgetting_would_do(seen):
    model, film = seen._fitted(), seen.recommend(1)[0].movie
    quick = model.explain_one(0, film, if_forgotten=False)
    whole = model.explain_one(0, film)
    assert [part.reason for part in quick.contributions] == [
        part.reason for part in whole.contributions
    ]
    assert quick.stars == whole.stars
    for one, other in zip(quick.contributions, whole.contributions, strict=True):
        assert one.stars == pytest.approx(other.stars, abs=1e-9)
        assert one.if_forgotten is None


# --- what changes it ---------------------------------------------------------------------------


def test_forgetting_leaves_what_somebody_has_who_never_rated_it(seen, known_movies, monkeypatch):
    monkeypatch.setattr(module.clock, "time", lambda: 1.7e9)
    never = Session(known_movies, Personal)
    for title, stars in SOME.items():
        if title != "Psycho (1960)":
            never.rate(title, stars)
    seen.profile = replace(
        seen.profile,
        ratings=tuple(replace(one, time=1_700_000_000) for one in seen.profile.ratings),
    )
    assert seen.forget("psycho") == "Psycho (1960)"
    assert seen.profile.encoded() == never.profile.encoded()
    assert b"sycho" not in seen.profile.encoded()
    assert seen.recommend(10) == never.recommend(10)


def test_forget_a_genre_in_one_call(seen):
    horror = [one for one in SOME if one in ("Alien (1979)", "The Shining (1980)", "Psycho (1960)")]
    assert sorted(seen.forget_genre("horror")) == sorted(horror)
    assert not any(word in seen.profile.encoded() for word in (b"Alien", b"Shining", b"Psycho"))
    assert seen.forget_genre("Horror") == []
    with pytest.raises(InputError, match="no movie is of this genre"):
        seen.forget_genre("Horor")


def test_forget_what_was_not_rated(seen):
    with pytest.raises(InputError, match=r"have not rated it\. The nearest .*: Fargo \(1997\)"):
        seen.forget("Fargoo")
    with pytest.raises(InputError, match="have not rated it"):
        seen.forget("Heat (1995)")
    with pytest.raises(InputError, match="have not rated it"):
        seen.forget("Alien (1999)")


def test_forget_one_of_two_of_the_same_title():
    catalogue = catalogue_of_titles(["Hamlet (1990)", "Hamlet (1996)"])
    session = Session(known_movies_of_titles(catalogue), Personal)
    session.rate("Hamlet (1990)", 4)
    session.rate("Hamlet (1996)", 2)
    with pytest.raises(InputError, match=r"several.*Hamlet \(1990\); Hamlet \(1996\)"):
        session.forget("Hamlet")
    assert session.forget("Hamlet (1996)") == "Hamlet (1996)"
    assert session.forget("Hamlet") == "Hamlet (1990)"


def test_forget_a_movie_that_is_there_under_two_names():
    """As two movies of another dataset, which are one here."""
    old = catalogue_of_titles(["Seven (1995)", "Se7en (1995)"])
    session = Session(known_movies_of_titles(old), Personal)
    session.rate("Seven (1995)", 4)
    session.rate("Se7en (1995)", 2)
    new = catalogue_of_titles(["Seven (a.k.a. Se7en) (1995)"])
    later = Session(known_movies_of_titles(new), Personal, session.profile)
    assert later.rated == {0: 2}
    later.forget("Se7en")
    assert later.profile.ratings == ()


def test_rate(seen):
    with pytest.raises(InputError, match=r"no movie of .* The nearest are The Usual Suspects"):
        seen.rate("Usul Suspects", 3)
    for stars in (3.7, 0, 5.5, -1):
        with pytest.raises(InputError, match=r"Expected 0\.5, 1\.0"):
            seen.rate("Heat (1995)", stars)
    catalogue = catalogue_of_titles(["Hamlet (1990)", "Hamlet (1996)"])
    with pytest.raises(InputError, match=r"several. Say which: Hamlet \(1990\); Hamlet \(1996\)"):
        Session(known_movies_of_titles(catalogue), Personal).rate("Hamlet", 3)
    assert len(seen.rated) == len(SOME)


def test_rating_again_takes_the_place_of_the_former(seen):
    movie = seen.rate("Alien", 1)
    assert seen.rated[movie] == 1
    assert list(seen.rated)[-1] == movie
    assert len(seen.profile.ratings) == len(SOME)


def test_mute_and_unmute(seen):
    assert seen.mute("drama") == "Drama"
    assert not any("Drama" in film.genres for film in seen.recommend(1000))
    assert "Drama" not in seen.catalogue.genres[seen.ask()]
    assert seen.mute("Drama") == "Drama"
    assert seen.profile.muted == ("Drama",)
    with pytest.raises(InputError, match=r"not muted\. Muted: Drama"):
        seen.unmute("Comedy")
    assert seen.unmute("DRAMA") == "Drama"
    with pytest.raises(InputError, match="no genre is muted"):
        seen.unmute("Drama")


def test_ask_is_what_the_model_would_ask(seen):
    movie = seen.ask()
    known = np.argsort(-seen.catalogue.rated_by, kind="stable")
    unseen = known[~np.isin(known, list(seen.rated))]
    assert movie == seen._fitted().ask_next(0, unseen[:200], unseen[:500])
    assert seen.ask(skipped=[movie]) != movie
    assert seen.ask(skipped=range(len(seen.catalogue))) is None


# --- files that are added ----------------------------------------------------------------------


def test_a_file_is_added(session):
    added = session.add(read_ratings(HERE / "letterboxd.csv").ratings)
    assert sum(added.matched.values()) >= 248
    assert session.learned == len(session.rated)
    assert len(session.lacking) == len(added.unmatched)
    again = Session(session.known_movies, Personal, session.profile)
    assert again.rated == session.rated
    assert again.recommend(5) == session.recommend(5)


def test_all_three_kinds_give_the_same_profile_but_for_times(known_movies):
    rated = []
    for name in ("letterboxd", "imdb", "movielens"):
        session = Session(known_movies, Personal)
        session.add(read_ratings(HERE / f"{name}.csv").ratings)
        rated.append(session.rated)
    for one in rated:
        common = one.keys() & rated[2].keys()
        assert len(common) >= 248
        assert all(one[movie] == rated[2][movie] for movie in common)


def rating(title, stars, when=None, **more):
    return OwnRating(stars=stars, title=title, year=1979, time=when, **more)


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
    pair = sorted(
        [rating("Alien", *first), rating("alien", *second)], key=lambda one: one.time or 0
    )
    added = session.add(pair)
    assert added.twice == ["Alien (1979)"]
    assert list(session.rated.values()) == [counts]


def test_the_later_of_file_and_profile_counts(session):
    session.add([rating("Alien", 3, 100)])
    assert session.add([rating("Alien", 4, 50)]).replaced == 0
    assert list(session.rated.values()) == [3]
    assert session.add([rating("Alien", 5, 200)]).replaced == 1
    assert session.add([rating("Alien", 2)]).replaced == 1
    assert list(session.rated.values()) == [2]


def test_what_finds_no_movie_is_kept_and_named_with_the_nearest(session, known_movies):
    unknown = OwnRating(stars=4, title="Trainspottingg Two", year=2017)
    added = session.add([unknown, rating("Alien", 3)])
    assert added.unmatched == [(unknown, ["Trainspotting (1996)"])]
    assert session.lacking == [unknown]
    assert session.learned == 1
    bigger = catalogue_of_titles(["Trainspottingg Two (2017)", "Alien (1979)"])
    later = Session(known_movies_of_titles(bigger), Personal, session.profile)
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


def test_another_numbering_of_movies_is_no_trouble(session):
    session.rate("Alien (1979)", 4)
    other = catalogue_of_titles([f"Movie {n} (1990)" for n in range(300)] + ["Alien (1979)"])
    assert Session(known_movies_of_titles(other), Personal, session.profile).rated == {300: 4}


def test_ten_thousand_ratings(monkeypatch):
    titles = [f"Tale {n} of {n * 7919 % 10_007} (1990)" for n in range(10_000)]
    session = Session(known_movies_of_titles(catalogue_of_titles(titles)), Personal)
    started = time.monotonic()
    added = session.add([OwnRating(stars=n % 10 / 2 + 0.5, movie_id=n + 1) for n in range(9_990)])
    assert added.matched == {"id": 9_990}
    monkeypatch.setattr(module, "LATEST", 500)  # so that the test takes no time
    films = session.recommend(5)
    assert len(films) == 5
    assert session.learned == 500
    oldest = session.catalogue.name(0)
    assert all(reason.film != oldest for film in films for reason in film.reasons)
    assert time.monotonic() - started < 60


# --- small parts -------------------------------------------------------------------------------


def test_interval():
    grid = np.arange(1, 11) / 2
    even = np.full(10, 0.1)
    assert interval(grid, even, 0.8) == (1.0, 4.5)
    sure = np.eye(10)[6]
    assert interval(grid, sure, 0.8) == (3.5, 3.5)


def test_changes(seen):
    before = seen.recommend(10)
    assert Changes.between(before, before).lines() == ["the list stays as it was"]
    after = [before[3], *before[:3], *before[4:9]]
    changes = Changes.between(before, after)
    assert changes.up == ((before[3].name, 4, 1),)
    assert len(changes.down) == 3
    assert changes.gone == (before[9].name,)
    assert changes.new == ()
    assert changes.lines()[0] == f"up: {before[3].name} (4 → 1)"
