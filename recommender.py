"""The contract of a recommender, and the list of those that exist."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from errors import InputError
from ratings import Movies, Ratings

# name in the tables -> module:class. Imported only when asked for.
RECOMMENDERS = {
    "ao": "PerUser.perUser:AoRecommender",
    "torch": "PerUser.perUser_pytorch:TorchPerUserRecommender",
    "colab": "Collaborative.torch_colab:TorchCollaborativeRecommender",
    "mlp_tuned": "PerUser.mlp_tuned:TunedPerUserMlp",
    "ridge": "PerUser.ridge:PerUserRidge",
    "wnn_vote": "PerUser.wnn_vote:WnnVote",
    "hybrid": "PerUser.hybrid:Hybrid",
    "bias": "Collaborative.bias:BiasModel",
    "svd": "Collaborative.svd:SvdModel",
    "bayes_fm": "Collaborative.bayesian_fm:BayesianFM",
    "bayes_fm_ids": "Collaborative.bayesian_fm:BayesianFMIds",
    "movie_mean": "Baselines.means:MovieMean",
    "user_mean": "Baselines.means:UserMean",
    "user_median": "Baselines.means:UserMedian",
    "always_3": "Baselines.constant:Always3",
}
# Each of them has a second read-out, for the absolute error: "hybrid_median" is that of "hybrid".
MEDIAN, MEDIAN_OF = "_median", "PerUser.median_read_out:median_of"


class Recommender(ABC):
    """What every recommender can do: learn from ratings, predict ratings.

    A constructor takes what it needs of `seed` (int), `labels` ("half_stars" or "truncated",
    see `data_prep.encode_ratings`), `loss` ("logits" or "double_sigmoid") and `wnn_engine` by
    keyword, each with a default; what it does not name it is not given.
    """

    # True for a model of many people: it is then given the ratings of people outside the sample.
    learns_from_others: ClassVar[bool] = False
    # Where the trials are that chose its settings, for the tables: "never" if nobody tuned it.
    tuned: ClassVar[str] = "never"

    @abstractmethod
    def fit(self, train: Ratings, movies: Movies) -> Self:
        """Learn from `train` alone; return self. Neither argument is changed."""

    @abstractmethod
    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Stars for each pair.

        Args:
            user: int [n], dense user index; may be one that `fit` never saw.
            movie: int [n], row number in the `movies` given to `fit`; may be one nobody rated.

        Returns:
            float32 [n], within 0.5 .. 5.0, never nan. Asking changes nothing.

        A recommender whose own output is bits also has `predict_bits(user, movie)`, the
        thermometer uint8 [n, 10] from which its stars are read.
        """

    def state_bytes(self) -> int | None:
        """Bytes of what was learned (of all users together); None if it cannot say."""
        return None


@dataclass(frozen=True)
class Contribution:
    """A part of a prediction.

    Attributes:
        reason: in words ("the crowd").
        stars: how many it adds; negative: takes off.
        movie: the movie whose rating it comes from, row number; None if it is of no single one.
    """

    reason: str
    stars: float
    movie: int | None = None


@dataclass(frozen=True)
class Explanation:
    """Why a prediction is what it is: parts whose sum it is, exactly."""

    contributions: tuple[Contribution, ...]

    @property
    def stars(self) -> float:
        """The prediction, 0.5 .. 5: the sum, rounded once (`math.fsum`)."""
        return math.fsum(part.stars for part in self.contributions)


class ContinualRecommender(Recommender):
    """One that goes on learning, a rating at a time, and can say why and forget.

    `fit` starts afresh and learns its ratings in the order of their time (equal times in the
    order of the rows); `learn_one` goes on from there, with a user's next rating. What `fit` found
    for the population stays as it is until the next `fit`.
    """

    @abstractmethod
    def learn_one(self, user: int, movie: int, stars: float) -> None:
        """The user's next rating. One of a movie rated before takes the former's place."""

    @abstractmethod
    def predict_one(self, user: int, movie: int) -> float:
        """Stars, 0.5 .. 5, as `predict` says, before it rounds to 32 bits."""

    @abstractmethod
    def forget_one(self, user: int, movie: int) -> None:
        """Take a rating back: the user's state becomes what it would be had it never been given.

        Raises:
            KeyError: the user has no such rating.
        """

    @abstractmethod
    def explain_one(self, user: int, movie: int) -> Explanation:
        """What `predict_one` is the sum of."""


def load_recommender(spec: str) -> type[Recommender]:
    """The class behind a name of `RECOMMENDERS`, such a name with "_median", or `file:Class`.

    Raises:
        InputError: no such name, file or class, or not a recommender; says what there is.
    """
    mean = spec.removesuffix(MEDIAN)
    if spec not in RECOMMENDERS and mean in RECOMMENDERS:
        module_name, _, function = MEDIAN_OF.partition(":")
        return getattr(importlib.import_module(module_name), function)(load_recommender(mean))
    module_name, _, class_name = RECOMMENDERS.get(spec, spec).partition(":")
    if not class_name:
        nearest_first = sorted(
            RECOMMENDERS, key=lambda name: -SequenceMatcher(None, mean, name).ratio()
        )
        raise InputError(
            f"no recommender is named '{spec}'. Those that are: {', '.join(nearest_first)}; "
            f"or one of them read out by the median ({nearest_first[0]}{MEDIAN}); "
            "or one of your own as file:Class, for example my_file:MyModel"
        )
    module = _import(module_name, spec)
    cls = getattr(module, class_name, None)
    if cls is None:
        classes = [name for name, value in vars(module).items() if inspect.isclass(value)]
        raise InputError(
            f"'{spec}': {module_name} has no class '{class_name}', only {', '.join(classes)}"
        )
    missing = [method for method in ("fit", "predict") if not callable(getattr(cls, method, None))]
    if missing:
        raise InputError(
            f"'{spec}': a recommender needs fit(train, movies) and predict(user, movie); "
            f"{class_name} lacks {' and '.join(missing)}"
        )
    return cls


def build(cls: type[Recommender], **options: object) -> Recommender:
    """An instance of `cls`, given those of `options` that its constructor names."""
    accepted = inspect.signature(cls).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values()):
        return cls(**options)
    return cls(**{name: value for name, value in options.items() if name in accepted})


def family_of(cls: type) -> str:
    """The folder a recommender lives in ("PerUser"), or "own" for a user's own file."""
    folder = cls.__module__.split(".")[0]
    return folder if folder in ("PerUser", "Collaborative", "Baselines") else "own"


def _import(module_name: str, spec: str):  # type: ignore[no-untyped-def]
    path = Path(module_name if module_name.endswith(".py") else f"{module_name}.py")
    if spec in RECOMMENDERS or not path.exists():
        try:
            return importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name != module_name.split(".", maxsplit=1)[0]:
                raise
            raise InputError(f"'{spec}': there is no file {path} here") from None
    file_spec = importlib.util.spec_from_file_location(path.stem, path)
    assert file_spec is not None
    assert file_spec.loader is not None
    module = importlib.util.module_from_spec(file_spec)
    sys.modules[path.stem] = module  # classes defined in it can then be pickled
    file_spec.loader.exec_module(module)
    return module
