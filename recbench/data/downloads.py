"""Downloads by name, kept unchanged in the user's cache: the zip files of GroupLens's MovieLens
sets, and MovieTweetings.

A set with a pinned checksum may come from any server: a file with another checksum is refused.
Every wait has a deadline, and an interrupted download continues where it stopped.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from recbench.data.cache import cache_folder
from recbench.errors import InputError

MOVIELENS = ("ml-latest-small", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m")
GROUPLENS = "https://files.grouplens.org/datasets/movielens"
# Copies of three of them by the authors of Recommenders, named after the sets. Whether they are
# still there was not tried when this was written: the sum decides.
MIRROR = "https://huggingface.co/datasets/Recommenders/MovieLens/resolve/main"
ON_MIRROR = ("ml-1m", "ml-10m", "ml-20m")
PINNED = {  # MD5 of the zip files as GroupLens published them
    "ml-1m": "c4d9eecfca2ab87c1945afe126590906",
    "ml-10m": "ce571fd55effeba0271552578f2648bd",
    "ml-20m": "cd245b17a1ae2cc31bb14903e1204af3",
    "ml-25m": "6b51fb2759a8657d3bfcbfc42b592ada",
}
TERMS = (
    "MovieLens data is GroupLens's (University of Minnesota): for research, with acknowledgement "
    "(Harper and Konstan 2015), not for commercial use or passing on without their permission. "
    "The README in the zip file has the terms."
)

MOVIETWEETINGS = {  # name -> folder at the server
    "movietweetings-10k": "snapshots/10K",
    "movietweetings-100k": "snapshots/100K",
    "movietweetings-latest": "latest",
    "movietweetings": "snapshots/100K",
}
TWEETS_SERVER = "https://raw.githubusercontent.com/sidooms/MovieTweetings/master"
TWEETS_FILES = ("movies.dat", "ratings.dat")  # users.dat names accounts, and is not needed

ANSWER_SECONDS = 20.0  # that a server may take for an answer, or for the next piece
WATCHED_SECONDS, LEAST_BYTES = 60.0, 300_000  # of any such time: less is too slow
PIECE = 2**20  # bytes
FAILURES = (OSError, http.client.HTTPException, ValueError)


def fetch_movielens(name: str) -> Path:
    """The zip file of one of `MOVIELENS`: from the cache, from GroupLens (or the server that
    RECBENCH_GROUPLENS names), or from the mirror.

    Raises:
        InputError: none of them has it as published; with the reason and what to do by hand.
    """
    kept = cache_folder() / "grouplens" / f"{name}.zip"
    if kept.is_file():
        return kept
    servers = [os.environ.get("RECBENCH_GROUPLENS") or GROUPLENS]
    servers += [MIRROR] if name in ON_MIRROR else []
    by_hand = (
        f"and give the file: --dataset {name}.zip; or name another server in the variable "
        "RECBENCH_GROUPLENS"
    )
    print(TERMS)
    _fetch(name, [f"{server}/{name}.zip" for server in servers], kept, _check_zip, by_hand)
    return kept


def fetch_movietweetings(name: str) -> Path:
    """The folder of the files of one of `MOVIETWEETINGS`, from the cache or the server that
    RECBENCH_MOVIETWEETINGS names (its authors' own by default).

    Raises:
        InputError: a file is unavailable; with the reason and what to do by hand.
    """
    place = MOVIETWEETINGS[name]
    folder = cache_folder() / "movietweetings" / place.rsplit("/", 1)[-1].lower()
    server = f"{os.environ.get('RECBENCH_MOVIETWEETINGS') or TWEETS_SERVER}/{place}"
    lacking = [file for file in TWEETS_FILES if not (folder / file).is_file()]
    if lacking:
        print(
            f"{name}: by S. Dooms and others (2013), MIT licence; unverified: no checksum is pinned"
        )
    for file in lacking:
        _fetch(name, [f"{server}/{file}"], folder / file, _check_rows, f"into {folder}")
    return folder


def _fetch(
    name: str, urls: list[str], kept: Path, check: Callable[[Path, str], None], by_hand: str
) -> None:
    """Download a file from the first of `urls` that has it to `kept`, whole or not at all.

    `check` raises ValueError for an unexpected file of the set `name`.

    Raises:
        InputError: none has it; with the reason and how to download it `by_hand`.
    """
    part, failures = kept.with_name(f"{kept.name}.part"), []
    for url in urls:
        print(f"fetching {url} into {kept.parent}", flush=True)
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            _download(url, part)
            try:
                check(part, name)
            except ValueError:
                part.unlink()
                raise
            os.replace(part, kept)
            return
        except FAILURES as error:
            reason = getattr(error, "reason", None) or error or type(error).__name__
            failures.append(f"{url} ({reason})")
    raise InputError(
        f"{name} cannot be downloaded from {' or '.join(failures)}. Try again later, or download "
        f"it by hand {by_hand}"
    )


def _download(url: str, part: Path) -> None:
    """Append to `part` what it lacks of the server's file."""
    begun = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={begun}-"} if begun else {})
    try:
        answer = urllib.request.urlopen(request, timeout=ANSWER_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416 and begun:  # all of it is there
            return
        raise
    since, arrived = time.monotonic(), 0
    with answer, part.open("ab" if answer.status == 206 else "wb") as file:
        length = file.tell() + int(answer.headers.get("Content-Length", 0))
        while piece := answer.read1(PIECE):  # what has come, without waiting for all of it
            file.write(piece)
            arrived += len(piece)
            if time.monotonic() - since > WATCHED_SECONDS:
                if arrived < LEAST_BYTES:
                    raise TimeoutError(f"sent {arrived:,} bytes in {WATCHED_SECONDS:g} seconds")
                print(f"{part.stem}: {file.tell() / 1e6:,.0f} MB", flush=True)
                since, arrived = time.monotonic(), 0
        if file.tell() < length:
            raise http.client.IncompleteRead(b"", length - file.tell())


def _check_zip(part: Path, name: str) -> None:
    """Raises ValueError unless `part` has the pinned checksum of the set or, without one, is a
    complete zip file."""
    if name in PINNED:
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "md5").hexdigest()
        wrong = f"MD5 {found}, expected {PINNED[name]}" if found != PINNED[name] else ""
    else:
        print(f"{name}: unverified: no checksum is pinned; the zip file is complete")
        try:
            with zipfile.ZipFile(part) as archive:
                wrong = "a file in it is damaged" if archive.testzip() else ""
        except zipfile.BadZipFile as error:
            wrong = str(error)
    if wrong:
        raise ValueError(f"is not the file that GroupLens published: {wrong}")


def _check_rows(part: Path, _: str) -> None:
    """Raises ValueError unless the first row is one of MovieTweetings."""
    with part.open("rb") as file:
        first = file.readline(1000)
    if not re.match(rb"(\xef\xbb\xbf)?\d+::.+::", first):
        raise ValueError(f"it begins with {first[:40]!r}. Expected rows separated by ::")
