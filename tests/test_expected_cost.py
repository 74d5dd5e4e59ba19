"""What fitting a factorization machine costs, said before it starts."""

import pytest
from tests_paths import SYNTHETIC

from Collaborative.bayesian_fm import BayesianFM
from recbench.contract import Training
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.factorization import BURN_IN
from recbench.runs import running
from recbench.runs.grid import CellTask

STRICT = PROTOCOLS["strict"].changed(background_users=0)


def test_the_samples_kept_take_what_was_said(synthetic):
    cell = make_cell(synthetic, STRICT, 0, 0)
    model = BayesianFM(samples=20).fit(Training(cell.personal.train, cell.movies))
    users, films = cell.n_users, len(cell.movies)
    _, size = model.expected_cost(0, users, films)
    kept = size * (20 - BURN_IN) / 20
    assert kept == pytest.approx(model.state_bytes() + model.shared_bytes(), rel=0.5)  # and bits


def test_it_is_said_once_and_of_large_cells_alone(synthetic, monkeypatch):
    key, models = {"num_users": 0, "reviews_per_user": 0}, {"bayes_fm": "bayes_fm", "bias": "bias"}
    tasks = [
        CellTask(str(SYNTHETIC), STRICT, key | more, 0, models, "weightless", {})
        for more in ({"iteration": 1}, {"iteration": 2}, {"num_users": 30, "iteration": 1})
    ]
    assert running.expected_costs(tasks, synthetic) == []
    monkeypatch.setattr(running, "LARGE", 3_000)
    (line,) = running.expected_costs(tasks, synthetic)
    assert line.startswith("bayes_fm fitted to up to 3,100 ratings: about 0 minutes")
