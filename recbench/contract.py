"""The contract of a recommender: what it is, what it is given, what it can be asked."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from recbench.errors import InputError
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Movies, Ratings

OfAll = dict[str, np.ndarray]  # what is learned from the ratings of all users together, by name
NO_RATINGS = Ratings(*(np.empty(0) for _ in range(4)))


@dataclass(frozen=True)
class Options:
    """What a run decides for its recommenders. Each takes those that it names in `options`.

    Attributes:
        seed: of whatever is drawn at random, 0 or more.
        labels: the thermometer of a rating, "half_stars" or "truncated", see
            `recbench.data.encodings.thermometer.encode_ratings`.
        loss: of a network on output bits, "logits", or "double_sigmoid" as published.
        wnn_engine: "weightless", or "ao_core".
        background: whether there are ratings of background users to learn from.
    """

    seed: int = 0
    labels: str = "half_stars"
    loss: str = "logits"
    wnn_engine: str = "weightless"
    background: bool = True


@dataclass(frozen=True)
class Training:
    """What a recommender may know: nothing that is held out can be reached from it.

    Attributes:
        ratings: training ratings of the users that it is for.
        movies: their bits, votes and ids; a row number is a movie's number.
        background: ratings of other users, who are never tested; their numbers follow on those of
            the sample. Empty unless the recommender says `learns_from = "all"`.
        everyone: training ratings of all users of the sample, of whom those of `ratings` may be a
            part: global statistics are taken from them. None: of `ratings`.
        seed: of whatever is drawn at random, 0 or more.
        labels: the thermometer of a rating, "half_stars" or "truncated", see
            `recbench.data.encodings.thermometer.encode_ratings`.
        loss: of a network on output bits, "logits", or "double_sigmoid" as published.
        wnn_engine: "weightless", or "ao_core".
        fits: how to get what is fitted once for all recommenders of a cell, by name; each is
            called when it is first used.
    """

    ratings: Ratings
    movies: Movies
    background: Ratings = NO_RATINGS
    everyone: Ratings | None = None
    seed: int = 0
    labels: str = "half_stars"
    loss: str = "logits"
    wnn_engine: str = "weightless"
    fits: Mapping[str, Callable[[], Any]] = field(default_factory=dict)

    @property
    def sample(self) -> Ratings:
        """Training ratings of all users of the sample."""
        return self.ratings if self.everyone is None else self.everyone

    @cached_property
    def all_ratings(self) -> Ratings:
        """Those of its users, and after them those of background users."""
        if not len(self.background):
            return self.ratings
        return Ratings.concatenate([self.ratings, self.background])

    @property
    def item_baseline(self) -> ItemBaseline:
        """The mean of each movie, fitted to all training ratings of the cell."""
        return self._shared("item_baseline")

    @property
    def item_tables(self) -> ItemTables:
        """What other users' ratings say of movies: of each user a table that was learned without
        that user."""
        return self._shared("item_tables")

    def fitted(self, name: str) -> Any:
        """The recommender of that name, fitted to the same with its defaults; fitted once a cell.
        It is not to be changed."""
        return self._shared(name)

    def _shared(self, name: str) -> Any:
        if name not in self.fits:
            raise InputError(
                f"there is no {name.replace('_', ' ')} to learn from. A recommender that needs one "
                'says learns_from = "user+items" or "all"'
            )
        return self.fits[name]()


class Recommender(ABC):
    """What every recommender can do: learn from ratings, predict ratings.

    What it needs is declared in class attributes; nothing is guessed from signatures.

    >>> class ThreeAndAHalf(Recommender):
    ...     def fit(self, train, movies):
    ...         return self
    ...
    ...     def predict(self, user, movie):
    ...         return np.full(len(user), 3.5, dtype=np.float32)
    >>> build(ThreeAndAHalf, Options(seed=1)).predict([0, 1], [7, 8])
    array([3.5, 3.5], dtype=float32)
    """

    # In the tables and on the command line; a class in a family folder that has one is found by it.
    name: ClassVar[str] = ""
    # True: `fit` gets the ratings of background users, who are never tested, beside the sample's.
    learns_from_background: ClassVar[bool] = False
    # True: `fit` gets a third argument, the `ItemBaseline` of the split.
    starts_from_item_baseline: ClassVar[bool] = False
    # True: `fit` gets the `ItemTables` of the split as `item_tables`: what other users' ratings
    # say of movies, never learned from the user that a table is used for.
    starts_from_item_table: ClassVar[bool] = False
    # True: `predict` gets the time of each rating asked for as a third argument, by keyword.
    asks_for_time: ClassVar[bool] = False
    # Why users cannot be fitted in parts, each by itself, with the same predictions to the last
    # digit; "": they can, see `of_all_users`. Each class says so itself: it is not inherited.
    fitted_together: ClassVar[str] = "it does not say that its users can be fitted in parts"
    # True: parts of it are compiled when they are first used, see `compile_kernels`.
    has_kernels: ClassVar[bool] = False
    # The fields of `Options` that its constructor takes, by keyword.
    options: ClassVar[tuple[str, ...]] = ()
    # The name of a recommender that it contains: where a run has fitted that one to the same
    # ratings with the same options, `fit` gets it as `base`, so that it is not fitted twice.
    builds_on: ClassVar[str] = ""
    # What tuning may choose from: setting -> (low, high, "log" | "linear" | "int") or choices.
    search_space: ClassVar[dict[str, tuple]] = {}
    # Where the trials are that chose its settings; "never" if nobody tuned it.
    tuned: ClassVar[str] = "never"
    # Settings in place of the defaults where there are no background users, see `build`.
    settings_alone: ClassVar[dict[str, object]] = {}

    @abstractmethod
    def fit(self, train: Ratings, movies: Movies) -> Self:
        """Learn from `train` alone; return self. No argument is changed.

        With `starts_from_item_baseline` there is one more, `item_baseline`; with
        `starts_from_item_table`, `item_tables`; with `builds_on` there may be `base`; with
        `of_all_users` there is `of_all` where `train` is a part of the users.
        """

    def of_all_users(
        self, train: Ratings, movies: Movies, item_baseline: ItemBaseline | None = None
    ) -> OfAll:
        """What it learns from the ratings of all users together, arrays by name; nothing, unless a
        class says what. Where users are fitted in parts, `fit` gets it with each part."""
        return {}

    @abstractmethod
    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Stars for each pair.

        Args:
            user: int [n], dense user index; may be one that `fit` never saw.
            movie: int [n], row number in the `movies` given to `fit`; may be one nobody rated.

        Returns:
            float32 [n], within 0.5 .. 5.0, never nan. Asking changes nothing.

        A recommender whose own output is bits also has `predict_bits(user, movie)`, the
        thermometer uint8 [n, 10]; its `predict` is `decode_ratings` of that, and a run asks for
        the bits alone. One that has a predictive distribution of stars also has
        `predict_distribution(user, movie)`: a grid of stars, float64 [g], rising, and the
        probability of each, float64 [n, g].

        With `asks_for_time` each takes one more, `time`: int64 [n], seconds since 1970 (UTC), when
        the rating is asked for; None, the default: at the last time of the training ratings. When
        a prediction is asked for is known when it is asked for: no rating leaks by it.
        """

    def state_bytes(self) -> int | None:
        """Bytes of what was learned of the users, of all of them together; None if it cannot say.
        What serves all users is not among them, if there is `shared_bytes`."""
        return None

    def shared_bytes(self) -> int | None:
        """Bytes of what serves all users, whoever they are, and is needed to predict: movies,
        layers, item factors; None if it cannot say."""
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


def whose_ratings(cls: type) -> str:
    """Whose ratings a recommender learns from, in words."""
    if declared(cls, "learns_from_background"):
        return "all users"
    if declared(cls, "starts_from_item_table"):
        return "the user, and an item table"
    if declared(cls, "starts_from_item_baseline"):
        return "the user, and movie means"
    return "the user alone"


def why_together(recommender: Any) -> str:
    """Why the users of a recommender cannot be fitted in parts; "": they can."""
    if declared(recommender, "learns_from_background"):
        return "it learns from all users"
    own = (vars(type(recommender)), getattr(recommender, "__dict__", {}))
    if not any("fitted_together" in one for one in own):
        return Recommender.fitted_together
    return declared(recommender, "fitted_together")


def time_for(recommender: Any, time: np.ndarray | None) -> dict[str, np.ndarray | None]:
    """What `predict` gets by keyword beside user and movie: `time`, if it asks for it."""
    return {"time": time} if declared(recommender, "asks_for_time") else {}


def bytes_of(recommender: Any, what: str) -> int | None:
    """Its `what`, "state_bytes" or "shared_bytes"; None of one of one's own that lacks it."""
    return getattr(recommender, what, lambda: None)()


def build(cls: type, options: Options, **settings: object) -> Any:
    """An instance of `cls` with the options that it declares, and with `settings`.

    Without background users a recommender that learns from many is given its `settings_alone`:
    what suits a sample beside thousands of others may be far too much for the sample by itself.

    Raises:
        InputError: it declares an option that does not exist.
    """
    known = [field.name for field in fields(Options)]
    for name in declared(cls, "options"):
        if name not in known:
            raise InputError(
                f"{cls.__name__}.options names '{name}'. A run has the options {', '.join(known)}"
            )
    given = {name: getattr(options, name) for name in declared(cls, "options")}
    if not options.background:
        settings = declared(cls, "settings_alone") | settings
    made = cls(**given, **settings)
    if takes_training(made):
        made.__dict__["_options"] = options
    return made


def takes_training(recommender: Any) -> bool:
    """Whether its `fit` takes one `Training`; else it takes ratings and movies."""
    return next(iter(inspect.signature(recommender.fit).parameters), "") == "training"


def fit_on(
    recommender: Any,
    train: Ratings,
    movies: Movies,
    item_baseline: ItemBaseline | None,
    base: Any = None,
    item_tables: ItemTables | None = None,
    of_all: OfAll | None = None,
) -> Any:
    """`recommender.fit` with what it declares that it needs; returns what `fit` returns.

    Args:
        base: a fitted recommender of the name in `builds_on`; None: there is none to share.
        of_all: of `of_all_users`, where `train` is a part of the users.
    """
    if takes_training(recommender):
        options = getattr(recommender, "_options", Options())
        fits: dict[str, Any] = {}
        if item_baseline is not None:
            fits["item_baseline"] = lambda: item_baseline
        if item_tables is not None:
            fits["item_tables"] = lambda: item_tables
        if base is not None:
            fits[declared(recommender, "builds_on")] = lambda: base
        return recommender.fit(
            Training(
                train,
                movies,
                seed=options.seed,
                labels=options.labels,
                loss=options.loss,
                wnn_engine=options.wnn_engine,
                fits=fits,
            )
        )
    given: dict[str, Any] = {}
    if declared(recommender, "starts_from_item_baseline"):
        given["item_baseline"] = item_baseline
    if declared(recommender, "starts_from_item_table"):
        given["item_tables"] = item_tables
    if base is not None:
        given["base"] = base
    if of_all:
        given["of_all"] = of_all
    return recommender.fit(train, movies, **given)


_compiled: set[type] = set()  # in this process
FEW = 50  # ratings


def compile_kernels(
    recommender: Any,
    train: Ratings,
    movies: Movies,
    item_baseline: ItemBaseline | None,
    item_tables: ItemTables | None = None,
) -> None:
    """Let a copy of it learn and predict a few of the ratings, if it has kernels: compiling them,
    once for each class, is then neither learning nor predicting, which are timed."""
    cls = type(recommender)
    if not declared(recommender, "has_kernels") or cls in _compiled or len(train) < 2:
        return
    few, model = train.take(np.arange(min(len(train), FEW))), copy(recommender)
    fit_on(model, few.take(np.arange(len(few) - 1)), movies, item_baseline, None, item_tables)
    if hasattr(model, "learn_one"):
        model.learn_one(int(few.user[-1]), int(few.movie[-1]), float(few.stars[-1]))
        model.predict_one(int(few.user[-1]), int(few.movie[-1]))
    for method in ("predict", "predict_distribution"):
        if hasattr(model, method):
            getattr(model, method)(few.user, few.movie, **time_for(model, None))
    _compiled.add(cls)
