"""The user's cache of downloaded, unpacked and joined data."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

import platformdirs

from recbench.errors import InputError

# The tables of a zip file; the rest stays packed
SUFFIXES = (".csv", ".tsv", ".dat", ".data", ".item", ".parquet", ".json", ".jsonl", ".ndjson")
LARGEST_BYTES = 16 * 2**30  # of all tables of a zip file, unpacked


def cache_folder() -> Path:
    """RECBENCH_CACHE, or the user's cache folder."""
    default = platformdirs.user_cache_dir("recommender-systems-benchmark", appauthor=False)
    return Path(os.environ.get("RECBENCH_CACHE") or default)  # set but empty: as if not set


def unpacked(file: Path) -> Path:
    """The folder with the tables of a zip file, unpacked once, in one level.

    Raises:
        InputError: it is not a zip file, is damaged, or has no table.
    """
    status = file.stat()
    folder = cache_folder() / "unpacked" / f"{file.stem}-{status.st_size}-{status.st_mtime_ns}"
    if folder.is_dir():
        return folder
    try:
        with zipfile.ZipFile(file) as archive:
            members = _tables(archive)
            if not members:
                raise InputError(f"{file}: has no {', '.join(SUFFIXES)} file in it")
            if sum(member.file_size for member in members.values()) > LARGEST_BYTES:
                raise InputError(f"{file}: would unpack to more than {LARGEST_BYTES:,} bytes")
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                whole = Path(scratch) / "whole"
                whole.mkdir()
                for name, member in members.items():
                    with archive.open(member) as packed, (whole / name).open("wb") as target:
                        shutil.copyfileobj(packed, target)
                if not folder.is_dir():  # another process may have been as fast
                    os.replace(whole, folder)  # whole or not at all
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{file}: is not a readable zip file ({error})") from None
    return folder


def _tables(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The tables of the folder closest to the root, by file name."""
    tables = [m for m in archive.infolist() if PurePosixPath(m.filename).suffix in SUFFIXES]
    tables = [m for m in tables if not m.filename.startswith("__MACOSX")]
    depth = min((m.filename.count("/") for m in tables), default=0)
    return {PurePosixPath(m.filename).name: m for m in tables if m.filename.count("/") == depth}
