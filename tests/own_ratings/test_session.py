"""A session: what it recommends, learns and forgets; and the interview of a new user."""

import re

import numpy as np
import pytest
from own_movies import SOME, session_of

from PerUser.personal import Personal
from recbench.contract import Training
from recbench.errors import InputError
from recbench.models.item_table.table import ItemTables
from recbench.models.memories import WATCHED
from recbench.own_ratings import session as module
from recbench.own_ratings.filters import Filters
from recbench.own_ratings.recommendation import Changes, interval
from recbench.own_ratings.session import INTERVIEW, MOST_QUESTIONS, Session, interview
from recbench.ratings import Ratings


def test_recommendations_are_those_of_the_model(seen, known_movies):
    movies, movie = known_movies.catalogue.movies, list(seen.rated)
    train = Ratings(np.zeros(6), movie, list(SOME.values()), np.arange(6))
    tables = ItemTables.same_for_all(known_movies.table)
    model = Personal().fit(Training(train, movies, fits={"item_tables": lambda: tables}))
    stars = model.predict(np.zeros(len(movies), int), np.arange(len(movies)))
    stars[movie] = 0
    listed = seen.recommend(10)
    assert [one.stars for one in listed] == pytest.approx(np.sort(stars)[::-1][:10], abs=1e-5)
    names = {known_movies.catalogue.name(row): row for row in movie}
    for one in listed:
        assert one.stars == pytest.approx(stars[one.movie], abs=1e-5)
        grid, probability = model.predict_distribution([0], [one.movie])
        inside = (grid >= one.low) & (grid <= one.high)
        assert probability[0][inside].sum() >= 0.8
        parts = model.explain_one(0, one.movie).contributions
        shares = {part.movie: part.stars for part in parts if part.reason != WATCHED}
        for reason in one.reasons:
            assert reason.stars == pytest.approx(shares[names[reason.movie]])
            assert "you gave it" in reason.words


def test_reasons_do_not_say_the_opposite(seen):
    model, mean = seen._fitted(), seen.known_movies.table.mean
    row = {seen.catalogue.name(movie): movie for movie in seen.rated}
    for one in seen.recommend(50):
        for_it = [reason for reason in one.reasons if reason.stars > 0]
        others = np.array([row[reason.movie] for reason in for_it], dtype=int)
        similar = model.correlation(np.array([one.movie]), others)[0]
        fits = (similar >= 0) == (np.array([seen.rated[other] for other in others]) > mean[others])
        assert fits.all() or not fits.any()
        for reason, other, value in zip(for_it, others, similar, strict=True):
            shown = re.fullmatch(r"you gave it (\S+); similarity (\S+) by the model", reason.words)
            assert float(shown[1]) == seen.rated[other]
            assert float(shown[2]) == pytest.approx(value, abs=0.0051)
            assert not shown[2].startswith(("0", "-0"))


def test_without_ratings_the_mean_of_others(session):
    listed = session.recommend(3)
    assert [one.reasons for one in listed] == [(), (), ()]
    best = np.sort(session.known_movies.table.mean)[::-1][:3]
    assert [one.stars for one in listed] == pytest.approx(best)


def test_all_that_is_unseen_filters_and_diversity(seen):
    everything = seen.recommend(1000)
    assert len(everything) == len(seen.catalogue) - len(SOME)
    assert not {one.movie for one in everything} & set(seen.rated)
    comedies = seen.recommend(5, Filters(genres=("Comedy",)))
    assert all("Comedy" in one.genres for one in comedies)
    varied = [one.movie for one in seen.recommend(10, diversity=0.7)]
    plain = [one.movie for one in seen.recommend(10)]
    model = seen._fitted()
    similar = [model.correlation(np.array(one), np.array(one)).mean() for one in (varied, plain)]
    assert similar[0] < similar[1]


# --- what changes it ---------------------------------------------------------------------------


def test_forgetting_leaves_what_somebody_has_who_never_rated_it(known_movies, monkeypatch):
    monkeypatch.setattr(module.clock, "time", lambda: 1.7e9)
    rated, never = (Session(known_movies, Personal) for _ in range(2))
    for title, stars in SOME.items():
        rated.rate(title, stars)
        if title != "Psycho (1960)":
            never.rate(title, stars)
    assert rated.forget("psycho") == "Psycho (1960)"
    assert rated.profile.encoded() == never.profile.encoded()
    assert b"sycho" not in rated.profile.encoded()
    assert rated.recommend(10) == never.recommend(10)


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("Fargoo", r"have not rated it\. The nearest .*: Fargo \(1997\)"),
        ("Heat (1995)", "have not rated it"),
        ("Alien (1999)", "have not rated it"),
        ("Sign", "have not rated it$"),
    ],
)
def test_forget_what_was_not_rated(seen, title, message):
    with pytest.raises(InputError, match=message):
        seen.forget(title)


def test_forget_one_of_two_of_the_same_title():
    session = session_of("Hamlet (1990)", "Hamlet (1996)")
    several = r"several.*Hamlet \(1990\); Hamlet \(1996\)"
    with pytest.raises(InputError, match=several):
        session.rate("Hamlet", 3)
    session.rate("Hamlet (1990)", 4)
    session.rate("Hamlet (1996)", 2)
    with pytest.raises(InputError, match=several):
        session.forget("Hamlet")
    assert session.forget("Hamlet (1996)") == "Hamlet (1996)"
    assert session.forget("Hamlet") == "Hamlet (1990)"


def test_forget_a_movie_that_is_there_under_two_names():
    """As two movies of another dataset, which are one here."""
    session = session_of("Seven (1995)", "Se7en (1995)")
    session.rate("Seven (1995)", 4)
    session.rate("Se7en (1995)", 2)
    later = session_of("Seven (a.k.a. Se7en) (1995)", profile=session.profile)
    assert later.rated == {0: 2}
    later.forget("Se7en")
    assert later.profile.ratings == ()


def test_rate(seen):
    with pytest.raises(InputError, match=r"no movie of .* The nearest are The Usual Suspects"):
        seen.rate("Usul Suspects", 3)
    with pytest.raises(InputError, match=r"has this title$"):
        seen.rate("Tár (2022)", 3)  # nor is Avatar near
    for stars in (3.7, 0, 5.5, -1):
        with pytest.raises(InputError, match=r"Expected 0\.5, 1\.0"):
            seen.rate("Heat (1995)", stars)
    assert len(seen.rated) == len(SOME)
    movie = seen.rate("Alien", 1)  # takes the place of the former
    assert seen.rated[movie] == 1
    assert list(seen.rated)[-1] == movie
    assert len(seen.profile.ratings) == len(SOME)


def test_mute_and_unmute(seen):
    assert seen.mute("drama") == "Drama"
    assert not any("Drama" in one.genres for one in seen.recommend(1000))
    assert "Drama" not in seen.catalogue.genres[seen.next_question()]
    assert seen.mute("Drama") == "Drama"
    assert seen.profile.muted == ("Drama",)
    with pytest.raises(InputError, match=r"not muted\. Muted: Drama"):
        seen.unmute("Comedy")
    assert seen.unmute("DRAMA") == "Drama"
    with pytest.raises(InputError, match="Muted: none"):
        seen.unmute("Drama")


def test_the_next_question_is_what_the_model_would_ask(seen):
    movie = seen.next_question()
    known = np.argsort(-seen.catalogue.rated_by, kind="stable")
    unseen = known[~np.isin(known, list(seen.rated))]
    assert movie == seen._fitted().ask_next(0, unseen[:200], unseen[:500])
    assert seen.next_question(skipped=[movie]) != movie
    assert seen.next_question(skipped=range(len(seen.catalogue))) is None


# --- the interview -----------------------------------------------------------------------------


def interviewed(session, *answers):
    """Questions and sentences of an interview that gets these answers and then no more."""
    left, questions, told, saved = list(answers), [], [], []

    def ask(question):
        questions.append(question)
        if not left:
            raise EOFError
        return left.pop(0)

    rated = interview(session, ask, told.append, lambda: saved.append(1))
    assert len(saved) == rated == len(session.rated)
    return questions, told


FOUR = ["4"] * INTERVIEW


@pytest.mark.parametrize(
    ("answers", "asked", "stars", "refused"),
    [
        ((*FOUR, "4", "4"), INTERVIEW, [4] * INTERVIEW, []),
        (("", "", "3.5", "q", "5"), 4, [3.5], []),  # movies not seen are not asked again
        (("six", "7", "3.7", "4,5", "q"), 2, [4.5], ["six", "7", "3.7"]),  # these are
        ([""] * 1000, MOST_QUESTIONS, [], []),  # who knows none is not asked for ever
        *((answers, 1, [], []) for answers in ((), ("q",), ("Q",), ("quit",))),
        (("4",), 2, [4], []),
    ],
)
def test_an_interview(session, answers, asked, stars, refused):
    questions, told = interviewed(session, *answers)
    assert len({question[4:] for question in questions}) == asked == len(questions) - len(refused)
    assert questions[0].startswith(" 1. ")
    assert list(session.rated.values()) == stars
    assert "0.5 to 5 in halves; Enter: not seen; q: stop" in told[0]
    assert [line.split("'")[1] for line in told[1:] if line] == refused


# --- small parts -------------------------------------------------------------------------------


def test_interval():
    grid = np.arange(1, 11) / 2
    assert interval(grid, np.full(10, 0.1), 0.8) == (1.0, 4.5)
    assert interval(grid, np.eye(10)[6], 0.8) == (3.5, 3.5)


def test_changes(seen):
    before = seen.recommend(10)
    assert Changes.between(before, before).lines() == ["the list stays as it was"]
    changes = Changes.between(before, [before[3], *before[:3], *before[4:9]])
    assert changes.moved[0] == (before[3].name, 4, 1)
    assert len(changes.moved) == 4
    assert changes.gone == (before[9].name,)
    assert changes.new == ()
    assert changes.lines()[0] == f"up: {before[3].name} (4 → 1)"
