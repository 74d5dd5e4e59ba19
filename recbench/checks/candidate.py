"""A recommender under check: made, fitted and asked as in a run, with its own lines watched."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from recbench.checks.lines import Returns
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_tables
from recbench.contract import Options, build, declared, fit_on, time_for
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings

FILMS = 23
COLUMNS = ("user", "movie", "stars", "time")
FACTS = ("bits", "vote_average", "vote_count", "title")
MOVIES = toy_movies(FILMS)
# Users 0, 1, 2, 4 and 5 with 12, 1, 7, 3 and 19 ratings of movies 0 .. 19; user 3 has none.
TRAIN = toy_ratings([12, 1, 7, 0, 3, 19], movies=20)
USERS = (0, 1, 2, 4, 5)
UNSEEN_USER, UNSEEN_MOVIE = 3, 21  # within the tables, but in no rating
NEVER_HEARD_OF = 50_000  # a user beyond every table


class Broken(AssertionError):
    """A promise that is not kept.

    Attributes:
        method: of the recommender, whose line is to blame.
        line: that line, where it is known better than as the one that the method returned from.
        do: what to do, where it is known better than what the check says.
    """

    def __init__(self, what: str, method: str, line: int | None = None, do: str = "") -> None:
        super().__init__(what)
        self.method, self.line, self.do = method, line, do


class LeftOut(Exception):
    """A check of something that a recommender need not have; says what."""


class Candidate:
    """A class under check.

    Attributes:
        returns: the lines of its file that its methods returned from last.
        fit_returned: by its `fit`, the last time.
        handed: the arrays that it was handed last, by name. They are copies: those that other
            checks rest on cannot be reached from them.
    """

    def __init__(self, cls: type, **settings: object) -> None:
        self.cls, self.settings = cls, settings
        self.file = inspect.getsourcefile(cls) or ""
        self.returns = Returns(self.file)
        self.fit_returned: Any = None
        self.handed: dict[str, np.ndarray] = {}

    def make(self, **options: Any) -> Any:
        """Builds it anew with the options of a run, see `recbench.contract.Options`."""
        with self.returns.watched():
            return build(self.cls, Options(**options), **self.settings)

    def fit(self, train: Ratings = TRAIN, movies: Movies = MOVIES, model: Any = None) -> Any:
        """Fits `model`, or one made anew, with what it declares that it needs; returns the model,
        whatever its `fit` returns."""
        model = self.make() if model is None else model
        train = replace(train, **{name: getattr(train, name).copy() for name in COLUMNS})
        movies = replace(movies, **{name: getattr(movies, name).copy() for name in FACTS})
        self.handed |= {f"train.{name}": getattr(train, name) for name in COLUMNS}
        self.handed |= {f"movies.{name}": getattr(movies, name) for name in FACTS}
        self.fit_returned = self.call(
            fit_on,
            model,
            train,
            movies,
            ItemBaseline.fit(train, movies),
            item_tables=toy_tables(movies),
        )
        return model

    def ask(self, model: Any, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Its predictions as they are, but of the right shape.

        Raises:
            Broken: they are no array, or not one for each pair.
        """
        user, movie = read_only(user.copy()), read_only(movie.copy())
        self.handed |= {"user": user, "movie": movie}
        stars = self.call(model.predict, user, movie, **time_for(model, None))
        if not isinstance(stars, np.ndarray):
            raise Broken(f"predict returned {kind(stars)}", "predict")
        if stars.shape != (len(user),):
            asked = f"{len(user)} pairs" if len(user) != 1 else "1 pair"
            raise Broken(f"predict returned shape {stars.shape} for {asked}", "predict")
        return stars

    def call(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        """Calls one of its functions and notes the lines. Warnings of its arithmetic are not
        shown: what they lead to is checked."""
        with warnings.catch_warnings(), self.returns.watched():
            warnings.simplefilter("ignore")
            return function(*arguments, **keywords)

    def learn(self, model: Any, ratings: Ratings) -> None:
        """One by one, in the order of the rows."""
        columns = (ratings.user.tolist(), ratings.movie.tolist(), ratings.stars.tolist())
        for user, movie, stars in zip(*columns, strict=True):
            self.call(model.learn_one, user, movie, stars)

    def needs(self, *methods: str) -> None:
        """Raises LeftOut unless the class has all these methods."""
        for method in methods:
            if not callable(getattr(self.cls, method, None)):
                raise LeftOut(f"it has no {method}")

    def begins(self, method: str) -> int:
        """The line at which one of its methods begins; if it has none, its class."""
        written = vars(self.cls).get(method)
        return inspect.getsourcelines(written if inspect.isfunction(written) else self.cls)[1]

    def declares(self, attribute: str) -> Any:
        return declared(self.cls, attribute)


def all_pairs(users: tuple[int, ...], films: int = FILMS) -> tuple[np.ndarray, np.ndarray]:
    """Every user with every movie: two arrays int64 [users · movies]."""
    user, movie = np.meshgrid(users, np.arange(films), indexing="ij")
    return read_only(user.ravel()), read_only(movie.ravel())


def read_only(array: np.ndarray) -> np.ndarray:
    """A view of it that cannot be written to, as a run hands it out."""
    view = array.view()
    view.flags.writeable = False
    return view


def kind(value: object) -> str:
    """What to call a value in a message: "None", "a list"."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


ASKED = all_pairs((0, 1, 2, UNSEEN_USER, 4, 5, NEVER_HEARD_OF))
KNOWN = all_pairs(USERS, 20)
