"""Training tables that are as small, or as uniform, as a cell of a run can have them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recbench.checks.candidate import ASKED, MOVIES, TRAIN, Candidate
from recbench.checks.check import check
from recbench.checks.stars import require_stars


def _fit_to_rows(candidate: Candidate, rows: np.ndarray, said: str) -> None:
    stars = candidate.ask(candidate.fit(TRAIN.take(rows)), *ASKED)
    require_stars(stars, f" after fit to {said}")


@check(
    "stars although there is no rating to learn from",
    "start from train.mean_stars(), which is 3 then, and divide by counts + a number",
)
def an_empty_training_table(candidate: Candidate) -> None:
    _fit_to_rows(candidate, np.array([], dtype=int), "no rating")


@check(
    "stars although there is one rating in all, or one of each of two users",
    "shrink towards a mean, or test the count before a variance or a regression",
)
def one_rating_of_a_user(candidate: Candidate) -> None:
    _fit_to_rows(candidate, np.array([0]), "one rating")
    _fit_to_rows(candidate, np.array([12]), "one rating")
    _fit_to_rows(candidate, np.array([0, 12]), "two ratings")


@check(
    "stars although there is one user",
    "size arrays by train.user.max(initial=-1) + 1, and let nothing rest on a second user",
)
def one_user(candidate: Candidate) -> None:
    _fit_to_rows(candidate, np.arange(12), "one user")
    _fit_to_rows(candidate, np.arange(20, 39), "one user")


@check(
    "stars although all ratings are alike",
    "guard divisions by a spread or variance that can be 0",
)
def all_ratings_alike(candidate: Candidate) -> None:
    for stars in (0.5, 5.0):
        same = replace(TRAIN, stars=np.full(len(TRAIN), stars))
        answers = candidate.ask(candidate.fit(same), *ASKED)
        require_stars(answers, f" after fit to ratings of {stars} alone")


@check(
    "stars although no movie has a bit set or external votes (vote_average is nan)",
    "replace nan with np.where(np.isnan(…), …), as with --no-votes all are nan",
)
def movies_of_which_nothing_is_known(candidate: Candidate) -> None:
    blank = replace(
        MOVIES,
        bits=np.zeros_like(MOVIES.bits),
        vote_average=np.full_like(MOVIES.vote_average, np.nan),
        vote_count=np.zeros_like(MOVIES.vote_count),
    )
    answers = candidate.ask(candidate.fit(movies=blank), *ASKED)
    require_stars(answers, " where no movie has bits or votes")
