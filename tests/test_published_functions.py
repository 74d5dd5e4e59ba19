"""The three published functions, and the calls made to the vendor's engine."""

import sys
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest
from tests_paths import SYNTHETIC

import weightless as ao
from Collaborative.torch_colab import run_colab_model
from PerUser.perUser import AoRecommender, Parameters, main, run_ao_model
from PerUser.perUser_pytorch import run_torch_per_user
from recbench.contract import Training
from recbench.data.encodings.thermometer import encode_ratings
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS

DATA = {"dataset": str(SYNTHETIC)}


@pytest.mark.parametrize("run", [run_ao_model, run_torch_per_user])
def test_per_user_models_return_mean_median_seconds(run):
    mean, median, seconds = run(10, 20, **DATA)
    assert 0.3 < mean <= 1
    assert 0.3 < median <= 1
    assert 0 < seconds < 60
    assert run(10, 20, split=0.5, **DATA)[:2] != (mean, median)
    assert run(10, 20, protocol="published", **DATA)[:2] != (mean, median)


def test_the_script_says_which_protocol_and_encoding_before_the_scores(capsys):
    for protocol, choice in (("strict", "holdout last"), ("published", "holdout published")):
        main(Parameters(num_users=10, reviews_per_user=20, protocol=protocol, **DATA))
        first, second, *_ = capsys.readouterr().out.splitlines()
        assert first.startswith(f"protocol {protocol} (join ")
        assert choice in first
        assert first.endswith("encoding published")
        assert second.split() == ["n_users", "10"]


def test_collaborative_model_returns_accuracy_and_seconds():
    accuracy, seconds = run_colab_model(10, 20, **DATA)
    assert 0.3 < accuracy <= 1
    assert 0 < seconds < 60


def test_asking_five_times_says_what_asking_once_says(synthetic):
    cell = make_cell(synthetic, PROTOCOLS["strict"], 6, 20)
    recommender = AoRecommender().fit(Training(cell.personal.train, cell.movies, seed=4))
    train, test, agents = cell.personal.train, cell.personal.test, recommender.agents
    labels = encode_ratings(train.stars, "half_stars")
    bits = recommender.predict_bits(test.user, test.movie)
    for user, movie, expected in zip(test.user, test.movie, bits, strict=True):
        agent, mine = ao.Agent(agents.arch, seed=int(agents.seeds[user])), train.user == user
        agent.next_state_batch(cell.movies.bits[train.movie[mine]], labels[mine], unsequenced=True)
        for _ in range(5):
            answer = agent.next_state(
                cell.movies.bits[movie], unsequenced=True, DD=True, Hamming=True
            )
        agent.reset_state()
        assert np.array_equal(answer, expected)


class Recorder:
    """Stands in for ao_core.Agent and writes down every call."""

    calls: ClassVar[list] = []

    def __init__(self, arch, *, _steps):
        self.calls.append(("Agent", arch, _steps))

    def next_state_batch(self, inputs, labels, **switches):
        self.calls.append(("next_state_batch", np.array(inputs), np.array(labels), switches))

    def next_state(self, one_input, **switches):
        self.calls.append(("next_state", np.array(one_input), switches))
        return [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]

    def reset_state(self):
        self.calls.append(("reset_state",))


def test_the_vendors_engine_gets_the_published_calls(synthetic, monkeypatch):
    vendor = ModuleType("ao_core")
    vendor.Arch = lambda **arguments: arguments
    vendor.Agent = Recorder
    monkeypatch.setitem(sys.modules, "ao_core", vendor)
    monkeypatch.setattr(Recorder, "calls", [])

    cell = make_cell(synthetic, PROTOCOLS["published"], 1, 10)
    train, test = cell.personal.train, cell.personal.test
    training = Training(train, cell.movies, labels="truncated", wnn_engine="ao_core")
    predicted = AoRecommender().fit(training).predict(test.user, test.movie)

    agent, taught, *asked = Recorder.calls
    architecture = {
        "arch_i": [10, 3, 3, 10],
        "arch_z": [10],
        "arch_c": [],
        "connector_function": "forward_forward_conn",
    }
    assert agent == ("Agent", architecture, 15_000)
    assert np.array_equal(taught[1], cell.movies.bits[train.movie])
    assert (taught[2].sum(axis=1) == 2 * train.stars.astype(int)).all()
    switches = {"unsequenced": True, "DD": True, "Hamming": True}
    assert taught[3] == switches
    assert [call[0] for call in asked] == (["next_state"] * 5 + ["reset_state"]) * len(test)
    shown = [call[1] for call in asked if call[0] == "next_state"]
    assert np.array_equal(shown, np.repeat(cell.movies.bits[test.movie], 5, axis=0))
    assert all(call[2] == switches for call in asked if call[0] == "next_state")
    assert predicted.tolist() == [3.0] * len(test)
