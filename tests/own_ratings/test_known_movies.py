"""Movies and item table: made once, kept, found again without the dataset."""

import os
import shutil

import numpy as np
import pytest
from own_movies import known_movies_of_titles
from tests_paths import SYNTHETIC

from recbench.data.loading import load_dataset
from recbench.errors import InputError
from recbench.models.item_table.of_dataset import item_table_of
from recbench.models.item_table.table import ItemTable
from recbench.own_ratings import known_movies as module
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.known_movies import KnownMovies, open_known_movies
from recbench.own_ratings.of_dataset import catalogue_of


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A cache with the known_movies of a copy of the synthetic set, and that copy."""
    cache = tmp_path_factory.mktemp("cache")
    data = cache / "data"
    shutil.copytree(SYNTHETIC, data, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECBENCH_CACHE", str(cache))
        told = []
        first = open_known_movies(str(data), tell=told.append)
    assert told[0].startswith("learning what 60 users'")
    assert told[-1].startswith("done in")
    return cache, data, first


@pytest.fixture
def cache(made, tmp_path, monkeypatch):
    """A copy of that, to break."""
    shutil.copytree(made[0], tmp_path / "cache")
    monkeypatch.setenv("RECBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def not_made(*_):
    raise AssertionError("it is made again")


def test_it_is_the_table_of_everybody(made):
    dataset = load_dataset(str(SYNTHETIC))
    table, movies = item_table_of(dataset)
    assert made[2].table.checksum() == table.checksum()
    assert (made[2].catalogue.movies.bits == movies.bits).all()


def test_facts(made):
    catalogue = made[2].catalogue
    row = int(np.flatnonzero(catalogue.movies.movie_id == 1)[0])
    assert catalogue.name(row) == "Movie 1 (1986)"
    assert catalogue.genres[row] == ("Drama", "Action", "Romance")
    assert catalogue.language[row] == "xx"
    assert catalogue.imdb_id[row] == "tt0100001"
    assert catalogue.rated_by.sum() == len(load_dataset(str(SYNTHETIC)).ratings)


def test_the_next_start_needs_no_dataset(made, cache, monkeypatch):
    monkeypatch.setattr(module, "_make", not_made)
    shutil.rmtree(made[1].with_name("data"), ignore_errors=False)
    try:
        again = open_known_movies(str(made[1]), tell=not_made)
    finally:
        shutil.copytree(cache / "data", made[1])
    assert again.table.checksum() == made[2].table.checksum()
    assert again.catalogue.shown == made[2].catalogue.shown
    assert again.catalogue.movies.bit_names == made[2].catalogue.movies.bit_names


def test_files_that_have_changed_are_read_anew(made, cache, monkeypatch):
    data = cache / "data"
    learned = []
    monkeypatch.setattr(module, "_make", lambda dataset, *_: learned.append(dataset) or made[2])
    module._remember(
        cache / "own-ratings" / "index.json",
        str(data),
        module._known(cache / "own-ratings" / "index.json", str(made[1])),
        (data / "ratings_small.csv",),
    )
    open_known_movies(str(data))
    assert learned == []
    os.utime(data / "ratings_small.csv", (1, 1))
    open_known_movies(str(data))
    assert learned == [str(data)]


def test_what_other_code_made_is_made_anew(made, cache, monkeypatch):
    index = cache / "own-ratings" / "index.json"
    kept = index.read_text()
    monkeypatch.setattr(module, "_make", lambda *_: made[2])
    try:
        index.write_text(kept.replace(module._code(), "other"))
        assert open_known_movies(str(made[1])) is made[2]
        index.write_text(kept)
        assert open_known_movies(str(made[1])) is not made[2]
    finally:
        index.write_text(kept)


@pytest.mark.parametrize("content", [b"", b"nothing", None])
@pytest.mark.parametrize("name", [module.TABLE, module.FILMS])
def test_a_damaged_cache_is_made_again(made, cache, monkeypatch, name, content):
    (file,) = (cache / "own-ratings").glob(f"*/{name}")
    file.unlink() if content is None else file.write_bytes(content)
    told = []
    monkeypatch.setattr(module, "_make", lambda *_: made[2])
    assert open_known_movies(str(made[1]), tell=told.append) is made[2]
    assert "made again" in told[0]


def test_an_index_that_is_none(made, cache, monkeypatch):
    monkeypatch.setattr(module, "_make", lambda *_: made[2])
    for content in ("", "[]", "{", '{"x": 3}'):
        (cache / "own-ratings" / "index.json").write_text(content)
        assert open_known_movies(str(made[1])) is made[2]


def test_a_folder_or_a_file_in_its_place(made, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_make", not_made)
    (file,) = (cache / "own-ratings").glob(f"*/{module.TABLE}")
    for place in (file.parent, file):
        known_movies = open_known_movies(str(made[1]), item_table=str(place))
        assert known_movies.table.checksum() == made[2].table.checksum()
    with pytest.raises(InputError, match=r"movies\.npz: there is no such file"):
        open_known_movies(item_table=str(tmp_path))
    with pytest.raises(InputError, match="there is no such file"):
        open_known_movies(item_table=str(tmp_path / "none.npz"))
    (tmp_path / "bad.npz").write_text("bad")
    with pytest.raises(InputError, match="damaged"):
        open_known_movies(item_table=str(tmp_path / "bad.npz"))


def test_a_table_of_other_movies(made, catalogue, tmp_path):
    table = known_movies_of_titles(catalogue).table
    other = ItemTable(table.movie_id + 10_000, table.mean, table.factors, table.codes,
                      table.scales, table.steps)  # fmt: skip
    other.save(tmp_path / module.TABLE)
    catalogue.save(tmp_path / module.FILMS)
    with pytest.raises(InputError, match=r"knows none of the 253 movies"):
        KnownMovies.load(tmp_path)
    some = other.movie_id.copy()
    some[:5] = catalogue.movies.movie_id[:5]
    ItemTable(some, table.mean, table.factors, table.codes, table.scales, table.steps).save(
        tmp_path / module.TABLE
    )
    fitting = KnownMovies.load(tmp_path).table
    assert (fitting.movie_id == catalogue.movies.movie_id).all()


def test_the_list_of_movies_as_a_file(catalogue, tmp_path):
    path = tmp_path / "movies.npz"
    catalogue.save(path)
    read = Catalogue.load(path)
    for name in ("dataset", "shown", "genres", "language", "imdb_id", "other_titles"):
        assert getattr(read, name) == getattr(catalogue, name)
    assert (read.year == catalogue.year).all()
    assert [one.name for one in tmp_path.iterdir()] == ["movies.npz"]
    content = path.read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 10):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="damaged"):
            Catalogue.load(path)


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECBENCH_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(
        "recbench.own_ratings.of_dataset.known_movies_of",
        lambda dataset: known_movies_of_titles(catalogue_of(dataset, item_table_of(dataset)[1])),
    )
    with pytest.raises(InputError, match="RECBENCH_CACHE"):
        open_known_movies(str(SYNTHETIC), tell=lambda _: None)


def test_what_others_print_is_no_result(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RECBENCH_CACHE", str(tmp_path))
    told = []

    def load(dataset):
        print("asking somebody")
        raise InputError("nobody there")

    monkeypatch.setattr("recbench.data.loading.load_dataset", load)
    with pytest.raises(InputError, match="nobody there"):
        open_known_movies("auto", tell=told.append)
    assert told == ["asking somebody"]
    assert capsys.readouterr().out == ""


def test_original_titles_and_ids_of_the_metadata(kaggle_folder):
    metadata = kaggle_folder / "movies_metadata.csv"
    lines = metadata.read_text().splitlines()
    lines[0] += ",original_title,imdb_id"
    lines[1:] = [f"{line},Le movie {n},tt{n:07d}" for n, line in enumerate(lines[1:], start=1)]
    metadata.write_text("\n".join(lines) + "\n")
    (kaggle_folder / "movies.csv").write_text('movieId,title,genres\n1,"Movie, The (1986)",x\n')
    dataset = load_dataset(str(kaggle_folder))
    catalogue = catalogue_of(dataset, item_table_of(dataset)[1])
    row = int(np.flatnonzero(catalogue.movies.movie_id == 1)[0])
    assert catalogue.imdb_id[row] == "tt0000001"
    assert catalogue.other_titles[row] == ("Le movie 1", "Movie, The")
