"""One user, several tabs and programs: nothing is lost, nothing is kept that is not written."""

import subprocess
import sys
import threading

import pytest
from own_movies import SOME
from pages import HOME, message_of, page_of
from tests_paths import ROOT

from recbench.own_ratings import profile as module
from recbench.own_ratings.profile import ProfileFile


def test_two_tabs_at_once(page):
    """Each rates movies of its own; all are in the file."""
    answers = []

    def tab(movies):
        client = page.client.application.test_client()
        for movie in movies:
            form = {"token": page.token, "movie": movie, "stars": "4"}
            where = {"headers": {"Origin": HOME}, "base_url": HOME}
            answers.append(client.post(f"{page.path}rate", data=form, **where).status_code)

    tabs = [threading.Thread(target=tab, args=(range(start, 40, 4),)) for start in range(4)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    assert answers == [303] * 40
    assert len(page.known().ratings) == 40
    assert "40 ratings ·" in page.get().text


def test_another_program_is_followed(page, known_movies):
    page.post("rate", movie="3", stars="4")
    other = page_of(known_movies, page.profile)
    other.post("rate", movie="5", stars="2")
    assert "2 ratings ·" in page.get().text
    page.post("rate", movie="7", stars="3")
    assert "3 ratings ·" in other.get().text
    assert len(page.known().ratings) == 3
    other.post("delete", sure="yes")
    assert "0 ratings ·" in page.get().text
    page.post("rate", movie="3", stars="4")
    assert len(page.known().ratings) == 1


HAMMER = """
import sys
sys.path[:0] = [{root!r}, {own!r}]
from own_movies import catalogue_of_movies, known_movies_of_titles
from pathlib import Path
from PerUser.personal import Personal
from recbench.own_ratings.profile import ProfileFile
from recbench.own_ratings.session import Session
from recbench.page.routes import User
file = ProfileFile(Path({path!r}))
user = User(Session(known_movies_of_titles(catalogue_of_movies()), Personal, file.read()), file)
for movie in range({start}, 60, 2):
    with user.changing() as session:
        session.rate_movie(movie, 3)
"""


@pytest.mark.slow
def test_processes_at_once_lose_nothing(tmp_path):
    path, own = tmp_path / "me.json", ROOT / "tests" / "own_ratings"
    codes = [HAMMER.format(root=str(ROOT), own=str(own), path=str(path), start=start)
             for start in range(2)]  # fmt: skip
    processes = [subprocess.Popen([sys.executable, "-c", code]) for code in codes]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert len(ProfileFile(path).read().ratings) == 60
    assert [one.name for one in tmp_path.iterdir()] == ["me.json"]


def test_a_file_that_was_damaged_meanwhile_is_left_as_it_is(seen):
    content = seen.profile.read_bytes()
    seen.profile.write_bytes(content[:-30])
    for answer in (seen.get(), seen.post("rate", movie="3", stars="4")):
        assert answer.status_code == 400
        assert "left as it is" in message_of(answer)
    assert seen.profile.read_bytes() == content[:-30]
    seen.profile.write_bytes(content)
    assert f"{len(SOME)} ratings ·" in seen.get().text


def test_what_cannot_be_written_is_not_known(seen, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    before = seen.profile.read_bytes()
    monkeypatch.setattr(module.os, "fsync", full)
    answer = seen.post("rate", movie="3", stars="4")
    assert answer.status_code == 400
    assert "No space left" in message_of(answer)
    assert f"{len(SOME)} ratings ·" in seen.get().text
    monkeypatch.undo()
    assert seen.profile.read_bytes() == before
    assert seen.post("rate", movie="3", stars="4").status_code == 303
    assert len(seen.known().ratings) == len(SOME) + 1
