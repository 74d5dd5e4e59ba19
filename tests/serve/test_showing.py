"""What the page shows: movies, reasons, what is known; escaped, whatever it is called."""

import json
import re

import pytest
from own_movies import SOME
from pages import HOSTILE, message_of, movies_of

from recbench.own_ratings.filters import Filters


def test_a_new_user_is_shown_the_best_and_asked_a_movie(page):
    answer = page.get()
    assert answer.status_code == 200
    assert len(movies_of(answer)) == 10
    assert "0 ratings ·" in answer.text
    assert 'id="skip"' in answer.text
    assert "there is no file" in answer.text
    assert not page.profile.exists()


def test_recommendations_are_the_sessions_with_interval_and_reasons(seen):
    answer = seen.get()
    with seen.user.reading() as session:
        movies = session.recommend(10, Filters(rated_by=20))
    assert movies_of(answer) == [movie.name for movie in movies]
    listed = answer.text.split('<ol id="movies"')[1]
    for movie in movies:
        shown = listed.split(f'id="movies-{movie.movie}-rate"')[0].rsplit("<li>\n<h3>", 1)[1]
        assert f"<strong>{movie.stars:.1f}</strong>" in shown
        assert f"80 %: {movie.low:g} to {movie.high:g}" in shown
        for reason in movie.reasons:
            assert f'<span class="share">{reason.stars:+.2f}</span>' in shown
            assert reason.words in shown


def test_a_genre_is_kept_by_every_form(seen):
    answer = seen.get("?genre=comedy&q=a")
    with seen.user.reading() as session:
        asked = Filters(genres=("Comedy",), rated_by=20)
        assert movies_of(answer) == [movie.name for movie in session.recommend(10, asked)]
    actions = re.findall(r'method="post" action="([^"]*)"', answer.text)
    assert all("q=a&amp;genre=Comedy" in one for one in actions)
    location = seen.post("mute?genre=Comedy", genre="Comedy").headers["Location"]
    assert location.startswith(".?genre=Comedy&message=")
    answer = seen.get("?genre=Comedy")
    assert movies_of(answer) == []
    assert "No unseen movie is left" in answer.text
    assert "Comedy is muted" in answer.text


def test_search(page):
    answer = page.get("?q=indiana+jon")
    found = answer.text.split('<ol id="found"')[1].split("</ol>")[0]
    assert "Indiana Jones and the Last Crusade (1989)" in found
    assert "shown for “indiana jon”" in message_of(answer)
    nothing = page.get("?q=%3Cb%3Ezqzq")
    assert message_of(nothing) == "no movies shown for “<b>zqzq”"
    assert "<b>zqzq" not in nothing.text


def test_a_title_is_text_whatever_is_in_it(page):
    movie = page.row(HOSTILE)
    answer = page.get("?q=script")
    assert "&lt;script&gt;alert(" in answer.text
    assert "<script>alert" not in answer.text
    after = page.post("rate", movie=movie, stars="5")
    shown = page.get(after.headers["Location"].replace(".", "", 1))
    assert message_of(shown).startswith(f"rated: {HOSTILE}, 5 stars")
    assert f"{HOSTILE}: you gave it" not in shown.text
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; &#39;Sons&#39;" in shown.text
    assert "<script>alert" not in shown.text
    assert shown.text.count("<script") == 1  # the page's own


def test_the_latest_ratings_are_shown(page):
    with page.user.changing() as session:
        for movie in range(60):
            session.rate_movie(movie, 4)
    text = page.get().text
    assert re.findall(r'id="rated-(\d+)"', text) == [str(row) for row in range(59, 9, -1)]
    assert "a search finds the others" in text


def test_download_is_the_file(seen):
    answer = seen.get("profile.json")
    assert answer.data == seen.profile.read_bytes()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="profile.json"'
    assert answer.mimetype == "application/json"
    assert len(json.loads(answer.data)["ratings"]) == len(SOME)
    seen.profile.unlink()
    assert seen.get("profile.json").status_code == 404


def test_ids_are_there_once_with_those_that_labels_and_forms_name(seen):
    text = seen.get("?q=alien&ask=1").text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert {*re.findall(r' (?:for|aria-labelledby)="([^"]+)"', text)} <= set(ids)
    assert {*re.findall(r' action="[^"]*#([^"]+)"', text)} <= set(ids)


@pytest.mark.parametrize("query", [{"q": "x" * 201}, {"genre": "Horor"}])
def test_what_is_no_view(page, query):
    answer = page.get("", query_string=query)
    assert answer.status_code == 400
    assert message_of(answer)
