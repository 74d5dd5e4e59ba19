"""A recommender under check. It is made, fitted and called as in a run, while Python's tracing
notes where its functions return, so that a message can name the line to blame."""

from __future__ import annotations

import inspect
import pickle
import sys
import warnings
from copy import deepcopy
from dataclasses import replace
from types import FrameType
from typing import Any

import numpy as np

from recbench.checks.toy_data import ASKED, MOVIES, TRAIN, toy_tables
from recbench.contract import Training, fit, time_for, with_defaults
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings, read_only

CLIP = "cut with np.clip(stars, 0.5, 5.0)"
COPY = "change a copy, such as train.stars.copy(): other recommenders read the same arrays"
CLOSE = 1e-5  # stars; sums of float32 in another order differ by less


class Broken(AssertionError):
    """A broken rule of the contract. The line to blame is where `method` last returned; `remedy` is
    what to do, if it is more precise than the remedy of the check."""

    def __init__(self, what: str, method: str = "predict", remedy: str = "") -> None:
        super().__init__(what)
        self.method, self.remedy = method, remedy


class LeftOut(Exception):
    """The check does not apply, since something optional is missing; the message says what."""


class Candidate:
    """A class under check.

    Attributes:
        returns: for each of its methods, the line from which it last returned.
        fit_returned: what its `fit` last returned.
    """

    def __init__(self, cls: type, **settings: object) -> None:
        self.cls, self.settings = cls, settings
        self.file = inspect.getsourcefile(cls) or ""
        self.returns: dict[str, int] = {}

    def needs(self, *methods: str) -> None:
        """Raises LeftOut if the class lacks one of the methods."""
        for method in methods:
            if not callable(getattr(self.cls, method, None)):
                raise LeftOut(f"it has no {method}")

    def make(self, background: bool = True) -> Any:
        """An instance for a run with or without background users."""
        return self.call(with_defaults, self.cls, background, **self.settings)

    def fit(
        self,
        train: Ratings = TRAIN,
        movies: Movies = MOVIES,
        model: Any = None,
        sample: Ratings | None = None,
        **choices: Any,
    ) -> Any:
        """Fit `model`, or a new one, and return it, whatever its `fit` returns. `sample` are the
        ratings of all users, if `train` is a shard of them; `choices` is the seed of the run."""
        model = self.make() if model is None else model
        train, movies = replace(deepcopy(train)), replace(deepcopy(movies))  # read-only again
        baseline, tables = ItemBaseline.fit(sample or train, movies), toy_tables(movies)
        fits = {"item_baseline": lambda: baseline, "item_tables": lambda: tables}
        training = Training(train, movies, everyone=sample, fits=fits, **choices)
        before = digest((train, movies))
        self.fit_returned = self.call(fit, model, training)
        if digest((train, movies)) != before:
            raise Broken("fit changed the ratings or the movies that it got", "fit", COPY)
        return model

    def predict(self, model: Any, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Its predictions, unchanged; raises Broken unless there is one for each pair."""
        pairs = [read_only(array.copy(), array.dtype.str) for array in (user, movie)]
        stars = self.call(model.predict, *pairs, **time_for(model, None))
        if not all(map(np.array_equal, pairs, (user, movie))):
            raise Broken("predict changed the users or the movies that it got", remedy=COPY)
        if not isinstance(stars, np.ndarray):
            raise Broken(f"predict returned {type(stars).__name__}, not an array")
        if stars.shape != (len(user),):
            raise Broken(f"predict returned shape {stars.shape} for {len(user)} pairs")
        return stars

    def predictions(
        self, pairs: tuple[np.ndarray, np.ndarray] = ASKED, **choices: Any
    ) -> np.ndarray:
        """Predictions of a new instance; `choices` as in `fit`."""
        return self.predict(self.fit(**choices), *pairs)

    def difference(self, one: Any, other: Any, pairs: Any = ASKED, within: float = CLOSE) -> str:
        """`difference` of the predictions of two models."""
        return difference(self.predict(one, *pairs), self.predict(other, *pairs), within)

    def learn(self, model: Any, ratings: Ratings) -> Any:
        """Learn ratings one by one, in the order of the rows; returns the model."""
        columns = (ratings.user.tolist(), ratings.movie.tolist(), ratings.stars.tolist())
        for rating in zip(*columns, strict=True):
            self.call(model.learn_one, *rating)
        return model

    def call(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        """Call one of its functions and note the lines; another tracer, such as a debugger, is
        restored afterwards. Arithmetic warnings are hidden, since their results are checked."""
        before = sys.gettrace()
        sys.settrace(self._note_returns)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return function(*arguments, **keywords)
        finally:
            sys.settrace(before)

    def begins(self, method: str) -> int:
        """The line at which one of its methods begins; without such a method, its class."""
        written = vars(self.cls).get(method)
        return inspect.getsourcelines(written if inspect.isfunction(written) else self.cls)[1]

    def _note_returns(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        frame.f_trace_lines = False
        if event == "return":
            self.returns[frame.f_code.co_name] = frame.f_lineno
        return self._note_returns


# --- findings ----------------------------------------------------------------------------------


def require_stars(stars: np.ndarray, of: str = "") -> None:
    """Raises Broken unless all are finite and from 0.5 to 5; `of` describes them."""
    if stars.dtype.kind not in "fiu":
        raise Broken(f"predict returned {stars.dtype}, no numbers{of}")
    wrong = stars[~np.isfinite(stars)]
    if len(wrong):
        raise Broken(f"predict returned {wrong[0]} in {len(wrong)} of {len(stars)} predictions{of}")
    wrong = stars[(stars < MIN_STARS) | (stars > MAX_STARS)]
    if len(wrong):
        worst = wrong[np.abs(wrong - 3).argmax()]
        raise Broken(f"predict returned {worst:.4g} stars{of}", remedy=CLIP)


def difference(one: np.ndarray, other: np.ndarray, within: float = CLOSE) -> str:
    """How many predictions differ by more than `within`, and by how much; "": none."""
    rows = ~np.isclose(one, other, rtol=0, atol=within, equal_nan=True)
    if not rows.any():
        return ""
    most = np.abs(one.astype(float) - other)[rows].max()
    return f"{rows.sum()} of {len(one)} predictions differ, by {most:.2g} stars at most"


def in_which(one: object, other: object) -> str:
    """ " (other: count, mean)", the attributes in which two models differ; "" if none is found."""
    mine, yours = vars(one), vars(other)
    names = sorted({*mine, *yours})
    names = [name for name in names if digest(mine.get(name)) != digest(yours.get(name))]
    return f" (other: self.{', self.'.join(names)})" if names else ""


def digest(value: object) -> bytes:
    """Equal for equal values; values that cannot be compared, such as open files, are equal."""
    try:
        return pickle.dumps(value)
    except Exception:  # pickling may fail in any way
        return b""
