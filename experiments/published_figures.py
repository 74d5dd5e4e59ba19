"""What was published: protocols, settings and errors, for `experiments.literature`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from recbench.registry import load_recommender

Folds = Literal["surprise", "grouplens", "ml-1m-5-fold", "ml-1m-90-10"]


@dataclass(frozen=True)
class Protocol:
    """How ratings are divided: into `blocks`, of which `tested` are held out in turn; `is_1m`: of
    MovieLens 1M, not 100K."""

    described: str
    blocks: int = 5
    tested: int = 5
    is_1m: bool = False


PROTOCOLS: dict[Folds, Protocol] = {
    "surprise": Protocol("MovieLens 100K, 5-fold, the folds of Surprise's KFold(random_state=0)"),
    "grouplens": Protocol("MovieLens 100K, 5-fold, GroupLens's u1 .. u5"),
    "ml-1m-5-fold": Protocol("MovieLens 1M, 5-fold, random", is_1m=True),
    "ml-1m-90-10": Protocol("MovieLens 1M, a random tenth held out", 10, 1, is_1m=True),
}


@dataclass(frozen=True)
class Method:
    """A recommender with the settings of its authors, and the protocols it is run by; `recommender`
    is its name, if it is another's with other settings."""

    model: str
    folds: tuple[Folds, ...]
    settings: dict = field(default_factory=dict)
    recommender: str = ""

    @property
    def cls(self) -> type:
        return load_recommender(self.recommender or self.model)


BIAS = {"epochs": 10, "damping_user": 15.0, "damping_movie": 10.0, "start": "mean"}
SVD: dict[str, object] = {
    "factors": 100,
    "epochs": 20,
    "learning_rate": 0.005,
    "regularisation": 0.02,
}
SVD |= {"start": "mean"}
USER_KNN: dict[str, object] = {
    "neighbours": 40,
    "similarity": "msd",
    "damping": 0.0,
    "damping_user": 15.0,
}
USER_KNN |= {"damping_movie": 10.0, "start": "mean"}
FM = {"rank": 10, "samples": 200, "initial_deviation": 0.1}
IMPLICIT = {**FM, "days": 1, "rank_of_many": 0}
AUTOREC = {"units": 500, "epochs": 30, "learning_rate": 0.002, "regularisation": 700.0}
ORDINAL = {**IMPLICIT, "ordinal": True}
ON_100K: tuple[Folds, ...] = ("surprise", "grouplens")
METHODS = (
    Method("bias", (*ON_100K, "ml-1m-5-fold"), BIAS),
    Method("svd", (*ON_100K, "ml-1m-5-fold"), SVD),
    Method("user_knn", (*ON_100K, "ml-1m-5-fold"), USER_KNN),
    Method("autorec", ("ml-1m-90-10",), AUTOREC),
    Method("bayes_fm_ids", (*ON_100K, "ml-1m-90-10"), FM),
    Method("bayes_fm", (*ON_100K, "ml-1m-90-10"), FM),
    Method("bayes_fm_implicit", (*ON_100K, "ml-1m-90-10"), IMPLICIT),
    Method("bayes_fm_implicit_ordinal", (*ON_100K, "ml-1m-90-10"), ORDINAL, "bayes_fm_implicit"),
)


@dataclass(frozen=True)
class Figure:
    """What somebody measured: errors in stars, pooled over the ratings of a fold.

    Attributes:
        model: of `METHODS`, which it is compared with, or the name of one that is not here.
        folds: by which protocol.
        rmse, mae: None: not published.
        source: where that stands.
        note: what differs from what is run here; empty: the same to learn from, the same settings.
        fold: on which of its folds, from 1; None: the mean over all.
    """

    model: str
    folds: Folds
    rmse: float
    mae: float | None
    source: str
    note: str = ""
    fold: int | None = None


SURPRISE = "README of scikit-surprise 1.1.5, default parameters, 5-fold"
MYFM = "myFM's documentation, 'A basic tutorial with MovieLens 100K', u3, rank 10, 200 samples"
FLIPPED = "myFM, examples/ml-1m-extended.py, timesvdpp_flipped (quoted, not looked up)"
AUTOREC_PAPER = "Sedhain et al. 2015: I-AutoRec, mean of 5 splits"
SPARSE_FC = "Muller, Martel & Indiveri 2018"
OTHER_FEATURES = (
    "with the year, and age, gender, occupation and post code of the user, which are not used here"
)
OTHER_DECAY = (
    "their weight decay is tuned on validation rows, ours was chosen on the test rows of another "
    "split; ours starts from an item baseline with votes and bits"
)
OTHER_FM = (
    "their rank, number of samples and split are not known here; without our bits and votes. In "
    "our copy the dates of users from 3000 on, half the ratings, are made up: only their order is "
    "known"
)
WITH_IDS, WITH_FEATURES = f"{MYFM}: ids, with groups", f"{MYFM}: {OTHER_FEATURES}"
PROBIT = "bayes_fm_implicit_ordinal"
FIGURES = (
    Figure("bias", "surprise", 0.944, 0.748, f"{SURPRISE}: Baseline"),
    Figure("svd", "surprise", 0.934, 0.737, f"{SURPRISE}: SVD"),
    Figure("user_knn", "surprise", 0.931, 0.733, f"{SURPRISE}: k-NN Baseline"),
    Figure("bayes_fm_ids", "grouplens", 0.8925, 0.7001, WITH_IDS, fold=3),
    Figure("bayes_fm", "grouplens", 0.8855, 0.6944, WITH_FEATURES, OTHER_FEATURES, fold=3),
    Figure("bias", "ml-1m-5-fold", 0.909, 0.719, f"{SURPRISE}: Baseline"),
    Figure("svd", "ml-1m-5-fold", 0.873, 0.686, f"{SURPRISE}: SVD"),
    Figure("user_knn", "ml-1m-5-fold", 0.895, 0.706, f"{SURPRISE}: k-NN Baseline"),
    Figure("SVD++", "ml-1m-5-fold", 0.862, 0.672, f"{SURPRISE}: SVD++"),
    Figure("autorec", "ml-1m-90-10", 0.831, None, AUTOREC_PAPER, OTHER_DECAY),
    Figure("SparseFC", "ml-1m-90-10", 0.824, None, SPARSE_FC),
    Figure("bayes_fm_implicit", "ml-1m-90-10", 0.8161, None, f"{FLIPPED}, regression", OTHER_FM),
    Figure(PROBIT, "ml-1m-90-10", 0.8140, None, f"{FLIPPED}, ordered probit", OTHER_FM),
)
