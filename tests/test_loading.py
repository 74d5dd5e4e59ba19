"""Datasets are joined as a plain loop joins them; the cache holds the same, whole."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest
from tests_paths import METADATA, ROOT

from recbench.data import loading
from recbench.data.cache import cache_folder
from recbench.data.dataset import join_movies
from recbench.data.layouts import files_of, read_files
from recbench.data.loading import load_dataset
from recbench.errors import InputError


@pytest.fixture(autouse=True)
def _large(monkeypatch, forget):
    """Every file is a large one, and the cache is empty."""
    monkeypatch.setattr(loading, "LARGE", 0)


def defective_folder(folder, seed, in_order=True, wide_ids=False):
    """Random ratings with every defect: repeated ones, some at the same time; movies without a
    link, a tmdbId or metadata, and several of one tmdbId."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    movies, n = 30, 600
    movie_id = np.sort(rng.choice(10**12 if wide_ids else 90, movies, replace=False)) + 1
    tmdb_id = rng.permutation(movies) + 5
    shared = rng.integers(1, movies, 4)
    tmdb_id[shared] = tmdb_id[shared - 1]
    user = rng.choice(np.array([3, 4, 9, 70, 71, 1000, 5 * 10**9]), n)
    user = np.sort(user) if in_order else user
    ratings = pl.DataFrame(
        {
            "userId": user,
            "movieId": rng.choice(np.append(movie_id[: movies - 3], 10**6), n),
            "rating": rng.integers(1, 11, n) / 2,
            "timestamp": 10**9 + rng.integers(0, 20, n),
        }
    )
    ratings.write_csv(folder / "ratings.csv")
    links = [
        f"{movie},0,{'' if rng.random() < 0.1 else tmdb}\n"
        for movie, tmdb in zip(movie_id, tmdb_id, strict=True)
        if rng.random() < 0.9
    ]
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n" + "".join(links))
    rows = [
        f"{one},Movie {one},\"[{{'id': 18, 'name': 'Drama'}}]\",en,1999-01-01,90,,6.0,{one}\n"
        for one in rng.permutation(np.append(movie_id[: 0 if wide_ids else movies], tmdb_id))
        if rng.random() < 0.9
    ]
    rows += ["1997-08-20,Shifted,[],en,,,,,\n", '7,Malformed,"[{",en,,,,,\n']
    (folder / "movies_metadata.csv").write_text(f"{METADATA}\n{''.join(rows)}")
    return folder


def plain_join(folder, join="links"):
    """user, movie, stars and time of each rating, user ids, movieIds and counts, row by row."""

    def rows(name):
        file = folder / f"{name}.csv"
        with (file if file.exists() else folder / f"{name}_small.csv").open(newline="") as text:
            return list(csv.DictReader(text))

    metadata = {int(row["id"]) for row in rows("movies_metadata") if row["id"].isdigit()}
    tmdb_of = {id_: id_ for id_ in metadata}
    if join == "links":
        links = {int(row["movieId"]): row["tmdbId"] for row in reversed(rows("links"))}
        tmdb_of = {movie: int(tmdb) for movie, tmdb in links.items() if tmdb}
    ratings = [
        (int(row["userId"]), int(row["movieId"]), float(row["rating"]), int(row["timestamp"]))
        for row in rows("ratings")
    ]
    rated = sorted({movie for _, movie, _, _ in ratings if tmdb_of.get(movie) in metadata})
    tmdb_ids = list(dict.fromkeys(tmdb_of[movie] for movie in rated))
    first = [next(movie for movie in rated if tmdb_of[movie] == tmdb) for tmdb in tmdb_ids]
    found, latest = 0, {}
    for place, (user, movie, stars, when) in enumerate(ratings):
        if tmdb_of.get(movie) in metadata:
            found += 1
            pair = user, tmdb_ids.index(tmdb_of[movie])
            if pair not in latest or when >= latest[pair][3]:
                latest[pair] = (*pair, stars, when, place)
    kept = sorted(latest.values(), key=lambda row: (row[0], row[4]))
    users = sorted({row[0] for row in kept})
    return {
        "user": [users.index(row[0]) for row in kept],
        "movie": [row[1] for row in kept],
        "stars": [row[2] for row in kept],
        "time": [row[3] for row in kept],
        "user_id": users,
        "movie_id": first,
        "counts": {
            "ratings": len(ratings),
            "users": len({user for user, *_ in ratings}),
            "ratings without a movie": len(ratings) - found,
            "ratings repeated by their user": found - len(kept),
            "ratings kept": len(kept),
            "users kept": len(users),
            "movies kept": len(first),
        },
    }


def assert_same(dataset, plain):
    for column in ("user", "movie", "stars", "time"):
        assert getattr(dataset.ratings, column).tolist() == plain[column], column
        assert not getattr(dataset.ratings, column).flags.writeable
    assert dataset.user_id.tolist() == plain["user_id"]
    assert dataset.table["movieId"].to_list() == plain["movie_id"]
    assert dict(dataset.counts) | plain["counts"] == dataset.counts


# --- the same as joined plainly --------------------------------------------------------------


@pytest.mark.parametrize(
    ("in_order", "wide_ids", "join"),
    [
        *[(in_order, False, join) for in_order in (True, False) for join in ("links", "direct")],
        *[(True, True, "links"), (False, True, "links")],  # metadata has no ids as wide
    ],
)
@pytest.mark.parametrize("seed", range(2))
def test_joined_in_any_way_is_the_same(tmp_path, seed, in_order, wide_ids, join, forget):
    folder = defective_folder(tmp_path / "data", seed, in_order, wide_ids)
    plain = plain_join(folder, join)
    assert plain["counts"]["ratings repeated by their user"] > 50
    assert plain["counts"]["ratings without a movie"] > 10
    in_memory = join_movies(read_files(files_of(folder), "a set"), join)
    assert list(in_memory.counts)[:2] == ["ratings", "users"]
    assert_same(in_memory, plain)
    assert load_dataset(str(folder), join, cache=False).cached_in is None
    assert not (cache_folder() / "joined").exists()
    forget()
    made = load_dataset(str(folder), join)
    forget()
    read = load_dataset(str(folder), join)
    for dataset in (made, read):
        assert dataset.cached_in is not None
        assert_same(dataset, plain)
        assert dataset.table.equals(in_memory.table)
        assert list(dataset.counts.items()) == list(in_memory.counts.items())
        source, other = dataset.source, in_memory.source
        assert source.read_ratings().equals(other.read_ratings())
        assert source.movies.equals(other.movies)
        assert source.links.equals(other.links)
        assert source.fingerprint() == other.fingerprint()
        assert source.has_votes == other.has_votes


def test_a_large_file_with_a_bad_row_is_refused_and_leaves_nothing(kaggle_folder):
    file = kaggle_folder / "ratings_small.csv"
    good = file.read_text()
    for bad in ("1,2,good,3", "1,2,3.7,3", "1,,3.5,3", "bob,2,3.5,3"):
        file.write_text(f"{good}{bad}\n{good.split(chr(10), 1)[1]}")
        with pytest.raises(InputError, match=r"ratings_small\.csv, line"):
            load_dataset(str(kaggle_folder))
    assert [path.suffix for path in (cache_folder() / "joined").iterdir()] == [".lock"]


# --- the cache -------------------------------------------------------------------------------


def test_it_is_made_once_and_says_where_it_lies(kaggle_folder, capsys, monkeypatch, forget):
    kaggle_folder = kaggle_folder.rename(kaggle_folder.with_name("a [1] *?"))  # no pattern
    data = load_dataset(str(kaggle_folder))
    said = capsys.readouterr().out
    assert "joined once, for all later runs" in said
    assert str(data.cached_in) in said
    assert "MB" in said
    forget()
    monkeypatch.setattr(loading, "join_movies", lambda *_: pytest.fail("joined again"))
    load_dataset(str(kaggle_folder))
    assert capsys.readouterr().out == ""


def test_a_small_dataset_is_not_kept(kaggle_folder, monkeypatch):
    monkeypatch.setattr(loading, "LARGE", 20_000_000)
    assert load_dataset(str(kaggle_folder)).cached_in is None
    assert not (cache_folder() / "joined").exists()


@pytest.mark.parametrize("name", ["ratings_small.csv", "links_small.csv", "movies_metadata.csv"])
def test_a_changed_file_is_noticed_and_other_code(kaggle_folder, name, capsys, forget, monkeypatch):
    before = load_dataset(str(kaggle_folder))
    file = kaggle_folder / name
    status, text = file.stat(), file.read_text()
    file.write_text(text.replace("4.0,", "3.0,", 1) if "ratings" in name else text)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # as if it had not been touched
    forget()
    after = load_dataset(str(kaggle_folder))
    assert "have changed; it is joined again" in capsys.readouterr().out
    assert after.cached_in == before.cached_in
    if "ratings" in name:
        assert (after.ratings.stars != before.ratings.stars).sum() == 1  # the old is still mapped
    monkeypatch.setattr(pl, "__version__", "0")
    forget()
    load_dataset(str(kaggle_folder))
    assert "have changed; it is joined again" in capsys.readouterr().out


COLUMNS = ("user", "movie", "stars", "time", "user_id")
TABLES = ("table", "movies", "links")
FILES = (*(f"{name}.npy" for name in COLUMNS), *(f"{name}.arrow" for name in TABLES), "about.json")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "empty"])
def test_a_damaged_file_is_noticed_and_made_anew(kaggle_folder, name, damage, capsys, forget):
    before = load_dataset(str(kaggle_folder))
    assert {file.name for file in before.cached_in.iterdir()} == set(FILES)
    file = before.cached_in / name
    contents = bytearray(file.read_bytes())
    file.unlink()  # not written over: `before` is mapped from it
    if damage == "flipped":
        contents[len(contents) // 2] ^= 64
    if damage != "missing":
        file.write_bytes({"cut": contents[:-9], "flipped": contents, "empty": b""}[damage])
    forget()
    capsys.readouterr()
    after = load_dataset(str(kaggle_folder))
    said = capsys.readouterr().out
    assert "is damaged" in said
    assert "joined again" in said
    assert_same(after, plain_join(kaggle_folder))


def test_a_cache_that_cannot_be_written_costs_time_alone(kaggle_folder, monkeypatch, capsys):
    monkeypatch.setenv("RECBENCH_CACHE", "/dev/null")
    data = load_dataset(str(kaggle_folder))
    assert data.cached_in is None
    assert "cannot be cached" in capsys.readouterr().out


def test_a_full_disk_leaves_nothing_behind(kaggle_folder, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_ipc", full)
    assert load_dataset(str(kaggle_folder)).cached_in is None
    assert "No space left" in capsys.readouterr().out
    assert [path.suffix for path in (cache_folder() / "joined").iterdir()] == [".lock"]


CHILD = """
import sys, time
import polars as pl
from recbench.data import loading
loading.LARGE, join, write = 0, loading.join_movies, pl.DataFrame.write_ipc
def slowly(*arguments):
    print("joining", flush=True)
    time.sleep(float(sys.argv[2]))
    return join(*arguments)
def write_slowly(*arguments, **options):
    write(*arguments, **options)
    time.sleep(float(sys.argv[3]))
loading.join_movies, pl.DataFrame.write_ipc = slowly, write_slowly
data = loading.load_dataset(sys.argv[1])
print(len(data.ratings), int(data.ratings.movie.sum()), flush=True)
"""


def child(folder, before=0.0, after=0.0):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(before), str(after)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_of_two_processes_at_once_one_joins_and_both_have_it(kaggle_folder):
    children = [child(kaggle_folder, 1.0) for _ in range(2)]
    said = [one.communicate(timeout=120) for one in children]
    assert [one.returncode for one in children] == [0, 0], said
    assert sum("joining" in out for out, _ in said) == 1
    assert len({out.splitlines()[-1] for out, _ in said}) == 1


@pytest.mark.slow
def test_killed_while_writing_it_is_made_anew(kaggle_folder):
    killed = child(kaggle_folder, 0.0, 60.0)
    while not list((cache_folder() / "joined").glob("*.part/table.arrow")):
        time.sleep(0.05)
        assert killed.poll() is None, killed.communicate()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    data = load_dataset(str(kaggle_folder))
    assert_same(data, plain_join(kaggle_folder))
    assert not list((cache_folder() / "joined").glob("*.part"))


def test_what_is_mapped_stays_readable_when_it_is_deleted(kaggle_folder):
    data = load_dataset(str(kaggle_folder))
    shutil.rmtree(data.cached_in)
    assert_same(data, plain_join(kaggle_folder))
