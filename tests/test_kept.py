"""Joined datasets in the cache: equal to what is joined plainly, whole, or made anew."""

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from plain_joining import plain_join
from tests_paths import ROOT

import data_prep
from recbench.data import csv_files, datasets, joining, kept
from recbench.data.cache import cache_folder
from recbench.data.csv_files import rating_batches
from recbench.data.joining import join_movies, load_dataset
from recbench.data.kaggle_files import read_folder
from recbench.data.matching import Unsorted, finder, whole_users
from recbench.data.sampling import draw_sample
from recbench.errors import InputError

HEAD = (
    "id,title,genres,original_language,release_date,runtime,belongs_to_collection,"
    "vote_average,vote_count\n"
)


def forget():
    """As in a new process."""
    joining._load_and_join.cache_clear()
    datasets.locate.cache_clear()


@pytest.fixture(autouse=True)
def large(monkeypatch, tmp_path):
    """Every file is a large one, read in small batches, and the cache is empty."""
    monkeypatch.setattr(csv_files, "LARGE", 0)
    monkeypatch.setattr(csv_files, "BATCH", 50)
    monkeypatch.setattr(kept, "BATCH", 64)
    monkeypatch.setenv("RECBENCH_CACHE", str(tmp_path / "cache"))
    forget()
    yield
    forget()


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
    (folder / "movies_metadata.csv").write_text(HEAD + "".join(rows))
    return folder


def assert_same(dataset, plain):
    for column in ("user", "movie", "stars", "time"):
        ours = getattr(dataset.ratings, column)
        assert ours.dtype == plain[column].dtype
        assert ours.tobytes() == plain[column].tobytes(), column
        assert not ours.flags.writeable
    assert dataset.user_id.tolist() == plain["user_id"].tolist()
    assert dataset.table.equals(plain["table"])
    assert list(dataset.counts.items()) == list(plain["counts"].items())


# --- the same as joined plainly --------------------------------------------------------------

# as the file is sorted, as wide its ids are, by which join; metadata has no ids as wide
KINDS = [(in_order, False, join) for in_order in (True, False) for join in ("links", "direct")]
KINDS += [(True, True, "links"), (False, True, "links")]


@pytest.mark.parametrize(("in_order", "wide_ids", "join"), KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_joined_in_any_way_is_the_same_to_the_last_bit(
    tmp_path, monkeypatch, seed, in_order, wide_ids, join
):
    folder = defective_folder(tmp_path / "data", seed, in_order, wide_ids)
    plain = plain_join(folder, join)
    assert plain["counts"]["ratings repeated by their user"] > 50
    assert plain["counts"]["ratings without a movie"] > 10
    monkeypatch.setattr(csv_files, "LARGE", 10**9)
    whole = join_movies(read_folder(folder), join)
    assert list(whole.source.counts)[:2] == ["ratings", "users"]
    assert_same(whole, plain)
    monkeypatch.setattr(csv_files, "LARGE", 0)
    in_batches = load_dataset(str(folder), join, cache=False)
    assert in_batches.kept_in is None
    assert not (cache_folder() / "joined").exists()
    assert_same(in_batches, plain)
    forget()
    made = load_dataset(str(folder), join)
    forget()
    read = load_dataset(str(folder), join)
    for dataset in (made, read):
        assert dataset.kept_in is not None
        assert_same(dataset, plain)
        assert dataset.source.ratings.equals(whole.source.ratings)
        assert dataset.source.movies.equals(whole.source.movies)
        assert dataset.source.links.equals(whole.source.links)
        assert dataset.source.fingerprint() == whole.source.fingerprint()
        assert dataset.source.has_votes == whole.source.has_votes


def test_one_user_with_more_ratings_than_a_batch(tmp_path):
    folder = defective_folder(tmp_path / "data", 0)
    file = folder / "ratings.csv"
    rows = pl.read_csv(file).with_columns(userId=pl.lit(7))
    rows.write_csv(file)
    assert_same(load_dataset(str(folder)), plain_join(folder, "links"))


def test_the_synthetic_set_is_the_same_and_so_is_what_is_drawn_from_it(kaggle_folder, synthetic):
    forget()
    data = load_dataset(str(kaggle_folder))
    assert data.kept_in is not None
    assert_same(data, plain_join(kaggle_folder, "links"))
    for arguments in ((20, 10), (20, 0), (0, 30), (0, 0), (5, 10, 0.5)):
        for seed in range(3):
            ours, theirs = (draw_sample(d, *arguments, seed=seed) for d in (data, synthetic))
            assert ours.rows.tolist() == theirs.rows.tolist()
            assert ours.users.tolist() == theirs.users.tolist()
            assert ours.background.tolist() == theirs.background.tolist()


def test_places_are_found_by_table_and_by_search():
    ids = np.array([-4, 3, 8, 9])
    wanted = np.array([3, 9, -4, 8, 4, 10, -5, 2**62, -(2**63), 2**63 - 1])
    expected = [1, 3, 0, 2, -1, -1, -1, -1, -1, -1]
    assert finder(ids)(wanted).tolist() == expected
    assert finder(np.append(ids, 2**40))(wanted).tolist() == expected
    assert finder(ids[:0])(wanted).tolist() == [-1] * len(wanted)


@pytest.mark.parametrize("seed", range(20))
def test_batches_of_whole_users_are_the_same_ratings_and_part_nobody(seed):
    rng = np.random.default_rng(seed)
    user = np.sort(rng.integers(0, rng.integers(1, 30), 200))
    ratings = pl.DataFrame({"userId": user, "movieId": np.arange(200)})
    cuts = np.unique(rng.integers(1, 200, rng.integers(0, 40)))
    batches = list(whole_users(pieces(ratings, cuts)))
    assert pl.concat(batches).equals(ratings)
    assert all(len(batch) for batch in batches)
    assert all(batch.n_chunks() == 1 for batch in batches)
    owners = pl.concat([batch["userId"].unique() for batch in batches])
    assert len(owners) == len(np.unique(user))


@pytest.mark.parametrize("seed", range(20))
def test_a_user_who_comes_back_is_noticed_wherever_the_batches_end(seed):
    rng = np.random.default_rng(seed)
    user = np.sort(rng.integers(0, 20, 200))
    user[rng.integers(1, 200)] = -1
    ratings = pl.DataFrame({"userId": user})
    with pytest.raises(Unsorted):
        list(whole_users(pieces(ratings, np.unique(rng.integers(1, 200, rng.integers(0, 80))))))


def pieces(ratings, cuts):
    ends = [0, *cuts.tolist(), len(ratings)]
    return [ratings[begin:end] for begin, end in pairwise(ends)]


def test_a_large_file_with_a_bad_row_is_refused_in_the_same_words(kaggle_folder, monkeypatch):
    file = kaggle_folder / "ratings_small.csv"
    good = file.read_text()
    for bad in ("1,2,good,3", "1,2,3.7,3", "1,,3.5,3", "bob,2,3.5,3"):
        file.write_text(f"{good}{bad}\n{good.split(chr(10), 1)[1]}")
        said = []
        for least in (0, 10**9):
            monkeypatch.setattr(csv_files, "LARGE", least)
            forget()
            with pytest.raises(InputError, match=r"ratings_small\.csv, line") as error:
                load_dataset(str(kaggle_folder))
            said.append(str(error.value))
        assert said[0] == said[1]
    assert [path.suffix for path in (cache_folder() / "joined").iterdir()] == [".lock"]


def test_an_empty_large_file_and_times_in_milliseconds(kaggle_folder, capsys):
    file = kaggle_folder / "ratings_small.csv"
    head, first = file.read_text().split("\n")[:2]
    file.write_text(f"{head}\n")
    with pytest.raises(InputError, match="holds no ratings"):
        load_dataset(str(kaggle_folder))
    file.write_text(f"{head}\n{first}000\n")
    assert len(list(rating_batches(file))) == 1
    assert "1 of 1 timestamps are not seconds" in capsys.readouterr().out


# --- the cache -------------------------------------------------------------------------------


def test_it_is_made_once_and_says_where_it_lies(kaggle_folder, capsys, monkeypatch):
    data = load_dataset(str(kaggle_folder))
    said = capsys.readouterr().out
    assert "joined once, for all later runs" in said
    assert str(data.kept_in) in said
    assert "MB" in said
    forget()
    monkeypatch.setattr(kept, "match", lambda *_: pytest.fail("joined again"))
    load_dataset(str(kaggle_folder))
    assert capsys.readouterr().out == ""


def test_a_small_dataset_is_not_kept(kaggle_folder, monkeypatch):
    monkeypatch.setattr(csv_files, "LARGE", 20_000_000)
    assert load_dataset(str(kaggle_folder)).kept_in is None
    assert not (cache_folder() / "joined").exists()


@pytest.mark.parametrize("name", ["ratings_small.csv", "links_small.csv", "movies_metadata.csv"])
def test_a_changed_file_is_noticed(kaggle_folder, name, capsys):
    before = load_dataset(str(kaggle_folder))
    file = kaggle_folder / name
    status, text = file.stat(), file.read_text()
    file.write_text(text.replace("4.0,", "3.0,", 1) if "ratings" in name else text)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # as if it had not been touched
    forget()
    after = load_dataset(str(kaggle_folder))
    assert "have changed; it is joined anew" in capsys.readouterr().out
    assert after.kept_in == before.kept_in
    if "ratings" in name:
        assert (after.ratings.stars != before.ratings.stars).sum() == 1  # the old is still mapped


def test_other_code_is_noticed(kaggle_folder, capsys, monkeypatch):
    load_dataset(str(kaggle_folder))
    monkeypatch.setattr(pl, "__version__", "0")
    forget()
    load_dataset(str(kaggle_folder))
    assert "have changed; it is joined anew" in capsys.readouterr().out


FILES = (
    *("user.i4", "movie.i4", "stars.f4", "time.i8", "user_id.i8"),
    *("table.arrow", "movies.arrow", "links.arrow", "about.json"),
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "empty"])
def test_a_damaged_file_is_noticed_and_made_anew(kaggle_folder, name, damage, capsys):
    before = load_dataset(str(kaggle_folder))
    assert {file.name for file in before.kept_in.iterdir()} == set(FILES)
    file = before.kept_in / name
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
    assert "joined anew" in said
    assert_same(after, plain_join(kaggle_folder, "links"))


def test_a_cache_that_cannot_be_written_costs_time_alone(kaggle_folder, monkeypatch, capsys):
    monkeypatch.setenv("RECBENCH_CACHE", "/dev/null")
    data = load_dataset(str(kaggle_folder))
    assert data.kept_in is None
    assert "cannot be kept" in capsys.readouterr().out


def test_a_full_disk_leaves_nothing_behind(kaggle_folder, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "_renumber", full)
    assert load_dataset(str(kaggle_folder)).kept_in is None
    assert "No space left" in capsys.readouterr().out
    assert [path.suffix for path in (cache_folder() / "joined").iterdir()] == [".lock"]


CHILD = """
import sys, time
from recbench.data import csv_files, kept
from recbench.data.joining import load_dataset
csv_files.LARGE, csv_files.BATCH = 0, 50
match = kept.match
def slowly(source, join, take):
    print("joining", flush=True)
    time.sleep(float(sys.argv[2]))
    found = match(source, join, take)
    time.sleep(float(sys.argv[3]))
    return found
kept.match = slowly
data = load_dataset(sys.argv[1])
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
    while not list((cache_folder() / "joined").glob("*.part/time.i8")):
        time.sleep(0.05)
        assert killed.poll() is None, killed.communicate()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    data = load_dataset(str(kaggle_folder))
    assert_same(data, plain_join(kaggle_folder, "links"))
    assert not list((cache_folder() / "joined").glob("*.part"))


def test_what_is_mapped_stays_readable_when_it_is_deleted(kaggle_folder):
    data = load_dataset(str(kaggle_folder))
    kept.clear()
    assert not data.kept_in.exists()
    assert_same(data, plain_join(kaggle_folder, "links"))


def test_checksums_are_of_the_files_as_they_lie(kaggle_folder):
    folder = load_dataset(str(kaggle_folder)).kept_in
    crc32 = json.loads((folder / "about.json").read_text())[0]["crc32"]
    assert {*crc32, "about.json"} == set(FILES)
    for name, checksum in crc32.items():
        assert zlib.crc32((folder / name).read_bytes()) == checksum


# --- flags -----------------------------------------------------------------------------------


def test_clear_cache_deletes_what_is_kept_and_nothing_else(kaggle_folder, capsys):
    other = cache_folder() / "unpacked" / "something"
    other.mkdir(parents=True)
    folders = [load_dataset(str(kaggle_folder), join).kept_in for join in ("links", "direct")]
    (folders[0].parent / "notes.txt").write_text("mine")
    capsys.readouterr()
    data_prep.main(data_prep.Parameters(clear_cache=True))
    said = capsys.readouterr().out
    for folder in folders:
        assert f"deleted {folder} (" in said
        assert not folder.exists()
    assert other.is_dir()
    assert (folders[0].parent / "notes.txt").exists()
    data_prep.main(data_prep.Parameters(clear_cache=True))
    assert capsys.readouterr().out == "no joined dataset is kept\n"


def test_data_prep_prints_the_same_counts_from_wherever_it_reads(kaggle_folder, capsys):
    printed = []
    for cache in (False, True, True):
        forget()
        data_prep.main(data_prep.Parameters(dataset=str(kaggle_folder), num_users=5, cache=cache))
        lines = capsys.readouterr().out.splitlines()
        printed.append([x for x in lines if "read from" not in x and "joined once" not in x])
    assert printed[0] == printed[1] == printed[2]
