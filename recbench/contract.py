"""The contract of a recommender: its training data and its methods."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from recbench.errors import InputError
from recbench.ratings import Movies, Ratings

if TYPE_CHECKING:
    from recbench.models.item_baseline import ItemBaseline
    from recbench.models.item_table.table import ItemTables

NO_RATINGS = Ratings(*(np.empty(0) for _ in range(4)))
LEARNS_FROM = {  # declared -> in the tables
    "user": "the user alone",
    "user+items": "the user, and item statistics",
    "all": "all users",
}
ITEM_FITS = ("item_baseline", "item_tables")
NO_BITS = (
    "{}: the dataset has no features of items to learn from. Put a table of items beside the "
    "ratings, or learn bits from ratings: compare_all.py --encoding learned"
)
SUM_TOLERANCE = 1e-6  # of probabilities


@dataclass(frozen=True)
class Training:
    """Everything a recommender may learn from; it contains no held-out rating.

    Attributes:
        ratings: training ratings of the users to be fitted.
        movies: bits, votes and ids; row i is movie i.
        background: ratings of other users, who are never tested; their indices follow those of the
            sample. Empty unless the recommender declares `learns_from = "all"`.
        everyone: training ratings of all users of the sample, if `ratings` are those of a shard;
            see `sample`.
        seed: of all random numbers, 0 or more.
        labels: the thermometer of a rating, "half_stars" or "truncated", see
            `recbench.data.encodings.thermometer.encode_ratings`.
        loss: of a network on output bits, "logits", or "double_sigmoid" as published.
        wnn_engine: "weightless", or "ao_core".
        has_background: False if the protocol has no background users; recommenders then use their
            `defaults_without_background`.
        fits: functions that fit what all recommenders of a cell share, by name ("item_baseline",
            "item_tables", or a recommender's); each is called at first use.
    """

    ratings: Ratings
    movies: Movies
    background: Ratings = NO_RATINGS
    everyone: Ratings | None = None
    seed: int = 0
    labels: str = "half_stars"
    loss: str = "logits"
    wnn_engine: str = "weightless"
    has_background: bool = True
    fits: Mapping[str, Callable[[], Any]] = field(default_factory=dict)

    @property
    def sample(self) -> Ratings:
        """Training ratings of all users of the sample: for global statistics."""
        return self.ratings if self.everyone is None else self.everyone

    @cached_property
    def all_ratings(self) -> Ratings:
        """`ratings`, and `background` after them."""
        if not len(self.background):
            return self.ratings
        return Ratings.concatenate([self.ratings, self.background])

    @property
    def item_baseline(self) -> ItemBaseline:
        """The mean of each movie, fitted to all training ratings of the cell."""
        return self._item_fit("item_baseline")

    @property
    def item_tables(self) -> ItemTables:
        """For each user, an item table learned from other users only."""
        return self._item_fit("item_tables")

    def fitted(self, recommender: str | type) -> Any:
        """The recommender of that name or class with its defaults, fitted to the same ratings; once
        per cell if `builds_on` declares its name. Do not modify it."""
        name = recommender if isinstance(recommender, str) else declared(recommender, "name")
        if name in self.fits:
            return self.fits[name]()
        from recbench.registry import load_recommender

        cls = load_recommender(recommender) if isinstance(recommender, str) else recommender
        made = with_defaults(cls, self.has_background)
        fit(made, self)
        return made

    def _item_fit(self, name: str) -> Any:
        if name not in self.fits:
            raise InputError(
                f"there is no {name.replace('_', ' ')} to learn from. A recommender that needs one "
                'declares learns_from = "user+items" or "all"'
            )
        return self.fits[name]()


class Recommender(ABC):
    """The interface of all recommenders: learn from ratings, predict ratings.

    A class need not derive from this one; it declares its needs in class attributes.

    >>> class ThreeAndAHalf(Recommender):
    ...     def fit(self, training):
    ...         return self
    ...
    ...     def predict(self, user, movie):
    ...         return np.full(len(user), 3.5, dtype=np.float32)
    >>> ThreeAndAHalf().predict([0, 1], [7, 8])
    array([3.5, 3.5], dtype=float32)
    """

    # In the tables and on the command line.
    name: ClassVar[str] = ""
    # What `Training` holds. "user": the ratings of its users. "user+items": also the item baseline
    # and item tables. "all": also the ratings of background users.
    learns_from: ClassVar[str] = "user"
    # True: besides stars it learns only from bits of movies; data without bits are refused.
    needs_bits: ClassVar[bool] = False
    # The name of a recommender that it contains, see `Training.fitted`.
    builds_on: ClassVar[str] = ""
    # True: parts of it are compiled at first use, see `compile_kernels`.
    has_kernels: ClassVar[bool] = False
    # Ranges for tuning: setting -> (low, high, "log" | "linear" | "int") or choices.
    search_space: ClassVar[dict[str, tuple]] = {}
    # Folder of the trials that chose its settings; "never" if not tuned.
    tuned: ClassVar[str] = "never"
    # Settings in place of the defaults if a protocol has no background users: settings that suit
    # thousands of them may overfit the sample.
    defaults_without_background: ClassVar[dict[str, object]] = {}

    @abstractmethod
    def fit(self, training: Training) -> Self:
        """Learn from `training` only, without changing it; return self.

        With "user" or "user+items", `training.ratings` may be those of a shard of the users, and
        predictions for a user must not depend on the other users; global statistics come from
        `training.sample`. A class with `fit(train, movies)` instead receives only ratings and
        movies, always those of all users that share the movies' bits.
        """

    @abstractmethod
    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Stars for each pair.

        Args:
            user: int [n], dense user index; may be one that `fit` never saw.
            movie: int [n], row number in the movies passed to `fit`; may be one without ratings.

        Returns:
            float32 [n], within 0.5 .. 5.0, never nan. Predicting changes nothing.

        A recommender whose output is bits also has `predict_bits(user, movie)`, thermometers uint8
        [n, 10]; its `predict` is `decode_ratings` of them, and a run calls only `predict_bits`. A
        recommender with a predictive distribution of stars also has `predict_distribution(user,
        movie)`: a grid of stars, float64 [g], rising, and the probability of each, float64 [n, g].

        Each of them may have a further parameter `time`: int64 [n], when each rating is predicted,
        in seconds since 1970 (UTC); None, the default: the last time in training. It is the time of
        the query, so it leaks no rating.
        """

    def state_bytes(self) -> int | None:
        """Bytes of all users' states together, without `shared_bytes`; None: unknown."""
        return None

    def shared_bytes(self) -> int | None:
        """Bytes of what all users share: movies, layers, item factors; None: unknown."""
        return None


@dataclass(frozen=True)
class Contribution:
    """A part of a prediction.

    Attributes:
        reason: in words ("item baseline").
        stars: its share of the prediction, may be negative.
        movie: row number of the movie whose rating it comes from; None if there is no single one.
        if_forgotten: change of the prediction in stars if that rating were forgotten; None if
            unknown.
    """

    reason: str
    stars: float
    movie: int | None = None
    if_forgotten: float | None = None


@dataclass(frozen=True)
class Explanation:
    """The reasons for a prediction: parts that sum to it exactly."""

    contributions: tuple[Contribution, ...]

    @property
    def stars(self) -> float:
        """The prediction, 0.5 .. 5: the sum, rounded once (`math.fsum`)."""
        return math.fsum(part.stars for part in self.contributions)


class OnlineRecommender(Recommender):
    """A recommender that learns one rating at a time after `fit`.

    `fit` starts from scratch and learns its ratings in time order (equal times in row order);
    `learn_one` continues with a user's next rating. Global statistics may stay unchanged until the
    next `fit`.
    """

    @abstractmethod
    def learn_one(self, user: int, movie: int, stars: float) -> None:
        """Learn the user's next rating, of a movie that the user has not rated before."""

    def predict_one(self, user: int, movie: int) -> float:
        """Stars, 0.5 .. 5, as from `predict`, if possible before rounding to 32 bits."""
        return float(self.predict(np.array([user]), np.array([movie]))[0])


class ForgettingRecommender(OnlineRecommender):
    """A recommender that can also forget."""

    @abstractmethod
    def forget_one(self, user: int, movie: int) -> None:
        """Remove a rating: the user's state is then as if it had never been given.

        Raises:
            KeyError: the user has no such rating.
        """

    def forget(self, user: int, movies: Sequence[int]) -> None:
        """Remove several ratings of a user, each as by `forget_one`."""
        for movie in movies:
            self.forget_one(user, movie)


class ContinualRecommender(ForgettingRecommender):
    """A recommender that can also explain, and learn a changed rating."""

    @abstractmethod
    def learn_one(self, user: int, movie: int, stars: float) -> None:
        """Learn the user's next rating. It replaces an earlier one of the same movie."""

    @abstractmethod
    def explain_one(self, user: int, movie: int) -> Explanation:
        """The parts that sum to `predict_one`."""


def declared(recommender: type | object, attribute: str) -> Any:
    """A class attribute of the contract, for a class that need not derive from `Recommender`."""
    return getattr(recommender, attribute, getattr(Recommender, attribute))


def learns_from_words(recommender: type | object) -> str:
    """Its `learns_from` in words, as in the tables."""
    return LEARNS_FROM[declared(recommender, "learns_from")]


def check_declarations(cls: type) -> None:
    """Raises InputError for an unknown `learns_from`."""
    if declared(cls, "learns_from") not in LEARNS_FROM:
        known = ", ".join(f'"{name}"' for name in LEARNS_FROM)
        raise InputError(
            f'{cls.__name__}.learns_from is "{declared(cls, "learns_from")}". Expected {known}'
        )


def takes_training(recommender: type | object) -> bool:
    """Whether its `fit` takes one `Training`, that is, its first parameter has that name; else it
    takes ratings and movies."""
    parameters = iter(inspect.signature(recommender.fit).parameters)  # type: ignore[union-attr]
    return "training" in (next(parameters, ""), next(parameters, ""))  # a class has `self` first


def shardable(recommender: object) -> bool:
    """Whether fitting only some users gives these the same predictions."""
    return takes_training(recommender) and declared(recommender, "learns_from") != "all"


def with_defaults(cls: type, background: bool, **settings: object) -> Any:
    """An instance with `settings`, and defaults for all others; without background users these are
    its `defaults_without_background`."""
    without = {} if background else declared(cls, "defaults_without_background")
    return cls(**(without | settings))


def defaults_of(cls: type, background: bool = True) -> dict[str, object]:
    """The defaults of the settings in its search space, with background users or without.

    Raises:
        InputError: the constructor lacks such a setting, or a default for it.
    """
    parameters = inspect.signature(cls).parameters
    for name in declared(cls, "search_space"):
        if name not in parameters or parameters[name].default is inspect.Parameter.empty:
            raise InputError(
                f"{cls.__name__}.search_space has '{name}': __init__ has no such keyword with a "
                "default"
            )
    defaults = {name: parameters[name].default for name in declared(cls, "search_space")}
    return defaults if background else defaults | declared(cls, "defaults_without_background")


def fit(recommender: Any, training: Training) -> Any:
    """Call `recommender.fit` with the part of `training` that its `learns_from` allows."""
    check_declarations(type(recommender))
    if declared(recommender, "needs_bits") and not training.movies.bit_names:
        raise InputError(NO_BITS.format(type(recommender).__name__))
    learns = declared(recommender, "learns_from")
    if learns != "all":
        training = replace(training, background=NO_RATINGS)
    if learns == "user":
        fits = {name: fit for name, fit in training.fits.items() if name not in ITEM_FITS}
        training = replace(training, fits=fits)
    if takes_training(recommender):
        return recommender.fit(training)
    return recommender.fit(training.all_ratings, training.movies)


def time_for(recommender: Any, time: np.ndarray | None) -> dict[str, np.ndarray | None]:
    """Keyword arguments of `predict`: `time`, if it has that parameter."""
    return {"time": time} if "time" in inspect.signature(recommender.predict).parameters else {}


def bytes_of(recommender: Any, what: str) -> int | None:
    """The recommender's "state_bytes" or "shared_bytes"; None if the class lacks the method."""
    return getattr(recommender, what, lambda: None)()


def check_distribution(
    grid: np.ndarray, probabilities: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays as float64. Raises ValueError unless each of `n` pairs has a distribution."""
    grid = np.asarray(grid, dtype=np.float64)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if grid.ndim != 1 or len(grid) == 0 or probabilities.shape != (n, len(grid)):
        raise ValueError(
            f"predict_distribution returned a grid of shape {grid.shape} and probabilities of "
            f"shape {probabilities.shape} for {n} pairs"
        )
    if not (np.isfinite(grid).all() and (np.diff(grid) > 0).all()):
        raise ValueError("predict_distribution returned a grid that does not rise")
    sums_to_one = np.abs(probabilities.sum(axis=1) - 1) <= SUM_TOLERANCE
    if not ((probabilities >= 0).all() and sums_to_one.all()):
        raise ValueError(
            "predict_distribution returned probabilities that are negative or do not sum to 1"
        )
    return grid, probabilities
