"""Files that are read back, cut at any byte or filled with something else: one message, or the same
files in the end; never a traceback, never another result."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from contextlib import suppress
from unittest.mock import Mock

import numpy as np
import pytest
from child import run_child
from runs import SMALL, contents, some

from weightless import storage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stopped(whole, scratch):
    """A run killed when a part of its predictions and rows was there, and what it would become."""
    folder, writes = scratch / "stopped-run", whole[1]
    run_child([*SMALL, "--output-dir", folder], folder, scratch / "out", writes // 3)
    assert (folder / "predictions").is_dir()
    return folder, whole[0], contents(whole[0])


def goes_on_or_says_why(folder, expected, tmp_path):
    status, printed, _ = run_child(["--resume", folder], folder, tmp_path / "out")
    assert status in (0, 2), printed
    assert "Traceback" not in printed
    if status == 0:
        assert contents(folder) == expected
    else:
        assert printed.count("error: ") == 1
        assert str(folder) in printed  # which file


def places(size, how_many):
    drawn = np.random.default_rng(size).integers(1, max(size, 2), how_many)
    return sorted({0, size - 1, *drawn.tolist()})


@pytest.mark.parametrize("name", ["run.json", "comparison.csv", "predictions", "whole parquet"])
def test_a_cut_file_of_a_run(stopped, tmp_path, name, count):
    stopped_run, whole, expected = stopped
    source = whole if name == "whole parquet" else stopped_run
    if name == "predictions":
        file = sorted((source / "predictions").glob("*.parquet"))[0].relative_to(source)
    else:
        file = "predictions.parquet" if name == "whole parquet" else name
    size = (source / file).stat().st_size
    for place in some(places(size, 60), 3):
        folder = tmp_path / f"cut-{place}"
        shutil.copytree(source, folder)
        os.truncate(folder / file, place)
        goes_on_or_says_why(folder, expected, tmp_path)
        count("cut files")
        shutil.rmtree(folder)


SOMETHING_ELSE = {
    "empty": b"",
    "a null": b"null",
    "a list": b"[]",
    "numbers": b"1,2,3\n",
    "zeros": bytes(1000),
    "no text": b"\xff\xfe\x00\xd8" * 50,
    "deep": b"[" * 100_000,
    "another table": b"a,b\n1,2\n",
    "a page": b"<!doctype html><title>404</title>",
}


@pytest.mark.parametrize("name", ["run.json", "comparison.csv", "predictions.parquet"])
def test_a_file_of_another_kind(stopped, tmp_path, name, count):
    _, whole, expected = stopped
    for what in some(list(SOMETHING_ELSE), 2):
        folder = tmp_path / what
        shutil.copytree(whole, folder)
        (folder / name).write_bytes(SOMETHING_ELSE[what])
        goes_on_or_says_why(folder, expected, tmp_path)
        count("files of another kind")
        shutil.rmtree(folder)


def test_a_folder_in_the_place_of_a_file(stopped, tmp_path, count):
    _, whole, expected = stopped
    for name in ("run.json", "comparison.csv", "predictions.parquet"):
        folder = tmp_path / name
        shutil.copytree(whole, folder)
        (folder / name).unlink()
        (folder / name).mkdir()
        goes_on_or_says_why(folder, expected, tmp_path)
        count("files of another kind")


def test_a_file_of_movies_that_is_cut_turned_or_something_else(tmp_path, monkeypatch, count):
    file, arrays = tmp_path / "movies", {"movie_id": np.arange(40)}
    storage.write(file, "movies", {"dataset": "d"}, arrays)
    whole = file.read_bytes()
    turned = [whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :] for at in (1, 90, 400)]
    for data in [whole[:cut] for cut in range(0, len(whole), 29)] + [*SOMETHING_ELSE.values()]:
        file.write_bytes(data)
        with pytest.raises(ValueError, match="is damaged, or something else"):
            storage.read(file, "movies")
        count("cut files")
    for data in turned:
        file.write_bytes(data)
        with suppress(ValueError):  # or a byte that means nothing, such as a date
            assert (storage.read(file, "movies")[1]["movie_id"] == np.arange(40)).all()
    monkeypatch.setattr(storage.os, "replace", Mock(side_effect=KeyboardInterrupt))
    file.write_bytes(whole)
    with pytest.raises(KeyboardInterrupt):
        storage.write(file, "movies", {}, {})
    assert file.read_bytes() == whole


def test_a_file_of_movies_that_would_fill_the_memory(tmp_path, count):
    """An array whose heading claims 10¹² numbers, and three gigabytes packed into a few."""

    file = tmp_path / "movies"

    def heading(n: int) -> bytes:
        about = {"descr": "<u8", "fortran_order": False, "shape": (n,)}
        np.lib.format.write_array_header_1_0(written := io.BytesIO(), about)
        return written.getvalue()

    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("header.npy", heading(10**12) + bytes(64))
    with pytest.raises(ValueError, match="larger than it is"):
        storage.read(file, "movies")
    n = 3 * 2**27
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("header.npy", "w", force_zip64=True) as member,
    ):
        member.write(heading(n))
        for _ in range(8 * n // 2**24):
            member.write(bytes(2**24))
    assert file.stat().st_size < 4_000_000
    with pytest.raises(ValueError, match="unpack to"):
        storage.read(file, "movies")
    count("files of another kind", 2)
