"""Known figures, as ranges: of the synthetic set, and of the real extract where it is there."""

import pytest

from recbench.data.loading import load_dataset
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.registry import load_recommender

# on the synthetic set, 40 users x 25, strict: (rmse from, to), (accuracy_mean from, to)
SYNTHETIC = {
    "always_3": ((1.17, 1.20), (0.65, 0.68)),
    "user_mean": ((1.01, 1.04), (0.74, 0.77)),
    "user_median": ((1.05, 1.09), (0.73, 0.76)),
    "movie_mean": ((1.08, 1.11), (0.70, 0.74)),
    "ao": ((0.86, 0.89), (0.80, 0.83)),
    "torch": ((1.12, 1.27), (0.63, 0.72)),
    "colab": ((0.92, 1.07), (0.75, 0.86)),
}


def results(dataset, protocol, num_users, reviews, models):
    chosen = PROTOCOLS[protocol].changed(encoding="published")
    cell = make_cell(dataset, chosen, num_users, reviews)
    return {name: measure(load_recommender(name), cell).row for name in models}


def test_synthetic_set(synthetic):
    found = results(synthetic, "strict", 40, 25, SYNTHETIC)
    for name, ((rmse_from, rmse_to), (accuracy_from, accuracy_to)) in SYNTHETIC.items():
        assert rmse_from < found[name]["rmse"] < rmse_to, name
        assert accuracy_from < found[name]["accuracy_mean"] < accuracy_to, name


def test_weightless_network_on_the_extract_as_published(extract_folder):
    direct = load_dataset(str(extract_folder), "direct")
    ao = results(direct, "published", 250, 50, ["ao"])["ao"]
    assert ao["n_users"] == 250
    assert ao["n_test"] == 2500
    assert ao["accuracy_mean"] == pytest.approx(0.77, abs=0.015)
