"""`sklearn:…`: what it predicts, by hand; what is refused; and all of a run with it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from fitting import fit
from in_process import run_here
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from tests_paths import SYNTHETIC

import compare_all
from recbench.checks import CHECKS
from recbench.checks.candidate import Candidate, LeftOut
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.contract import learns_from_words
from recbench.errors import InputError
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.predicting import fit_and_predict, together
from recbench.evaluation.protocols import PROTOCOLS
from recbench.files import in_file_name
from recbench.models.item_baseline import ItemBaseline
from recbench.registry import family_of, file_of, load_recommender, name_of

RIDGE = "sklearn:linear_model.Ridge(alpha=3)"
FOREST = "sklearn+item:ensemble.RandomForestRegressor(n_estimators=3)"
NEIGHBOURS = "sklearn:neighbors.KNeighborsRegressor"
TRAIN, MOVIES = toy_ratings([12, 3, 0, 9], movies=20), toy_movies(23)
BASELINE = ItemBaseline.fit(TRAIN, MOVIES)
FILMS = np.arange(23)


def fitted(spec, train=TRAIN, seed=0):
    return fit(load_recommender(spec)(), train, MOVIES, BASELINE, seed=seed)


def of(model, user):
    return model.predict(np.full(len(FILMS), user), FILMS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("spec", [FOREST, NEIGHBOURS])
def test_the_contract_is_kept(spec, check):
    try:
        check.run(Candidate(load_recommender(spec)))
    except LeftOut as reason:
        pytest.skip(str(reason))


# --- what it predicts --------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["sklearn:", "sklearn+item:"])
def test_each_user_has_a_regressor_on_the_bits(prefix):
    model = fitted(f"{prefix}linear_model.Ridge(alpha=3)")
    start = BASELINE.stars if "item" in prefix else np.zeros(23)
    for user in (0, 1, 3):
        own = TRAIN.take(TRAIN.user == user)
        ridge = Ridge(alpha=3).fit(MOVIES.bits[own.movie], own.stars - start[own.movie])
        expected = (start + ridge.predict(MOVIES.bits)).clip(0.5, 5)
        np.testing.assert_allclose(of(model, user), expected, atol=1e-6)
    unknown = (start + (TRAIN.stars - start[TRAIN.movie]).mean()).clip(0.5, 5)
    np.testing.assert_allclose(of(model, 2), unknown, atol=1e-6)


def test_too_few_ratings_for_it_give_the_shrunk_mean_and_are_counted():
    model = fitted(NEIGHBOURS)
    mean, own = TRAIN.stars.mean(), TRAIN.stars[TRAIN.user == 1]
    np.testing.assert_allclose(of(model, 1), (own.sum() + 2 * mean) / (3 + 2), atol=1e-6)
    assert list(model.user_notes.values()) == [1]
    many = TRAIN.take(TRAIN.user == 0)
    neighbours = KNeighborsRegressor(algorithm="brute").fit(MOVIES.bits[many.movie], many.stars)
    assert np.abs(of(model, 0) - neighbours.predict(MOVIES.bits)).mean() < 0.3  # ties apart
    assert not fitted(RIDGE).user_notes


def test_what_is_not_finite_is_the_mean_and_what_does_not_converge_is_counted():
    nobody_near = fitted("sklearn:RadiusNeighborsRegressor(radius=0.0001)")
    own = TRAIN.take(TRAIN.user == 0)
    far = ~(MOVIES.bits[:, None] == MOVIES.bits[own.movie]).all(axis=2).any(axis=1)
    mean = (own.stars.sum() + 2 * TRAIN.stars.mean()) / (len(own) + 2)
    assert far.any()
    np.testing.assert_allclose(of(nobody_near, 0)[far], mean, atol=1e-6)
    network = fitted("sklearn:MLPRegressor(max_iter=2)")
    ((what, users),) = network.user_notes.items()
    assert users == 3
    assert "converged" in what


def test_seeds_are_the_run_s_unless_one_is_given():
    assert (of(fitted(FOREST, seed=1), 0) != of(fitted(FOREST, seed=2), 0)).any()
    np.testing.assert_array_equal(of(fitted(FOREST, seed=1), 0), of(fitted(FOREST, seed=1), 0))
    tree = "sklearn:tree.DecisionTreeRegressor"  # fits its ratings exactly with every seed
    assert (of(fitted(tree, seed=1), 0) != of(fitted(tree, seed=2), 0)).any()
    given = "sklearn:ensemble.RandomForestRegressor(n_estimators=3, random_state=5)"
    np.testing.assert_array_equal(of(fitted(given, seed=1), 0), of(fitted(given, seed=2), 0))


# --- the text ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sklearn:", r'expected a regressor .*"sklearn:linear_model\.Ridge\(alpha=3\)"'),
        ("sklearn:Ridge(3)", "expected a regressor"),
        ("sklearn:Ridge(alpha=open('x'))", "expected a regressor"),
        ("sklearn:Ridge(alpha=alpha)", "expected a regressor"),
        ("sklearn:Ridge(alpha=math.pi)", "expected a regressor"),
        ("sklearn:Ridge(**{'alpha': 3})", "expected a regressor"),
        ("sklearn:Ridge(alpha=1, alpha=2)", "expected a regressor"),
        ("sklearn:__import__('os').system", "expected a regressor"),
        ("sklearn:Ridge()()", "expected a regressor"),
        ("sklearn:Ridge(alpha=" + "(" * 500 + "1" + ")" * 500 + ")", "expected a regressor"),
        ("sklearn:Rigde", r"no regressor Rigde\. Nearest: linear_model\.Ridge,"),
        ("sklearn:ensemble.Ridge", r"no regressor ensemble\.Ridge\. Nearest: linear_model\.Ridge"),
        ("sklearn:no.Ridge", "no regressor"),
        ("sklearn:LogisticRegression", "no regressor"),
        ("sklearn:linear_model.LogisticRegression", "no regressor"),
        ("sklearn:base.clone", "no regressor"),
        ("sklearn:linear_model.Ridge(alpa=3)", "argument .alpa"),
        ('sklearn:linear_model.Ridge(alpha="x")', "'alpha' parameter of Ridge must be .*'x'"),
        ("sklearn:ensemble.VotingRegressor", "argument: .estimators"),
        ("sklearn:linear_model.MultiTaskLasso", "cannot be fitted"),
        ("sklearn+item:linear_model.PoissonRegressor", "cannot be fitted"),  # none below zero
        ("sklearn:ensemble.RandomForestRegressor(n_jobs=2)", "n_jobs must be 1"),
    ],
)
def test_what_is_refused(spec, message):
    with pytest.raises(InputError, match=message):
        load_recommender(spec)


def test_names():
    spec = 'sklearn: linear_model.Ridge( alpha = 3, solver="svd" )'
    cls, median = load_recommender(spec), load_recommender(f"{spec}_median")
    assert cls.name == name_of(spec) == 'sklearn:linear_model.Ridge(alpha=3,solver="svd")'
    assert median.builds_on == cls.name
    assert name_of(f"{spec}_median") == f"{cls.name}_median"
    assert load_recommender(cls.name).parameters == cls.parameters == {"alpha": 3, "solver": "svd"}
    assert family_of(cls) == family_of(median) == "PerUser"
    assert file_of(cls) is None
    assert learns_from_words(cls) == "the user alone"
    assert learns_from_words(load_recommender(FOREST)) == "the user, and item statistics"
    assert load_recommender("sklearn:Ridge").regressor is cls.regressor


def test_a_name_is_a_part_of_a_file_s_name():
    assert in_file_name("ridge") == "ridge"
    long = f"sklearn:Ridge(solver='{'../' * 90}')"
    short = [in_file_name(name) for name in (long, RIDGE, f"{RIDGE}_median", "sklearn:Ridge(3,)")]
    assert len(set(short)) == 4
    assert all(name.replace("-", "").isalnum() and len(name) < 60 for name in short)


# --- in a run ----------------------------------------------------------------------------------

SPECS = [NEIGHBOURS, 'sklearn+item: SVR(kernel="rbf")', f"{RIDGE}_median", "user_mean"]
TIMES = ["fit_seconds", "predict_seconds"]


@pytest.mark.slow
def test_a_run_in_parts(tmp_path):
    """In workers, which know no more than the text; and all at once in this process."""
    few = ["--dataset", SYNTHETIC, "--cells", "8x5", "0x0", "--iterations", 1, "--models", *SPECS]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    status, printed, _ = run_here(compare_all, *few, "--workers", 1, "--output-dir", whole)
    assert status == 0
    assert printed.count("8 of 8 users with ratings that it cannot be fitted to") == 1
    in_parts = ["--workers", 2, "--users-per-task", 25, "--output-dir", parts]
    assert run_here(compare_all, *few, *in_parts)[0] == 0
    tables = [pd.read_csv(folder / "comparison.csv") for folder in (whole, parts)]
    assert list(tables[0]["model"][:4]) == [name_of(spec) for spec in SPECS]
    assert (tables[0]["status"] == "ok").all()
    pd.testing.assert_frame_equal(*(table.drop(columns=TIMES) for table in tables))
    notes = [json.loads((folder / "run.json").read_text())["notes"] for folder in (whole, parts)]
    assert notes[0] == notes[1]
    assert notes[0][0].startswith("8 × 5, sklearn:neighbors.KNeighborsRegressor: 8 of 8 users")
    assert notes[0][0] in (whole / "report.html").read_text()


def test_notes_of_shards_and_folds_add_up(synthetic):
    make, strict = load_recommender(NEIGHBOURS), PROTOCOLS["strict"]
    cell = make_cell(synthetic, strict, 30, 5)
    learned = strict.changed(encoding="published+learned", code_bits=4)
    shards = cell.shards(7)
    apart = together([fit_and_predict(make(), cell, one) for one in shards], shards, cell)
    for found in (apart, measure(make, cell), measure(make, make_cell(synthetic, learned, 30, 5))):
        assert list(found.notes.values()) == [30]
