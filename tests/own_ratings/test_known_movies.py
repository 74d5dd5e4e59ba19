"""Movies and item table: made once, cached, found again without the dataset."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from own_movies import known_movies_of_titles
from tests_paths import SYNTHETIC

from recbench.data.loading import load_dataset
from recbench.errors import InputError
from recbench.models.item_table.making import item_table_of
from recbench.own_ratings import known_movies as module
from recbench.own_ratings.known_movies import open_known_movies
from recbench.own_ratings.of_dataset import catalogue_of


@pytest.fixture(scope="module")
def learned(synthetic):
    """Table and movies of the synthetic set."""
    return item_table_of(synthetic)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A cache made from a copy of the synthetic set, and that copy."""
    cache = tmp_path_factory.mktemp("cache")
    data = cache / "data"
    shutil.copytree(SYNTHETIC, data, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECBENCH_CACHE", str(cache))
        known_movies = open_known_movies(str(data), tell=told.append)
    assert "ratings of 60 users and" in told[0]
    assert "minute" not in told[0]
    assert told[-1].startswith("done in")
    return cache, data, known_movies


@pytest.fixture
def cache(made, tmp_path, monkeypatch):
    """A copy of the cache, to break."""
    shutil.copytree(made[0] / "own-ratings", tmp_path / "own-ratings")
    monkeypatch.setenv("RECBENCH_CACHE", str(tmp_path))
    return tmp_path / "own-ratings"


@pytest.fixture
def remade(made, monkeypatch):
    """The datasets from which the table was made again."""
    datasets = []
    monkeypatch.setattr(module, "_make", lambda dataset, *_: datasets.append(dataset) or made[2])
    return datasets


def test_it_is_the_table_of_everybody(made, learned):
    table, movies = learned
    assert made[2].table.checksum() == table.checksum()
    assert (made[2].catalogue.movies.bits == movies.bits).all()


def test_facts(made, synthetic):
    catalogue = made[2].catalogue
    row = int(np.flatnonzero(catalogue.movies.movie_id == 1)[0])
    assert catalogue.name(row) == "Film 1 (1986)"
    assert catalogue.genres[row] == ("Drama", "Action", "Romance")
    assert catalogue.language[row] == "xx"
    assert catalogue.imdb_id[row] == "tt0100001"
    assert catalogue.rated_by.sum() == len(synthetic.ratings)


def test_the_next_start_needs_no_dataset(made, cache, remade):
    moved = made[1].rename(made[1].with_name("elsewhere"))
    try:
        again = open_known_movies(str(made[1]))
    finally:
        moved.rename(made[1])
    assert remade == []
    assert again.table.checksum() == made[2].table.checksum()
    assert again.catalogue.shown == made[2].catalogue.shown
    assert again.catalogue.movies.bit_names == made[2].catalogue.movies.bit_names


def test_files_that_have_changed_are_read_anew(made, cache, remade, monkeypatch):
    file = made[1] / "ratings_small.csv"
    before = file.stat()
    open_known_movies(str(made[1]))
    assert remade == []
    os.utime(file, (1, 1))
    try:
        open_known_movies(str(made[1]))
    finally:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert remade == [str(made[1])]
    monkeypatch.setattr(module, "_code", lambda: "other")
    open_known_movies(str(made[1]))
    assert remade == [str(made[1])] * 2


@pytest.mark.parametrize("content", [b"nothing", None])
def test_a_damaged_cache_is_made_again(made, cache, remade, content):
    (file,) = cache.glob(f"*/{module.KNOWN}")
    file.unlink() if content is None else file.write_bytes(content)
    told = []
    assert open_known_movies(str(made[1]), tell=told.append) is made[2]
    assert remade == [str(made[1])]
    assert content is None or "computed again" in told[0]


def test_a_file_to_pass_on_names_no_folder_of_this_machine(made, cache, tmp_path):
    open_known_movies(str(made[1])).save(tmp_path / "movies.zip")
    assert module.KnownMovies.load(tmp_path / "movies.zip").made_from == {}


def test_a_file_in_its_place(made, cache, tmp_path, remade, catalogue):
    (file,) = cache.glob(f"*/{module.KNOWN}")
    known_movies = open_known_movies("no such dataset", item_table=str(file))
    assert known_movies.table.checksum() == made[2].table.checksum()
    for name in ("dataset", "shown", "genres", "language", "imdb_id", "other_titles"):
        assert getattr(known_movies.catalogue, name) == getattr(made[2].catalogue, name)
    assert (known_movies.catalogue.year == made[2].catalogue.year).all()
    content = file.read_bytes()
    for length in (0, 100, len(content) // 2, len(content) - 10):
        (tmp_path / "cut.zip").write_bytes(content[:length])
        with pytest.raises(InputError, match=r"cut\.zip.*recbench item-table"):
            open_known_movies(item_table=str(tmp_path / "cut.zip"))
    known_movies.table.save(tmp_path / "table.npz")
    other = replace(known_movies_of_titles(catalogue), table=known_movies.table)
    other.save(tmp_path / "other.zip")
    for name, message in (
        *((".", "or no file of movies"), ("none.zip", "no such file")),
        *(("table.npz", "or no file of movies"), ("other.zip", "not of one dataset")),
    ):
        with pytest.raises(InputError, match=message):
            open_known_movies(item_table=str(tmp_path / name))
    assert remade == []


def test_a_cache_that_cannot_be_written(made, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECBENCH_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(
        "recbench.models.item_table.making.item_table_of", lambda _: pytest.fail("too late")
    )
    with pytest.raises(InputError, match="RECBENCH_CACHE"):
        open_known_movies(str(SYNTHETIC), tell=lambda _: None)


def test_original_titles_and_ids_of_the_metadata(kaggle_folder, learned):
    metadata = kaggle_folder / "movies_metadata.csv"
    lines = metadata.read_text().splitlines()
    lines[0] += ",original_title,imdb_id"
    lines[1:] = [f"{line},Le film {n},tt{n:07d}" for n, line in enumerate(lines[1:], start=1)]
    metadata.write_text("\n".join(lines) + "\n")
    (kaggle_folder / "movies.csv").write_text('movieId,title,genres\n1,"Film, The (1986)",x\n')
    catalogue = catalogue_of(load_dataset(str(kaggle_folder)), learned[1])
    row = int(np.flatnonzero(catalogue.movies.movie_id == 1)[0])
    assert catalogue.imdb_id[row] == "tt0000001"
    assert catalogue.other_titles[row] == ("Le film 1", "Film, The")
