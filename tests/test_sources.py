"""Reading and cleaning: every defect is counted, every unusable file is named with its row."""

import sys
import time
import zipfile

import numpy as np
import polars as pl
import pytest
from tests_paths import METADATA

from recbench.data import datasets, kaggle, ml_100k
from recbench.data.dataset import join_movies
from recbench.data.encodings.movies import encode_movies
from recbench.data.layouts import files_of, read_files
from recbench.errors import InputError

DRAMA = "\"[{'id': 18, 'name': 'Drama'}]\""


def read_folder(folder, small=False):
    return read_files(files_of(folder, small), "a set")


def write(folder, ratings, links, movies, stem="_small"):
    folder.mkdir(exist_ok=True)
    (folder / f"ratings{stem}.csv").write_text("userId,movieId,rating,timestamp\n" + ratings)
    if links is not None:
        (folder / f"links{stem}.csv").write_text("movieId,imdbId,tmdbId\n" + links)
    (folder / "movies_metadata.csv").write_text(f"{METADATA}\n{movies}")
    return folder


def test_join_through_links_where_ids_cross(tmp_path):
    # MovieLens 1 is TMDB 2 and the reverse: the direct join finds the other movie each time
    folder = write(
        tmp_path,
        "7,1,4.0,10\n7,2,2.0,11\n9,1,3.5,12\n",
        "1,0,2\n2,0,1\n",
        f"1,One of TMDB,{DRAMA},fr,1999-01-01,90,,8.0,150\n2,Two of TMDB,[],en,,,,4.0,20\n",
    )
    source = read_folder(folder)
    linked, direct = join_movies(source, "links"), join_movies(source, "direct")
    title_of = {
        "links": [linked.table["title"][int(movie)] for movie in linked.ratings.movie],
        "direct": [direct.table["title"][int(movie)] for movie in direct.ratings.movie],
    }
    assert title_of["links"] == ["Two of TMDB", "One of TMDB", "Two of TMDB"]
    assert title_of["direct"] == ["One of TMDB", "Two of TMDB", "One of TMDB"]
    assert linked.user_id.tolist() == [7, 9]
    assert linked.ratings.user.tolist() == [0, 0, 1]
    movies = encode_movies(linked)
    assert movies.movie_id.tolist() == [1, 2]
    assert movies.bits[1].tolist() == [
        *[1, 0, 0, 0, 0, 0, 0, 0, 0, 0],  # drama
        *[1, 1, 1],  # 8.0 of 10, halved: 4.0
        *[0, 0, 1],  # fr
        *[0, 1, 0, 0, 0, 0, 0, 0, 0, 0],  # 150 votes
    ]
    assert movies.vote_average.tolist() == [2.0, 4.0]
    assert movies.channels == {"genres": 10, "vote_average": 3, "language": 3, "vote_count": 10}


def test_every_broken_metadata_row_is_counted_and_the_rest_survives(tmp_path):
    folder = write(
        tmp_path,
        "1,1,4,1\n1,2,4,2\n1,3,4,3\n1,4,4,4\n1,5,4,5\n1,6,4,6\n",
        "1,0,11\n2,0,12\n3,0,13\n4,0,\n5,0,13\n6,0,99\n",
        f"11,Whole,{DRAMA},en,2000-01-01,100,,6.0,10\n"
        f"1997-08-20,Shifted,{DRAMA},en,,,,,\n"
        "12,No genres text,,en,,,,6.0,10\n"
        "13,Malformed genres,\"[{'id': 18, 'na\",en,,,,6.0,10\n"
        f"11,Seen before,{DRAMA},en,,,,1.0,10\n"
        f"14,No votes,{DRAMA},en,,,,,\n",
    )
    source = read_folder(folder)
    assert source.counts == {
        "links": 6,
        "links without a tmdbId": 1,
        "movieIds sharing a tmdbId": 2,
        "movies": 6,
        "movies whose id is no number": 1,
        "movies with an id seen before": 1,
        "movies without genres text": 1,
        "movies with malformed genres": 1,
        "movies without votes": 1,
    }
    assert source.movies["title"].to_list() == [
        "Whole",
        "No genres text",
        "Malformed genres",
        "No votes",
    ]
    data = join_movies(source)
    assert data.counts["ratings without a movie"] == 2  # movie 4 has no link, 6 no metadata
    assert data.counts["ratings repeated by their user"] == 1  # 3 and 5 are one movie
    assert data.ratings.time.tolist() == [1, 2, 5]  # the later of the two
    assert data.counts["ratings kept"] == len(data.ratings) == 3


def test_the_large_pair_is_preferred_and_the_small_one_can_be_asked_for(kaggle_folder):
    (kaggle_folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4,1\n")
    assert len(read_folder(kaggle_folder).read_ratings()) > 1  # no links.csv beside it
    (kaggle_folder / "links.csv").write_text("movieId,imdbId,tmdbId\n1,1,42\n")
    assert len(read_folder(kaggle_folder).read_ratings()) == 1
    assert len(read_folder(kaggle_folder, small=True).read_ratings()) > 1


def test_ratings_without_links_can_be_joined_directly_only(kaggle_folder):
    (kaggle_folder / "links_small.csv").unlink()
    source = read_folder(kaggle_folder)
    assert len(join_movies(source, "direct").ratings)
    with pytest.raises(InputError, match=r"links\.csv"):
        join_movies(source, "links")


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ("", "is empty"),
        ("userId,movieId,rating,timestamp\n", "holds no ratings"),
        ("userId,movieId,timestamp\n1,1,1\n", "no column rating"),
        ("userId,movieId,rating,timestamp\n1,1,4,1\n1,2,good,2\n", "line 3: rating is 'good'"),
        ("userId,movieId,rating,timestamp\n1,1,4,1\n1,2,7,2\n", "line 3: rating is '7'.*0.5, 1.0"),
        ("userId,movieId,rating,timestamp\n1,1,5.1,1\n", "line 2: rating is '5.1'.*(1 such rows)"),
        ("userId,movieId,rating,timestamp\n1,98765432109876543210,3,1\n", "line 2.*18 digits"),
        ("userId,movieId,rating,timestamp\n1,1,4,1\n1,,4,2\n", "line 3: movieId is empty"),
    ],
)
def test_bad_ratings_name_file_and_line(kaggle_folder, ratings, message):
    (kaggle_folder / "ratings_small.csv").write_text(ratings)
    with pytest.raises(InputError, match=message) as error:
        read_folder(kaggle_folder).read_ratings()
    assert "ratings_small.csv" in str(error.value)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("a,b\n1,2\n", "no column id"),
        ("", "is empty"),
        (f"{METADATA}\n1997-08-20,Shifted,{DRAMA},en,,,,,\n", "number for its id"),
    ],
)
def test_metadata_of_the_wrong_shape(kaggle_folder, metadata, message):
    (kaggle_folder / "movies_metadata.csv").write_text(metadata)
    with pytest.raises(InputError, match=rf"movies_metadata\.csv.*{message}"):
        read_folder(kaggle_folder)


def test_a_folder_without_ratings(tmp_path):
    (tmp_path / "movies_metadata.csv").touch()
    with pytest.raises(InputError, match=r"ratings\.csv or ratings_small\.csv"):
        read_folder(tmp_path)


def test_extract_joins_as_its_notes_say(extract):
    assert extract.counts["ratings"] == 100_004
    assert extract.counts["links"] == 9_125
    assert extract.counts["movies"] == 8_462
    assert round(extract.counts["ratings kept"] / extract.counts["ratings"], 3) == 0.935
    direct = join_movies(extract.source, "direct")
    assert round(direct.counts["ratings kept"] / direct.counts["ratings"], 3) == 0.445


# --- Kaggle ------------------------------------------------------------------------------------


def test_kaggle_copy_in_the_cache_needs_no_network(kaggle_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    kept = tmp_path / "cache" / "datasets" / kaggle.HANDLE
    assert kaggle.find() is None
    folder = kept / "versions" / str(kaggle.VERSION)
    folder.parent.mkdir(parents=True)
    kaggle_folder.rename(folder)
    for stem in ("ratings", "links"):
        (folder / f"{stem}_small.csv").rename(folder / f"{stem}.csv")
    assert kaggle.find() is None  # not marked as complete: a download was cut off
    (kept / f"{kaggle.VERSION}.complete").touch()
    assert kaggle.find() == folder
    datasets.locate.cache_clear()
    assert datasets.load_source("auto").name == "the-movies-dataset"
    datasets.locate.cache_clear()


def test_a_server_that_never_answers_is_given_up(tmp_path):
    started = time.monotonic()
    with pytest.raises(InputError, match=r"sent nothing .* --dataset FOLDER"):
        kaggle.run_with_deadline(
            [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, 0.5
        )
    assert time.monotonic() - started < 30


def test_a_slow_download_is_not_given_up(tmp_path):
    code = (
        "import time, pathlib\n"
        "for part in range(12):\n"
        f"    pathlib.Path({str(tmp_path)!r}, str(part)).write_text('x')\n"
        "    time.sleep(0.3)\n"
        "print('done')"
    )
    assert kaggle.run_with_deadline([sys.executable, "-c", code], tmp_path, 3).strip() == "done"


def test_auto_says_why_it_runs_on_ml_100k(monkeypatch, capsys):
    def refuse():
        raise InputError("Kaggle cannot be reached (ConnectionError). Do it by hand")

    monkeypatch.setattr(kaggle, "find", lambda: None)
    monkeypatch.setattr(kaggle, "fetch", refuse)
    monkeypatch.setattr(datasets, "read_ml_100k", lambda: "the small one")
    datasets.locate.cache_clear()
    assert datasets.load_source("auto") == "the small one"
    datasets.locate.cache_clear()
    line = capsys.readouterr().out
    assert "Kaggle cannot be reached (ConnectionError)" in line
    assert "ml-100k" in line
    assert line.count("\n") == 1


# --- MovieLens 100K ----------------------------------------------------------------------------


def test_ml_100k_is_what_grouplens_published():
    source = ml_100k.read_ml_100k()  # fetched from the package index, once
    assert source.read_ratings()["userId"].n_unique() == 943
    assert len(source.movies) == 1_682
    assert not source.has_votes
    assert source.read_ratings()["rating"].value_counts().sort("rating")["count"].to_list() == [
        6_110,
        11_370,
        27_145,
        34_174,
        21_201,
    ]
    first = source.movies.row(0, named=True)
    assert first["title"] == "Toy Story"
    assert first["original_language"] == "en"
    assert first["release_date"] == "1995"
    assert "Family" in first["genres"]
    languages = source.movies["original_language"].value_counts(sort=True)
    assert languages["original_language"][0] == "en"


def test_another_file_in_place_of_the_wheel_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / ml_100k.WHEEL, "w") as archive:
        archive.writestr(f"{ml_100k.INSIDE}.inter", "user_id:token\n1\n")
    with pytest.raises(InputError, match=r"recbole.*SHA-256.*Delete it"):
        ml_100k.fetch_wheel(tmp_path)


def test_no_package_index_is_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(ml_100k, "REQUIREMENT", "no-such-package-of-this-name==0.0.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    address = "githubusercontent.com/sidooms/MovieTweetings/master/snapshots/10K"
    with pytest.raises(
        InputError, match=rf"could not be downloaded.*by hand.*tweetings-10k.*{address}"
    ):
        ml_100k.fetch_wheel(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []  # nothing half-done is left


def test_ml_100k_votes_are_counted_outside_the_sample():
    data = join_movies(ml_100k.read_ml_100k())
    outside = data.user_id % 2 == 0
    movies = encode_movies(data, background=outside)
    ids = pl.Series(data.user_id[outside])
    toy_story = data.source.read_ratings().filter(
        pl.col("userId").is_in(ids.implode()) & (pl.col("movieId") == 1)
    )
    assert movies.vote_count[0] == len(toy_story)
    assert movies.vote_average[0] == pytest.approx(toy_story["rating"].mean(), abs=1e-6)
    nobody = encode_movies(data)
    assert (nobody.vote_count == 0).all()
    assert np.isnan(nobody.vote_average).all()
    assert nobody.bits[:, 10:13].sum() == 0  # the vote average of no votes
    assert (nobody.bits[:, 16] == 1).all()  # the lowest bin of the vote count
