"""Full ranking: by hand, against a plain loop over random orders, and what may not change it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_compare_all import SMALL, TIMES, here

from recbench.evaluation import ranking
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.evaluation.ranking import full_ranking, popularity_percentile
from recbench.ratings import Ratings
from recbench.report.html.run_files import read_run
from recbench.report.html.run_report import page_of

STRICT = PROTOCOLS["strict"]


def ratings(rows):
    user, movie, stars = (np.array(column) for column in zip(*rows, strict=True))
    return Ratings(user, movie, stars, np.arange(len(rows)))


def from_table(table):
    return lambda user, movie: table[user, movie]


def by_hand(stars, liked, orders):
    """nDCG and recall at 10, averaged over random orders of movies predicted alike."""
    rng = np.random.default_rng(0)
    ideal = sum(1 / np.log2(place + 2) for place in range(min(liked.sum(), 10)))
    ndcg, recall = [], []
    for _ in range(orders):
        ten = sorted(range(len(stars)), key=lambda movie: (-stars[movie], rng.random()))[:10]
        gains = [1 / np.log2(place + 2) for place, movie in enumerate(ten) if liked[movie]]
        ndcg.append(sum(gains) / ideal)
        recall.append(len(gains) / liked.sum())
    return np.mean(ndcg), np.mean(recall)


def test_by_hand():
    # user 0 rated movie 1 in training; the order of the rest is 3, then 0 and 2 alike, then 4 .. 13
    table = np.array([[4.0, 5.0, 4.0, 4.5, *([1.0] * 10)]])
    train, test = ratings([(0, 1, 5.0)]), ratings([(0, 2, 4.0), (0, 3, 3.5), (0, 4, 5.0)])
    found = full_ranking(from_table(table), train, test, np.arange(14), np.arange(14.0))
    # movie 2 is second or third; movie 4 on one of the last 7 places, one of 10 movies
    gain = (1 / np.log2(3) + 1 / np.log2(4)) / 2
    gain += (1 / np.log2(np.arange(5, 12))).sum() / 10
    assert found.user.tolist() == [0]
    assert found.ndcg[0] == pytest.approx(gain / (1 + 1 / np.log2(3)))
    assert found.recall[0] == pytest.approx((1 + 0.7) / 2)
    assert found.popularity[0] == pytest.approx((3 + 0 + 2 + 0.7 * sum(range(4, 14))) / 10)
    assert found.catalogue_share == pytest.approx((3 + 10 * 0.7) / 14)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(11, 30), st.integers(1, 12))
def test_ties_are_the_mean_over_random_orders(seed, n, levels):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, levels, (1, n)) / 2 + 0.5
    liked = rng.permutation(n)[: rng.integers(1, 12)]
    test = ratings([(0, movie, 4.5) for movie in liked])
    train = ratings([(1, 0, 3.0)])  # somebody else's
    found = full_ranking(from_table(table), train, test, np.arange(n), np.ones(n))
    orders = 2000
    ndcg, recall = by_hand(table[0], np.isin(np.arange(n), liked), orders)
    assert found.ndcg[0] == pytest.approx(ndcg, abs=3 / np.sqrt(orders))
    assert found.recall[0] == pytest.approx(recall, abs=3 / np.sqrt(orders))


def test_a_constant_is_at_chance_level_wherever_the_liked_movies_stand():
    n = 50
    constant = np.full((1, n), 3.5)
    train, popularity = ratings([(1, 0, 3.0)]), (np.arange(n) + 0.5) / n
    for liked in ([0, 1, 2], [47, 48, 49], [7]):
        test = ratings([(0, movie, 5.0) for movie in liked])
        found = full_ranking(from_table(constant), train, test, np.arange(n), popularity)
        assert found.recall[0] == pytest.approx(10 / n)
        discount = 1 / np.log2(np.arange(2, 12))
        ideal = discount[: len(liked)].sum()
        assert found.ndcg[0] == pytest.approx(len(liked) * discount.sum() / n / ideal)
        assert found.popularity[0] == pytest.approx(0.5)
        assert found.catalogue_share == pytest.approx(10 / n)


def test_popularity_percentile_by_hand():
    train = ratings([(0, 3, 3.0), (1, 3, 3.0), (2, 3, 3.0), (0, 5, 3.0), (0, 1, 3.0)])
    # candidates 1, 2, 3 and 9 have 1, 0, 3 and 0 ratings
    found = popularity_percentile(train, np.array([1, 2, 3, 9]))
    assert found.tolist() == [2.5 / 4, 1 / 4, 3.5 / 4, 1 / 4]


def test_users_without_a_liked_movie_are_absent():
    test = ratings([(0, 1, 3.5), (2, 1, 4.0)])
    predict, every = from_table(np.full((3, 12), 3.0)), (np.arange(12), np.ones(12))
    found = full_ranking(predict, ratings([(0, 0, 5.0)]), test, *every)
    assert found.user.tolist() == [2]
    columns = found.columns_for(np.array([0, 2, 2, 5]))
    assert np.isnan(columns["ranking_recall_at_10"][[0, 3]]).all()
    assert columns["ranking_recall_at_10"][1:3] == pytest.approx(10 / 12)
    nobody = full_ranking(predict, test, test.take(test.user == 0), *every)
    assert nobody.scores()["ranking_users"] == 0
    assert nobody.scores()["ranking_ndcg_at_10"] is None


@pytest.fixture(scope="module")
def cell(synthetic):
    return make_cell(synthetic, STRICT, 20, 20)


class Noted:
    """Predicts noise, always the same of a pair, and notes what it was asked."""

    def __init__(self):
        self.asked = []

    def fit(self, train, movies):
        self.train = train
        self.noise = np.random.default_rng(2).uniform(0.5, 5, (100, len(movies)))
        return self

    def predict(self, user, movie):
        self.asked.append((user, movie))
        return self.noise[user, movie]


def pairs(user, movie):
    return set(zip(user.tolist(), movie.tolist(), strict=True))


def test_all_movies_but_those_of_training_are_ranked(cell):
    noted = Noted()
    row = measure(lambda: noted, cell, rank=True).row
    test = cell.personal.test
    users = np.unique(test.user[test.stars >= 4])
    asked = set().union(*(pairs(*one) for one in noted.asked[1:]))
    every = {(user, movie) for user in users.tolist() for movie in cell.candidates.tolist()}
    assert asked == every - pairs(noted.train.user, noted.train.movie)
    assert row["ranking_users"] == len(users)
    rated = np.unique(noted.train.movie)
    assert len(np.setdiff1d(cell.candidates, rated))  # movies nobody rated in training among them


def test_only_movies_popular_enough_for_the_cell_are_candidates(synthetic):
    popular = make_cell(synthetic, STRICT.changed(top_percentile=0.5), 20, 10)
    everything = make_cell(synthetic, STRICT, 20, 10)
    assert len(everything.candidates) == len(everything.movies)
    assert 0 < len(popular.candidates) < len(popular.movies)
    assert np.isin(popular.personal.test.movie, popular.candidates).all()


def test_chunks_change_nothing(cell, monkeypatch):
    whole = measure(Noted, cell, rank=True)
    monkeypatch.setattr(ranking, "PAIRS_AT_ONCE", 1)
    noted = Noted()
    chunked = measure(lambda: noted, cell, rank=True)
    assert len(noted.asked) == 1 + chunked.row["ranking_users"]
    pd.testing.assert_frame_equal(whole.predictions, chunked.predictions, check_exact=True)
    for column in ranking.COLUMNS:
        assert whole.row[column] == chunked.row[column]


def test_the_stars_of_a_held_out_movie_change_no_ranking(cell):
    """What is asked, and thus the order, is the same; only who counts as liked is read of them."""
    test = cell.personal.test
    higher = replace(test, stars=np.where(test.stars >= 4, 5.0, 0.5))
    other = replace(cell.personal, test=higher)
    changed = replace(cell, personal=other, collaborative=other)
    first, second = Noted(), Noted()
    row = measure(lambda: first, cell, rank=True).row
    other = measure(lambda: second, changed, rank=True).row
    for column in ranking.COLUMNS:
        assert row[column] == other[column]
    assert len(first.asked) == len(second.asked)
    for one, two in zip(first.asked, second.asked, strict=True):
        assert np.array_equal(one, two)


def test_no_answer_is_ranked_with_the_training_mean(cell):
    class Silent(Noted):
        def predict(self, user, movie):
            return np.full(len(user), np.nan)

    class Mean(Noted):
        def predict(self, user, movie):
            return np.full(len(user), self.train.mean_stars())

    silent, mean = (measure(lambda one=one: one, cell, rank=True).row for one in (Silent(), Mean()))
    assert silent["ranking_ndcg_at_10"] == mean["ranking_ndcg_at_10"]


def test_without_being_asked_nothing_is_ranked(cell):
    noted = Noted()
    measured = measure(lambda: noted, cell)
    assert len(noted.asked) == 1
    assert all(measured.row[column] is None for column in (*ranking.COLUMNS, "ranking_seconds"))
    assert not measured.predictions.columns.str.startswith("ranking").any()


# --- from the command line ---------------------------------------------------------------------

MODELS = ["--models", "movie_mean", "bias", "user_median", "--iterations", "2", "--ranking"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranking") / "run"
    printed = here(*SMALL, *MODELS, "--output-dir", folder)
    assert "nDCG at 10 of all movies" in printed
    return folder


def files_of(run):
    comparison = pd.read_csv(run / "comparison.csv").drop(columns=TIMES)
    differences = pd.read_csv(run / "significance.csv")
    return comparison, differences, pd.read_parquet(run / "predictions.parquet")


def test_rankings_are_compared_user_by_user(finished):
    comparison, differences, predictions = files_of(finished)
    cell = ["model", "reviews_per_user", "iteration"]
    by_user = predictions.groupby([*cell, "user_id"])["ranking_ndcg_at_10"]
    assert (by_user.nunique() <= 1).all()
    of_cell = by_user.first().groupby(cell)
    rows = comparison.set_index(cell)
    for key, values in of_cell:
        assert rows.loc[key, "ranking_ndcg_at_10"] == pytest.approx(values.mean())
        assert rows.loc[key, "ranking_users"] == values.notna().sum()
    for score in ("ranking_ndcg_at_10", "ranking_recall_at_10", "auc_like"):
        of_score = differences[differences["score"] == score]
        assert len(of_score)
        assert of_score["better_share"].between(0, 1).all()


def test_a_stopped_run_goes_on_to_the_same_rankings(finished, tmp_path):
    folder = tmp_path / "stopped"
    folder.mkdir()
    (folder / "run.json").write_text((finished / "run.json").read_text())
    rows = pd.read_csv(finished / "comparison.csv").sample(frac=0.5, random_state=0)
    rows.to_csv(folder / "comparison.csv", index=False)
    (folder / "predictions.parquet").write_bytes((finished / "predictions.parquet").read_bytes())
    here("--resume", folder)
    for one, two in zip(files_of(finished), files_of(folder), strict=True):
        pd.testing.assert_frame_equal(one, two, check_exact=True)


# --- recommenders that predict no stars --------------------------------------------------------


def test_one_that_only_ranks_stands_beside_the_others(tmp_path):
    """In the CSV files without an error in stars, in the tables and on the page with its ranking;
    the digits are the same for any number of workers."""
    folders = [tmp_path / workers for workers in ("1", "2")]
    for folder in folders:
        printed = here(
            *SMALL, "--models", "ridge", "ials", "bpr", "--iterations", "2", "--ranking",
            "--reference", "ridge", "--workers", folder.name, "--output-dir", folder,
        )  # fmt: skip
        assert "failed" not in printed
    for one, two in zip(*map(files_of, folders), strict=True):
        pd.testing.assert_frame_equal(one, two, check_exact=True)
    rows = pd.read_csv(folders[0] / "comparison.csv").set_index("model")
    assert rows.loc[["ials", "bpr"], ["rmse", "mae", "accuracy_mean", "coverage"]].isna().all(None)
    assert rows["ranking_ndcg_at_10"].notna().all()
    differences = pd.read_csv(folders[0] / "significance.csv").set_index("model")
    assert set(differences.loc["ials", "score"]) == {"ranking_ndcg_at_10", "ranking_recall_at_10"}
    (section,) = (one for one in page_of(read_run(folders[0])).sections if one.name == "ranking")
    assert {"ridge", "ials", "bpr"} == set(section.table["model"])


def test_a_run_of_nothing_else_ends_with_its_page(tmp_path):
    words = ["--models", "most_popular", "ease_implicit", "--iterations", "1", "--ranking"]
    here(*SMALL, *words, "--output-dir", tmp_path / "run")
    assert "movies are ranked" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize("words", [["ials"], ["ials_median", "--ranking"]])
def test_without_a_ranking_they_are_refused(words):
    assert "predicts no stars" in here(*SMALL, "--models", *words, expected=2)


def test_an_own_class_may_rank_by_other_numbers_than_its_stars(cell):
    class Backwards(Noted):
        def rank_scores(self, user, movie):
            return -self.noise[user, movie]

    plain, other = (measure(one, cell, rank=True).row for one in (Noted, Backwards))
    assert plain["rmse"] == other["rmse"]
    assert plain["ranking_ndcg_at_10"] != other["ranking_ndcg_at_10"]


def test_numbers_that_cannot_be_ranked_are_an_error(cell):
    class Silent(Noted):
        def rank_scores(self, user, movie):
            return np.full(len(user), np.nan)

    with pytest.raises(ValueError, match="rank_scores returned"):
        measure(Silent, cell, rank=True)
