"""`sklearn:NAME`: for each user a regressor of scikit-learn on the bits of a movie.

python compare_all.py --models sklearn:SVR "sklearn+item:linear_model.Ridge(alpha=3)"
"""

from __future__ import annotations

import ast
import pickle
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from inspect import isclass, signature
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import all_estimators

from recbench.contract import Recommender, Training
from recbench.errors import InputError
from recbench.models.item_baseline import mean_of_all, shrunk_means
from recbench.ratings import DEFAULT_STARS, MAX_STARS, MIN_STARS, rows_of_each
from recbench.threads import one_thread

ON_RESIDUALS = "sklearn+item:"
# Modules looked into first: to import all of scikit-learn takes seconds.
USUAL = ("linear_model", "neighbors", "tree", "ensemble", "svm")
DAMPING = 2.0  # κ, that of `ridge`
# Of users, in `user_notes`.
NOT_FITTED = "with ratings that it cannot be fitted to, mostly too few: predicted by shrunk means"
NOT_CONVERGED = "for whom it has not converged"


class ScikitLearn(Recommender):
    """r̂_ui = o_i + F_u(x_i), where F_u is a regressor fitted to the user's own r_ui − o_i.

    x_i are the movie's bits, 0.0 or 1.0; o_i is 0, or for `sklearn+item:` the item baseline c_i.
    If scikit-learn cannot fit F to a user's ratings (such as five neighbours to four ratings), or F
    is not finite for a movie, the prediction is o_i plus the shrunk mean (Σ e + κ m) / (n_u + κ),
    where e = r − o and m is the mean of e over all training ratings. For a user without training
    ratings it is o_i + m.

    `recommender_of` makes a subclass for each regressor.

    The run's seed is the `random_state` of all F_u, if the regressor is random and none is given.

    Attributes:
        user_notes: number of users that were not fitted, by reason.
    """

    needs_bits: ClassVar[bool] = True
    regressor: ClassVar[type]
    parameters: ClassVar[dict[str, object]]
    draws: ClassVar[bool]

    @one_thread()  # several take ten times the processor time of small ones
    def fit(self, training: Training) -> Self:
        train, sample = training.ratings, training.sample
        # neighbours at one distance, and draws, follow the order of the rows: always the same one
        train = train.take(np.lexsort((train.movie, train.time, train.user)))
        on_residuals = self.learns_from == "user+items"
        nothing = np.zeros(len(training.movies))
        self._start = training.item_baseline.stars if on_residuals else nothing  # o, (movies,)
        self._x = training.movies.bits.astype(np.float64)  # (movies, bits)
        residual = train.stars - self._start[train.movie]  # e, (ratings,)
        self._users = np.unique(train.user)
        self._otherwise = 0.0 if on_residuals else DEFAULT_STARS  # m
        if len(sample):
            self._otherwise = mean_of_all(sample.stars - self._start[sample.movie])
        self._means = shrunk_means(train.user, residual, DAMPING, self._otherwise)
        self.user_notes: Counter[str] = Counter()
        seed = training.seed if self.draws else 0
        self._fitted = [
            self._fitted_to(self._x[train.movie[rows]], residual[rows], seed)
            for rows in rows_of_each(train.user)
        ]
        return self

    def _fitted_to(self, x: np.ndarray, residual: np.ndarray, seed: int) -> Any:
        """F of one user, float64 [ratings, bits] and [ratings]; None: the ratings are too few."""
        regressor = self.make(seed)
        with quietly() as warned:
            try:
                regressor.fit(x, residual).predict(x[:1])  # some see only then what they lack
            except ValueError:
                self.user_notes[NOT_FITTED] += 1
                return None
        if any(issubclass(one.category, ConvergenceWarning) for one in warned):
            self.user_notes[NOT_CONVERGED] += 1
        return regressor

    @one_thread()
    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        residual = np.full(len(user), self._otherwise)
        known = np.flatnonzero(np.isin(user, self._users))
        owner = np.searchsorted(self._users, user[known])
        residual[known] = self._means[owner]
        with quietly():
            for rows in rows_of_each(owner):
                regressor, queries = self._fitted[owner[rows[0]]], known[rows]
                if regressor is not None:
                    own = regressor.predict(self._x[movie[queries]])
                    residual[queries] = np.where(np.isfinite(own), own, residual[queries])
        stars = self._start[movie] + residual
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._means.nbytes + sum(len(pickle.dumps(one)) for one in self._fitted)

    def shared_bytes(self) -> int:
        return self._x.nbytes + self._start.nbytes

    @classmethod
    def make(cls, seed: int) -> Any:
        """The regressor, not fitted."""
        draws = "random_state" in signature(cls.regressor).parameters
        return cls.regressor(**({"random_state": seed} if draws else {}) | cls.parameters)


@contextmanager
def quietly() -> Iterator[list[warnings.WarningMessage]]:
    """Collect warnings instead of printing them: hundreds of users would have the same one."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield warned


# --- from the text on the command line ---------------------------------------------------------


@cache
def recommender_of(spec: str) -> type[ScikitLearn]:
    """The recommender named "sklearn:linear_model.Ridge(alpha=3)".

    Args:
        spec: `sklearn:`, or `sklearn+item:` for residuals from the item baseline; the class, with
            its module or without; its parameters as literals, by keyword. No code is evaluated.

    Raises:
        InputError: `spec` has another form, there is no such regressor, or scikit-learn refuses the
            parameters or a single target.
    """
    path, parameters = _parsed(spec)
    regressor = _regressor_at(path, spec)
    if "n_jobs" in parameters:
        raise InputError(f"'{spec}': n_jobs must be 1; use --workers to run in parallel")
    described: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"{regressor.__name__} of scikit-learn for each user, on the bits of a movie.",
        "name": "".join(spec.split()),
        "learns_from": "user+items" if spec.startswith(ON_RESIDUALS) else "user",
        "regressor": regressor,
        "parameters": parameters,
    }
    made = type("ScikitLearn", (ScikitLearn,), described)
    made.draws = _draws(made, spec)  # type: ignore[attr-defined]
    return made


def _parsed(spec: str) -> tuple[str, dict[str, object]]:
    """The dotted path and the parameters."""
    try:
        tree = ast.parse(spec.partition(":")[2].strip(), mode="eval").body
        call = tree if isinstance(tree, ast.Call) else ast.Call(tree, [], [])
        path = ast.unparse(call.func)
        parameters = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
        plain = all(map(str.isidentifier, path.split("."))) and None not in parameters
        if call.args or not plain or len(parameters) < len(call.keywords):
            raise ValueError
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise InputError(
            f"'{spec}': expected a regressor of scikit-learn and its parameters, by keyword, as "
            "numbers, strings, None, True, False or lists of them: sklearn:KNeighborsRegressor, or "
            'in quotes "sklearn:linear_model.Ridge(alpha=3)"; sklearn+item: fits residuals from '
            "the item baseline"
        ) from None
    return path, parameters  # type: ignore[return-value]


def _regressor_at(path: str, spec: str) -> type:
    folder, _, name = path.rpartition(".")
    for module in [folder] if folder else USUAL:
        try:
            found = getattr(import_module(f"sklearn.{module}"), name, None)
        except ImportError:
            found = None
        if isclass(found) and issubclass(found, RegressorMixin):
            return found
    every = dict(all_estimators(type_filter="regressor"))
    if not folder and name in every:
        return every[name]
    nearest = (f"{_folder(every[one])}.{one}" for one in get_close_matches(name, every, 5, 0))
    raise InputError(
        f"'{spec}': scikit-learn has no regressor {path}. Nearest: {', '.join(nearest)}"
    )


def _folder(regressor: type) -> str:
    """The public module that a class is imported from, below sklearn: "linear_model"."""
    return ".".join(regressor.__module__.split("._")[0].split(".")[1:])


def _draws(made: type[ScikitLearn], spec: str) -> bool:
    """Whether predictions on made-up ratings depend on the seed.

    Raises:
        InputError: it cannot be fitted to them; with scikit-learn's message.
    """
    rng = np.random.default_rng(0)
    x, others = rng.integers(0, 2, (2, 200, 40)).astype(np.float64)  # trees know their own rows
    y = rng.integers(1, 11, 200) / 2 - (0 if made.learns_from == "user" else DEFAULT_STARS)
    try:
        with quietly(), one_thread():
            one, other = (np.asarray(made.make(seed).fit(x, y).predict(others)) for seed in (0, 1))
        if one.shape != y.shape:
            raise ValueError(f"it predicts an array of shape {one.shape} for {len(y)} ratings")
    except Exception as error:  # in any way
        reason = " ".join(str(error).split())
        raise InputError(f"'{spec}': cannot be fitted to 200 made-up ratings. {reason}") from None
    return bool((one != other).any())
