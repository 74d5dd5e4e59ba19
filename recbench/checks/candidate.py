"""Checks, and a recommender under check. It is made, fitted and called as in a run, while Python's
tracing follows its file, so that a message can name the line to blame."""

from __future__ import annotations

import inspect
import pickle
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, Literal

import numpy as np

from recbench.checks.toy_data import ASKED, MOVIES, TRAIN, toy_tables
from recbench.contract import Training, fit, time_for, with_defaults
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings, read_only
from recbench.registry import line_of
from recbench.runs.processes import OutOfTime, time_limit

MOST_TIMES = 20  # that the effect of one line is looked at in a call
NOT_SEEN = object()


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
        self.fit_returned: Any = None
        self.inputs: dict[str, np.ndarray] = {}
        self.draws = False
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
        train, movies = replace(train, **arrays_of(train)), replace(movies, **arrays_of(movies))
        for what, table in (("train", train), ("movies", movies)):
            self.inputs |= {f"{what}.{name}": getattr(table, name) for name in arrays_of(table)}
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
        """Calls one of its functions and notes the lines. Warnings of its arithmetic are not
        shown: what they lead to is checked."""
        with warnings.catch_warnings(), tracing(self._trace):
            warnings.simplefilter("ignore")
            return function(*arguments, **keywords)

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


@contextmanager
def tracing(trace: Callable) -> Iterator[None]:
    """`trace` in place of what traces now, such as a debugger, which comes back afterwards."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


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


@dataclass(frozen=True)
class Check:
    """A promise of the contract. `quick`: it is one of `--quick`; `first`: the others rest on it;
    `needs`: methods that a class must have to be checked."""

    name: str
    expected: str
    remedy: str
    quick: bool
    first: bool
    needs: tuple[str, ...]
    function: Callable[[Candidate], None]

    def run(self, candidate: Candidate) -> None:
        """Raises Broken where it is not kept, LeftOut where the recommender does not give it."""
        for method in self.needs:
            if not callable(getattr(candidate.cls, method, None)):
                raise LeftOut(f"it has no {method}")
        self.function(candidate)


@dataclass(frozen=True)
class Result:
    """Of a check. `message`: of one that failed, the line of the file, what happened there, what
    was expected, what to do; of one left out, why."""

    check: Check
    status: Literal["ok", "failed", "left out"]
    message: str = ""


CHECKS: list[Check] = []


def check(*needs: str, quick: bool = True, first: bool = False) -> Callable[[Callable], None]:
    """Puts a function behind the other checks. Of its docstring the first line is what is promised,
    the second what to do where that is not kept; messages end with both."""

    def add(function: Callable) -> None:
        expected, remedy, *_ = (inspect.getdoc(function) or "").split("\n")
        CHECKS.append(Check(function.__name__, expected, remedy, quick, first, needs, function))

    return add


def check_recommender(
    cls: type, quick: bool = False, seconds: float = 0.0, **settings: object
) -> Iterator[Result]:
    """The result of each check as soon as it is made, until one fails that the others rest on.

    Args:
        quick: leave out what takes longest.
        seconds: that a check may take; 0: as long as it takes.
        settings: of the constructor.
    """
    for one in CHECKS:
        if one.quick or not quick:
            result = result_of(one, Candidate(cls, **settings), seconds)
            yield result
            if one.first and result.status == "failed":
                return


def result_of(check: Check, candidate: Candidate, seconds: float = 0.0) -> Result:
    file, remedy = Path(candidate.file).name, check.remedy
    class_line = f"{file}, line {candidate.begins('class')}"
    try:
        with time_limit(seconds):
            check.run(candidate)
    except LeftOut as reason:
        return Result(check, "left out", str(reason))
    except Broken as broken:
        returned = candidate.returns.get(broken.method)
        line = broken.line or returned or candidate.begins(broken.method)
        what, remedy = f"{file}, line {line}: {broken}", broken.remedy or remedy
    except OutOfTime as error:
        place = line_of(error, candidate.file).rpartition(": OutOfTime: ")[0] or class_line
        what = f"{place}: still running after {seconds:g} s (--timeout)"
    except (Exception, SystemExit) as error:  # a model may fail in any way
        what = line_of(error, candidate.file)
        what = what if what.startswith(f"{file}, line ") else f"{class_line}: {what}"
    else:
        return Result(check, "ok")
    return Result(check, "failed", f"{what}; expected {check.expected}: {remedy}")
