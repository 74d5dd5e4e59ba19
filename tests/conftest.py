"""What several tests need: the synthetic set, the real extract, and a folder to break."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest
from tests_paths import ROOT, SYNTHETIC

from recbench.data.dataset import Dataset
from recbench.data.loading import load_dataset

# Real data is never part of the repository. It stands beside it, or where this variable says.
EXTRACT = Path(os.environ.get("RECBENCH_SHARED", ROOT.parent / "shared")) / "the-movies-dataset"

hypothesis.settings.register_profile("no deadline", deadline=None)  # machines differ
hypothesis.settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def synthetic() -> Dataset:
    return load_dataset(str(SYNTHETIC))


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
