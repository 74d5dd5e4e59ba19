"""MovieLens 100K, carried unchanged in the wheel of RecBole on the package index.

Its terms are GroupLens's: for research, not to be redistributed. So each user downloads it once; it
is read from the wheel, which is neither installed nor imported.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import polars as pl

from recbench.data.cache import cache_folder
from recbench.data.downloads import MOVIETWEETINGS, TWEETS_SERVER
from recbench.data.tables import Source, as_metadata, clean_movies
from recbench.errors import InputError

REQUIREMENT = "recbole==1.2.1"
WHEEL = "recbole-1.2.1-py3-none-any.whl"
SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
INSIDE = "recbole/dataset_example/ml-100k/ml-100k"

# Freebase's languages -> ISO 639-1
LANGUAGES = {
    "m.02h40lc": "en",
    "m.064_8sq": "fr",
    "m.06nm1": "es",
    "m.02bjrlw": "it",
    "m.04306rv": "de",
    "m.03_9r": "ja",
}


def read_ml_100k() -> Source:
    """100,000 ratings of 943 users, 1,682 movies with genres, year and language.

    There are no external votes: vote_average and vote_count are null, and votes are counted per
        sample.

    Raises:
        InputError: the wheel could not be downloaded, or is not the expected one.
    """
    wheel = fetch_wheel(cache_folder())
    with zipfile.ZipFile(wheel) as archive:
        ratings = _table(archive, "inter").select(
            userId=pl.col("user_id:token").cast(pl.Int64),
            movieId=pl.col("item_id:token").cast(pl.Int64),
            rating=pl.col("rating:float").cast(pl.Float32),
            timestamp=pl.col("timestamp:float").cast(pl.Int64),
        )
        movies, counts = clean_movies(_movies(archive))
    return Source(
        name="ml-100k",
        read_ratings=lambda: ratings,
        links=movies.select(movieId="id", tmdbId="id"),  # one id space: both joins are the same
        movies=movies,
        counts=counts,
        files=(wheel,),
    )


def fetch_wheel(folder: Path) -> Path:
    """The wheel in `folder`, downloaded if missing; its hash is always checked."""
    kept = folder / WHEEL
    if not kept.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{folder}: cannot be written ({error.strerror}). Name another folder for "
                "downloads in the variable RECBENCH_CACHE"
            ) from None
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fetched = _download(Path(scratch))
            check_hash(fetched)
            os.replace(fetched, kept)  # whole or not at all
    check_hash(kept)
    return kept


def check_hash(wheel: Path) -> None:
    """Raises InputError unless `wheel` is the one with the unchanged dataset."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != SHA256:
        raise InputError(
            f"{wheel}: is not the expected file (SHA-256 {found}, expected {SHA256}). "
            "Delete it and run again; if this repeats, the package index serves another file"
        )


def _download(folder: Path) -> Path:
    print(f"Fetching MovieLens 100K from the package index ({REQUIREMENT}, 2 MB, once) ...")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--timeout", "15", "--retries", "1"]
    command += ["--dest", str(folder), REQUIREMENT]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        reason = (run.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
    except subprocess.TimeoutExpired:
        reason = "pip did not finish within 300 seconds"
    fetched = folder / WHEEL
    if not fetched.exists():
        raise InputError(
            f"MovieLens 100K could not be downloaded from the package index: {reason}. Check "
            f"the network, or put {WHEEL} into {folder.parent} by hand; or use "
            f"--dataset movietweetings-10k, which is at {TWEETS_SERVER}/"
            f"{MOVIETWEETINGS['movietweetings-10k']}"
        )
    return fetched


def _table(archive: zipfile.ZipFile, name: str) -> pl.DataFrame:
    text = archive.read(f"{INSIDE}.{name}")
    return pl.read_csv(io.BytesIO(text), separator="\t", infer_schema=False, quote_char=None)


def _movies(archive: zipfile.ZipFile) -> pl.DataFrame:
    """The movies in the columns of Kaggle's metadata, all as text."""
    items = _table(archive, "item")
    language = _language_of_items(archive)
    return as_metadata(
        id=items["item_id:token"],
        title=items["movie_title:token_seq"],
        original_language=[language.get(item, "") for item in items["item_id:token"]],
        release_date=items["release_year:token"],
        genres=[words.split() for words in items["class:token_seq"]],
    )


def _language_of_items(archive: zipfile.ZipFile) -> dict[str, str]:
    """Item -> language. Freebase lists every language spoken: English if among them."""
    facts = _table(archive, "kg").filter(pl.col("relation_id:token") == "film.film.language")
    spoken = facts.join(
        _table(archive, "link"), left_on="head_id:token", right_on="entity_id:token"
    )
    languages: dict[str, str] = {}
    for item, entity in spoken.select("item_id:token", "tail_id:token").iter_rows():
        language = LANGUAGES.get(entity, "other")
        if item not in languages or language == "en":
            languages[item] = language
    return languages
