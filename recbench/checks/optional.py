"""Checks of what a recommender may declare, and have beside `fit` and `predict`."""

from __future__ import annotations

import inspect
import math
from itertools import product
from typing import Any

import numpy as np

from recbench.checks import toy_data as toy
from recbench.checks.candidate import (
    Broken,
    Candidate,
    LeftOut,
    attributes_that_differ,
    digest,
    kind,
    needs,
)
from recbench.checks.required import CLOSE, differ, in_which, require_stars, widest
from recbench.contract import bytes_of, declared, takes_training, time_for
from recbench.data.encodings.thermometer import decode_ratings
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings

WHOLE = toy.stream()
FIRST, THEN = toy.parts(WHOLE)
EVERYBODY = toy.all_pairs((0, 1, 2, 3, 4, toy.LATER_USER))


def every_choice_of_labels_and_loss(candidate: Candidate) -> None:
    """every choice of --labels and of the loss
    compare with the names in the docs: half_stars, truncated; logits, double_sigmoid"""
    if not takes_training(candidate.make()):
        raise LeftOut("its fit gets neither")
    for labels, loss in product(("half_stars", "truncated"), ("logits", "double_sigmoid")):
        stars = candidate.predictions(labels=labels, loss=loss)
        require_stars(stars, f" with {labels} and {loss}")


def settings_are_keywords_of_the_constructor(candidate: Candidate) -> None:
    """keywords of the constructor, each with a default, in search_space and the other settings
    give __init__ a keyword of that name"""
    names = ("search_space", "defaults_without_background")
    settings = {name: None for what in names for name in declared(candidate.cls, what)}
    if not settings:
        raise LeftOut("it declares no settings")
    for name, parameter in (settings | inspect.signature(candidate.cls).parameters).items():
        if parameter is None or (name in settings and parameter.default is parameter.empty):
            what = f"__init__ has no keyword '{name}' with a default"
            raise Broken(what, line=candidate.begins("__init__"))
    candidate.make(background=False)


@needs("predict_bits")
def stars_are_read_from_the_bits(candidate: Candidate) -> None:
    """thermometers uint8 [n, 10] of zeros and ones, from which predict reads its stars
    let predict return decode_ratings of what predict_bits returns"""
    model, n, what = candidate.fit(), len(toy.ASKED[0]), ""
    bits = candidate.call(model.predict_bits, *toy.ASKED, **time_for(model, None))
    shape, dtype = getattr(bits, "shape", kind(bits)), getattr(bits, "dtype", "")
    if shape != (n, 10) or dtype != np.uint8:
        what = f"predict_bits returned {dtype} {shape} for {n} pairs"
    elif bits.max() > 1:
        what = f"predict_bits returned {bits.max()} in a bit"
    elif (decode_ratings(bits) != candidate.predict(model, *toy.ASKED)).any():
        what = "the bits are of other stars than predict returns"
    elif candidate.call(model.predict_bits, *toy.NO_PAIRS).shape != (0, 10):
        what = "predict_bits of empty input is not of shape (0, 10)"
    if what:
        raise Broken(what, "predict_bits")


@needs("predict_distribution")
def distributions_are_distributions(candidate: Candidate) -> None:
    """a rising grid of stars, float64 [g], and the probability of each, float64 [n, g], sum 1
    divide each row by its sum"""
    model, what = candidate.fit(), ""
    returned = candidate.call(model.predict_distribution, *toy.ASKED, **time_for(model, None))
    if not isinstance(returned, tuple) or len(returned) != 2:
        what = f"predict_distribution returned {kind(returned)}, not two arrays"
        raise Broken(what, "predict_distribution")
    grid, probability = (np.asarray(one) for one in returned)
    sums = probability.sum(axis=-1)
    if probability.shape != (len(toy.ASKED[0]), len(grid)):
        what = f"predict_distribution returned shapes {grid.shape} and {probability.shape}"
    elif (np.diff(grid) <= 0).any():
        what = "the grid does not rise"
    elif (probability < 0).any() or not np.allclose(sums, 1, atol=1e-6):
        least, wrong = probability.min(), sums[np.abs(sums - 1).argmax()]
        what = f"the least probability is {least:.2g}, a sum of a row {wrong:.4g}"
    if what:
        raise Broken(what, "predict_distribution")


@needs("state_bytes")
def it_says_how_large_it_is(candidate: Candidate) -> None:
    """bytes of all that was learned, an int, 0 or more, or None
    return int(…)"""
    model = candidate.fit()
    for what in ("state_bytes", "shared_bytes"):
        size = candidate.call(bytes_of, model, what)
        if size is not None and not (isinstance(size, int) and size >= 0):
            raise Broken(f"{what} returned {kind(size)}, {size}", what)


# --- learn_one goes on from fit ----------------------------------------------------------------


def learned(candidate: Candidate, first: Ratings = FIRST, then: Ratings = THEN) -> Any:
    """A model fitted to the first ratings, which learned the others one by one."""
    model = candidate.fit(first)
    candidate.learn(model, then)
    return model


@needs("learn_one", "predict_one")
def one_prediction_is_what_many_are(candidate: Candidate) -> None:
    """stars from 0.5 to 5 by predict_one, those of predict before they are rounded to 32 bits
    let one of the two call the other"""
    for model in (learned(candidate, *toy.parts(WHOLE, 0)), learned(candidate)):
        pairs = zip(*(array.tolist() for array in EVERYBODY), strict=True)
        one = np.array([candidate.call(model.predict_one, *pair) for pair in pairs])
        if how := widest(one, candidate.predict(model, *EVERYBODY)):
            raise Broken(f"of predict_one and predict {how}", "predict_one")


@needs("learn_one", "predict_one")
def predicting_one_changes_nothing(candidate: Candidate) -> None:
    """predict_one changes nothing
    learn in learn_one alone"""
    model = learned(candidate)
    before = candidate.predict(model, *EVERYBODY)

    def predict() -> None:
        for user in (0, 3, toy.UNKNOWN_USER):
            candidate.call(model.predict_one, user, toy.NUM_MOVIES - 1)

    predict()
    if (candidate.predict(model, *EVERYBODY) != before).any():
        line = candidate.line_that_changes(lambda: digest(vars(model)), predict)
        raise Broken("after predict_one predictions differ", "predict_one", line)


@needs("learn_one")
def learning_comes_nearer_to_fitting_all(candidate: Candidate) -> None:
    """learn_one learns: predictions come nearer to those of a fit to all these ratings
    let learn_one and fit go through the same code

    `fit` learns in the order of time and `learn_one` goes on, so both end where `fit` to all
    ends, but for what `fit` finds for all users together, which may stay as it was."""
    pairs = toy.all_pairs(tuple(np.unique(THEN.user).tolist()))
    at_once, model = candidate.predict(candidate.fit(WHOLE), *pairs), candidate.fit(FIRST)
    before = candidate.predict(model, *pairs)
    candidate.learn(model, THEN)
    after = candidate.predict(model, *pairs)
    was, now = (float(np.abs(one - at_once).mean(dtype=float)) for one in (before, after))
    if now >= was:
        what = f"{len(THEN)} ratings learned one by one, predictions are {now:.2g} stars away from"
        raise Broken(f"{what} a fit to all, before they were {was:.2g}", "learn_one")


@needs("learn_one")
def a_new_user_learns(candidate: Candidate) -> None:
    """somebody who comes after fit can rate
    give learn_one a start for a user that it does not know"""
    model = candidate.fit(FIRST)
    for movie in (20, 21, 22, 0):
        candidate.call(model.learn_one, toy.LATER_USER, movie, 0.5)
    stars = candidate.predict(model, *toy.all_pairs((toy.LATER_USER,)))
    if not ((stars >= MIN_STARS) & (stars <= MAX_STARS)).all():
        raise Broken(f"then predict returned {stars.min():.3g} to {stars.max():.3g}", "learn_one")


@needs("learn_one")
def fitting_after_learning_starts_afresh(candidate: Candidate) -> None:
    """fit starts afresh, also after learn_one
    set in fit all that learn_one changes"""
    again, once = candidate.fit(FIRST, model=learned(candidate)), candidate.fit(FIRST)
    if differ(candidate, again, once, EVERYBODY, within=0):
        raise Broken(f"something of learn_one is left after fit{in_which(again, once)}", "fit")


@needs("learn_one", "forget_one", "explain_one")
def a_changed_rating_takes_the_place(candidate: Candidate) -> None:
    """a rating of a movie rated before takes the former's place
    forget the former first, as in forget_one"""
    changed, once = learned(candidate), learned(candidate)
    candidate.call(changed.learn_one, toy.LATER_USER, 4, 0.5)
    for model in (changed, once):
        candidate.call(model.learn_one, toy.LATER_USER, 4, 4.5)
    if how := differ(candidate, changed, once, EVERYBODY):
        raise Broken(f"rated 0.5 and then 4.5, {how} from 4.5 alone", "learn_one")


# --- forget_one and explain_one ----------------------------------------------------------------


@needs("learn_one", "forget_one")
def what_is_forgotten_leaves_no_trace(candidate: Candidate) -> None:
    """what it would be had the forgotten ratings never been learned
    undo in forget_one each change of learn_one, or learn the user's other ratings anew

    Of what came after `fit`: what `fit` found for all users together may stay."""
    user = int(np.bincount(THEN.user).argmax())
    own = THEN.movie[THEN.user == user].tolist()
    gone = [own[2], own[-1], own[0]]
    others = THEN.take((THEN.user != user) | ~np.isin(THEN.movie, gone))
    model, without = learned(candidate), learned(candidate, then=others)
    for movie in gone:
        candidate.call(model.forget_one, user, movie)
    if how := differ(candidate, model, without, EVERYBODY):
        trace = ""
        if names := attributes_that_differ(model, without):
            new = candidate.fit(FIRST)
            line = candidate.line_that_changes(
                lambda: digest(vars(new).get(names[0])), lambda: candidate.learn(new, THEN)
            )
            written = f", written in line {line}" if line else ""
            trace = f" (self.{names[0]}{written}, is not what it would be)"
        raise Broken(f"after forget_one {how}{trace}", "forget_one")


@needs("learn_one", "forget_one")
def forgetting_what_is_not_there_is_an_error(candidate: Candidate) -> None:
    """KeyError where the user has no such rating
    raise KeyError(f'user {user} has no rating of movie {movie}')"""
    model, user, movie = learned(candidate), int(THEN.user[0]), int(THEN.movie[0])
    candidate.call(model.forget_one, user, movie)
    for pair in ((user, movie), (999, 1)):
        try:
            candidate.call(model.forget_one, *pair)
        except KeyError:
            continue
        raise Broken(f"forget_one({pair[0]}, {pair[1]}) raised nothing", "forget_one")


@needs("explain_one")
def explanations_sum_to_the_prediction(candidate: Candidate) -> None:
    """contributions whose sum is the prediction, cut to 0.5 .. 5 by a part of its own
    add a Contribution for what is missing, such as 'limit of the scale'"""
    model = learned(candidate) if hasattr(candidate.cls, "learn_one") else candidate.fit(FIRST)
    user, movie = toy.all_pairs((0, 1, 3, toy.LATER_USER))
    stars = candidate.predict(model, user, movie)
    for one, other, predicted in zip(user.tolist(), movie.tolist(), stars.tolist(), strict=True):
        explanation = candidate.call(model.explain_one, one, other)
        if not hasattr(explanation, "contributions"):
            what = f"explain_one returned {kind(explanation)}, not a recbench.Explanation"
            raise Broken(what, "explain_one")
        total = math.fsum(part.stars for part in explanation.contributions)
        if not abs(total - predicted) <= CLOSE:
            what = f"the parts sum to {total:.4f} stars, predict returns {predicted:.4f}"
            raise Broken(what, "explain_one")
