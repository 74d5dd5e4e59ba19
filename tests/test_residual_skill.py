"""What is left of a rating beyond user bias and item baseline: by hand and by plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.evaluation.metrics import (
    bias_prediction,
    residual_correlation_per_user,
    skill_over_bias,
)
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Ratings


def test_the_bias_prediction_by_hand():
    baseline = ItemBaseline(np.array([3.0, 4.0, 4.9]))
    train = Ratings([0, 0, 1], [0, 1, 0], [4.0, 5.0, 1.0], [0, 1, 2])
    test = Ratings([0, 0, 1, 2], [0, 2, 1, 1], [3.0, 3.0, 3.0, 3.0], [3, 4, 5, 6])
    # user 0: two residuals of 1, damped by 5; user 1: one of -2; user 2: none
    expected = [3 + 2 / 7, 5.0, 4 - 2 / 6, 4.0]
    assert bias_prediction(train, test, baseline) == pytest.approx(expected)


def test_skill_by_hand():
    stars, user = np.array([4.0, 2.0, 5.0]), np.array([0, 0, 1])
    bias = np.array([3.0, 3.0, 3.0])  # mean squared errors 1 and 4
    assert skill_over_bias(stars, stars, bias, user) == 1
    assert skill_over_bias(stars, bias, bias, user) == 0
    assert skill_over_bias(stars, np.array([3.0, 3.0, 4.0]), bias, user) == pytest.approx(1 - 2 / 5)
    assert skill_over_bias(stars, np.array([1.0, 2.0, 5.0]), bias, user) < 1
    assert skill_over_bias(stars, bias, stars, user) is None


@st.composite
def rows(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 60))
    stars = rng.integers(1, 11, n) / 2
    coarse = draw(st.booleans())
    predicted = rng.integers(4, 8, n) / 2 if coarse else rng.uniform(0.5, 5, n)
    return stars, predicted, rng.uniform(2, 4, n), rng.integers(0, 6, n) * 3


@given(rows())
def test_correlation_is_numpys_user_by_user(drawn):
    stars, predicted, bias, user = drawn
    expected = [
        np.corrcoef((stars - bias)[user == one], (predicted - bias)[user == one])[0, 1]
        if (user == one).sum() >= 5
        else np.nan
        for one in np.unique(user)
    ]
    found = residual_correlation_per_user(stars, predicted, bias, user)
    assert found == pytest.approx(expected, nan_ok=True)


def test_whoever_says_no_more_than_the_bias_has_no_correlation():
    rng = np.random.default_rng(0)
    bias, user = rng.uniform(2, 4, 8), np.zeros(8, int)
    rounded = (bias + 0.25).astype(np.float32)  # differs from the bias by rounding alone
    found = residual_correlation_per_user(rng.uniform(0.5, 5, 8), rounded, bias, user)
    assert found.tolist() == [0.0]
