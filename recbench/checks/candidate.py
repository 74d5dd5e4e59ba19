"""A recommender under check. It is made, fitted and called as in a run, while Python's tracing
follows its file, so that a message can name the line to blame."""

from __future__ import annotations

import inspect
import pickle
import sys
import warnings
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from types import FrameType
from typing import Any, ClassVar

import numpy as np

from recbench.checks.toy_data import ASKED, MOVIES, TRAIN, toy_tables
from recbench.contract import Training, fit, time_for, with_defaults
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings, read_only

MOST_STEPS = 10_000  # lines of a call that are followed to find the one to blame


class Broken(AssertionError):
    """A promise that is not kept. The line to blame is `line`, or that from which `method` returned
    last; `remedy` is what to do, where it is known better than by the check."""

    def __init__(
        self, what: str, method: str = "predict", line: int | None = None, remedy: str = ""
    ) -> None:
        super().__init__(what)
        self.method, self.line, self.remedy = method, line, remedy


class LeftOut(Exception):
    """A check of something that a recommender need not have; says what."""


def needs(*methods: str) -> Callable[[Callable], Callable]:
    """Marks a check of something that a class need not have: these methods."""

    def mark(check: Callable) -> Callable:
        check.needs = methods  # type: ignore[attr-defined]
        return check

    return mark


class Watched(Training):
    """Notes what is read of it, except by dataclasses, which copy it."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        if sys._getframe(1).f_globals["__name__"] != "dataclasses":
            Watched.read.add(name)
        return super().__getattribute__(name)


class Candidate:
    """A class under check.

    Attributes:
        returns: the line of its file that each of its methods returned from last.
        fit_returned: by its `fit`, the last time.
        inputs: the arrays that it received last, by name; copies, which no other check sees.
        draws: whether its last `fit` read the seed.
    """

    def __init__(self, cls: type, **settings: object) -> None:
        self.cls, self.settings = cls, settings
        self.file = inspect.getsourcefile(cls) or ""
        self.returns: dict[str, int] = {}
        self.inputs: dict[str, np.ndarray] = {}
        self._trace: Callable = self._note_returns

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
        """Fits `model`, or a new one, and returns it, whatever its `fit` returns.

        Args:
            sample: ratings of all users, where `train` is a part of them.
            choices: seed, labels and loss of the run.
        """
        model = self.make() if model is None else model
        copies = {"train": arrays_of(train), "movies": arrays_of(movies)}
        train, movies = replace(train, **copies["train"]), replace(movies, **copies["movies"])
        for what, table in (("train", train), ("movies", movies)):
            self.inputs |= {f"{what}.{name}": getattr(table, name) for name in copies[what]}
        baseline, tables = ItemBaseline.fit(sample or train, movies), toy_tables(movies)
        fits = {"item_baseline": lambda: baseline, "item_tables": lambda: tables}
        training = Watched(train, movies, everyone=sample, fits=fits, **choices)
        Watched.read.clear()
        self.fit_returned = self.call(fit, model, training)
        self.draws = "seed" in Watched.read
        return model

    def predict(self, model: Any, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Its predictions as they are; raises Broken if they are not one for each pair."""
        user, movie = (read_only(array.copy(), array.dtype.str) for array in (user, movie))
        self.inputs |= {"user": user, "movie": movie}
        stars = self.call(model.predict, user, movie, **time_for(model, None))
        if not isinstance(stars, np.ndarray):
            raise Broken(f"predict returned {kind(stars)}")
        if stars.shape != (len(user),):
            pairs = f"{len(user)} pairs" if len(user) != 1 else "1 pair"
            raise Broken(f"predict returned shape {stars.shape} for {pairs}")
        return stars

    def predictions(
        self, pairs: tuple[np.ndarray, np.ndarray] = ASKED, **choices: Any
    ) -> np.ndarray:
        """Of a new instance; `choices` as of `fit`."""
        return self.predict(self.fit(**choices), *pairs)

    def learn(self, model: Any, ratings: Ratings) -> None:
        """One by one, in the order of the rows."""
        columns = (ratings.user.tolist(), ratings.movie.tolist(), ratings.stars.tolist())
        for rating in zip(*columns, strict=True):
            self.call(model.learn_one, *rating)

    def call(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        """Calls one of its functions and notes the lines; what traces now, such as a debugger,
        comes back afterwards. Warnings of its arithmetic are not shown: what they lead to is
        checked."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return function(*arguments, **keywords)
        finally:
            sys.settrace(before)

    def begins(self, method: str) -> int:
        """The line at which one of its methods begins; if it has none, its class."""
        written = vars(self.cls).get(method)
        return inspect.getsourcelines(written if inspect.isfunction(written) else self.cls)[1]

    def line_that_changes(
        self, state: Callable[[], object], call: Callable[[], object]
    ) -> int | None:
        """The first line of the file during which `state()` changes; None if that is not seen."""
        steps = pairwise(self._steps(lambda _: state(), call))
        return next((line for (line, now), (_, then) in steps if now != then), None)

    def line_that_differs(self, call: Callable[[], object]) -> int | None:
        """The first line of the file after which two calls that should be alike have other
        variables, or go on at another line; None if that is not seen."""
        one, other = (self._steps(lambda frame: digest(frame.f_locals), call) for _ in range(2))
        pairs = zip(pairwise(one), other[1:], strict=False)
        return next((before[0] for (before, mine), yours in pairs if mine != yours), None)

    def _steps(
        self, see: Callable[[FrameType], object], call: Callable[[], object]
    ) -> list[tuple[int, object]]:
        """Each line of the file that `call` comes to, or returns from, and what is seen just
        before."""
        steps: list[tuple[int, object]] = []

        def step(frame: FrameType, event: str, _: Any) -> Any:
            if frame.f_code.co_filename != self.file or len(steps) == MOST_STEPS:
                return None
            if event in ("line", "return"):
                steps.append((frame.f_lineno, see(frame)))
            return step

        self._trace = step
        try:
            call()
        finally:
            self._trace = self._note_returns
        return steps

    def _note_returns(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        frame.f_trace_lines = False
        if event == "return":
            self.returns[frame.f_code.co_name] = frame.f_lineno
        return self._note_returns


def arrays_of(table: Ratings | Movies) -> dict[str, Any]:
    """Copies of its columns, by name."""
    columns = {field.name: getattr(table, field.name) for field in fields(table)}
    return {name: one.copy() for name, one in columns.items() if isinstance(one, np.ndarray)}


def attributes_that_differ(one: object, other: object) -> list[str]:
    """The names of attributes that two objects do not have alike."""
    mine, yours = vars(one), vars(other)
    names = sorted(mine.keys() | yours.keys())
    return [name for name in names if digest(mine.get(name)) != digest(yours.get(name))]


def digest(value: object) -> bytes:
    """Equal for equal values; what cannot be compared, such as an open file, counts as equal."""
    if isinstance(value, dict):
        return b"".join(digest(key) + digest(one) for key, one in value.items())
    try:
        return pickle.dumps(value)
    except Exception:  # what cannot be pickled may fail in any way
        return digest(vars(value)) if hasattr(value, "__dict__") else b""


def kind(value: object) -> str:
    """What to call a value in a message: "None", "a list"."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
