"""Checks that the same inputs give the same predictions, whatever came before or stands beside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from recbench.checks.candidate import (
    COLUMNS,
    FACTS,
    Broken,
    Candidate,
    LeftOut,
    attributes_that_differ,
    digest,
)
from recbench.checks.checks import check
from recbench.checks.toy_data import ASKED, MOVIES, TRAIN, UNKNOWN_USER, UNSEEN_MOVIE, all_pairs
from recbench.contract import bytes_of, shardable

CLOSE = 1e-5  # stars; sums of float32 in another order differ by less


@check()
def inputs_are_left_as_they_were(candidate: Candidate) -> None:
    """train, movies, user and movie left as they are: they are read-only, and others read them too
    change a copy, as in train.stars.copy()"""
    before = {f"train.{name}": getattr(TRAIN, name) for name in COLUMNS}
    before |= {f"movies.{name}": getattr(MOVIES, name) for name in FACTS}
    before |= dict(zip(("user", "movie"), ASKED, strict=True))

    def use() -> None:
        candidate.inputs.clear()
        candidate.predict(candidate.fit(), *ASKED)

    def changed() -> list[str]:
        return [
            name
            for name, array in candidate.inputs.items()
            if not np.array_equal(array, before[name], equal_nan=array.dtype.kind == "f")
        ]

    use()
    names = changed()
    if names:
        candidate.inputs.clear()
        line = candidate.line_that_changes(changed, use)
        method = "predict" if names[0] in ("user", "movie") else "fit"
        raise Broken(f"{' and '.join(names)} changed", method, line)


def predictions_of(candidate: Candidate, **choices: Any) -> np.ndarray:
    """Of a new instance, for ASKED."""
    return candidate.predict(candidate.fit(**choices), *ASKED)


@check()
def same_seed_same_result(candidate: Candidate) -> None:
    """the same predictions from the same ratings and the same seed
    draw from np.random.default_rng(training.seed)"""
    first, second = (predictions_of(candidate, seed=5) for _ in range(2))
    if (first != second).any():
        line = candidate.line_that_differs(lambda: predictions_of(candidate, seed=5))
        raise Broken("fitted twice with one seed it predicts two things", "fit", line)


@check(quick=False)
def another_seed_another_result(candidate: Candidate) -> None:
    """other predictions with another seed, as fit reads it
    draw from np.random.default_rng(training.seed), or do not read it"""
    first, second = (predictions_of(candidate, seed=seed) for seed in (5, 6))
    if not candidate.draws:
        raise LeftOut("its fit reads no seed")
    if (first == second).all():
        raise Broken("seeds 5 and 6 give the same predictions", "fit")


def in_which(one: object, other: object) -> str:
    """ " (self.count, self.mean differ)" of two models; nothing if that cannot be seen."""
    names = [f"self.{name}" for name in attributes_that_differ(one, other)]
    return f" ({', '.join(names)} {'differs' if len(names) == 1 else 'differ'})" if names else ""


@check()
def fitting_again_starts_afresh(candidate: Candidate) -> None:
    """fit starts afresh, whatever it was fitted to before
    set what is learned within fit, not in the constructor or the class"""
    other = replace(TRAIN, stars=5.5 - TRAIN.stars)
    twice, once = candidate.fit(model=candidate.fit(other)), candidate.fit()
    if (candidate.predict(twice, *ASKED) != candidate.predict(once, *ASKED)).any():
        raise Broken(f"fitted a second time it is not as fitted once{in_which(twice, once)}", "fit")


@check()
def users_can_be_fitted_in_parts(candidate: Candidate) -> None:
    """users fitted without the others predicted the same to the last digit, as learns_from says
    take what concerns all users from training.sample, or say learns_from = 'all'"""
    if not shardable(candidate.make()):
        raise LeftOut("it learns from all users, or its fit takes train and movies")
    whole = candidate.fit(sample=TRAIN)
    for users in ((0, 4), (1, 2), (5,)):
        part = candidate.fit(TRAIN.take(np.isin(TRAIN.user, users)), sample=TRAIN)
        one, other = (candidate.predict(model, *all_pairs(users)) for model in (part, whole))
        if (one != other).any():
            raise Broken(f"fitted to a part of the users, {widest(one, other, 0.0)}", "fit")


def widest(one: np.ndarray, other: np.ndarray, within: float = CLOSE) -> str:
    """How many predictions differ by more than float32 can explain, and by how much; "": none."""
    rows = ~np.isclose(one, other, rtol=0, atol=within, equal_nan=True)
    if not rows.any():
        return ""
    most = np.abs(one.astype(float) - other)[rows].max()
    return f"{rows.sum()} of {len(one)} predictions differ, by {most:.2g} stars at most"


@check()
def predicting_changes_nothing(candidate: Candidate) -> None:
    """the same predictions for the same input: predict changes nothing
    learn in fit alone, and draw nothing in predict"""
    model = candidate.fit()

    def predict() -> np.ndarray:
        return candidate.predict(model, *ASKED)

    def size() -> object:
        return candidate.call(bytes_of, model, "state_bytes")

    before, first = size(), predict()
    candidate.predict(model, np.array([UNKNOWN_USER + 1, 0]), np.array([UNSEEN_MOVIE, 0]))
    if hasattr(model, "predict_bits"):
        candidate.call(model.predict_bits, *ASKED)
    if (predict() != first).any():
        line = candidate.line_that_changes(lambda: digest(vars(model)), predict)
        line = line or candidate.line_that_differs(predict)
        raise Broken("for the same input predict returned two things", "predict", line)
    if size() != before:
        raise Broken(
            "state_bytes changed by predicting",
            "predict",
            candidate.line_that_changes(size, predict),
        )


@check()
def each_pair_is_predicted_by_itself(candidate: Candidate) -> None:
    """each pair predicted by itself, alone or in a batch, in any order of the rows
    compute no statistic over the rows of a call, such as their mean, and keep their order"""
    model, n = candidate.fit(), len(ASKED[0])
    stars = candidate.predict(model, *ASKED)
    mixed = np.random.default_rng(1).permutation(n)
    for how, order, size in (
        ("in another order of the rows", mixed, n),
        ("in batches of 1", np.arange(n), 1),
        ("in batches of 40", np.arange(n), 40),
    ):
        batches = [order[start : start + size] for start in range(0, n, size)]
        parts = [candidate.predict(model, ASKED[0][one], ASKED[1][one]) for one in batches]
        if differ := widest(np.concatenate(parts), stars[order]):
            raise Broken(f"{how} {differ}", "predict")


@check()
def users_are_not_mixed_up(candidate: Candidate) -> None:
    """who gave 5 to every movie is predicted no lower than who gave 0.5 to every movie
    look at how user indexes what was learned"""
    stars = np.select([TRAIN.user == 0, TRAIN.user == 5], [5.0, 0.5], TRAIN.stars)
    model = candidate.fit(replace(TRAIN, stars=stars))
    high, low = (candidate.predict(model, *all_pairs((user,))).mean() for user in (0, 5))
    if high < low:
        what = f"the one is predicted {high:.2f} on average, the other {low:.2f}"
        raise Broken(what, "predict")
