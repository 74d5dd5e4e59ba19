"""What two times imply; times themselves are not asserted."""

from __future__ import annotations

import numpy as np
import pytest
from models import GOOD

from recbench.checks.candidate import Candidate
from recbench.checks.growth import MOVIELENS_1M, Growth, growth_of, in_words
from recbench.registry import load_recommender


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_an_exponent_is_read_from_two_times_and_carried_on(exponent):
    rows = (2_000, 8_000)
    growth = Growth("fit", rows, tuple(1e-4 * n**exponent for n in rows))
    assert growth.exponent == pytest.approx(exponent, abs=0.01)
    assert growth.at(MOVIELENS_1M) == pytest.approx(1e-4 * MOVIELENS_1M**exponent, rel=0.05)
    assert ("faster than the ratings" in str(growth)) == (exponent > 1.5)
    assert ("in proportion" in str(growth)) == (exponent < 1.5)


def test_times_are_in_two_digits_and_what_is_too_short_says_so():
    assert str(Growth("predict", (2_000, 8_000), (2e-5, 4e-5))) == (
        "predict: 20 µs for 2,000 ratings, 40 µs for 8,000: too short to tell how it grows"
    )
    seconds = (4e-6, 0.0031, 0.25, 72, 9000)
    assert [*map(in_words, seconds)] == ["4.0 µs", "3.1 ms", "250 ms", "1.2 min", "2.5 h"]


def test_it_is_measured_at_two_sizes(tmp_path):
    (tmp_path / "my_file.py").write_text(GOOD)
    fit, predict = growth_of(Candidate(load_recommender(f"{tmp_path / 'my_file'}:Model")))
    assert (fit.what, predict.what) == ("fit", "predict")
    for growth in (fit, predict):
        assert growth.rows == (2_000, 8_000)
        assert np.isfinite(growth.exponent)
