"""Checks of optional declarations, and of methods besides `fit` and `predict`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from recbench.checks import toy_data as toy
from recbench.checks.candidate import (
    CLOSE,
    Broken,
    Candidate,
    LeftOut,
    difference,
    in_which,
)
from recbench.contract import check_distribution, declared, defaults_of, time_for
from recbench.data.encodings.thermometer import decode_ratings
from recbench.errors import InputError
from recbench.ratings import Ratings

SETTINGS = ("search_space", "defaults_without_background")
WHOLE = toy.stream(later=4)
FIRST, THEN = toy.parts(WHOLE)
EVERYBODY = toy.all_pairs((0, 1, 2, 3, 4, toy.LATER_USER))


def settings_are_keywords_of_the_constructor(candidate: Candidate) -> None:
    """only keywords of the constructor, each with a default, in search_space and other settings
    give __init__ a keyword of that name"""
    if not any(declared(candidate.cls, name) for name in SETTINGS):
        raise LeftOut("it declares no settings")
    try:
        defaults_of(candidate.cls)
        candidate.make(background=False)
    except (InputError, TypeError) as error:
        raise Broken(str(error), "class") from None


def stars_are_read_from_the_bits(candidate: Candidate) -> None:
    """thermometers uint8 [n, 10] of zeros and ones, from which predict reads its stars
    let predict return decode_ratings of what predict_bits returns"""
    candidate.needs("predict_bits")
    model, n, what = candidate.fit(), len(toy.ASKED[0]), ""
    bits = candidate.call(model.predict_bits, *toy.ASKED, **time_for(model, None))
    shape, dtype = getattr(bits, "shape", type(bits).__name__), getattr(bits, "dtype", "")
    if shape != (n, 10) or dtype != np.uint8:
        what = f"predict_bits returned {dtype} {shape} for {n} pairs"
    elif bits.max() > 1:
        what = f"predict_bits returned {bits.max()} in a bit"
    elif (decode_ratings(bits) != candidate.predict(model, *toy.ASKED)).any():
        what = "the bits encode other stars than predict returns"
    elif candidate.call(model.predict_bits, *toy.NO_PAIRS).shape != (0, 10):
        what = "predict_bits of empty input is not of shape (0, 10)"
    if what:
        raise Broken(what, "predict_bits")


def distributions_are_distributions(candidate: Candidate) -> None:
    """a rising grid of stars, float64 [g], and the probability of each, float64 [n, g], sum 1
    divide each row by its sum"""
    candidate.needs("predict_distribution")
    model = candidate.fit()
    returned = candidate.call(model.predict_distribution, *toy.ASKED, **time_for(model, None))
    if not isinstance(returned, tuple) or len(returned) != 2:
        what = f"predict_distribution returned {type(returned).__name__}, not two arrays"
        raise Broken(what, "predict_distribution")
    try:
        check_distribution(*returned, len(toy.ASKED[0]))
    except ValueError as error:
        raise Broken(str(error), "predict_distribution") from None


# --- learn_one continues after fit -------------------------------------------------------------


def learned(candidate: Candidate, then: Ratings = THEN) -> Any:
    """A model fitted to the first ratings, which then learned the others one by one."""
    return candidate.learn(candidate.fit(FIRST), then)


def learning_comes_nearer_to_fitting_all(candidate: Candidate) -> None:
    """predictions that learn_one brings closer to those of a fit to all ratings
    let learn_one and fit run the same code, also for new users

    `fit` learns in time order and `learn_one` continues, so the result is that of a fit to all
    ratings, except for global statistics, which may stay as they were."""
    candidate.needs("learn_one")
    pairs = toy.all_pairs(tuple(np.unique(THEN.user).tolist()))
    models = candidate.fit(WHOLE), candidate.fit(FIRST), learned(candidate)
    at_once, before, after = (candidate.predict(model, *pairs) for model in models)
    was, now = (float(np.abs(one - at_once).mean(dtype=float)) for one in (before, after))
    if now >= was:
        what = f"{len(THEN)} ratings learned one by one, predictions are {now:.2g} stars away from"
        raise Broken(f"{what} a fit to all, before they were {was:.2g}", "learn_one")


def one_prediction_is_what_many_are(candidate: Candidate) -> None:
    """stars from 0.5 to 5 by predict_one, equal to predict before its rounding to 32 bits
    let one of the two call the other"""
    candidate.needs("learn_one", "predict_one")
    for model in (candidate.fit(WHOLE.take(np.arange(0))), learned(candidate)):
        pairs = zip(*(array.tolist() for array in EVERYBODY), strict=True)
        one = np.array([candidate.call(model.predict_one, *pair) for pair in pairs])
        if how := difference(one, candidate.predict(model, *EVERYBODY)):
            raise Broken(f"between predict_one and predict, {how}", "predict_one")


def a_changed_rating_takes_the_place(candidate: Candidate) -> None:
    """a new rating of a movie that replaces the earlier one
    forget the earlier rating first, as in forget_one"""
    candidate.needs("learn_one", "forget_one", "explain_one")
    changed, once = learned(candidate), learned(candidate)
    candidate.call(changed.learn_one, toy.LATER_USER, 4, 0.5)
    for model in (changed, once):
        candidate.call(model.learn_one, toy.LATER_USER, 4, 4.5)
    if how := candidate.difference(changed, once, EVERYBODY):
        raise Broken(f"rated 0.5 and then 4.5, {how} from only 4.5", "learn_one")


# --- forget_one and explain_one ----------------------------------------------------------------


def what_is_forgotten_leaves_no_trace(candidate: Candidate) -> None:
    """the same predictions as if the forgotten ratings had never been learned
    undo each change of learn_one in forget_one, or relearn the user's other ratings

    This is about ratings learned after `fit`; global statistics of `fit` may stay."""
    candidate.needs("learn_one", "forget_one")
    user = int(np.bincount(THEN.user).argmax())
    own = THEN.movie[THEN.user == user].tolist()
    gone = [own[2], own[-1], own[0]]
    others = THEN.take((THEN.user != user) | ~np.isin(THEN.movie, gone))
    model, without = learned(candidate), learned(candidate, others)
    for movie in gone:
        candidate.call(model.forget_one, user, movie)
    if how := candidate.difference(model, without, EVERYBODY):
        raise Broken(f"after forget_one {how}{in_which(model, without)}", "forget_one")
    for pair in ((user, gone[0]), (toy.UNKNOWN_USER, 1)):
        try:
            candidate.call(model.forget_one, *pair)
        except KeyError:
            continue
        what = f"forget_one{pair} raised nothing, although there is no such rating"
        raise Broken(what, "forget_one", "raise KeyError")


def explanations_sum_to_the_prediction(candidate: Candidate) -> None:
    """contributions that sum to the prediction, including one for the limits 0.5 .. 5
    add a Contribution for the missing part, such as 'limit of the scale'"""
    candidate.needs("explain_one")
    model = learned(candidate) if hasattr(candidate.cls, "learn_one") else candidate.fit(FIRST)
    user, movie = toy.all_pairs((0, 1, 3, toy.LATER_USER))
    stars = candidate.predict(model, user, movie)
    for one, other, predicted in zip(user.tolist(), movie.tolist(), stars.tolist(), strict=True):
        explanation = candidate.call(model.explain_one, one, other)
        if not hasattr(explanation, "contributions"):
            what = f"explain_one returned {type(explanation).__name__}, not a recbench.Explanation"
            raise Broken(what, "explain_one")
        total = math.fsum(part.stars for part in explanation.contributions)
        if not abs(total - predicted) <= CLOSE:
            what = f"the parts sum to {total:.4f} stars, predict returns {predicted:.4f}"
            raise Broken(what, "explain_one")
