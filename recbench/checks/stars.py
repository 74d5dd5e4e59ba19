"""Predictions are stars: their type, shape and range, for whoever and whatever is asked."""

from __future__ import annotations

import numpy as np

from recbench.checks.candidate import (
    ASKED,
    KNOWN,
    NEVER_HEARD_OF,
    TRAIN,
    UNSEEN_MOVIE,
    UNSEEN_USER,
    USERS,
    Broken,
    Candidate,
    LeftOut,
    all_pairs,
)
from recbench.checks.check import check
from recbench.ratings import MAX_STARS, MIN_STARS

CUT = "cut with np.clip(stars, 0.5, 5.0)"


def require_stars(stars: np.ndarray, of: str = "") -> None:
    """Raises Broken unless all are finite and from 0.5 to 5; `of` says which they are."""
    if stars.dtype.kind not in "fiu":
        raise Broken(f"predict returned {stars.dtype}, no numbers{of}", "predict")
    wrong = ~np.isfinite(stars)
    if wrong.any():
        shown = f"{stars[wrong][0]}"
        raise Broken(f"predict returned {shown} in {part(wrong)} predictions{of}", "predict")
    wrong = (stars < MIN_STARS) | (stars > MAX_STARS)
    if wrong.any():
        worst = stars[wrong][np.abs(stars[wrong] - 3).argmax()]
        raise Broken(f"predict returned {worst:.4g} stars{of}", "predict", do=CUT)


def part(rows: np.ndarray) -> str:
    """ "3 of 40"."""
    return f"{rows.sum()} of {len(rows)}"


@check(
    "a class that can be made with the options that it declares",
    "give every other keyword of __init__ a default",
    first=True,
)
def it_can_be_made(candidate: Candidate) -> None:
    candidate.make()


@check(
    "fit(train, movies) with what the class declares beside them",
    "compare with the table of class attributes in docs/your-own-model.md",
    first=True,
)
def it_can_be_fitted(candidate: Candidate) -> None:
    candidate.fit()


@check("self", "end fit with `return self`")
def fit_returns_the_recommender(candidate: Candidate) -> None:
    model = candidate.fit()
    if candidate.fit_returned is not model:
        given = candidate.fit_returned
        what = "None" if given is None else f"another object ({type(given).__name__})"
        raise Broken(f"fit returned {what}", "fit")


@check(
    "one prediction for each pair, an array of shape (n,)",
    "return np.array of the length of user",
    first=True,
)
def one_prediction_for_each_pair(candidate: Candidate) -> None:
    candidate.ask(candidate.fit(), *KNOWN)


@check("float32", "end predict with .astype(np.float32)")
def predictions_are_float32(candidate: Candidate) -> None:
    stars = candidate.ask(candidate.fit(), *KNOWN)
    if stars.dtype != np.float32:
        raise Broken(f"predict returned {stars.dtype}", "predict")


@check(
    "finite stars from 0.5 to 5",
    "guard divisions by zero, and logarithms and roots of what can be negative",
)
def predictions_are_stars(candidate: Candidate) -> None:
    require_stars(candidate.ask(candidate.fit(), *KNOWN))


@check(
    "stars for users that fit never saw, such as one without ratings or one that came later",
    "test that the user is known, as in `user < len(self.user_bias)`, and start from a mean",
)
def users_never_seen(candidate: Candidate) -> None:
    stars = candidate.ask(candidate.fit(), *all_pairs((UNSEEN_USER, NEVER_HEARD_OF)))
    require_stars(stars, " for users that fit never saw")


@check(
    "stars for movies that nobody has rated: any row of `movies` can be asked for",
    "size arrays by len(movies), as in np.bincount(train.movie, minlength=len(movies))",
)
def movies_never_seen(candidate: Candidate) -> None:
    films = np.arange(UNSEEN_MOVIE, UNSEEN_MOVIE + 2)
    user = np.repeat(np.array(USERS), len(films))
    stars = candidate.ask(candidate.fit(), user, np.tile(films, len(USERS)))
    require_stars(stars, " for movies that nobody has rated")


@check("an empty array where nothing is asked", "let the length of user be 0")
def nothing_asked(candidate: Candidate) -> None:
    nobody = np.empty(0, dtype=np.int32)
    candidate.ask(candidate.fit(), nobody, nobody)


@check(
    "stars at whatever time is asked about, and for time=None those of the last time of training",
    "let predict take time=None, int64 [n] seconds since 1970, and cut what it makes of it",
)
def any_time_may_be_asked_about(candidate: Candidate) -> None:
    if not candidate.declares("asks_for_time"):
        raise LeftOut("asks_for_time is not declared")
    model, n = candidate.fit(), len(ASKED[0])
    for time in (-(10**9), 0, int(TRAIN.time[0]), 10**11):
        given = candidate.call(model.predict, *ASKED, time=np.full(n, time))
        require_stars(np.asarray(given), f" at time {time}")
    last = candidate.call(model.predict, *ASKED, time=np.full(n, TRAIN.time.max()))
    if (candidate.ask(model, *ASKED) != last).any():
        raise Broken("predict without a time says other than at the last of training", "predict")
