"""Each score against a table worked by hand and, where there is one, an independent library."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_squared_error, ndcg_score, roc_auc_score

from recbench.contract import Training
from recbench.data.encodings.thermometer import decode_ratings, thermometer
from recbench.evaluation import metrics
from recbench.evaluation.measure import measure
from recbench.evaluation.metrics import scores
from recbench.models.median import median_of
from recbench.ratings import Ratings


@st.composite
def predictions(draw):
    n = draw(st.integers(1, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    stars = (rng.integers(1, 11, n) / 2).astype(np.float32)
    coarse = draw(st.booleans())  # many ties, or none
    predicted = rng.integers(1, 11, n) / 2 if coarse else rng.uniform(0.5, 5, n)
    return stars, predicted, rng.integers(0, draw(st.integers(1, 6)), n) * 3


def test_right_within_two_ones():
    ones = np.array([4, 4, 4, 4, 10, 0], dtype=np.uint8)
    predicted = np.array([1, 2, 6, 7, 8, 3], dtype=np.uint8)
    right = metrics.right_within_one_star(ones, predicted)
    assert right.tolist() == [False, True, True, False, True, False]


@given(predictions())
def test_errors_are_scikit_learns_pooled_and_user_by_user(rows):
    stars, predicted, user = rows
    pooled = np.sqrt(mean_squared_error(stars, predicted)), mean_absolute_error(stars, predicted)
    found = metrics.rmse_pooled(stars, predicted), metrics.mae_pooled(stars, predicted)
    assert found == pytest.approx(pooled)
    masks = [user == one for one in np.unique(user)]
    squares = [mean_squared_error(stars[own], predicted[own]) for own in masks]
    absolute = [mean_absolute_error(stars[own], predicted[own]) for own in masks]
    assert metrics.rmse(stars, predicted, user) == pytest.approx(np.sqrt(np.mean(squares)))
    assert metrics.mae(stars, predicted, user) == pytest.approx(np.mean(absolute))


@given(predictions())
def test_auc_is_scikit_learns(rows):
    stars, predicted, user = rows
    expected = [
        roc_auc_score(stars[user == one] >= 4, predicted[user == one])
        if len(set(stars[user == one] >= 4)) == 2
        else np.nan
        for one in np.unique(user)
    ]
    found = metrics.auc_like_per_user(stars, predicted, user)
    assert found == pytest.approx(expected, nan_ok=True)


@given(predictions())
def test_ndcg_is_scikit_learns(rows):
    stars, predicted, user = rows
    expected = [
        ndcg_score(
            2.0 ** stars[None, user == one].astype(float) - 1, predicted[None, user == one], k=10
        )
        if (user == one).sum() >= 20
        else np.nan
        for one in np.unique(user)
    ]
    found = metrics.ndcg_at_10_per_user(stars, predicted, user)
    assert found == pytest.approx(expected, nan_ok=True)


def test_scores_that_no_user_qualifies_for_are_empty():
    test = Ratings(np.array([0, 0]), np.array([1, 2]), np.array([4.0, 5.0]), np.array([1, 2]))
    row = scores(test, np.array([4.0, 4.0]), np.array([8, 10]), np.array([8, 8]))
    assert row["auc_like"] is None
    assert row["auc_users"] == 0
    assert row["ndcg_at_10"] is None
    assert row["ndcg_users"] == 0
    assert row["accuracy_mean"] == 1.0


# --- fitting, predicting, scoring --------------------------------------------------------------


class Fixed:
    """Predicts a given answer, and keeps what it was shown."""

    def __init__(self, answer, bits=None):
        self.answer = answer
        if bits is not None:
            self.predict_bits = lambda user, movie: bits(user)

    def fit(self, train, movies):
        self.seen = train
        return self

    def predict(self, user, movie):
        return self.answer(user)


@pytest.fixture(scope="module")
def cell(synthetic):
    from recbench.evaluation.cells import make_cell
    from recbench.evaluation.protocols import PROTOCOLS

    return make_cell(synthetic, PROTOCOLS["strict"], 10, 20)


def test_accuracy_is_of_the_bits_where_there_are_bits(cell):
    no_ones = Fixed(lambda user: np.full(len(user), 3.0), lambda user: np.zeros((len(user), 10)))
    row = measure(lambda: no_ones, cell).row
    truth = np.floor(2 * cell.personal.test.stars + 0.5)
    assert row["accuracy_pooled"] == pytest.approx((truth <= 2).mean())
    half_a_star = Fixed(lambda user: np.full(len(user), 0.5))  # the least that bits can say
    assert row["rmse"] == measure(lambda: half_a_star, cell).row["rmse"]


def test_all_scores_are_of_one_answer(cell):
    """An engine that draws at random says something else each time, and takes as long again."""
    rng = np.random.default_rng(0)
    drawn = []

    def bits(user):
        drawn.append(thermometer(rng.integers(0, 11, len(user))))
        return drawn[-1]

    found = measure(lambda: Fixed(lambda user: decode_ratings(bits(user)), bits), cell)
    assert len(drawn) == 1
    assert found.predictions["predicted_ones"].tolist() == drawn[0].sum(axis=1).tolist()
    assert found.predictions["predicted"].tolist() == decode_ratings(drawn[0]).tolist()
    shape = r"predict_bits returned shape \(\d+, 3\) for"
    with pytest.raises(ValueError, match=shape):
        measure(lambda: Fixed(None, lambda user: np.zeros((len(user), 3))), cell)


def test_no_prediction_is_counted_and_filled_with_the_training_mean(cell):
    half = Fixed(lambda user: np.where(user % 2, np.nan, 3.0))
    row = measure(lambda: half, cell).row
    assert row["coverage"] == pytest.approx((cell.personal.test.user % 2 == 0).mean())
    mean = cell.personal.train.stars.mean()
    filled = measure(lambda: Fixed(lambda user: np.where(user % 2, mean, 3.0)), cell).row
    assert row["rmse"] == pytest.approx(filled["rmse"])


def test_the_time_is_told_to_those_that_ask_for_it(cell):
    times = []

    class Clock(Fixed):
        def __init__(self):
            super().__init__(lambda user: np.full(len(user), 3.0))

        def predict(self, user, movie, time="none"):
            times.append(time)
            return super().predict(user, movie)

    for cls in (Clock, median_of(Clock)):
        measure(cls, cell)
        assert times[0] is cell.personal.test.time
        times.clear()
    model = median_of(Clock)()
    model.fit(Training(cell.personal.train, cell.movies))
    model.predict(np.array([0]), np.array([0]))
    assert times == [None]


def test_bytes_of_a_user_and_of_all_stand_side_by_side(cell):
    class Sized(Fixed):
        def state_bytes(self):
            return 30 * len(np.unique(self.seen.user))

        def shared_bytes(self):
            return 700

    row = measure(lambda: Sized(lambda user: np.full(len(user), 3.0)), cell).row
    assert (row["bytes_per_user"], row["bytes_shared"]) == (30, 700)
    columns = list(row)
    assert columns[columns.index("bytes_per_user") + 1] == "bytes_shared"
    bare = measure(lambda: Fixed(lambda user: np.full(len(user), 3.0)), cell).row
    assert (bare["bytes_per_user"], bare["bytes_shared"]) == (None, None)
