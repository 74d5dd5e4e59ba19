"""All checks of a recommender, in the order in which they are made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from recbench.checks.candidate import (
    Broken,
    Candidate,
    LeftOut,
)
from recbench.checks.toy_data import (
    ASKED,
    KNOWN,
    MOVIES,
    TRAIN,
    UNKNOWN_USER,
    UNSEEN_MOVIE,
    UNSEEN_USER,
    USERS,
    all_pairs,
)
from recbench.contract import time_for
from recbench.ratings import MAX_STARS, MIN_STARS
from recbench.registry import line_of
from recbench.runs.processes import OutOfTime, time_limit

CLIP = "cut with np.clip(stars, 0.5, 5.0)"
NO_PAIRS = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32)


@dataclass(frozen=True)
class Check:
    """A promise of the contract. `run` raises Broken where it is not kept, LeftOut where the
    recommender does not give it; `quick`: it is one of `--quick`; `first`: the others rest on it.
    """

    name: str
    expected: str
    remedy: str
    quick: bool
    first: bool
    run: Callable[[Candidate], None]


@dataclass(frozen=True)
class Result:
    """Of a check. `message`: of one that failed, the line of the file, what happened there, what
    was expected, what to do; of one left out, why."""

    check: Check
    status: Literal["ok", "failed", "left out"]
    message: str = ""


CHECKS: list[Check] = []


def check(quick: bool = True, first: bool = False) -> Callable[[Callable], None]:
    """Puts a function behind the other checks. Of its docstring the first line is what is promised,
    the second what to do where that is not kept; messages end with both."""

    def add(function: Callable) -> None:
        expected, remedy, *_ = (inspect.getdoc(function) or "").split("\n")
        CHECKS.append(Check(function.__name__, expected, remedy, quick, first, function))

    return add


def check_recommender(
    cls: type, quick: bool = False, seconds: float = 0.0, **settings: object
) -> Iterator[Result]:
    """The result of each check as soon as it is made, until one fails that the others rest on.

    Args:
        quick: leave out what takes longest.
        seconds: that a check may take; 0: as long as it takes.
        settings: of the constructor.
    """
    for one in CHECKS:
        if quick and not one.quick:
            continue
        result = result_of(one, Candidate(cls, **settings), seconds)
        yield result
        if one.first and result.status == "failed":
            return


def result_of(check: Check, candidate: Candidate, seconds: float = 0.0) -> Result:
    file, remedy = Path(candidate.file).name, check.remedy
    class_line = f"{file}, line {candidate.begins('class')}"
    try:
        with time_limit(seconds):
            check.run(candidate)
    except LeftOut as reason:
        return Result(check, "left out", str(reason))
    except Broken as broken:
        returned = candidate.returns.get(broken.method)
        line = broken.line or returned or candidate.begins(broken.method)
        what, remedy = f"{file}, line {line}: {broken}", broken.remedy or remedy
    except OutOfTime as error:
        place = line_of(error, candidate.file).rpartition(": OutOfTime: ")[0] or class_line
        what = f"{place}: still running after {seconds:g} s (--timeout)"
    except (Exception, SystemExit) as error:  # a model may fail in any way
        what = line_of(error, candidate.file)
        what = what if what.startswith(f"{file}, line ") else f"{class_line}: {what}"
    else:
        return Result(check, "ok")
    return Result(check, "failed", f"{what}; expected {check.expected}: {remedy}")


# --- predictions are stars -------------------------------------------------------------------


def require_stars(stars: np.ndarray, of: str = "") -> None:
    """Raises Broken unless all are finite and from 0.5 to 5; `of` says which they are."""
    if stars.dtype.kind not in "fiu":
        raise Broken(f"predict returned {stars.dtype}, no numbers{of}", "predict")
    wrong = ~np.isfinite(stars)
    if wrong.any():
        part = f"{wrong.sum()} of {len(wrong)} predictions"
        raise Broken(f"predict returned {stars[wrong][0]} in {part}{of}", "predict")
    wrong = (stars < MIN_STARS) | (stars > MAX_STARS)
    if wrong.any():
        worst = stars[wrong][np.abs(stars[wrong] - 3).argmax()]
        raise Broken(f"predict returned {worst:.4g} stars{of}", "predict", remedy=CLIP)


@check(first=True)
def it_can_be_made(candidate: Candidate) -> None:
    """a class that can be made without arguments
    give every keyword of __init__ a default"""
    candidate.make()


@check(first=True)
def it_can_be_fitted(candidate: Candidate) -> None:
    """fit(training), or fit(train, movies)
    compare with docs/your-own-model.md"""
    candidate.fit()


@check()
def fit_returns_the_recommender(candidate: Candidate) -> None:
    """self
    end fit with `return self`"""
    model, returned = candidate.fit(), candidate.fit_returned
    if returned is not model:
        other = f"another object ({type(returned).__name__})"
        raise Broken(f"fit returned {'None' if returned is None else other}", "fit")


@check(first=True)
def one_prediction_for_each_pair(candidate: Candidate) -> None:
    """one prediction for each pair, an array of shape (n,)
    return np.array of the length of user"""
    candidate.predict(candidate.fit(), *KNOWN)


@check()
def predictions_are_float32(candidate: Candidate) -> None:
    """float32
    end predict with .astype(np.float32)"""
    stars = candidate.predict(candidate.fit(), *KNOWN)
    if stars.dtype != np.float32:
        raise Broken(f"predict returned {stars.dtype}", "predict")


@check()
def predictions_are_stars(candidate: Candidate) -> None:
    """finite stars from 0.5 to 5
    guard divisions by zero, and logarithms and roots of what can be negative"""
    require_stars(candidate.predict(candidate.fit(), *KNOWN))


@check()
def users_never_seen(candidate: Candidate) -> None:
    """stars for users that fit never saw, such as one without ratings or one that came later
    test that the user is known, as in `user < len(self.user_bias)`, and start from a mean"""
    stars = candidate.predict(candidate.fit(), *all_pairs((UNSEEN_USER, UNKNOWN_USER)))
    require_stars(stars, " for users that fit never saw")


@check()
def movies_never_seen(candidate: Candidate) -> None:
    """stars for movies that nobody has rated: any row of `movies` can be the input
    size arrays by len(movies), as in np.bincount(train.movie, minlength=len(movies))"""
    movie = np.tile([UNSEEN_MOVIE, UNSEEN_MOVIE + 1], len(USERS))
    stars = candidate.predict(candidate.fit(), np.repeat(USERS, 2), movie)
    require_stars(stars, " for movies that nobody has rated")


@check()
def empty_input(candidate: Candidate) -> None:
    """an empty array for empty input
    let the length of user be 0"""
    candidate.predict(candidate.fit(), *NO_PAIRS)


@check()
def any_time_may_be_the_input(candidate: Candidate) -> None:
    """stars at any time, and for time=None those of the last time of training
    let predict take time=None, int64 [n] seconds since 1970, and cut what it makes of it"""
    model, n = candidate.fit(), len(ASKED[0])
    if not time_for(model, None):
        raise LeftOut("its predict takes no time")
    for time in (-(10**9), 0, int(TRAIN.time[0]), 10**11):
        stars = candidate.call(model.predict, *ASKED, time=np.full(n, time))
        require_stars(np.asarray(stars), f" at time {time}")
    last = candidate.call(model.predict, *ASKED, time=np.full(n, TRAIN.time.max()))
    if (candidate.predict(model, *ASKED) != last).any():
        raise Broken("predict without a time differs from the last time of training", "predict")


# --- training tables as small, or as uniform, as a cell can have them --------------------------


def require_stars_after(candidate: Candidate, rows: np.ndarray, of: str) -> None:
    """Raises Broken unless it predicts stars after fit to these rows of TRAIN."""
    model = candidate.fit(TRAIN.take(rows))
    require_stars(candidate.predict(model, *ASKED), f" after fit to {of}")


@check()
def an_empty_training_table(candidate: Candidate) -> None:
    """stars although there is no rating to learn from
    start from train.mean_stars(), which is 3 then, and divide by counts + a number"""
    require_stars_after(candidate, np.array([], dtype=int), "no rating")


@check()
def one_rating_of_a_user(candidate: Candidate) -> None:
    """stars although there is one rating in all, or one of each of two users
    shrink towards a mean, or test the count before a variance or a regression"""
    require_stars_after(candidate, np.array([0]), "one rating")
    require_stars_after(candidate, np.array([12]), "one rating")
    require_stars_after(candidate, np.array([0, 12]), "two ratings")


@check()
def one_user(candidate: Candidate) -> None:
    """stars although there is one user
    size arrays by train.user.max(initial=-1) + 1, and let nothing rest on a second user"""
    require_stars_after(candidate, np.arange(12), "one user")
    require_stars_after(candidate, np.arange(20, 39), "one user")


@check()
def all_ratings_alike(candidate: Candidate) -> None:
    """stars although all ratings are alike
    guard divisions by a spread or variance that can be 0"""
    for stars in (0.5, 5.0):
        model = candidate.fit(replace(TRAIN, stars=np.full(len(TRAIN), stars)))
        require_stars(candidate.predict(model, *ASKED), f" after fit to ratings of {stars} alone")


@check()
def movies_without_bits_or_votes(candidate: Candidate) -> None:
    """stars although no movie has a bit set or external votes (vote_average is nan)
    replace nan with np.where(np.isnan(…), …), as with --no-votes all are nan"""
    blank = replace(
        MOVIES,
        bits=np.zeros_like(MOVIES.bits),
        vote_average=np.full_like(MOVIES.vote_average, np.nan),
        vote_count=np.zeros_like(MOVIES.vote_count),
    )
    stars = candidate.predict(candidate.fit(movies=blank), *ASKED)
    require_stars(stars, " where no movie has bits or votes")
