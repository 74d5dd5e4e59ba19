"""What several tests need: the synthetic set, the real extract, and a folder to break."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import polars as pl
import pytest
from tests_paths import ROOT, SYNTHETIC

from recbench.data import datasets, kaggle, loading
from recbench.data.dataset import Dataset
from recbench.data.loading import load_dataset

# Real data is never part of the repository. It stands beside it, or where this variable says.
EXTRACT = Path(os.environ.get("RECBENCH_SHARED", ROOT.parent / "shared")) / "the-movies-dataset"

hypothesis.settings.register_profile("no deadline", deadline=None)  # machines differ
hypothesis.settings.load_profile("no deadline")


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """An empty cache of the test's own, and no metadata of Kaggle's on this machine; a function
    after which nothing is found or loaded yet, as in a new process."""

    def clear() -> None:
        datasets.locate.cache_clear()
        loading._load.cache_clear()

    monkeypatch.setenv("RECBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kaggle, "find", lambda: None)
    clear()
    yield clear
    clear()


@pytest.fixture(scope="session")
def synthetic() -> Dataset:
    return load_dataset(str(SYNTHETIC))


@pytest.fixture(scope="session")
def without_votes(synthetic: Dataset) -> Dataset:
    """The synthetic set as ml-100k is: votes are counted over users outside the sample."""
    none = pl.lit(None, pl.Float64)
    votes = {"vote_count": none, "vote_average": none}
    source = replace(synthetic.source, movies=synthetic.source.movies.with_columns(**votes))
    return replace(synthetic, source=source, table=synthetic.table.with_columns(**votes))


@pytest.fixture
def kaggle_folder(tmp_path: Path) -> Path:
    """A copy of the synthetic set, to break."""
    folder = tmp_path / "data"
    shutil.copytree(SYNTHETIC, folder, ignore=shutil.ignore_patterns("make.py", "__pycache__"))
    return folder


@pytest.fixture(scope="session")
def extract_folder() -> Path:
    """The extract of The Movies Dataset."""
    if not (EXTRACT / "ratings_small.csv").exists():
        reason = f"no extract of The Movies Dataset in {EXTRACT}; set RECBENCH_SHARED"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}: CI must not skip this")
        pytest.skip(reason)
    return EXTRACT


@pytest.fixture(scope="session")
def extract(extract_folder: Path) -> Dataset:
    return load_dataset(str(extract_folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """tests/faults first: they fork this process, which must not have started threads by then."""
    items.sort(key=lambda item: "faults" not in item.path.parts)
