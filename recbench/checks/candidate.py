"""A recommender under check: made, fitted and called as in a run, while Python's tracing follows
its file, so that a message can name the line to blame."""

from __future__ import annotations

import inspect
import pickle
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import pairwise
from types import FrameType
from typing import Any, ClassVar

import numpy as np

from recbench.checks.toy_data import MOVIES, TRAIN, read_only, toy_tables
from recbench.contract import Training, fit, time_for, with_defaults
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings

COLUMNS = ("user", "movie", "stars", "time")
FACTS = ("bits", "vote_average", "vote_count", "title")
MOST_TIMES = 20  # that one line is looked at in a call
NOT_SEEN = object()


class Broken(AssertionError):
    """A promise that is not kept. The line to blame is `line`, or that from which `method` returned
    last; `remedy` is what to do, where it is known better than by the check."""

    def __init__(self, what: str, method: str, line: int | None = None, remedy: str = "") -> None:
        super().__init__(what)
        self.method, self.line, self.remedy = method, line, remedy


class LeftOut(Exception):
    """A check of something that a recommender need not have; says what."""


class Watched(Training):
    """Notes what is read of it, but by dataclasses, which copy it."""

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
        self.fit_returned: Any = None
        self.inputs: dict[str, np.ndarray] = {}
        self.draws = False
        self._each_line = False  # is followed at present

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
        train = replace(train, **{name: getattr(train, name).copy() for name in COLUMNS})
        movies = replace(movies, **{name: getattr(movies, name).copy() for name in FACTS})
        self.inputs |= {f"train.{name}": getattr(train, name) for name in COLUMNS}
        self.inputs |= {f"movies.{name}": getattr(movies, name) for name in FACTS}
        baseline, tables = ItemBaseline.fit(sample or train, movies), toy_tables(movies)
        fits = {"item_baseline": lambda: baseline, "item_tables": lambda: tables}
        training = Watched(train, movies, everyone=sample, fits=fits, **choices)
        Watched.read.clear()
        self.fit_returned = self.call(fit, model, training)
        self.draws = "seed" in Watched.read
        return model

    def predict(self, model: Any, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Its predictions as they are; raises Broken if they are not one for each pair."""
        user, movie = read_only(user.copy()), read_only(movie.copy())
        self.inputs |= {"user": user, "movie": movie}
        stars = self.call(model.predict, user, movie, **time_for(model, None))
        if not isinstance(stars, np.ndarray):
            raise Broken(f"predict returned {kind(stars)}", "predict")
        if stars.shape != (len(user),):
            pairs = f"{len(user)} pairs" if len(user) != 1 else "1 pair"
            raise Broken(f"predict returned shape {stars.shape} for {pairs}", "predict")
        return stars

    def learn(self, model: Any, ratings: Ratings) -> None:
        """One by one, in the order of the rows."""
        columns = (ratings.user.tolist(), ratings.movie.tolist(), ratings.stars.tolist())
        for user, movie, stars in zip(*columns, strict=True):
            self.call(model.learn_one, user, movie, stars)

    def call(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        """Calls one of its functions and notes the lines. Warnings of its arithmetic are not
        shown: what they lead to is checked."""
        watching = nullcontext() if self._each_line else tracing(self._enter)
        with warnings.catch_warnings(), watching:
            warnings.simplefilter("ignore")
            return function(*arguments, **keywords)

    def needs(self, *methods: str) -> None:
        """Raises LeftOut unless the class has all these methods."""
        for method in methods:
            if not callable(getattr(self.cls, method, None)):
                raise LeftOut(f"it has no {method}")

    def begins(self, method: str) -> int:
        """The line at which one of its methods begins; if it has none, its class."""
        written = vars(self.cls).get(method)
        return inspect.getsourcelines(written if inspect.isfunction(written) else self.cls)[1]

    def line_that_changes(
        self, state: Callable[[], object], call: Callable[[], object]
    ) -> int | None:
        """The first line of the file during which `state()` changes; None if that is not seen."""
        before = state()
        for (line, now), (_, after) in pairwise(self._steps(lambda _: state(), call)):
            if after not in (before, NOT_SEEN):
                return line if now is not NOT_SEEN else None
        return None

    def line_that_differs(self, call: Callable[[], object]) -> int | None:
        """The first line of the file after which two calls that should be alike have other
        variables, or go on at another line; None if that is not seen."""
        one, other = (self._steps(lambda frame: digest(frame.f_locals), call) for _ in range(2))
        for (before, mine), yours in zip(pairwise(one), other[1:], strict=False):
            if mine != yours:
                return before[0] if before[1] is not NOT_SEEN else None
        return None

    def _steps(
        self, see: Callable[[FrameType], object], call: Callable[[], object]
    ) -> list[tuple[int, object]]:
        """Each line of the file that `call` comes to, or returns from, and what is seen just
        before; of a line in a loop the first twenty times alone, then it is NOT_SEEN."""
        steps: list[tuple[int, object]] = []
        times: Counter[int] = Counter()

        def step(frame: FrameType, event: str, _: Any) -> Any:
            if frame.f_code.co_filename != self.file:
                return None
            if event in ("line", "return"):
                line = frame.f_lineno
                times[line] += 1
                steps.append((line, see(frame) if times[line] <= MOST_TIMES else NOT_SEEN))
            return step

        self._each_line = True
        try:
            with tracing(step):
                call()
        finally:
            self._each_line = False
        return steps

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        frame.f_trace_lines = False
        return self._leave

    def _leave(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "return":
            self.returns[frame.f_code.co_name] = frame.f_lineno
        return self._leave


@contextmanager
def tracing(trace: Any) -> Iterator[None]:
    """`trace` in place of what traces now, such as a debugger, which comes back afterwards."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


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
