"""Made-up runs and a browser for the tests of their pages."""

from __future__ import annotations

import json
import shutil

import pytest
from browser import open_browser
from made_runs import EVIL, EVIL_NAME, make_grid, make_replay


@pytest.fixture(scope="session")
def grid_folder(tmp_path_factory):
    """Not to be changed."""
    return make_grid(tmp_path_factory.mktemp("grid") / "run", failed={"broken": "no memory"})


@pytest.fixture(scope="session")
def whole_folder(tmp_path_factory):
    """The same without a failure."""
    return make_grid(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def run_folder(whole_folder, tmp_path):
    """A copy of that, to break."""
    return shutil.copytree(whole_folder, tmp_path / "run")


@pytest.fixture(scope="session")
def better_folder(tmp_path_factory):
    """The same data, another error, and another recommender."""
    offsets = {"near": 0.05, "middle": 0.4, "new": 0.9}
    return make_grid(tmp_path_factory.mktemp("better") / "run", offsets=offsets)


@pytest.fixture
def two(whole_folder, better_folder, tmp_path):
    """Copies of both, as `a` and `b`."""
    before, after = tmp_path / "a", tmp_path / "b"
    return shutil.copytree(whole_folder, before), shutil.copytree(better_folder, after)


@pytest.fixture(scope="session")
def failed_folder(tmp_path_factory):
    """Nothing succeeded. Not to be changed."""
    folder = tmp_path_factory.mktemp("failed") / "run"
    return make_grid(folder, offsets={}, failed={"broken": "why"}, reference="nobody")


@pytest.fixture(scope="session")
def evil_folder(tmp_path_factory):
    """Names and texts that are HTML. Not to be changed."""
    offsets = {EVIL_NAME: 0.1, "middle": 0.4, "<b>a&lt;": 0.9}
    folder = tmp_path_factory.mktemp("evil") / "run"
    make_grid(folder, offsets=offsets, dataset=EVIL, failed={"x": EVIL})
    metadata = json.loads((folder / "run.json").read_text())
    metadata["git_commit"], metadata["parameters"][EVIL] = EVIL, [EVIL]
    (folder / "run.json").write_text(json.dumps(metadata))
    return folder


@pytest.fixture(scope="session")
def replay_folder(tmp_path_factory):
    """Not to be changed."""
    return make_replay(tmp_path_factory.mktemp("replay") / "run")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("browser")) as driver:
        yield driver
