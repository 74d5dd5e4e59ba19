"""GroupLens's MovieLens sets by name: fetched once, kept as they come in the user's cache."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from recbench.data.cache import cache_folder
from recbench.errors import InputError

NAMES = ("ml-latest-small", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m")
SERVER = "https://files.grouplens.org/datasets/movielens"
ANSWER_SECONDS = 20  # that the server may take for an answer, or for the next piece
PIECE = 2**20  # bytes
MD5 = re.compile(r"\b[0-9a-f]{32}\b")
TERMS = (
    "MovieLens data is GroupLens's (University of Minnesota): for research, with acknowledgement "
    "(Harper and Konstan 2015), not for commercial use or passing on without their permission. "
    "The README in the zip file has the terms."
)


def fetch(name: str) -> Path:
    """The zip file of one of `NAMES`: from the cache, or the server that RECBENCH_GROUPLENS names
    (GroupLens's own by default). What was fetched before an interruption is not fetched again.

    Raises:
        InputError: the server cannot be reached or sends something else; says what to do by hand.
    """
    kept = cache_folder() / "grouplens" / f"{name}.zip"
    if kept.is_file():
        return kept
    url = f"{os.environ.get('RECBENCH_GROUPLENS') or SERVER}/{name}.zip"
    print(f"{TERMS}\nfetching {url} into {kept.parent}", flush=True)
    part = kept.with_suffix(".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _download(url, part)
        _check(url, part)
        os.replace(part, kept)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(
            f"{url}: cannot be fetched ({reason}). Try again later, or fetch it by hand and give "
            f"the file: --dataset {name}.zip; or name another server in the variable "
            "RECBENCH_GROUPLENS"
        ) from None
    return kept


def _download(url: str, part: Path) -> None:
    """Append what `part` lacks of what the server has."""
    begun = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={begun}-"} if begun else {})
    try:
        answer = urllib.request.urlopen(request, timeout=ANSWER_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416 and begun:  # all of it is there
            return
        raise
    with answer:
        if answer.status != 206:  # the whole file, whatever was asked for
            begun = 0
        length = answer.headers.get("Content-Length")
        total = None if length is None else begun + int(length)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with (
            part.open("ab" if begun else "wb") as file,
            Progress(*columns, TimeRemainingColumn(), transient=True) as progress,
        ):
            bar = progress.add_task(part.stem, total=total, completed=begun)
            while piece := answer.read(PIECE):
                file.write(piece)
                progress.advance(bar, len(piece))
    if total is not None and part.stat().st_size < total:
        raise http.client.IncompleteRead(b"", total - part.stat().st_size)


def _check(url: str, part: Path) -> None:
    """Raises InputError, and deletes `part`, unless it is what the server's checksum says; where
    there is none, unless it is a whole zip file."""
    try:
        with urllib.request.urlopen(f"{url}.md5", timeout=ANSWER_SECONDS) as answer:
            wanted = MD5.search(answer.read(1000).decode("ascii", errors="replace").lower())
    except urllib.error.HTTPError:
        wanted = None
    if wanted is not None:
        with part.open("rb") as file:
            whole = hashlib.file_digest(file, "md5").hexdigest() == wanted[0]
    else:
        print(f"{url}: the server has no checksum; the zip file's own are checked")
        try:
            with zipfile.ZipFile(part) as archive:
                whole = archive.testzip() is None
        except zipfile.BadZipFile:
            whole = False
    if not whole:
        part.unlink()
        raise InputError(f"{url}: is not the file that GroupLens published. Try again later")
