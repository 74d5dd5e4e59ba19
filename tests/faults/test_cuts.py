"""Files that are read back, cut at any byte or filled with something else: one message, or the same
files in the end; never a traceback, never another result."""

from __future__ import annotations

import io
import os
import shutil
import zipfile

import numpy as np
import pytest
from child import run_child
from runs import SMALL, contents, some

import weightless as ao

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
    "a folder": None,
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
    for what in some(list(SOMETHING_ELSE), 3):
        folder = tmp_path / what
        shutil.copytree(whole, folder)
        (folder / name).unlink()
        if SOMETHING_ELSE[what] is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(SOMETHING_ELSE[what])
        goes_on_or_says_why(folder, expected, tmp_path)
        count("files of another kind")
        shutil.rmtree(folder)


@pytest.mark.parametrize("kind", ["agent", "population"])
def test_a_cut_engine_file(tmp_path, kind, count):
    arch = ao.Arch([3, 2], [2], (), "forward_forward_conn")
    one = ao.Agent(arch) if kind == "agent" else ao.Population(arch, 3)
    rng = np.random.default_rng(0)
    bits, labels = rng.integers(0, 2, (40, 5), np.uint8), rng.integers(0, 2, (40, 2), np.uint8)
    if kind == "agent":
        one.next_state_batch(bits, labels, unsequenced=True)
    else:
        one.learn(np.arange(40) % 3, bits, labels)
    file = tmp_path / "engine"
    one.save(file)
    whole = file.read_bytes()
    for place in some(places(len(whole), 80), 20):
        file.write_bytes(whole[:place])
        with pytest.raises(ValueError, match=r"damaged|no weightless file"):
            type(one).load(file)
        count("cut files")
    for data in filter(None, SOMETHING_ELSE.values()):
        file.write_bytes(data)
        with pytest.raises(ValueError, match=r"damaged|no weightless file"):
            type(one).load(file)
        count("files of another kind")


def test_an_engine_file_that_would_fill_the_memory(tmp_path, count):
    """An array whose heading claims 10¹² numbers, and three gigabytes packed into a few."""

    file = tmp_path / "engine"

    def heading(n: int) -> bytes:
        about = {"descr": "<u8", "fortran_order": False, "shape": (n,)}
        np.lib.format.write_array_header_1_0(written := io.BytesIO(), about)
        return written.getvalue()

    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("header.npy", heading(10**12) + bytes(64))
    with pytest.raises(ValueError, match="larger than it is"):
        ao.Agent.load(file)
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
        ao.Agent.load(file)
    count("files of another kind", 2)
