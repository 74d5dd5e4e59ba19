"""The contract of a recommender: what it learns from, and what it can do."""

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
    "{}: learns from bits of items, and nothing is known of these that bits could be made of. Put "
    "a table of them beside the ratings, or let bits be learned: compare_all.py --encoding learned"
)
SUM_TOLERANCE = 1e-6  # of probabilities


@dataclass(frozen=True)
class Training:
    """What a recommender may know: nothing that is held out can be reached from it.

    Attributes:
        ratings: training ratings of the users that it is for.
        movies: their bits, votes and ids; a row number is a movie's number.
        background: ratings of other users, who are never tested; their numbers follow on those of
            the sample. Empty unless the recommender declares `learns_from = "all"`.
        everyone: training ratings of all users of the sample, if those of `ratings` are only some
            of them (a shard); see `sample`.
        seed: of whatever is drawn at random, 0 or more.
        labels: the thermometer of a rating, "half_stars" or "truncated", see
            `recbench.data.encodings.thermometer.encode_ratings`.
        loss: of a network on output bits, "logits", or "double_sigmoid" as published.
        wnn_engine: "weightless", or "ao_core".
        has_background: False: the protocol has no background users, so that recommenders have
            their `defaults_without_background`.
        fits: what is fitted once for all recommenders of a cell, by name ("item_baseline",
            "item_tables", or a recommender's); each is called when it is first used.
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
        """What other users' ratings say of movies: for each user a table that was learned without
        that user."""
        return self._item_fit("item_tables")

    def fitted(self, recommender: str | type) -> Any:
        """The recommender of that name or class with its defaults, fitted to the same; once a cell
        if `builds_on` declares its name. It is not to be changed."""
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
    """What every recommender can do: learn from ratings, predict ratings.

    A class need not derive from this one; what it needs is declared in class attributes.

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
    # True: bits of movies are all that it learns from beside stars; without bits it is refused.
    needs_bits: ClassVar[bool] = False
    # The name of a recommender that it contains, see `Training.fitted`.
    builds_on: ClassVar[str] = ""
    # True: parts of it are compiled when they are first used, see `compile_kernels`.
    has_kernels: ClassVar[bool] = False
    # What tuning may choose from: setting -> (low, high, "log" | "linear" | "int") or choices.
    search_space: ClassVar[dict[str, tuple]] = {}
    # Where the trials are that chose its settings; "never" if nobody tuned it.
    tuned: ClassVar[str] = "never"
    # Settings in place of the defaults where a protocol has no background users: what suits a
    # sample beside thousands of others may be far too much for the sample by itself.
    defaults_without_background: ClassVar[dict[str, object]] = {}

    @abstractmethod
    def fit(self, training: Training) -> Self:
        """Learn from `training` alone; return self. Nothing of it is changed.

        With "user" or "user+items", `training.ratings` may be of a part of the sample's users (a
        shard), and the predictions for a user are the same whoever else is there; statistics of
        all users come from `training.sample`. A class with `fit(train, movies)` in place of this
        gets ratings and movies alone, and always those of all users that share the movies' bits.
        """

    @abstractmethod
    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Stars for each pair.

        Args:
            user: int [n], dense user index; may be one that `fit` never saw.
            movie: int [n], row number in the movies given to `fit`; may be one nobody rated.

        Returns:
            float32 [n], within 0.5 .. 5.0, never nan. Predicting changes nothing.

        A recommender whose own output is bits also has `predict_bits(user, movie)`, the
        thermometer uint8 [n, 10]; its `predict` is `decode_ratings` of that, and a run calls
        `predict_bits` alone. One that has a predictive distribution of stars also has
        `predict_distribution(user, movie)`: a grid of stars, float64 [g], rising, and the
        probability of each, float64 [n, g].

        Each of them may have one more parameter, `time`: int64 [n], seconds since 1970 (UTC), when
        the rating is predicted; None, the default: at the last time of the training ratings. That
        time is known in advance, so no rating leaks by it.
        """

    def state_bytes(self) -> int | None:
        """Bytes of what was learned of the users, of all of them together; None: unknown. What
        serves all users is not among them, if there is `shared_bytes`."""
        return None

    def shared_bytes(self) -> int | None:
        """Bytes of what serves all users and is needed to predict: movies, layers, item factors;
        None: unknown."""
        return None


@dataclass(frozen=True)
class Contribution:
    """A part of a prediction.

    Attributes:
        reason: in words ("item baseline").
        stars: how many it adds; negative: takes off.
        movie: the movie whose rating it comes from, row number; None if it is of no single one.
        if_forgotten: by how many stars the prediction would change if that rating were forgotten;
            None if that is not known.
    """

    reason: str
    stars: float
    movie: int | None = None
    if_forgotten: float | None = None


@dataclass(frozen=True)
class Explanation:
    """Why a prediction is what it is: parts whose sum it is, exactly."""

    contributions: tuple[Contribution, ...]

    @property
    def stars(self) -> float:
        """The prediction, 0.5 .. 5: the sum, rounded once (`math.fsum`)."""
        return math.fsum(part.stars for part in self.contributions)


class OnlineRecommender(Recommender):
    """One that goes on learning, a rating at a time.

    `fit` starts afresh and learns its ratings in the order of their time (equal times in the
    order of the rows); `learn_one` goes on from there, with a user's next rating. What `fit` found
    for all users together may stay as it is until the next `fit`.
    """

    @abstractmethod
    def learn_one(self, user: int, movie: int, stars: float) -> None:
        """The user's next rating, of a movie that the user has not rated before."""

    def predict_one(self, user: int, movie: int) -> float:
        """Stars, 0.5 .. 5, as `predict` says, before it rounds to 32 bits if it can say."""
        return float(self.predict(np.array([user]), np.array([movie]))[0])


class ForgettingRecommender(OnlineRecommender):
    """One that can also forget."""

    @abstractmethod
    def forget_one(self, user: int, movie: int) -> None:
        """Remove a rating: the user's state becomes what it would be had it never been given.

        Raises:
            KeyError: the user has no such rating.
        """

    def forget(self, user: int, movies: Sequence[int]) -> None:
        """Remove several ratings of a user, as `forget_one` does each."""
        for movie in movies:
            self.forget_one(user, movie)


class ContinualRecommender(ForgettingRecommender):
    """One that can also explain, and learn that a user has changed a rating."""

    @abstractmethod
    def learn_one(self, user: int, movie: int, stars: float) -> None:
        """The user's next rating. One of a movie rated before takes the former's place."""

    @abstractmethod
    def explain_one(self, user: int, movie: int) -> Explanation:
        """What `predict_one` is the sum of."""


def declared(recommender: type | object, attribute: str) -> Any:
    """A class attribute of the contract, for a class that need not derive from `Recommender`."""
    return getattr(recommender, attribute, getattr(Recommender, attribute))


def learns_from_words(recommender: type | object) -> str:
    """What it learns from, in words, as in the tables."""
    return LEARNS_FROM[declared(recommender, "learns_from")]


def check_declarations(cls: type) -> None:
    """Raises InputError if what it declares to learn from does not exist."""
    if declared(cls, "learns_from") not in LEARNS_FROM:
        known = ", ".join(f'"{name}"' for name in LEARNS_FROM)
        raise InputError(
            f'{cls.__name__}.learns_from is "{declared(cls, "learns_from")}". Expected {known}'
        )


def takes_training(recommender: type | object) -> bool:
    """Whether its `fit` takes one `Training`: its first parameter is named so. Else it takes
    ratings and movies."""
    parameters = iter(inspect.signature(recommender.fit).parameters)  # type: ignore[union-attr]
    return "training" in (next(parameters, ""), next(parameters, ""))  # of a class, self first


def shardable(recommender: object) -> bool:
    """Whether it can be fitted to a part of the users with the same predictions for these."""
    return takes_training(recommender) and declared(recommender, "learns_from") != "all"


def with_defaults(cls: type, background: bool, **settings: object) -> Any:
    """An instance with `settings`; of others the defaults, without background users its
    `defaults_without_background`."""
    without = {} if background else declared(cls, "defaults_without_background")
    return cls(**(without | settings))


def defaults_of(cls: type, background: bool = True) -> dict[str, object]:
    """The defaults of the settings in its search space, with background users or without.

    Raises:
        InputError: the constructor has no such setting, or no default for it.
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
    """`recommender.fit` with that of `training` that its `learns_from` allows; what it returns."""
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
    """What `predict` gets by keyword beside user and movie: `time`, if it has that parameter."""
    return {"time": time} if "time" in inspect.signature(recommender.predict).parameters else {}


def bytes_of(recommender: Any, what: str) -> int | None:
    """Its `what`, "state_bytes" or "shared_bytes"; None of a class that lacks it."""
    return getattr(recommender, what, lambda: None)()


def check_distribution(
    grid: np.ndarray, probabilities: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """The two as float64; raises ValueError if they are no distribution for each of `n` pairs."""
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
