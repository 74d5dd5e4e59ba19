"""The item table, by itself and as a file."""

from __future__ import annotations

import json
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest

from recbench.errors import InputError
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.scales import EVEN, Scales, Steps
from recbench.models.item_table.table import ARRAYS, FORMAT, PREFIX, ItemTable
from recbench.ratings import Movies, Ratings
from weightless import storage


def a_table(n: int = 4) -> ItemTable:
    rng = np.random.default_rng(n)
    return ItemTable(
        movie_id=np.array([30, 10, 40, 20, 50][:n]),
        mean=rng.uniform(1, 5, n),
        factors=rng.normal(size=(n, 3)),
        implicit=rng.normal(size=(n, 3)),
        implicit_mean=rng.normal(size=3),
        uncertainty=rng.uniform(0, 1, n),
        count=rng.integers(0, 99, n),
        scales=Scales(loading=0.7, noise=0.123456789),
        steps=Steps(np.linspace(0.8, 4.6, 9), 1.25),
        about={"users": 12, "part_of_fm": 0.375},
    )


def movies_of(ids: list[int], votes: list[float]) -> Movies:
    return Movies(
        bits=np.arange(2 * len(ids)).reshape(-1, 2) % 2,
        bit_names=("genres:a", "genres:b"),
        vote_average=votes,
        vote_count=np.where(np.isnan(votes), 0, 40),
        movie_id=ids,
        title=[str(one) for one in ids],
    )


def test_a_table_comes_back_as_it_was(tmp_path):
    table, path = a_table(), tmp_path / "movies.table"
    table.save(path)
    loaded = ItemTable.load(path)
    assert loaded.checksum() == table.checksum()
    for name in ARRAYS:
        first, second = getattr(table, name), getattr(loaded, name)
        assert first.dtype == second.dtype
        assert np.array_equal(first, second)
        assert not second.flags.writeable
    assert (loaded.scales, loaded.about) == (table.scales, table.about)
    assert (loaded.steps.spread, *loaded.steps.cuts) == (table.steps.spread, *table.steps.cuts)
    assert [file.name for file in tmp_path.iterdir()] == ["movies.table"]
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"movie_id": [30, 10, 40, 21]},
        {"mean": np.nextafter(a_table().mean, 9)},
        *({name: 1 + getattr(a_table(), name)} for name in ARRAYS if name != "mean"),
        {"scales": Scales()},
        {"steps": replace(a_table().steps, spread=1.2500001)},
        {"steps": replace(a_table().steps, cuts=EVEN.cuts)},
        {"about": {"users": 13, "part_of_fm": 0.375}},
    ],
    ids="-".join,
)
def test_another_table_has_another_checksum(change):
    assert replace(a_table(), **change).checksum() != a_table().checksum()
    assert replace(a_table()).checksum() == a_table().checksum()


# --- files that are not what they should be ----------------------------------------------------


@pytest.fixture
def path(tmp_path):
    a_table().save(tmp_path / "movies.table")
    return tmp_path / "movies.table"


def refused(path, saying: str) -> None:
    with pytest.raises(InputError, match=saying) as error:
        ItemTable.load(path)
    assert str(path) in str(error.value)


def test_no_file_and_files_of_another_kind(tmp_path):
    refused(tmp_path / "nothing", "there is no such file")
    (tmp_path / "text").write_text("movieId,title\n1,Toy Story\n")
    (tmp_path / "empty").touch()
    np.save(tmp_path / "array.npy", np.arange(3))
    np.savez(tmp_path / "pickled.npz", header=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "other.npz", x=np.arange(3))
    for name in ("text", "empty", "array.npy", "pickled.npz", "other.npz", "."):
        refused(tmp_path / name, "damaged, or not an item table")


def test_a_file_cut_off_or_with_a_byte_changed_is_refused_or_says_the_same(path):
    """Some bytes of a zip archive, such as dates, mean nothing."""
    whole, expected, refusals = path.read_bytes(), a_table().checksum(), 0
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        refused(path, "damaged")
    for place in range(0, len(whole), 19):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        try:
            assert ItemTable.load(path).checksum() == expected
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017
            refusals += 1
    assert refusals > 0.6 * len(whole) / 19


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        *({"version": version} for version in (2, None)),
        {"scales": {"level": 1.0, "shape": 2.0}},
        *({name: None} for name in ("scales", "spread", "about", *ARRAYS, "cuts")),
    ],
)
def test_a_sound_file_of_something_else(path, change):
    """Of another version, or without a part of it."""
    header, arrays = a_table().parts()
    about = {name: value for name, value in (json.loads(header[PREFIX]) | change).items() if value}
    gone = {f"{PREFIX}_{name}" for name, value in change.items() if value is None}
    rest = {name: array for name, array in arrays.items() if name not in gone}
    storage.write(path, FORMAT, {PREFIX: json.dumps(about)}, rest)
    refused(path, "damaged, or not an item table")


def test_an_interrupted_write_leaves_the_old_file(path, monkeypatch):
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(storage.os, "replace", Mock(side_effect=KeyboardInterrupt))
        for file in (path, path.with_name("new")):
            with pytest.raises(KeyboardInterrupt):
                replace(a_table(), mean=np.ones(4)).save(file)
    assert path.read_bytes() == before
    assert not path.with_name("new").exists()
    replace(a_table(), mean=np.ones(4)).save(path)  # what was left over is no hindrance
    assert ItemTable.load(path).mean.tolist() == [1, 1, 1, 1]


def test_of_metadata_there_is_a_mean_and_no_similarity():
    movies = movies_of([7, 8, 9], [2.0, np.nan, 4.0])
    table = ItemTable.of_metadata(movies)
    assert np.array_equal(table.mean, ItemBaseline.fit(Ratings([], [], [], []), movies).stars)
    assert table.mean[2] > table.mean[1] > table.mean[0]  # 4 stars, unknown, 2 stars
    assert table.loading.tolist() == [1, 1, 1]  # a user's bias shows in all movies equally
    for nothing in (table.implicit, table.implicit_mean, table.uncertainty, table.count):
        assert not nothing.any()
    assert (table.scales, table.steps) == (Scales.of_nobody(), EVEN)


def test_columns_are_of_as_many_movies_and_cannot_be_written_to():
    wrong = {"mean": 3, "count": 5, "factors": 4, "implicit": (4, 2), "implicit_mean": 4}
    for name, shape in {**wrong, "uncertainty": (4, 1)}.items():
        with pytest.raises(ValueError, match="differ in length"):
            replace(a_table(), **{name: np.ones(shape)})
    own = np.array([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match="read-only"):
        replace(a_table(), mean=own).mean[0] = 5
    own[0] = 1.5  # one's own array is still one's own
