"""What fitting a factorization machine costs, said before it starts."""

import pytest
from tests_paths import SYNTHETIC

import compare_all
from Collaborative.bayesian_fm import BayesianFM
from recbench.contract import Training
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.factorization import BURN_IN
from recbench.runs import running


def test_the_samples_kept_take_what_was_said(synthetic_cell):
    cell = synthetic_cell
    model = BayesianFM(samples=20).fit(Training(cell.personal.train, cell.movies))
    users, films = cell.n_users, len(cell.movies)
    _, size = model.expected_cost(0, users, films)
    kept = size * (20 - BURN_IN) / 20
    assert kept == pytest.approx(model.state_bytes() + model.shared_bytes(), rel=0.5)  # and bits


@pytest.fixture
def synthetic_cell(synthetic):
    return make_cell(synthetic, PROTOCOLS["strict"].changed(background_users=0), 0, 0)


def test_it_is_said_once_and_of_large_cells_alone(tmp_path, monkeypatch, capsys):
    flags = {
        "dataset": str(SYNTHETIC),
        "num_users": (0, 30),
        "reviews_per_user": (0,),
        "models": ("bayes_fm", "user_mean"),
        "iterations": 2,
        "workers": 1,
    }
    compare_all.main(compare_all.Parameters(**flags, output_dir=str(tmp_path / "small")))
    assert "fitted to up to" not in capsys.readouterr().out
    monkeypatch.setattr(running, "LARGE", 3_000)
    compare_all.main(compare_all.Parameters(**flags, output_dir=str(tmp_path / "large")))
    said = [line for line in capsys.readouterr().out.splitlines() if "fitted to up to" in line]
    assert len(said) == 1
    assert said[0].startswith("bayes_fm fitted to up to 3,100 ratings: about 0 minutes")
