"""Learning online: `learn_one` goes on from `fit`, one rating after another."""

from __future__ import annotations

import numpy as np

from recbench.checks.asking import far, widest
from recbench.checks.candidate import NEVER_HEARD_OF, Broken, Candidate, all_pairs
from recbench.checks.check import check
from recbench.checks.lines import digest, line_that_changes
from recbench.checks.repeating import in_which
from recbench.checks.toy_data import toy_ratings
from recbench.ratings import Ratings

NEW_USER = 8  # comes after `fit`
EVERYBODY = all_pairs((0, 1, 2, 3, 4, NEW_USER))


def stream(seed: int = 0) -> Ratings:
    """Users 0 .. 4 take turns in time; user 3 has no ratings."""
    ratings = toy_ratings([12, 1, 9, 0, 17], movies=20, seed=seed)
    shuffled = ratings.take(np.random.default_rng(seed).permutation(len(ratings)))
    return Ratings(shuffled.user, shuffled.movie, shuffled.stars, np.arange(len(ratings)))


def parts(ratings: Ratings, first: int = 20) -> tuple[Ratings, Ratings]:
    """The first ratings, for `fit`, and those that come after."""
    rows = np.arange(len(ratings))
    return ratings.take(rows < first), ratings.take(rows >= first)


FIRST, THEN = parts(stream())


@check(
    "stars from 0.5 to 5 by predict_one, those of predict before they are rounded to 32 bits",
    "let one of the two call the other",
)
def one_prediction_is_what_many_are(candidate: Candidate) -> None:
    candidate.needs("learn_one", "predict_one")
    for first, then in (parts(stream(), 0), (FIRST, THEN)):
        model = candidate.fit(first)
        candidate.learn(model, then)
        many = candidate.ask(model, *EVERYBODY)
        pairs = zip(*(array.tolist() for array in EVERYBODY), strict=True)
        one = np.array([candidate.call(model.predict_one, *pair) for pair in pairs])
        if far(one, many).any():
            raise Broken(f"of predict_one and predict {widest(one, many)}", "predict_one")


@check("predict_one changes nothing", "learn in learn_one alone")
def asking_one_changes_nothing(candidate: Candidate) -> None:
    candidate.needs("learn_one", "predict_one")
    model = candidate.fit(FIRST)
    candidate.learn(model, THEN)
    before = candidate.ask(model, *EVERYBODY)

    def ask() -> None:
        for user in (0, 3, NEVER_HEARD_OF):
            candidate.call(model.predict_one, user, 22)

    ask()
    if (candidate.ask(model, *EVERYBODY) != before).any():
        line = line_that_changes(candidate.returns, lambda: digest(vars(model)), ask)
        raise Broken("after predict_one predictions are others", "predict_one", line)


@check(
    "learn_one learns: predictions come nearer to those of a fit to all these ratings",
    "let learn_one and fit go through the same code",
)
def learning_comes_nearer_to_fitting_all(candidate: Candidate) -> None:
    """`fit` learns in the order of time and `learn_one` goes on, so both end where `fit` to all
    ends, but for what `fit` finds for all users together, which may stay as it was."""
    candidate.needs("learn_one")
    before, after = online(candidate)
    if after >= before:
        raise Broken(
            f"{len(THEN)} ratings learned one by one, predictions are {after:.2g} stars away from "
            f"a fit to all, before they were {before:.2g}",
            "learn_one",
        )


def online(candidate: Candidate) -> tuple[float, float]:
    """How far predictions are from those of a fit to all ratings, before the later ones are
    learned one by one and after: the mean over pairs of those users, stars."""
    asked = all_pairs(tuple(np.unique(THEN.user).tolist()))
    at_once = candidate.ask(candidate.fit(stream()), *asked)
    model = candidate.fit(FIRST)
    before = candidate.ask(model, *asked)
    candidate.learn(model, THEN)
    after = candidate.ask(model, *asked)
    far_before, far_after = (np.abs(one - at_once).mean(dtype=float) for one in (before, after))
    return float(far_before), float(far_after)


@check(
    "somebody who comes after fit can rate",
    "give learn_one a start for a user that it does not know",
)
def a_new_user_learns(candidate: Candidate) -> None:
    candidate.needs("learn_one")
    model = candidate.fit(FIRST)
    films = np.arange(23)
    for movie in (20, 21, 22, 0):
        candidate.call(model.learn_one, NEW_USER, movie, 0.5)
    stars = candidate.ask(model, np.full(23, NEW_USER), films)
    if not ((stars >= 0.5) & (stars <= 5)).all():
        raise Broken(f"then predict returned {stars.min():.3g} to {stars.max():.3g}", "learn_one")


@check(
    "fit starts afresh, also after learn_one",
    "set in fit all that learn_one changes",
)
def fitting_after_learning_starts_afresh(candidate: Candidate) -> None:
    candidate.needs("learn_one")
    model = candidate.fit(FIRST)
    candidate.learn(model, THEN)
    again, once = candidate.fit(FIRST, model=model), candidate.fit(FIRST)
    if (candidate.ask(again, *EVERYBODY) != candidate.ask(once, *EVERYBODY)).any():
        raise Broken(f"something of learn_one is left after fit{in_which(again, once)}", "fit")


@check(
    "a rating of a movie rated before takes the former's place",
    "forget the former first, as in forget_one",
)
def a_changed_rating_takes_the_place(candidate: Candidate) -> None:
    candidate.needs("learn_one", "forget_one", "explain_one")
    changed, once = candidate.fit(FIRST), candidate.fit(FIRST)
    candidate.learn(changed, THEN)
    candidate.learn(once, THEN)
    candidate.call(changed.learn_one, NEW_USER, 4, 0.5)
    for model in (changed, once):
        candidate.call(model.learn_one, NEW_USER, 4, 4.5)
    one, other = (candidate.ask(model, *EVERYBODY) for model in (changed, once))
    if far(one, other).any():
        raise Broken(f"rated 0.5 and then 4.5, {widest(one, other)} from 4.5 alone", "learn_one")
