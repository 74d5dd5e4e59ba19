"""Holdouts: which ratings of a sample are test ratings. One class each.

Your own is a subclass of `Holdout` with a `name`, a `question` and `held_out`. `--holdout` finds it
by name in this file, and in any other as file:Class (`--holdout my_file:MyHoldout`).
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Self

import numpy as np

from recbench.errors import InputError
from recbench.ratings import Ratings, place_within
from recbench.registry import file_of, line_of, load_class

CLEARLY = 0.01  # share of ratings: a split that differs more from the requested one is reported


@dataclass(frozen=True)
class Split:
    """Training and test ratings. Users of the sample have dense indices 0 .. n - 1; those of
    background users follow.

    Attributes:
        train: training ratings of the sample's users.
        test: their held-out ratings.
        background: ratings of other users, who are never tested.
    """

    train: Ratings
    test: Ratings
    background: Ratings

    def training_ratings(self, with_background: bool) -> Ratings:
        """Training ratings of a recommender: `train`, followed by `background` if requested."""
        return Ratings.concatenate([self.train, self.background]) if with_background else self.train


class Holdout(ABC):
    """A rule that puts each rating of a sample into training or into test.

    Attributes:
        name: of the rule, as in the column `holdout`; by default that of the class.
        question: the question that a score under this rule answers.
        same_test_rows: whether all recommenders are tested on the same rows, so their errors can be
            paired.
        remedy: advice if the rule leaves one side empty.
        fraction: share of the ratings for training.
        cutoff: time (seconds since 1970) from which on no recommender knows anything; None: no such
            time.
    """

    name: ClassVar[str]
    question: ClassVar[str]
    same_test_rows: ClassVar[bool] = True
    remedy: ClassVar[str] = "Use data with users who have two ratings or more"

    def __init_subclass__(cls) -> None:
        cls.name = cls.__dict__.get("name", cls.__name__)

    def __init__(self, fraction: float = 0.8) -> None:
        if not 0 < fraction < 1:
            raise InputError(
                f"split is {fraction}. Expected the share of ratings for training, between 0 and "
                "1, such as 0.8"
            )
        self.fraction = fraction
        self.cutoff: int | None = None

    def fitted_to(self, ratings: Ratings) -> Self:
        """The rule fitted to all `ratings` of the dataset; most rules need nothing from them."""
        return self

    def check_times(self, ratings: Ratings) -> None:
        """Raises InputError if these `ratings` have no times."""
        if not ratings.has_times():
            raise InputError(
                f"--holdout {self.name}: the ratings have no times. Use --holdout random, or data "
                "with a column of times"
            )

    def sample_key(self, ratings: Ratings, reviews_per_user: int, random: np.ndarray) -> np.ndarray:
        """Sort key, float [n]: a sample takes the `reviews_per_user` ratings of each user with the
        lowest keys. `random`, float [n] in 0 .. 1, draws them at random, as most rules do."""
        return random

    @abstractmethod
    def held_out(self, ratings: Ratings, seed: int) -> np.ndarray:
        """Mask of the test rows of `ratings`, a sample: bool [n]."""

    def held_out_collaborative(self, ratings: Ratings, seed: int) -> np.ndarray:
        """The same for collaborative recommenders; by default the same rows."""
        return self.held_out(ratings, seed)

    def check(self, ratings: Ratings) -> str:
        """A sentence on unexpected effects of the rule on these `ratings`, such as those of all
        users that may be drawn; "" if there are none.

        Raises:
            InputError: no rating is for training, or none is held out.
        """
        held_out = self._checked(self.held_out, ratings, 0)
        self.check_sides(int((~held_out).sum()), int(held_out.sum()))
        return self._remark(ratings, held_out)

    def check_sides(self, n_train: int, n_test: int) -> None:
        """Raises InputError if either number of ratings is 0."""
        if not (n_train and n_test):
            empty = "for training" if n_test else "held out"
            raise InputError(
                f"--holdout {self.name}: none of {n_train + n_test:,} ratings is {empty}. "
                f"{self.remedy}"
            )

    def _remark(self, ratings: Ratings, held_out: np.ndarray) -> str:
        return ""

    def _checked(self, rule: Callable, ratings: Ratings, seed: int) -> np.ndarray:
        """The mask of a `rule`, which may be a user's own. Raises InputError if it is not a
        mask."""
        try:
            held_out = np.asarray(rule(ratings, seed))
        except Exception as error:
            where = line_of(error, file_of(type(self)))
            raise InputError(f"--holdout {self.name}: {where}") from error
        if held_out.dtype != bool or held_out.shape != (len(ratings),):
            raise InputError(
                f"--holdout {self.name}: held_out returned {held_out.dtype} of shape "
                f"{held_out.shape} for {len(ratings)} ratings. Expected a bool for each"
            )
        return held_out

    def split(
        self, ratings: Ratings, background: Ratings, seed: int, collaborative: bool = False
    ) -> Split:
        """Split the sample's `ratings`, with the ratings of `background` that may be known."""
        rule = self.held_out_collaborative if collaborative else self.held_out
        held_out = self._checked(rule, ratings, seed)
        if self.cutoff is not None:
            background = background.take(background.time < self.cutoff)
        return Split(ratings.take(~held_out), ratings.take(held_out), background)

    def _n_train(self, count: np.ndarray | int) -> np.ndarray:
        """Number of `count` ratings for training: rounded down, at least one on each side."""
        whole = np.floor(self.fraction * np.asarray(count) + 1e-9)  # 0.8 * 15 is a hair below 12
        return np.clip(whole, 1, np.maximum(np.asarray(count) - 1, 1)).astype(np.int64)


class LastFraction(Holdout):
    """Each user's last ratings in time.

    Equal times are in seeded random order, never in that of ids, which carry information.
    `fraction` of each user's ratings are for training, rounded down, at least one on each side; a
    single rating is for training.
    """

    name = "last"
    question = "how well is a user's next rating predicted from the earlier ones?"

    def fitted_to(self, ratings: Ratings) -> Self:
        self.check_times(ratings)
        return self

    def held_out(self, ratings: Ratings, seed: int) -> np.ndarray:
        tie_break = np.random.default_rng([seed, 1]).random(len(ratings))
        order = np.lexsort((tie_break, ratings.time, ratings.user))
        return hold_out_tail(ratings, order, lambda count: count - self._n_train(count))

    def _remark(self, ratings: Ratings, held_out: np.ndarray) -> str:
        order = np.lexsort((held_out, ratings.time, ratings.user))
        user, time, held_out = ratings.user[order], ratings.time[order], held_out[order]
        same = (np.diff(user) == 0) & (np.diff(time) == 0)
        at_cut = np.append(False, same & ~held_out[:-1] & held_out[1:])  # one row a user at most
        tie = np.cumsum(np.append(True, ~same))
        users, n = int(at_cut.sum()), int(np.isin(tie, tie[at_cut]).sum())
        if not users:
            return ""
        return (
            f"holdout {self.name}: {users:,} of {len(np.unique(user)):,} users have ratings of the "
            f"same time on both sides of the cut ({n:,} of {len(user):,} ratings); which of them "
            "are held out is random"
        )


class NextRatings(LastFraction):
    """Each user's last ratings in time, held out before a sample of n ratings is drawn.

    `fraction` of all ratings of a user lie before the cut. A sample's training ratings are drawn
    from those; its test ratings are the next ones after the cut. With `last`, the sample is drawn
    first, so there may be years between its ratings, before and after the cut.
    """

    name = "next"
    question = "how well are a user's next ratings predicted from a sample of the earlier ones?"

    def sample_key(self, ratings: Ratings, reviews_per_user: int, random: np.ndarray) -> np.ndarray:
        user, n_train = ratings.user, self._n_train(reviews_per_user)
        _, owner, count = np.unique(user, return_inverse=True, return_counts=True)
        cut = self._n_train(count)[owner]
        place = place_within(user, np.lexsort((random, ratings.time, user)))  # in time
        before = place < cut
        # of those before the cut, which come first, in the order of the key
        rank = place_within(user, np.lexsort((random, ~before, user)))
        drawn = np.where(before, rank < n_train, place < cut + reviews_per_user - n_train)
        return np.where(drawn, random - 1, random)


class RandomFraction(Holdout):
    """A random part of each user's ratings; rounded as in `LastFraction`."""

    name = "random"
    question = "how well are missing ratings filled in when later ones are known?"

    def held_out(self, ratings: Ratings, seed: int) -> np.ndarray:
        key = np.random.default_rng([seed, 2]).random(len(ratings))
        order = np.lexsort((key, ratings.user))
        return hold_out_tail(ratings, order, lambda count: count - self._n_train(count))


class GlobalTime(Holdout):
    """All ratings at or after the cutoff, by any user.

    The cutoff is the time before which `fraction` of all ratings lies. Users without a rating
    before it are cold: recommenders have never seen them.
    """

    name = "global-time"
    question = (
        "how well would a system trained up to a date have predicted the ratings after that date?"
    )
    remedy = (
        "Ratings with equal times are not divided: choose another --split or --holdout, such as "
        "random, or draw more users"
    )

    def fitted_to(self, ratings: Ratings) -> Self:
        self.check_times(ratings)
        fitted = type(self)(self.fraction)
        place = self._n_train(len(ratings))
        fitted.cutoff = int(np.partition(ratings.time, place)[place]) if len(ratings) > 1 else 0
        return fitted

    def held_out(self, ratings: Ratings, seed: int) -> np.ndarray:
        if self.cutoff is None:
            raise ValueError("GlobalTime has no cutoff yet: call fitted_to(all ratings)")
        return ratings.time >= self.cutoff

    def _remark(self, ratings: Ratings, held_out: np.ndarray) -> str:
        n_train = int((~held_out).sum())
        part = n_train / len(ratings)
        if abs(part - self.fraction) <= CLEARLY:
            return ""
        return (
            f"holdout {self.name}: {n_train:,} ratings are for training and "
            f"{len(ratings) - n_train:,} held out ({part:.0%} for training, --split asks for "
            f"{self.fraction:.0%}): ratings of one time are not divided"
        )


class Published(RandomFraction):
    """As published: like `RandomFraction`, but collaborative recommenders are tested on other rows,
    a random part of all rows."""

    name = "published"
    question = "what did the published benchmark measure?"
    same_test_rows = False

    def held_out_collaborative(self, ratings: Ratings, seed: int) -> np.ndarray:
        order = np.random.default_rng([seed, 3]).permutation(len(ratings))
        held_out = np.zeros(len(ratings), dtype=bool)
        held_out[order[self._n_train(len(ratings)) :]] = True
        return held_out


@cache
def holdouts() -> dict[str, type[Holdout]]:
    """The holdouts of this file by name."""
    classes = (value for value in globals().values() if inspect.isclass(value))
    return {
        cls.name: cls for cls in classes if issubclass(cls, Holdout) and not inspect.isabstract(cls)
    }


def load_holdout(spec: str, fraction: float) -> Holdout:
    """The holdout of that name, or the class at `file:Class`.

    Raises:
        InputError: there is no such holdout, or `fraction` is not between 0 and 1.
    """
    known = holdouts()
    if spec in known:
        return known[spec](fraction)
    if ":" not in spec:
        raise InputError(
            f"--holdout: none is named '{spec}'. Expected one of: {', '.join(known)}; or your "
            "own as file:Class, such as my_file:MyHoldout"
        )
    cls = load_class(spec, spec)
    if not issubclass(cls, Holdout) or inspect.isabstract(cls):
        raise InputError(
            f"--holdout '{spec}': {cls.__name__} is not a holdout. Derive it from "
            "recbench.evaluation.holdouts.Holdout and give it held_out(ratings, seed)"
        )
    return cls(fraction)


def hold_out_tail(
    ratings: Ratings, order: np.ndarray, n_test: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Mask of the last rows of each user in a given order, bool [n].

    Args:
        order: int [n], sorts the rows by user, and within a user with the held-out rows last.
        n_test: number of ratings of each user, int [users], -> number held out.
    """
    _, owner, count = np.unique(ratings.user, return_inverse=True, return_counts=True)
    return place_within(ratings.user, order) >= (count - n_test(count))[owner]
