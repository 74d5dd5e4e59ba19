"""Checks of what every recommender must do: predict stars, whatever the training data, and predict
the same for the same input, whatever came before and whatever else is predicted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recbench.checks import toy_data as toy
from recbench.checks.candidate import (
    Broken,
    Candidate,
    LeftOut,
    difference,
    in_which,
    require_stars,
)
from recbench.contract import bytes_of, shardable, time_for

# --- predictions are stars -------------------------------------------------------------------


def it_can_be_made(candidate: Candidate) -> None:
    """a class that can be made without arguments
    give every keyword of __init__ a default"""
    candidate.make()


def it_can_be_fitted(candidate: Candidate) -> None:
    """fit(training), or fit(train, movies), which returns self
    compare with docs/your-own-model.md, and end fit with `return self`"""
    model = candidate.fit()
    if candidate.fit_returned is not model:
        raise Broken(f"fit returned {type(candidate.fit_returned).__name__}", "fit")


def predictions_are_stars(candidate: Candidate) -> None:
    """one prediction for each pair, or for none, finite, from 0.5 to 5, an array float32 [n]
    guard divisions by zero, logarithms and roots, and end predict with .astype(np.float32)"""
    candidate.predictions(toy.NO_PAIRS)
    stars = candidate.predictions(toy.KNOWN)
    require_stars(stars)
    if stars.dtype != np.float32:
        raise Broken(f"predict returned {stars.dtype}")


def users_never_seen(candidate: Candidate) -> None:
    """stars for users that fit never saw, such as one without ratings or one that came later
    test that the user is known, as in `user < len(self.user_bias)`, and start from a mean"""
    stars = candidate.predictions(toy.all_pairs((toy.UNSEEN_USER, toy.UNKNOWN_USER)))
    require_stars(stars, " for users that fit never saw")


def movies_never_seen(candidate: Candidate) -> None:
    """stars for movies that nobody has rated: any row of `movies` can be the input
    size arrays by len(movies), as in np.bincount(train.movie, minlength=len(movies))"""
    movie = np.tile([toy.UNSEEN_MOVIE, toy.UNSEEN_MOVIE + 1], len(toy.USERS))
    stars = candidate.predictions((np.repeat(toy.USERS, 2), movie))
    require_stars(stars, " for movies that nobody has rated")


def any_time_may_be_the_input(candidate: Candidate) -> None:
    """stars at any time, and for time=None the stars at the last time of training
    let predict take time=None, int64 [n] seconds since 1970, and limit the effect of time"""
    model = candidate.fit()
    if not time_for(model, None):
        raise LeftOut("its predict takes no time")
    for time in (-(10**9), 0, 10**11, toy.TRAIN.time.max()):  # the last at the end
        when = np.full(len(toy.ASKED[0]), time)
        stars = np.asarray(candidate.call(model.predict, *toy.ASKED, time=when))
        require_stars(stars, f" at time {time}")
    if (candidate.predict(model, *toy.ASKED) != stars).any():
        raise Broken("predict without a time differs from the last time of training")


# --- whatever the training data ----------------------------------------------------------------


def few_ratings_or_all_alike(candidate: Candidate) -> None:
    """stars, however few the training ratings (even none), and even if all are equal
    start from train.mean_stars(), 3 without ratings; add a constant to divisors that may be 0"""
    for n, first, step in ((0, 0, 1), (1, 0, 1), (1, 12, 1), (2, 0, 12), (12, 0, 1), (19, 20, 1)):
        train = toy.TRAIN.take(first + step * np.arange(n))
        require_stars(candidate.predictions(train=train), f" after fit to {n} ratings")
    for stars in (0.5, 5.0):
        train = replace(toy.TRAIN, stars=np.full(len(toy.TRAIN), stars))
        predictions = candidate.predictions(train=train)
        require_stars(predictions, f" after fit to ratings that are all {stars}")


def movies_without_bits_or_votes(candidate: Candidate) -> None:
    """stars even if no movie has a bit set or external votes (vote_average is nan)
    replace nan with np.where(np.isnan(…), …): with --no-votes all are nan"""
    bits, nothing = np.zeros_like(toy.MOVIES.bits), np.zeros(len(toy.MOVIES))
    blank = replace(toy.MOVIES, bits=bits, vote_average=nothing + np.nan, vote_count=nothing)
    require_stars(candidate.predictions(movies=blank), " where no movie has bits or votes")


# --- the same for the same input ---------------------------------------------------------------


def fitting_again_starts_afresh(candidate: Candidate) -> None:
    """the same predictions from the same ratings and seed, whatever was fitted or learned before
    set all learned state in fit, and draw from np.random.default_rng(training.seed)"""
    once, again = candidate.fit(seed=5), candidate.fit(seed=5)
    other = candidate.fit(replace(toy.TRAIN, stars=5.5 - toy.TRAIN.stars))
    if hasattr(other, "learn_one"):
        candidate.learn(other, toy.stream())
    candidate.fit(model=other, seed=5)
    for what, model in {"fitted twice with one seed": again, "fitted a second time": other}.items():
        if candidate.difference(model, once, within=0):
            raise Broken(f"{what} it predicts something else{in_which(model, once)}", "fit")


def users_can_be_fitted_in_parts(candidate: Candidate) -> None:
    """the same predictions, to the last digit, for users fitted without the others
    take global statistics from training.sample, or declare learns_from = 'all'"""
    if not shardable(candidate.make()):
        raise LeftOut("it learns from all users, or its fit takes train and movies")
    whole = candidate.fit(sample=toy.TRAIN)
    for users in ((0, 4), (1, 2), (5,)):
        part = candidate.fit(toy.TRAIN.take(np.isin(toy.TRAIN.user, users)), sample=toy.TRAIN)
        if how := candidate.difference(part, whole, toy.all_pairs(users), within=0):
            raise Broken(f"fitted to a part of the users, {how}", "fit")


def predicting_changes_nothing(candidate: Candidate) -> None:
    """the same predictions for the same input: predict, predict_bits and predict_one change nothing
    learn only in fit and learn_one, and draw no random numbers when predicting"""
    model = candidate.fit()
    size, first = bytes_of(model, "state_bytes"), candidate.predict(model, *toy.ASKED)
    candidate.predict(model, np.array([toy.UNKNOWN_USER + 1, 0]), np.array([toy.UNSEEN_MOVIE, 0]))
    if hasattr(model, "predict_bits"):
        candidate.call(model.predict_bits, *toy.ASKED)
    if hasattr(model, "predict_one"):
        candidate.call(model.predict_one, toy.UNKNOWN_USER, toy.NUM_MOVIES - 1)
    again = candidate.predict(model, *toy.ASKED)
    for what, is_so in {
        "predict returned two results for the same input": (again != first).any(),
        "predicting changed state_bytes": bytes_of(model, "state_bytes") != size,
    }.items():
        if is_so:
            raise Broken(f"{what}{in_which(candidate.fit(), model)}")


def each_pair_is_predicted_by_itself(candidate: Candidate) -> None:
    """the same prediction for a pair, alone or in a batch, in any order of the rows
    compute no statistic over the rows of a call, such as their mean, and keep their order"""
    model, (user, movie) = candidate.fit(), toy.ASKED
    rows = np.arange(len(user))
    mixed, stars = np.random.default_rng(1).permutation(rows), candidate.predict(model, user, movie)
    ways = {"in another order of the rows": (mixed, len(rows)), "in batches of 1": (rows, 1)}
    for how, (order, size) in ways.items():
        batches = np.split(order, range(size, len(rows), size))
        parts = [candidate.predict(model, user[one], movie[one]) for one in batches]
        if what := difference(np.concatenate(parts), stars[order]):
            raise Broken(f"{how} {what}")


def users_are_not_mixed_up(candidate: Candidate) -> None:
    """a user who gave 5 to every movie predicted no lower than one who gave 0.5 to every movie
    check how user indexes the learned arrays"""
    stars = np.select([toy.TRAIN.user == 0, toy.TRAIN.user == 5], [5.0, 0.5], toy.TRAIN.stars)
    model = candidate.fit(replace(toy.TRAIN, stars=stars))
    high, low = (candidate.predict(model, *toy.all_pairs((user,))).mean() for user in (0, 5))
    if high < low:
        raise Broken(f"the first is predicted {high:.2f} on average, the second {low:.2f}")
