"""What changes the user's file, and what the page says of it."""

import io

import pytest
from own_movies import HERE, SOME
from pages import message_of, movies_of

from recbench.own_ratings.filters import Filters
from recbench.own_ratings.profile import Profile
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.recommendation import Changes


def test_rate_moves_the_list_and_says_how(seen):
    before = movies_of(seen.get())
    best = seen.row(before[0])
    told = seen.done("rate", movie=best, stars="0.5")
    after = movies_of(seen.get())
    assert f"rated: {before[0]}, 0.5 stars" in told
    assert f"gone: {before[0]}" in told
    assert before[0] not in after
    assert after != before
    assert seen.known().ratings[-1].name == before[0]
    assert seen.known().ratings[-1].stars == 0.5


def test_what_is_said_are_the_sessions_changes(seen):
    with seen.user.reading() as session:
        old = session.recommend(10, Filters(rated_by=20))
    told = seen.done("rate", movie=seen.row("Heat (1995)"), stars="4,5")
    with seen.user.reading() as session:
        new = session.recommend(10, Filters(rated_by=20))
    changes = Changes.between(old, new)
    assert told.splitlines() == ["rated: Heat (1995), 4.5 stars", *changes.lines()]


def test_it_is_said_once(page):
    answer = page.post("rate", movie=page.row("Heat (1995)"), stars="4")
    where = answer.headers["Location"].replace(".", "", 1)
    assert "rated" in message_of(page.get(where))
    assert message_of(page.get(where)) == ""


def test_a_movie_that_came_is_marked(seen):
    answer = seen.post("mute", genre="Drama")
    shown = seen.get(answer.headers["Location"].replace(".", "", 1)).text
    assert '<span class="mark">new</span>' in shown


def test_forget_leaves_what_somebody_has_who_never_rated(seen, known_movies, tmp_path):
    before = seen.profile.read_bytes()
    listed = movies_of(seen.get())
    movie = seen.row("Heat (1995)")
    seen.post("rate", movie=movie, stars="2")
    assert b"Heat" in seen.profile.read_bytes()
    assert "forgotten: Heat (1995)" in seen.done("forget", movie=movie)
    assert seen.profile.read_bytes() == before
    assert movies_of(seen.get()) == listed


def test_forget_what_was_not_rated(seen):
    answer = seen.post("forget", movie=seen.row("Heat (1995)"))
    assert answer.status_code == 400
    assert "Heat (1995): you have not rated it" in message_of(answer)


def test_forget_a_movie_that_there_is_not(page):
    with page.user.changing() as session:
        session.add([OwnRating(stars=4, title="Lost & Found", year=1927)])
    assert "Lost &amp; Found (1927)" in page.get().text
    assert "forgotten: Lost & Found (1927)" in page.done("forget", title="Lost & Found (1927)")
    assert page.known() == Profile()


def test_mute_and_unmute(seen):
    assert "muted: Drama" in seen.done("mute", genre="Drama")
    assert seen.known().muted == ("Drama",)
    text = seen.get().text
    assert 'id="genre-Drama" aria-pressed="true" formaction="unmute"' in text
    assert 'id="genre-Horror" aria-pressed="false">' in text
    assert "no longer muted: Drama" in seen.done("unmute", genre="Drama")
    assert seen.known().muted == ()
    assert seen.post("mute", genre="Horor").status_code == 400
    assert seen.post("unmute", genre="Drama").status_code == 400
    assert len(seen.known().ratings) == len(SOME)


def test_ask_and_not_seen(page):
    def asked():
        text = page.get("?ask=1").text
        return int(
            text.split('action="skip?ask=1"')[1].split('name="movie" value="')[1].split('"')[0]
        )

    first = asked()
    with page.user.reading() as session:
        assert first == session.next_question()
    assert "not asked again" in page.done("skip?ask=1", movie=first)
    second = asked()
    assert second != first
    assert not page.profile.exists()  # what was not seen is not kept
    page.post("rate?ask=1", movie=second, stars="3")
    assert asked() not in (first, second)
    assert 'id="skip"' not in page.get("?ask=0").text


@pytest.mark.parametrize("name", ["letterboxd.csv", "imdb.csv", "movielens.csv"])
def test_a_file_is_added(page, name):
    file = (io.BytesIO((HERE / name).read_bytes()), f"C:\\me\\{name}")
    told = page.done("import", file=file, user="")
    assert "ratings found their movie" in told
    assert len(page.known().ratings) >= 248


def test_a_file_of_several_users(page):
    rows = b"userId,movieId,rating\n1,1,4\n2,2,3\n"
    answer = page.post("import", file=(io.BytesIO(rows), "r.csv"), user="")
    assert answer.status_code == 400
    assert message_of(answer) == (
        "r.csv: holds ratings of 2 users (1, 2). Say which is you: userId ID"
    )
    answer = page.post("import", file=(io.BytesIO(rows), "r.csv"), user="7")
    assert "userId 7: r.csv has no such userId. It has 1, 2" in message_of(answer)
    told = page.done("import", file=(io.BytesIO(rows), "r.csv"), user="2")
    assert "1 of 1 ratings found their movie" in told
    assert "movieId is read as a set of tests numbers movies" in told
    assert len(page.known().ratings) == 1


@pytest.mark.parametrize(
    ("content", "name", "saying"),
    [
        (b"", "r.csv", "r.csv: is empty"),
        (b"PK\x03\x04rest", "../../x.zip", "x.zip: is a zip file"),
        (b"a,b\n1,2\n", "<b>.csv", "<b>.csv: is of no known kind"),
        (b"Name,Year,Rating\nAlien,1979,7\n", "r.csv", "r.csv, line 2: the rating is '7'"),
        (b"\x00\x01" * 50, "r.csv", "is no text"),
    ],
)
def test_a_file_that_is_none(seen, content, name, saying):
    before = seen.profile.read_bytes()
    answer = seen.post("import", file=(io.BytesIO(content), name), user="")
    assert answer.status_code == 400
    assert message_of(answer).startswith(saying) or saying in message_of(answer)
    assert "<b>" not in answer.text
    assert seen.profile.read_bytes() == before


def test_no_file(page):
    for form in ({}, {"file": (io.BytesIO(b""), "")}, {"file": "text"}):
        answer = page.post("import", **form)
        assert answer.status_code == 400
        assert message_of(answer) == "Choose a file first"


def test_delete(seen):
    assert seen.post("delete").status_code == 400
    assert seen.profile.exists()
    assert message_of(seen.post("delete", sure="no")).startswith("Nothing was deleted")
    assert f"deleted {seen.profile}" in seen.done("delete", sure="yes")
    assert not seen.profile.exists()
    assert list(seen.profile.parent.iterdir()) == []
    assert "0 ratings of yours" in seen.get().text
    assert "there is no file" in seen.done("delete", sure="yes")
    seen.post("rate", movie=3, stars="4")
    assert len(seen.known().ratings) == 1
