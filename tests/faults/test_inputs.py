"""Broken data and flags: each answered by one message that says what to do, or used and counted."""

from __future__ import annotations

import os
import shutil

import pytest
from child import run_child
from runs import some
from tests_paths import SYNTHETIC

pytestmark = pytest.mark.slow

USED, REFUSED = 0, 2
RATINGS, LINKS, MOVIES = "ratings_small.csv", "links_small.csv", "movies_metadata.csv"
QUICK = ["--num-users", 5, "--reviews-per-user", 5, "--iterations", 1, "--models", "user_mean"]
QUICK += ["--workers", 1]


def lines(change):
    """A change of the list of lines (bytes, without line ends)."""
    return lambda data: b"\n".join(change(data.rstrip(b"\n").split(b"\n"))) + b"\n"


def line(number, new):
    """Line `number` replaced (from 1, the heading)."""
    return lines(lambda rows: [*rows[: number - 1], new, *rows[number:]])


WHOLE_FILE = {
    "empty": (lambda data: b"", REFUSED),
    "a heading alone": (lambda data: data.split(b"\n")[0] + b"\n", None),
    "no heading": (lines(lambda rows: rows[1:]), REFUSED),
    "zeros": (lambda data: bytes(500), REFUSED),
    "a picture": (lambda data: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, REFUSED),
    "a page": (lambda data: b"<!doctype html>\n<title>404</title>\n", REFUSED),
    "UTF-16": (lambda data: data.decode().encode("utf-16"), REFUSED),
    "a mark of UTF-8 in front": (lambda data: b"\xef\xbb\xbf" + data, USED),
    "line ends of Windows": (lambda data: data.replace(b"\n", b"\r\n"), USED),
    "line ends of an old Macintosh": (lambda data: data.replace(b"\n", b"\r"), REFUSED),
    "no line end at the end": (lambda data: data.rstrip(b"\n"), USED),
    "empty lines at the end": (lambda data: data + b"\n\n\n", None),
    "semicolons": (lambda data: data.replace(b",", b";"), REFUSED),
    "tabs": (lambda data: data.replace(b",", b"\t"), REFUSED),
    "another column first": (
        lines(lambda rows: [b"extra," + rows[0], *(b"1," + row for row in rows[1:])]),
        USED,
    ),
    "a column less": (
        lines(lambda rows: [row.split(b",", 1)[1] if b"," in row else row for row in rows]),
        REFUSED,
    ),
    "an opened quote": (lines(lambda rows: [*rows[:20], b'"' + rows[20], *rows[21:]]), None),
    "a quote in the last line": (lambda data: data.rstrip(b"\n") + b'"\n', None),
    "bytes that are no text": (
        lines(lambda rows: [*rows[:9], b"\xff\xfe,1,2,3", *rows[10:]]),
        None,
    ),
    "a row too long": (lines(lambda rows: [*rows[:9], rows[9] + b",7,7,7", *rows[10:]]), None),
    "all rows too long": (lines(lambda rows: [rows[0], *(row + b",7" for row in rows[1:])]), None),
    "a row too short": (lines(lambda rows: [*rows[:9], b"1", *rows[10:]]), None),
    "a zero byte": (lines(lambda rows: [*rows[:9], b"1\x00,2,3,4", *rows[10:]]), None),
}
RATING_ROWS = {
    "a text for a user": (b"Ann,1,3.0,1000000000", REFUSED),
    "no user": (b",1,3.0,1000000000", REFUSED),
    "half a user": (b"1.5,1,3.0,1000000000", REFUSED),
    "a user beyond 64 bits": (b"99999999999999999999,1,3.0,1000000000", REFUSED),
    "a negative user": (b"-7,1,3.0,1000000000", USED),
    "the largest user": (b"9223372036854775807,1,3.0,1000000000", USED),
    "no movie": (b"1,,3.0,1000000000", REFUSED),
    "a text for a movie": (b"1,Heat,3.0,1000000000", REFUSED),
    "a movie beyond 64 bits": (b"1,99999999999999999999,3.0,1000000000", REFUSED),
    "an unknown movie": (b"1,987654321,3.0,1000000000", USED),
    "no stars": (b"1,1,,1000000000", REFUSED),
    "zero stars": (b"1,1,0,1000000000", REFUSED),
    "six stars": (b"1,1,6,1000000000", REFUSED),
    "a third of a star": (b"1,1,3.3,1000000000", REFUSED),
    "a decimal comma": (b'1,1,"3,5",1000000000', REFUSED),
    "negative stars": (b"1,1,-3,1000000000", REFUSED),
    "infinite stars": (b"1,1,inf,1000000000", REFUSED),
    "stars that are no number": (b"1,1,nan,1000000000", REFUSED),
    "a text for stars": (b"1,1,good,1000000000", REFUSED),
    "no time": (b"1,1,3.0,", REFUSED),
    "a date for a time": (b"1,1,3.0,2001-01-01", REFUSED),
    "a time in milliseconds": (b"1,1,3.0,1000000000000", USED),
    "a negative time": (b"1,1,3.0,-5", USED),
    "a time beyond 64 bits": (b"1,1,3.0,99999999999999999999", REFUSED),
    "a row given twice": (b"1,1,3.0,1000000000\n1,1,4.0,1000000000", USED),
}
MOVIE_CELLS = {
    "id": [b"", b"1997-08-20", b"-1", b"99999999999999999999", b"1.5"],
    "genres": [b"", b"[", b"nan", b"__import__('os').system('true')", b"[{'id': 1}]", b"[" * 5000],
    "vote_average": [b"", b"ten", b"-3", b"1e400", b"inf", b"nan", b"99"],
    "vote_count": [b"", b"many", b"-5", b"1e30", b"inf", b"2.5"],
    "release_date": [b"", b"1", b"12", b"0000-00-00", b"31/12/1999", b"99999-01-01"],
    "runtime": [b"", b"-1", b"inf", b"long", b"1e300"],
    "original_language": [b"", b"104.0", b"\xc3\xa9", b"xx" * 500],
    "title": [b"", b"\xf0\x9f\x8e\xac", b"a" * 100_000],
    "belongs_to_collection": [b"", b"{", b"0.065736"],
}
FLAGS = [  # others are tried in tests/test_compare_all.py
    ["--num-users", "-1"], ["--num-users", "5", "5"], ["--num-users", "99999999999999999999"],
    ["--num-users", "1.5"], ["--num-users"], ["--num-users", "1e3"],
    ["--reviews-per-user", "5", "5"], ["--cells", "x"], ["--cells", "-5x5"], ["--cells", "5x5x5"],
    ["--cells", "٣x٣"], ["--iterations", "1000000000000"], ["--models"], ["--models", ""],
    ["--models", ":"], ["--models", "json:"], ["--models", "..:X"], ["--models", "a\nb"],
    ["--split", "nan"], ["--split", "-0.5"], ["--split", "inf"], ["--top-percentile", "1"],
    ["--top-percentile", "-0.1"], ["--top-percentile", "nan"], ["--user-set", "reserved"],
    ["--encoding", "none"], ["--seed", "1e9"], ["--seed", "99999999999999999999999"],
    ["--wnn-engine", "ours"], ["--protocol", "loose"], ["--join", "none"],
    ["--holdout", "json:x"], ["--holdout", "json:JSONDecoder"], ["--labels", "stars"],
    ["--loss", "hinge"], ["--background-users", "some"], ["--samples", "old"],
    ["--workers", "-1"], ["--workers", "100000"], ["--model-timeout", "-1"],
    ["--model-timeout", "nan"], ["--dataset", ""], ["--dataset", "/dev/null"],
    ["--resume", "/dev/null"], ["--output-dir", "/dev/null"], ["--output-dir", "/proc/run"],
    ["--reviews-per-user", "-2"], ["--cells", "5x1"], ["--modles", "ao"], ["ao"], ["--votes=maybe"],
    ["--no-such-thing"],
]  # fmt: skip


def answer(words, tmp_path, wanted):
    status, printed, _ = run_child(words, tmp_path, tmp_path.parent / "out")
    assert "Traceback" not in printed, printed[-2000:]
    assert status in (USED, REFUSED), printed[-2000:]
    if wanted is not None:
        assert status == wanted, printed[-2000:]
    if status == REFUSED:
        assert printed.strip()
    return printed


def broken(tmp_path, name, change):
    folder = tmp_path / "data"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SYNTHETIC, folder)
    (folder / name).write_bytes(change((SYNTHETIC / name).read_bytes()))
    out = tmp_path / "run"
    shutil.rmtree(out, ignore_errors=True)
    return ["--dataset", folder, *QUICK, "--output-dir", out]


@pytest.mark.parametrize("name", [RATINGS, LINKS, MOVIES])
def test_broken_files(tmp_path, name, count):
    for what in some(list(WHOLE_FILE), 4):
        change, wanted = WHOLE_FILE[what]
        printed = answer(broken(tmp_path, name, change), tmp_path, wanted)
        if wanted == REFUSED:
            assert name in printed.replace("\n", ""), (what, printed)
        count("broken inputs")


def test_broken_ratings(tmp_path, count):
    for what in some(list(RATING_ROWS), 5):
        row, wanted = RATING_ROWS[what]
        printed = answer(broken(tmp_path, RATINGS, line(30, row)), tmp_path, wanted)
        if wanted == REFUSED:
            assert "line 30" in printed, (what, printed)
        count("broken inputs")


def test_unlikely_times_are_said(tmp_path):
    for row in (RATING_ROWS["a time in milliseconds"][0], RATING_ROWS["a negative time"][0]):
        printed = answer(broken(tmp_path, RATINGS, line(30, row)), tmp_path, USED)
        assert "1 of 3,100 timestamps are not seconds from 1990 to 2100" in printed
    assert "milliseconds" not in printed


def test_broken_metadata(tmp_path, count):
    heading = (SYNTHETIC / MOVIES).read_bytes().split(b"\n")[0].split(b",")
    cells = [(column, cell) for column, of_it in MOVIE_CELLS.items() for cell in of_it]
    for column, cell in some(cells, 4):
        place = heading.index(column.encode())

        def change(data, place=place, cell=cell):
            import csv
            import io

            rows = list(csv.reader(io.StringIO(data.decode())))
            rows[7][place] = cell.decode()
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            return text.getvalue().encode()

        answer(broken(tmp_path, MOVIES, change), tmp_path, USED)
        count("broken inputs")


@pytest.mark.parametrize("name", [RATINGS, LINKS, MOVIES])
@pytest.mark.parametrize("kind", ["missing", "a folder", "a pipe", "a broken link"])
def test_files_that_are_none(tmp_path, name, kind, count):
    words = broken(tmp_path, name, lambda data: data)
    file = tmp_path / "data" / name
    file.unlink()
    if kind == "a folder":
        file.mkdir()
    elif kind == "a pipe":
        os.mkfifo(file)
    elif kind == "a broken link":
        file.symlink_to(tmp_path / "nowhere")
    assert "data" in answer(words, tmp_path, REFUSED)  # which folder
    count("broken inputs")


def test_wrong_flags(tmp_path, count):
    for words in some(FLAGS, 10):
        base = ["--dataset", SYNTHETIC, *QUICK, "--output-dir", tmp_path / "run"]
        answer([*base, *words], tmp_path, REFUSED)
        assert not (tmp_path / "run").exists(), words
        count("broken inputs")


def test_strange_but_right(tmp_path, count):
    """What must work: signs that mean something to a library underneath, and nothing to a user."""
    for name in ("Füße & 🎬 (neu) [1]", "{x}", "*", "-dash", "with 'quotes'"):
        folder, run = tmp_path / name, tmp_path / f"run {name}"
        shutil.copytree(SYNTHETIC, folder)
        words = ["--dataset", folder, *QUICK, "--output-dir", run]
        printed = answer(words, tmp_path, USED).replace("\n", "")
        assert printed.startswith(f"{name}/ratings_small: ")
        assert "Glyph" not in printed
        again = answer(["--resume", run], tmp_path, USED).replace("\n", "")
        assert f"run {name}/report.html" in again
        count("broken inputs")
