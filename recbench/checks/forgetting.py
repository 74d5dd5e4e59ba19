"""Forgetting: what is forgotten was never there."""

from __future__ import annotations

import numpy as np

from recbench.checks.asking import far, widest
from recbench.checks.candidate import Broken, Candidate
from recbench.checks.check import check
from recbench.checks.learning import EVERYBODY, FIRST, THEN
from recbench.checks.lines import attributes_that_differ, digest, line_that_changes


@check(
    "what it would be had the forgotten ratings never been learned",
    "undo in forget_one each change of learn_one, or learn the user's other ratings anew",
)
def what_is_forgotten_leaves_no_trace(candidate: Candidate) -> None:
    """Of what came after `fit`: what `fit` found for all users together may stay."""
    candidate.needs("learn_one", "forget_one")
    user = int(np.bincount(THEN.user).argmax())
    own = THEN.movie[THEN.user == user].tolist()
    gone = [own[2], own[-1], own[0]]
    model, without = candidate.fit(FIRST), candidate.fit(FIRST)
    candidate.learn(model, THEN)
    for movie in gone:
        candidate.call(model.forget_one, user, movie)
    candidate.learn(without, THEN.take(~((THEN.user == user) & np.isin(THEN.movie, gone))))
    one, other = (candidate.ask(each, *EVERYBODY) for each in (model, without))
    if far(one, other).any():
        trace = _trace(candidate, model, without)
        raise Broken(f"after forget_one {widest(one, other)}{trace}", "forget_one")


def _trace(candidate: Candidate, model: object, without: object) -> str:
    """Which attributes are not as they would be, and where the first of them is written."""
    names = attributes_that_differ(model, without)
    if not names:
        return ""
    fresh = candidate.fit(FIRST)
    line = line_that_changes(
        candidate.returns,
        lambda: digest(vars(fresh).get(names[0])),
        lambda: candidate.learn(fresh, THEN),
    )
    written = f", written in line {line}" if line else ""
    return f" (self.{names[0]}{written}, is not what it would be)"


@check(
    "KeyError where the user has no such rating",
    "raise KeyError(f'user {user} has no rating of movie {movie}')",
)
def forgetting_what_is_not_there_is_an_error(candidate: Candidate) -> None:
    candidate.needs("learn_one", "forget_one")
    model = candidate.fit(FIRST)
    candidate.learn(model, THEN)
    user, movie = int(THEN.user[0]), int(THEN.movie[0])
    candidate.call(model.forget_one, user, movie)
    for asked in ((user, movie), (999, 1)):
        try:
            candidate.call(model.forget_one, *asked)
        except KeyError:
            continue
        raise Broken(
            f"forget_one({asked[0]}, {asked[1]}) did nothing, without a word", "forget_one"
        )
