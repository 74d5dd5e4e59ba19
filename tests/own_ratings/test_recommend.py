"""recommend.py: most of it in this process; as a user starts it where that is the question."""

from __future__ import annotations

import io
import json
import os
import pty
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest
from own_movies import HERE, known_movies_of_titles
from tests_paths import ROOT, SYNTHETIC

from recbench.errors import InputError
from recbench.own_ratings.profile import Profile, ProfileFile
from recbench.own_ratings.reading import OwnRating
from recommend import WELL_KNOWN, Parameters, main

KNOWN = Profile((OwnRating(stars=4.5, title="Alien", year=1979, time=1),), ("War",))
SCRIPT = [sys.executable, str(ROOT / "recommend.py")]


@pytest.fixture(scope="module")
def movies_file(tmp_path_factory, catalogue):
    """A file with item table and list of movies."""
    file = tmp_path_factory.mktemp("movies") / "movies.zip"
    known_movies_of_titles(catalogue).save(file)
    return file


@pytest.fixture
def user(tmp_path, movies_file, monkeypatch, capsys):
    """Runs the script with a profile of its own; `profile` is its file."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("RECBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    profile = tmp_path / "data" / "recommender-systems-benchmark" / "profile.json"

    def run(**flags):
        """Standard output and standard error."""
        main(Parameters(**{"item_table": str(movies_file), "well_known": 0, **flags}))
        return capsys.readouterr()

    def refused(*words, **flags):
        before = profile.read_bytes() if profile.exists() else None
        with pytest.raises(InputError) as error:
            run(**flags)
        assert all(word in str(error.value) for word in words), error.value
        assert (profile.read_bytes() if profile.exists() else None) == before
        assert capsys.readouterr().out == ""

    return SimpleNamespace(run=run, refused=refused, profile=profile, folder=tmp_path)


@pytest.mark.slow
def test_a_first_day(user):
    out, err = user.run(ratings=str(HERE / "letterboxd.csv"), number=5)
    assert "ratings found their movie" in err
    assert "new: " in err
    assert 5 <= out.count("you gave it") <= 15
    assert stat.S_IMODE(user.profile.stat().st_mode) == 0o600
    assert stat.S_IMODE(user.profile.parent.stat().st_mode) == 0o700
    before = user.profile.read_bytes()
    assert user.run(number=5).out == out
    assert user.profile.read_bytes() == before

    out, err = user.run(forget=("Trainspotting (1996)",), format="json")
    content = json.loads(out)
    assert content["changes"].keys() == {"new", "gone", "moved"}
    assert content["recommendations"][0]["reasons"][0].keys() == {"movie", "words", "stars"}
    assert "forgotten: Trainspotting (1996)" in err
    assert b"Trainspotting" not in user.profile.read_bytes()

    out, _ = user.run(mute=("Comedy",), format="json")
    rows = json.loads(out)["recommendations"]
    assert 0 < len(rows) <= 10
    assert not any("Comedy" in row["genres"] for row in rows)
    assert all(0.5 <= row["low"] <= row["high"] <= 5 for row in rows)

    out, err = user.run(me=True)
    assert out == ""
    assert "genres muted: Comedy" in err
    assert str(user.profile) in err

    _, err = user.run(unmute=("Comedy",), rate=("Trainspotting (1996)=4",), ask=True)
    assert "no longer muted: Comedy" in err
    assert "rated: Trainspotting" in err
    assert "best to rate next: --rate" in err

    assert "deleted" in user.run(delete_profile=True).err
    assert not user.profile.exists()
    assert "there is no profile" in user.run(delete_profile=True).err


WRONG = [
    ({"rate": ("Alien (1979)",)}, ('expected title and stars, such as "Alien',)),
    ({"rate": ("=4",)}, ("expected title and stars",)),
    ({"rate": ("Alien=3.7",)}, ('--rate "Alien=3.7"', "0.5, 1.0, 1.5")),
    ({"rate": ("Alien=",)}, ("0.5, 1.0, 1.5",)),
    ({"rate": ("Heat=4", "Trainspoting=4")}, ("no movie", "Trainspotting (1996)")),
    ({"rate": ("Heat=4",), "forget": ("Fargo",)}, ("have not rated it",)),
    ({"mute": ("Horor",)}, ("no movie has it",)),
    ({"unmute": ("Comedy",)}, ("is not muted", "War")),
    ({"genre": ("Horor",)}, ("--genre Horor",)),
    ({"not_genre": ("Horor",)}, ("--not-genre Horor",)),
    ({"genre": ("War",)}, ("is muted", "--unmute War")),
    ({"genre": ("Comedy",), "mute": ("comedy",)}, ("is muted",)),
    ({"language": ("xx",)}, ("--language xx",)),
    ({"diversity": 2}, ("--diversity is 2",)),
    ({"diversity": float("nan")}, ("--diversity is nan",)),
    ({"number": -1}, ("--number is -1",)),
    ({"year_from": 2000, "year_to": 1990}, ("no year fits",)),
    ({"user": "3"}, ("--ratings",)),
    ({"ratings": "."}, ("is a folder",)),
    ({"ratings": "none.csv"}, ("no such file",)),
    ({"rate": ("Tár (2022)=4",)}, ("no movie of a set of tests has this title",)),
    ({"profile": "."}, ("is a folder",)),
    ({"item_table": "none.npz"}, ("no such file",)),
    ({"serve": True, "rate": ("Alien=4",)}, ("--rate: has no effect with --serve",)),
    ({"serve": True, "format": "json"}, ("--format: has no effect with --serve",)),
    ({"serve": True, "well_known": 3}, ("--well-known: has no effect with --serve",)),
    ({"port": 80}, ("--port: needs --serve",)),
    ({"serve": True, "port": 70_000}, ("--port is 70000",)),
    ({"serve": True, "profile": "."}, ("is a folder",)),
]


@pytest.mark.parametrize(("flags", "words"), WRONG)
def test_wrong_input_is_one_message_and_nothing_is_lost(user, flags, words):
    ProfileFile(user.profile).write(KNOWN)
    if flags.get("serve"):  # beside which nothing is chosen
        flags = {"item_table": "", "well_known": WELL_KNOWN} | flags
    user.refused(*words, **flags)


def test_there_is_no_profile_and_nobody_can_be_asked(user):
    user.refused("there is no profile", "--ratings FILE", "--rate")
    user.refused("there is no profile", me=True)
    user.refused("have not rated it", forget=("Alien",))


def test_where_no_movie_is_recent_enough_it_says_until_when_they_go(user):
    content = json.loads(user.run(rate=("Alien=4",), year_from=2090, format="json").out)
    assert content["recommendations"] == []
    told = "no unseen movie passes the filters: movies go until 2015 in a set of tests"
    assert content["messages"][-1].startswith(told)
    assert "rated: Alien (1979), 4 stars" in content["messages"]
    assert user.run(year_from=2090).out.startswith(told)
    assert user.run(genre=("War",), year_to=1900).out == "no unseen movie passes the filters\n"


def test_what_cannot_be_written_is_told_before_anything_long(user, monkeypatch):
    def long(*_):
        raise AssertionError("too late")

    monkeypatch.setattr("recommend.open_known_movies", long)
    user.refused("cannot be written", rate=("Alien=4",), profile=str(user.folder / "no/me.json"))


def test_from_a_dataset(user, monkeypatch):
    """The first start makes the item table, the next takes it from the cache, --serve too."""
    flags = {"item_table": "", "dataset": str(SYNTHETIC), "rate": ("Film 3=4",)}
    first, again = user.run(**flags), user.run(**flags)
    assert "done in" in first.err
    assert "done in" not in again.err
    assert again.out == first.out
    served = []
    monkeypatch.setattr("recbench.page.app.serve", lambda session, *_: served.append(session))
    del flags["rate"]
    assert user.run(**flags, serve=True, port=0, well_known=WELL_KNOWN).err == ""
    assert len(served[0].rated) == 1


# --- as a user starts it -------------------------------------------------------------------------


@pytest.mark.slow
def test_asked_in_a_terminal(user, movies_file):
    keyboard, terminal = pty.openpty()
    words = ["--item-table", str(movies_file), "--number", "3"]
    with subprocess.Popen(
        [*SCRIPT, *words], stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(terminal)
        os.write(keyboard, b"4\n\nwhat\n5\nq\n")
        out, err = process.communicate(timeout=60)
    os.close(keyboard)
    assert process.returncode == 0, err
    assert "'what' are no stars" in err
    assert "your profile: 2 ratings" in err
    assert len(ProfileFile(user.profile).read().ratings) == 2
    assert "you gave it" in out
    assert "How many stars" not in out
