"""No kernel is compiled, or loaded from disk, while a recommender is timed."""

from __future__ import annotations

import os

import pytest
from few_samples import few_samples
from numba.core.dispatcher import Dispatcher

from recbench.contract import fit
from recbench.evaluation import cells
from recbench.evaluation.cells import make_cell
from recbench.evaluation.predicting import fit_and_predict
from recbench.evaluation.protocols import PROTOCOLS
from recbench.registry import RECOMMENDERS, load_recommender


@pytest.fixture(scope="module")
def cell(synthetic):
    cell = make_cell(synthetic, PROTOCOLS["strict"], 10, 20)
    assert cell.personal_tables is cell.collaborative_tables  # made before the clock starts
    return cell


@pytest.mark.parametrize("name", RECOMMENDERS)
def test_kernels_are_there_before_the_clock_starts(name, cell, monkeypatch):
    """In a process of its own, so that what one has compiled is not there for another."""
    child = os.fork()
    if child == 0:
        os._exit(signatures_compiled(name, cell, monkeypatch))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def signatures_compiled(name, cell, monkeypatch) -> int:
    """How many are new to a kernel between the start of `fit` and the end of `predict`."""
    compiled, compile_one = [], Dispatcher.compile

    def noted(self, signature):
        compiled.append(self.py_func.__name__)
        return compile_one(self, signature)

    def fit_on_the_clock(recommender, training):
        compiled.clear()
        return fit(recommender, training)

    monkeypatch.setattr(Dispatcher, "compile", noted)
    monkeypatch.setattr(cells, "fit", fit_on_the_clock)
    fit_and_predict(load_recommender(name)(**few_samples(name)), cell)
    print(name, compiled)
    return len(compiled)
