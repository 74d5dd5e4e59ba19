"""The basic clam learns to open for the chemical that comes with food."""

import numpy as np
import pytest

from weightless import clam as sea
from weightless.agent import Agent


def mean_openings(trials: int, *, with_b: bool) -> tuple[float, float]:
    clams = [Agent(sea.clam_arch(), seed=seed) for seed in range(60)]
    for clam in clams:
        sea.train(clam, trials, with_b=with_b)
    opened = [[sea.opens_for(clam, x) for x in (sea.A_ALONE, sea.B_ALONE)] for clam in clams]
    a, b = np.mean(opened, axis=0)
    return float(a), float(b)


def test_an_untrained_clam_opens_by_chance():
    a, b = mean_openings(0, with_b=True)
    assert a == pytest.approx(0.5, abs=0.15)
    assert b == pytest.approx(0.5, abs=0.15)


def test_a_trained_clam_opens_for_a_and_not_for_b():
    a, b = mean_openings(8, with_b=True)
    assert a > 0.9
    assert b < 0.2


def test_a_clam_that_knows_only_food_with_a_opens_for_anything():
    a, b = mean_openings(8, with_b=False)
    assert min(a, b) > 0.9


def test_the_instinct_teaches_only_an_open_clam():
    clam = Agent(sea.clam_arch())
    clam.next_state(sea.FOOD_AND_A, [0])
    clam.next_state(sea.FOOD_AND_A, INSTINCTS=True)
    assert clam.metastory[-1, clam.arch.C[1][0]] == "rest"
    clam.next_state(sea.FOOD_AND_A, [1])
    assert clam.next_state(sea.FOOD_AND_A, INSTINCTS=True).tolist() == [1]
    assert clam.metastory[-1, clam.arch.Z__flat[0]] == "instinct"


def test_the_example_runs(capsys, monkeypatch):
    monkeypatch.setattr(sea, "N_CLAMS", 3)
    sea.main()
    assert "opens for A" in capsys.readouterr().out
