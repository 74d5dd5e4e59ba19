"""A run's folder can be read and gone on with at any moment; a run holds no more than it needs."""

from __future__ import annotations

import sys

from tests_paths import SYNTHETIC

from recbench.evaluation.protocols import PROTOCOLS
from recbench.registry import load_recommender
from recbench.runs.grid import CellTask, run_cell
from recbench.runs.predictions import Predictions
from recbench.runs.resume import add_models
from recbench.runs.run_folder import RunFolder, read_metadata

ABOUT = {"parameters": {}, "datasets": []}
ROW = {"num_users": 5, "reviews_per_user": 10, "iteration": 1, "model": "a", "status": "ok"}


def test_a_run_stopped_before_its_first_row_goes_on(tmp_path):
    """A cell in parts has results before it has rows."""
    run = RunFolder.create(tmp_path / "run", dict(ABOUT))
    run.add()
    run._lock.release()
    again = RunFolder.resume(tmp_path / "run")
    assert again.rows == []
    again.add(ROW)
    again._lock.release()
    assert RunFolder.resume(tmp_path / "run").rows == [ROW]


def test_a_model_of_another_file_takes_the_place_of_one_of_its_name(tmp_path):
    """A run has a name once: both in run.json would be refused by the next --resume."""
    run = RunFolder.create(tmp_path / "run", {**ABOUT, "parameters": {}})
    run.add(ROW | {"model": "Mine"}, ROW | {"model": "bias"})
    models = ("before:Mine", "bias")
    found = add_models(run, Predictions(run.path), models, ("svd", "after:Mine"))
    assert found == ("after:Mine", "bias", "svd")
    assert read_metadata(run.path)["parameters"]["models"] == list(found)
    assert [row["model"] for row in run.rows] == ["bias"]


MODELS = """
import weakref
import numpy as np

ALIVE = weakref.WeakSet()
SEEN = {}


class First:
    learns_from = "all"
    builds_on = ""

    def fit(self, training):
        alive = sorted(type(one).__name__ for one in ALIVE)
        based = self.builds_on == "First" and training.fitted("First") is not None
        SEEN[type(self).__name__] = alive, based
        ALIVE.add(self)
        return self

    def predict(self, user, movie):
        return np.full(len(user), 3.0, np.float32)


class Second(First):
    pass


class OnFirst(First):
    builds_on = "First"


class OnFirstToo(First):
    builds_on = "First"


class OnNobody(First):
    builds_on = "Nobody"


class OnThat(First):
    builds_on = "OnFirstToo"
"""


def test_a_fitted_model_is_kept_for_those_that_build_on_it_alone(tmp_path):
    (tmp_path / "six.py").write_text(MODELS)
    names = ["OnThat", "OnFirst", "First", "OnFirstToo", "Second", "OnNobody"]
    models = {name: f"{tmp_path / 'six'}:{name}" for name in names}
    key = {"num_users": 8, "reviews_per_user": 10, "iteration": 1}
    task = CellTask(str(SYNTHETIC), PROTOCOLS["strict"], key, 0, models, {}, "weightless", models)
    done = run_cell(task)
    assert [row["status"] for row in done.rows] == ["ok"] * 6
    in_order = ["First", "Second", "OnNobody", "OnFirst", "OnFirstToo", "OnThat"]
    assert [row["model"] for row in done.rows] == in_order
    seen = sys.modules[load_recommender(models["First"]).__module__].SEEN
    assert seen == {
        "First": ([], False),
        "Second": (["First"], False),
        "OnNobody": (["First"], False),
        "OnFirst": (["First"], True),
        "OnFirstToo": (["First"], True),
        "OnThat": (["OnFirstToo"], False),
    }
    assert set(done.reference["rmse"]) == set(names)
