"""What changes the user's file, and the page's messages about it."""

import io

import pytest
from own_movies import SOME
from pages import message_of, movies_of

from recbench.own_ratings.filters import Filters
from recbench.own_ratings.profile import Profile
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.recommendation import Changes


def test_rate_moves_the_list_and_tells_how(seen):
    before = movies_of(seen.get())
    with seen.user.reading() as session:
        old = session.recommend(10, Filters(rated_by=20))
    told = seen.done("rate", movie=seen.row(before[0]), stars="0,5")
    with seen.user.reading() as session:
        changes = Changes.between(old, session.recommend(10, Filters(rated_by=20)))
    assert told.splitlines() == [f"rated: {before[0]}, 0.5 stars", *changes.lines()]
    assert f"gone: {before[0]}" in told
    assert before[0] not in movies_of(seen.get())
    latest = seen.known().ratings[-1]
    assert (latest.name, latest.stars) == (before[0], 0.5)


def test_a_message_is_shown_once(seen):
    where = seen.post("mute", genre="Drama").headers["Location"].replace(".", "", 1)
    shown = seen.get(where)
    assert "muted: Drama" in message_of(shown)
    assert message_of(seen.get(where)) == ""


def test_forget_a_movie_that_there_is_not(page):
    name = "Lost & Found (1927)"
    with page.user.changing() as session:
        session.add([OwnRating(stars=4, title="Lost & Found", year=1927)])
    assert "Lost &amp; Found (1927)" in page.get().text
    assert f"forgotten: {name}" in page.done("forget", title=name)
    assert page.known() == Profile()
    answer = page.post("forget", movie=page.row("Heat (1995)"))
    assert answer.status_code == 400
    assert "Heat (1995): you have not rated it" in message_of(answer)


def test_mute_and_unmute(seen):
    assert "muted: Drama" in seen.done("mute", genre="Drama")
    assert seen.known().muted == ("Drama",)
    text = seen.get().text
    assert 'id="genre-Drama" aria-pressed="true" formaction="unmute#genres"' in text
    assert 'id="genre-Horror" aria-pressed="false">' in text
    assert "no longer muted: Drama" in seen.done("unmute", genre="Drama")
    assert seen.known().muted == ()
    assert seen.post("mute", genre="Horor").status_code == 400
    assert seen.post("unmute", genre="Drama").status_code == 400
    assert len(seen.known().ratings) == len(SOME)


def test_ask_and_not_seen(page):
    def question():
        form = page.get("?ask=1").text.split('action="skip?ask=1#next"')[1]
        return int(form.split('name="movie" value="')[1].split('"')[0])

    first = question()
    with page.user.reading() as session:
        assert first == session.next_question()
    assert "not asked again" in page.done("skip?ask=1", movie=first)
    second = question()
    assert second != first
    assert not page.profile.exists()  # what was not seen is not saved
    page.post("rate?ask=1", movie=second, stars="3")
    assert question() not in (first, second)
    assert 'id="skip"' not in page.get("?ask=0").text


def test_what_became_of_a_file_is_said_as_in_the_terminal(page):
    rows = (
        b"Const,Your Rating,Date Rated,Title,Year\ntt1,9,2/11/2024,Aliens,1987\ntt2,9,x,Tar,2022\n"
    )
    told = page.done("import", file=(io.BytesIO(rows), "imdb.csv"), user="")
    assert "Aliens (1987) was matched to Aliens (1986)" in told
    assert "1 date could not be read, such as 'x'" in told
    later = "of these, from later years: 1; movies go until 2015 in a set of tests"
    assert later in told
    assert f'<p class="hint">{later}' in page.get().text


def test_a_file_of_several_users(page):
    def form(user):
        rows = b"userId,movieId,rating\n1,1,4\n2,2,3\n"
        return {"file": (io.BytesIO(rows), "r.csv"), "user": user}

    assert "Say which is you: userId ID" in message_of(page.post("import", **form("")))
    told = page.done("import", **form("2"))
    assert "1 of 1 ratings found their movie" in told
    assert "movieIds are read as those of a set of tests" in told
    assert len(page.known().ratings) == 1


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"file": (b"", "r.csv")}, "r.csv: is empty"),
        ({"file": (b"PK\x03\x04rest", "../../x.zip")}, "x.zip: is no ZIP file"),
        ({"file": (b"a,b\n1,2\n", "<b>.csv")}, "<b>.csv: is of no known kind"),
        ({"file": (b"movieId,rating\n1,7\n", "r.csv")}, "r.csv, line 2: the rating is '7'"),
        ({"file": (b"\x00\x01" * 50, "r.csv")}, "r.csv: is not text"),
        ({"file": (b"", "")}, "Choose a file first"),
        ({"file": "text"}, "Choose a file first"),
        ({}, "Choose a file first"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(seen, form, message):
    before = seen.profile.read_bytes()
    if isinstance(form.get("file"), tuple):
        content, name = form["file"]
        form = {"file": (io.BytesIO(content), name)}
    answer = seen.post("import", **form, user="")
    assert answer.status_code == 400
    assert message_of(answer).startswith(message)
    assert "<b>" not in answer.text
    assert seen.profile.read_bytes() == before


def test_delete(seen):
    assert seen.post("delete").status_code == 400
    assert message_of(seen.post("delete", sure="no")).startswith("Nothing was deleted")
    assert seen.profile.exists()
    assert f"deleted {seen.profile}" in seen.done("delete", sure="yes")
    assert list(seen.profile.parent.iterdir()) == []
    assert "0 ratings ·" in seen.get().text
    assert "there is no file" in seen.done("delete", sure="yes")
    seen.post("rate", movie=3, stars="4")
    assert len(seen.known().ratings) == 1
