"""recommend.py as a user starts it: in a process of its own."""

from __future__ import annotations

import csv
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
from recbench.own_ratings.profile import FORMAT, Profile, ProfileFile
from recbench.own_ratings.rating import OwnRating
from recommend import Parameters, main

KNOWN = Profile((OwnRating(stars=4.5, title="Alien", year=1979, time=1),), ("War",))
SCRIPT = [sys.executable, str(ROOT / "recommend.py")]


@pytest.fixture(scope="module")
def films(tmp_path_factory, catalogue):
    """A folder with item table and list of movies, as the cache has it."""
    folder = tmp_path_factory.mktemp("films")
    known_movies_of_titles(catalogue).save(folder)
    return folder


@pytest.fixture
def user(tmp_path, films, monkeypatch, capsys):
    """Runs the script with a profile of its own; `profile` is its file."""
    profile = tmp_path / "data" / "recommender-systems-benchmark" / "profile.json"
    env = os.environ | {"XDG_DATA_HOME": str(tmp_path / "data"), "RECBENCH_CACHE": str(tmp_path)}

    def run(*words, status=0, stdin=""):
        given = [*SCRIPT, "--item-table", str(films), "--well-known", "0", *map(str, words)]
        done = subprocess.run(
            given, input=stdin, env=env, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == status, done.stderr
        return done

    def refused(*saying, **given):
        """In this process: it takes a second each otherwise."""
        before = profile.read_bytes() if profile.exists() else None
        with pytest.raises(InputError) as error:
            main(Parameters(**{"item_table": str(films), "well_known": 0, **given}))
        for word in saying:
            assert str(word) in str(error.value)
        assert (profile.read_bytes() if profile.exists() else None) == before
        assert capsys.readouterr().out == ""

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return SimpleNamespace(run=run, refused=refused, profile=profile, folder=tmp_path, env=env)


@pytest.mark.slow
def test_a_first_day(user):
    done = user.run("--ratings", HERE / "letterboxd.csv", "--number", 5)
    assert "ratings found their movie" in done.stderr
    assert "new: " in done.stderr
    assert 5 <= done.stdout.count("you gave it") <= 15
    assert stat.S_IMODE(user.profile.stat().st_mode) == 0o600
    assert stat.S_IMODE(user.profile.parent.stat().st_mode) == 0o700
    before = user.profile.read_bytes()

    again = user.run("--number", 5)
    assert again.stdout == done.stdout
    assert user.profile.read_bytes() == before

    done = user.run("--forget", "Trainspotting (1996)", "--format", "json")
    told = json.loads(done.stdout)
    assert told["changes"].keys() == {"new", "gone", "up", "down"}
    assert told["recommendations"][0]["reasons"]
    assert "forgotten: Trainspotting (1996)" in done.stderr
    assert b"Trainspotting" not in user.profile.read_bytes()

    done = user.run("--forget-genre", "Horror", "--mute", "Comedy", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 10
    assert not any("Comedy" in row["genres"] for row in rows)
    assert all(0.5 <= float(row["low"]) <= float(row["high"]) <= 5 for row in rows)

    done = user.run("--me")
    assert done.stdout == ""
    assert "genres muted: Comedy" in done.stderr
    assert str(user.profile) in done.stderr

    done = user.run("--unmute", "Comedy", "--rate", "Trainspotting (1996)=4", "--ask")
    assert "no longer muted: Comedy" in done.stderr
    assert "rated: Trainspotting" in done.stderr
    assert "would teach most: --rate" in done.stderr

    assert "deleted" in user.run("--delete-profile").stderr
    assert not user.profile.exists()
    assert "there is no profile" in user.run("--delete-profile").stderr


WRONG = [
    ({"rate": ("Alien (1979)",)}, ('expected title and stars, as "Alien',)),
    ({"rate": ("=4",)}, ("expected title and stars",)),
    ({"rate": ("Alien=3.7",)}, ('"3.7" are no stars', "0.5, 1.0, 1.5")),
    ({"rate": ("Alien=",)}, ('"" are no stars',)),
    ({"rate": ("Heat=4", "Trainspoting=4")}, ("no movie", "Trainspotting (1996)")),
    ({"rate": ("Heat=4",), "forget": ("Fargo",)}, ("have not rated it",)),
    ({"forget_genre": ("Horor",)}, ("no movie is of this genre", "Horror")),
    ({"mute": ("Horor",)}, ("no movie is of this genre",)),
    ({"unmute": ("Comedy",)}, ("is not muted", "War")),
    ({"genre": ("Horor",)}, ("--genre Horor",)),
    ({"not_genre": ("Horor",)}, ("--not-genre Horor",)),
    ({"genre": ("War",)}, ("is muted", "--unmute War")),
    ({"language": ("xx",)}, ("--language xx",)),
    ({"diversity": 2}, ("--diversity is 2",)),
    ({"diversity": float("nan")}, ("--diversity is nan",)),
    ({"number": -1}, ("--number is -1",)),
    ({"year_from": 2000, "year_to": 1990}, ("no year is both",)),
    ({"user": "3"}, ("--ratings",)),
    ({"ratings": "."}, ("is a folder",)),
    ({"ratings": "none.csv"}, ("no such file",)),
    ({"output": "none/x.csv"}, ("no such folder",)),
    ({"output": "."}, ("cannot be written",)),
    ({"profile": "."}, ("is a folder",)),
    ({"item_table": "none.npz"}, ("no such file",)),
]


@pytest.mark.parametrize(("given", "saying"), WRONG)
def test_wrong_input_is_one_message_and_nothing_is_lost(user, given, saying):
    ProfileFile(user.profile).write(KNOWN)
    user.refused(*saying, **given)


def test_nothing_is_known_and_nobody_can_be_asked(user):
    user.refused("nothing is known of you", "--ratings FILE", "--rate")
    user.refused("nothing is known of you", me=True)
    user.refused("have not rated it", forget=("Alien",))


def test_a_damaged_profile_is_left_as_it_is(user):
    ProfileFile(user.profile).write(KNOWN)
    known = user.profile.read_bytes()
    later = json.dumps({"format": FORMAT, "version": 2}).encode()
    for content in (known[:-20], b"\x00" * 50, b"{}", known.replace(b"4.5", b"4.0"), later):
        user.profile.write_bytes(content)
        user.refused("left as it is")
        user.refused("left as it is", rate=("Heat=4",))


@pytest.mark.slow
def test_an_error_is_a_message_and_status_2(user):
    done = user.run("--rate", "Alien=3.7", status=2)
    assert done.stdout == ""
    assert done.stderr.count("error: ") == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_out_to_files(user):
    for form in ("text", "json", "csv"):
        path = user.folder / f"out.{form}"
        done = user.run("--rate", "Alien=4", "--format", form, "--output", path)
        assert done.stdout == ""
        assert f"written to {path}" in done.stderr
        assert "The " in path.read_text()
    assert (
        json.loads(user.run("--genre", "Comedy", "--year-from", 2090, "--format", "json").stdout)[
            "recommendations"
        ]
        == []
    )
    assert "no unseen movie" in user.run("--year-from", 2090).stdout


@pytest.mark.slow
def test_ten_thousand_rows(user):
    path = user.folder / "many.csv"
    rows = [f"{n},{n % 10 / 2 + 0.5},{1_000_000_000 + n}" for n in range(1, 10_001)]
    path.write_text("\n".join(["movieId,rating,timestamp", *rows]))
    done = user.run("--ratings", path)
    assert "MovieLens: 253 of 10,000 ratings found their movie (253 by id)" in done.stderr
    assert "and 9,727 more" in done.stderr
    assert "kept and not used, of movies that are not among these: 9,747" in done.stderr
    assert len(done.stderr.splitlines()) < 40


@pytest.mark.slow
def test_asked_in_a_terminal(user, films):
    main, terminal = pty.openpty()
    words = ["--item-table", str(films), "--number", "3"]
    with subprocess.Popen(
        [*SCRIPT, *words], stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=user.env, text=True,
    ) as process:  # fmt: skip
        os.close(terminal)
        os.write(main, b"4\n\nwhat\n5\nq\n")
        shown, told = process.communicate(timeout=60)
    os.close(main)
    assert process.returncode == 0, told
    assert "'what' are no stars" in told
    assert "known of you: 2 ratings" in told
    assert len(ProfileFile(user.profile).read().ratings) == 2
    assert "you gave it" in shown
    assert "How many stars" not in shown


@pytest.mark.slow
def test_from_a_dataset(user):
    """The first start makes the item table, the next takes it from the cache."""
    given = ["--item-table", "", "--dataset", SYNTHETIC, "--rate", "Movie 3=4"]
    first = user.run(*given)
    assert "done in" in first.stderr
    again = user.run(*given)
    assert "done in" not in again.stderr
    assert again.stdout == first.stdout


@pytest.mark.slow
def test_help_teaches():
    done = subprocess.run([*SCRIPT, "--help"], capture_output=True, text=True, check=True)
    for word in ("Letterboxd", "--forget-genre", "stars to expect"):
        assert word in done.stdout
