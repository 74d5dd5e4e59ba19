"""What is required of every recommender, check by check: predictions that are stars, whatever
there is to learn from, and the same for the same input, whatever came before or stands beside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from recbench.checks import toy_data as toy
from recbench.checks.candidate import (
    Broken,
    Candidate,
    LeftOut,
    arrays_of,
    attributes_that_differ,
    digest,
)
from recbench.contract import bytes_of, shardable, time_for
from recbench.ratings import MAX_STARS, MIN_STARS

CLIP = "cut with np.clip(stars, 0.5, 5.0)"
CLOSE = 1e-5  # stars; sums of float32 in another order differ by less


# --- predictions are stars -------------------------------------------------------------------


def require_stars(stars: np.ndarray, of: str = "") -> None:
    """Raises Broken unless all are finite and from 0.5 to 5; `of` says which they are."""
    if stars.dtype.kind not in "fiu":
        raise Broken(f"predict returned {stars.dtype}, no numbers{of}")
    wrong = stars[~np.isfinite(stars)]
    if len(wrong):
        raise Broken(f"predict returned {wrong[0]} in {len(wrong)} of {len(stars)} predictions{of}")
    wrong = stars[(stars < MIN_STARS) | (stars > MAX_STARS)]
    if len(wrong):
        worst = wrong[np.abs(wrong - 3).argmax()]
        raise Broken(f"predict returned {worst:.4g} stars{of}", remedy=CLIP)


def it_can_be_made(candidate: Candidate) -> None:
    """a class that can be made without arguments
    give every keyword of __init__ a default"""
    candidate.make()


def it_can_be_fitted(candidate: Candidate) -> None:
    """fit(training), or fit(train, movies)
    compare with docs/your-own-model.md"""
    candidate.fit()


def fit_returns_the_recommender(candidate: Candidate) -> None:
    """self
    end fit with `return self`"""
    model, other = candidate.fit(), candidate.fit_returned
    if other is not model:
        what = "None" if other is None else f"another object ({type(other).__name__})"
        raise Broken(f"fit returned {what}", "fit")


def one_prediction_for_each_pair(candidate: Candidate) -> None:
    """one prediction for each pair, an array of shape (n,)
    return np.array of the length of user"""
    candidate.predictions(toy.KNOWN)


def predictions_are_float32(candidate: Candidate) -> None:
    """float32
    end predict with .astype(np.float32)"""
    stars = candidate.predictions(toy.KNOWN)
    if stars.dtype != np.float32:
        raise Broken(f"predict returned {stars.dtype}")


def predictions_are_stars(candidate: Candidate) -> None:
    """finite stars from 0.5 to 5
    guard divisions by zero, and logarithms and roots of what can be negative"""
    require_stars(candidate.predictions(toy.KNOWN))


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


def empty_input(candidate: Candidate) -> None:
    """an empty array for empty input
    let the length of user be 0"""
    candidate.predictions(toy.NO_PAIRS)


def any_time_may_be_the_input(candidate: Candidate) -> None:
    """stars at any time, and for time=None those of the last time of training
    let predict take time=None, int64 [n] seconds since 1970, and cut what it makes of it"""
    model, last = candidate.fit(), int(toy.TRAIN.time.max())
    if not time_for(model, None):
        raise LeftOut("its predict takes no time")
    for time in (-(10**9), 0, int(toy.TRAIN.time[0]), 10**11, last):
        when = np.full(len(toy.ASKED[0]), time)
        stars = np.asarray(candidate.call(model.predict, *toy.ASKED, time=when))
        require_stars(stars, f" at time {time}")
    if (candidate.predict(model, *toy.ASKED) != stars).any():
        raise Broken("predict without a time differs from the last time of training")


# --- training tables as small, or as uniform, as a cell can have them --------------------------


def require_stars_of_rows(candidate: Candidate, rows: list[int] | range, of: str) -> None:
    """Raises Broken unless it predicts stars after fit to these rows of toy.TRAIN."""
    train = toy.TRAIN.take(np.array(rows, dtype=int))
    require_stars(candidate.predictions(train=train), f" after fit to {of}")


def an_empty_training_table(candidate: Candidate) -> None:
    """stars although there is no rating to learn from
    start from train.mean_stars(), which is 3 then, and divide by counts + a number"""
    require_stars_of_rows(candidate, [], "no rating")


def one_rating_of_a_user(candidate: Candidate) -> None:
    """stars although there is one rating in all, or one of each of two users
    shrink towards a mean, or test the count before a variance or a regression"""
    require_stars_of_rows(candidate, [0], "one rating")
    require_stars_of_rows(candidate, [12], "one rating")
    require_stars_of_rows(candidate, [0, 12], "two ratings")


def one_user(candidate: Candidate) -> None:
    """stars although there is one user
    size arrays by train.user.max(initial=-1) + 1, and let nothing rest on a second user"""
    require_stars_of_rows(candidate, range(12), "one user")
    require_stars_of_rows(candidate, range(20, 39), "one user")


def all_ratings_alike(candidate: Candidate) -> None:
    """stars although all ratings are alike
    guard divisions by a spread or variance that can be 0"""
    for stars in (0.5, 5.0):
        train = replace(toy.TRAIN, stars=np.full(len(toy.TRAIN), stars))
        predictions = candidate.predictions(train=train)
        require_stars(predictions, f" after fit to ratings of {stars} alone")


def movies_without_bits_or_votes(candidate: Candidate) -> None:
    """stars although no movie has a bit set or external votes (vote_average is nan)
    replace nan with np.where(np.isnan(…), …), as with --no-votes all are nan"""
    bits, nothing = np.zeros_like(toy.MOVIES.bits), np.zeros(len(toy.MOVIES))
    blank = replace(toy.MOVIES, bits=bits, vote_average=nothing + np.nan, vote_count=nothing)
    require_stars(candidate.predictions(movies=blank), " where no movie has bits or votes")


# --- the same for the same input ---------------------------------------------------------------


def inputs_are_left_as_they_were(candidate: Candidate) -> None:
    """train, movies, user and movie left as they are: they are read-only, and others read them too
    change a copy, as in train.stars.copy()"""
    tables = {"train": arrays_of(toy.TRAIN), "movies": arrays_of(toy.MOVIES)}
    before = {f"{of}.{name}": one for of, table in tables.items() for name, one in table.items()}
    before |= {"user": toy.ASKED[0], "movie": toy.ASKED[1]}

    def changed() -> list[str]:
        now = candidate.inputs.items()
        return [name for name, array in now if digest(array) != digest(before[name])]

    candidate.predictions()
    if names := changed():
        candidate.inputs.clear()
        line = candidate.line_that_changes(changed, candidate.predictions)
        method = "predict" if names[0] in ("user", "movie") else "fit"
        raise Broken(f"{' and '.join(names)} changed", method, line)


def same_seed_same_result(candidate: Candidate) -> None:
    """the same predictions from the same ratings and the same seed
    draw from np.random.default_rng(training.seed)"""
    first, second = (candidate.predictions(seed=5) for _ in range(2))
    if (first != second).any():
        line = candidate.line_that_differs(lambda: candidate.predictions(seed=5))
        raise Broken("fitted twice with one seed it predicts two things", "fit", line)


def another_seed_another_result(candidate: Candidate) -> None:
    """other predictions with another seed, as fit reads it
    draw from np.random.default_rng(training.seed), or do not read it"""
    first, second = (candidate.predictions(seed=seed) for seed in (5, 6))
    if not candidate.draws:
        raise LeftOut("its fit reads no seed")
    if (first == second).all():
        raise Broken("seeds 5 and 6 give the same predictions", "fit")


def fitting_again_starts_afresh(candidate: Candidate) -> None:
    """fit starts afresh, whatever it was fitted to before
    set what is learned within fit, not in the constructor or the class"""
    other = replace(toy.TRAIN, stars=5.5 - toy.TRAIN.stars)
    twice, once = candidate.fit(model=candidate.fit(other)), candidate.fit()
    if differ(candidate, twice, once, within=0):
        raise Broken(f"fitted a second time it is not as fitted once{in_which(twice, once)}", "fit")


def users_can_be_fitted_in_parts(candidate: Candidate) -> None:
    """users fitted without the others predicted the same to the last digit, as learns_from says
    take what concerns all users from training.sample, or say learns_from = 'all'"""
    if not shardable(candidate.make()):
        raise LeftOut("it learns from all users, or its fit takes train and movies")
    whole = candidate.fit(sample=toy.TRAIN)
    for users in ((0, 4), (1, 2), (5,)):
        part = candidate.fit(toy.TRAIN.take(np.isin(toy.TRAIN.user, users)), sample=toy.TRAIN)
        if how := differ(candidate, part, whole, toy.all_pairs(users), within=0):
            raise Broken(f"fitted to a part of the users, {how}", "fit")


def predicting_changes_nothing(candidate: Candidate) -> None:
    """the same predictions for the same input: predict changes nothing
    learn in fit alone, and draw nothing in predict"""
    model = candidate.fit()

    def predict() -> np.ndarray:
        return candidate.predict(model, *toy.ASKED)

    def size() -> object:
        return candidate.call(bytes_of, model, "state_bytes")

    before, first = size(), predict()
    candidate.predict(model, np.array([toy.UNKNOWN_USER + 1, 0]), np.array([toy.UNSEEN_MOVIE, 0]))
    if hasattr(model, "predict_bits"):
        candidate.call(model.predict_bits, *toy.ASKED)
    if (predict() != first).any():
        line = candidate.line_that_changes(lambda: digest(vars(model)), predict)
        line = line or candidate.line_that_differs(predict)
        raise Broken("for the same input predict returned two things", line=line)
    if size() != before:
        line = candidate.line_that_changes(size, predict)
        raise Broken("state_bytes changed by predicting", line=line)


def each_pair_is_predicted_by_itself(candidate: Candidate) -> None:
    """each pair predicted by itself, alone or in a batch, in any order of the rows
    compute no statistic over the rows of a call, such as their mean, and keep their order"""
    model, (user, movie) = candidate.fit(), toy.ASKED
    rows = np.arange(len(user))
    mixed, stars = np.random.default_rng(1).permutation(rows), candidate.predict(model, user, movie)
    for how, order, size in (
        ("in another order of the rows", mixed, len(rows)),
        ("in batches of 1", rows, 1),
        ("in batches of 40", rows, 40),
    ):
        batches = np.split(order, range(size, len(rows), size))
        parts = [candidate.predict(model, user[one], movie[one]) for one in batches]
        if what := widest(np.concatenate(parts), stars[order]):
            raise Broken(f"{how} {what}")


def users_are_not_mixed_up(candidate: Candidate) -> None:
    """who gave 5 to every movie is predicted no lower than who gave 0.5 to every movie
    look at how user indexes what was learned"""
    stars = np.select([toy.TRAIN.user == 0, toy.TRAIN.user == 5], [5.0, 0.5], toy.TRAIN.stars)
    model = candidate.fit(replace(toy.TRAIN, stars=stars))
    high, low = (candidate.predict(model, *toy.all_pairs((user,))).mean() for user in (0, 5))
    if high < low:
        raise Broken(f"the one is predicted {high:.2f} on average, the other {low:.2f}")


# --- what differs ------------------------------------------------------------------------------


def in_which(one: object, other: object) -> str:
    """ " (self.count, self.mean differ)" of two models; nothing if that cannot be seen."""
    names = [f"self.{name}" for name in attributes_that_differ(one, other)]
    return f" ({', '.join(names)} {'differs' if len(names) == 1 else 'differ'})" if names else ""


def differ(
    candidate: Candidate, one: Any, other: Any, pairs: Any = toy.ASKED, within: float = CLOSE
) -> str:
    """`widest` of the predictions of two models."""
    mine, yours = (candidate.predict(model, *pairs) for model in (one, other))
    return widest(mine, yours, within)


def widest(one: np.ndarray, other: np.ndarray, within: float = CLOSE) -> str:
    """How many predictions differ by more than float32 can explain, and by how much; "": none."""
    rows = ~np.isclose(one, other, rtol=0, atol=within, equal_nan=True)
    if not rows.any():
        return ""
    most = np.abs(one.astype(float) - other)[rows].max()
    return f"{rows.sum()} of {len(one)} predictions differ, by {most:.2g} stars at most"
