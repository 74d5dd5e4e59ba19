"""The C file holds and predicts what the Python memory does, bit for bit, without a float."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import weightless as ao

SOURCE = Path(ao.__file__).with_name("ntuple.c")
ROW = np.dtype([("key", np.uint32), ("sum", np.int32), ("count", np.int32)])


class Memory(ctypes.Structure):
    _fields_ = (
        *(("places", ctypes.c_void_p), ("tuples", ctypes.c_uint16), ("n", ctypes.c_uint8)),
        *(("prior", ctypes.c_int32), ("rows", ctypes.c_void_p)),
        *(("room", ctypes.c_uint32), ("used", ctypes.c_uint32)),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    built = tmp_path_factory.mktemp("c") / "ntuple.so"
    flags = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Os", "-shared", "-fPIC")
    subprocess.run([compiler, *flags, "-o", built, SOURCE], check=True)
    return ctypes.CDLL(str(built))


def test_it_has_no_floating_point():
    code = re.sub(r"/\*.*?\*/", "", SOURCE.read_text(), flags=re.DOTALL)
    assert not re.search(r"\b(float|double)\b|\d\.\d|\dE[+-]?\d+[^0-9A-F)]", code)


@pytest.mark.parametrize(("bits", "n", "tuples"), [(512, 8, 64), (26, 3, 8), (100, 16, 20)])
def test_it_is_the_python_memory(library, bits, n, tuples):
    rng = np.random.default_rng(n)
    drawn, ratings = ao.draw_tuples(bits, n, tuples), 300
    patterns = rng.integers(0, 2, (30, bits), np.uint8)[rng.integers(0, 30, ratings)]
    patterns ^= (rng.random(patterns.shape) < 0.1).astype(np.uint8)
    packed = np.packbits(patterns, axis=1, bitorder="little")
    units = rng.integers(-70, 71, ratings).astype(np.int16)
    python = ao.NTupleMemory(drawn, 0.25)
    places, rows = drawn.astype(np.uint16), np.zeros(2**15, ROW)
    memory = Memory(places.ctypes.data, tuples, n, python.prior, rows.ctypes.data, len(rows), 0)
    here = ctypes.byref(memory)

    def pointer(row):
        return ctypes.c_void_p(packed[row].ctypes.data)

    for row in range(ratings):
        python.learn(patterns[row], units[row] / 16)
        assert library.nt_learn(here, pointer(row), int(units[row])) == 0
    for row in range(0, ratings, 2):
        python.forget(patterns[row], units[row] / 16)
        assert library.nt_forget(here, pointer(row), int(units[row])) == 0
    assert memory.used == python.rows == np.count_nonzero(rows["key"])
    there = np.sort(rows[rows["key"] > 0], order="key")
    keys, values = python.items()
    np.testing.assert_array_equal(there["key"], keys)
    np.testing.assert_array_equal(np.stack([there["sum"], there["count"]], 1), values)
    kept, of_kept = np.ascontiguousarray(packed[1::2]), np.ascontiguousarray(units[1::2])
    for row in range(0, ratings, 7):
        total, count = python.sums(patterns[row])
        assert library.nt_predict(here, pointer(row)) == total * 256 // count
        found = ctypes.c_int64(), ctypes.c_int64()
        stored = ctypes.c_void_p(kept.ctypes.data), ctypes.c_void_p(of_kept.ctypes.data)
        sizes = len(kept), kept.shape[1]
        library.nt_match(here, pointer(row), *stored, *sizes, *map(ctypes.byref, found))
        assert (found[0].value, found[1].value) == (total, count)


def test_a_full_memory_and_what_was_not_learned_are_refused(library):
    drawn, rows = ao.draw_tuples(16, 4, 4).astype(np.uint16), np.zeros(16, ROW)
    memory = Memory(drawn.ctypes.data, 4, 4, 1, rows.ctypes.data, len(rows), 0)
    patterns = np.random.default_rng(0).integers(0, 256, (5, 2), np.uint8)
    learned = [
        library.nt_learn(ctypes.byref(memory), ctypes.c_void_p(one.ctypes.data), 5)
        for one in patterns
    ]
    assert learned[0] == 0
    assert learned[-1] == -1
    before = rows.copy()
    pattern = ctypes.c_void_p(patterns[0].ctypes.data)
    assert library.nt_forget(ctypes.byref(memory), pattern, 6) == -1
    np.testing.assert_array_equal(rows, before)
