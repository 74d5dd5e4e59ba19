"""Kaggle's The Movies Dataset: found on this machine, or downloaded once through kagglehub."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from recbench.errors import InputError

HANDLE = "rounakbanik/the-movies-dataset"
VERSION = 7  # the last one published; pinned, so that the same name is the same data
SILENCE_SECONDS = 20  # no byte arrived for so long: give up

BY_HAND = (
    f"Or fetch https://www.kaggle.com/datasets/{HANDLE} by hand, unpack it, "
    "and give its folder: --dataset FOLDER"
)


def find() -> Path | None:
    """The folder of a complete copy on this machine: mounted by Kaggle, or cached by kagglehub.

    The cache is searched directly: kagglehub needs the network to find its own copy unless a
    version is given, and a forced download deletes the copy first.
    """
    mounted = Path("/kaggle/input/the-movies-dataset")
    if (mounted / "ratings.csv").exists():
        return mounted
    kept = _cache_folder() / "datasets" / HANDLE
    marker = kept / f"{VERSION}.complete"
    folder = kept / "versions" / str(VERSION)
    return folder if marker.exists() and (folder / "ratings.csv").exists() else None


def fetch() -> Path:
    """Download the dataset through kagglehub and return its folder.

    Raises:
        InputError: it is unavailable; with the reason and what to do by hand.
    """
    print(
        f"asking Kaggle for {HANDLE} (it has {SILENCE_SECONDS} seconds to answer) ...", flush=True
    )
    code = f"import kagglehub; print(kagglehub.dataset_download('{HANDLE}/versions/{VERSION}'))"
    output = run_with_deadline([sys.executable, "-c", code], _cache_folder(), SILENCE_SECONDS)
    return Path(output.strip().splitlines()[-1])


def run_with_deadline(command: list[str], watched: Path, seconds: float) -> str:
    """Output of `command`, which is ended when `watched` has not grown for `seconds`.

    It runs in its own process, because a server that accepts and never answers hangs the client.

    Raises:
        InputError: it failed or was ended.
    """
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    size, grown_at = _size_of(watched), time.monotonic()
    while process.poll() is None:
        time.sleep(0.1)
        now_size = _size_of(watched)
        if now_size != size:
            size, grown_at = now_size, time.monotonic()
        elif time.monotonic() - grown_at > seconds:
            process.kill()
            process.communicate()
            raise InputError(
                f"Kaggle sent nothing for {seconds:.0f} seconds. Try again later. {BY_HAND}"
            )
    output, errors = process.communicate()
    if process.returncode != 0:
        last_line = (errors.strip().splitlines() or ["no reason given"])[-1]
        reason = last_line.split(":")[0].split(".")[-1]  # "ConnectionError", not the whole story
        raise InputError(f"Kaggle cannot be reached ({reason}). {BY_HAND}")
    return output


def _size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _cache_folder() -> Path:
    from kagglehub.config import get_cache_folder  # slow to import, and seldom needed

    return Path(get_cache_folder())
