"""Recommenders by name: what stands in the family folders, and files of one's own."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from importlib import import_module
from pathlib import Path

from recbench.errors import InputError
from recbench.plugin import OWN, load_class

ROOT = Path(__file__).resolve().parents[1]  # of the project
FAMILIES = ("PerUser", "Collaborative", "Baselines")
RENAMED = {"lightgbm": "boosted_trees"}  # runs of before have the old name
MEDIAN = "_median"  # "ridge_median" is "ridge" read out by the median
SKLEARN = ("sklearn:", "sklearn+item:")  # see PerUser/scikit_learn.py

RECOMMENDERS = {
    "hybrid": "Collaborative.hybrid:Hybrid",
    "hybrid_implicit": "Collaborative.hybrid:HybridImplicit",
    "mlp_tuned": "PerUser.mlp_tuned:TunedPerUserMlp",
    "ao": "PerUser.perUser:AoRecommender",
    "torch": "PerUser.perUser_pytorch:TorchPerUserRecommender",
    "personal": "PerUser.personal:Personal",
    "personal_exact": "PerUser.personal:PersonalExact",
    "personal_live": "Collaborative.personal_live:PersonalLive",
    "ridge_recursive": "PerUser.recursive_ridge:RecursiveRidge",
    "ridge": "PerUser.ridge:PerUserRidge",
    "torch_online": "PerUser.torch_online:TorchOnlineRecommender",
    "autorec": "Collaborative.autorec:AutoRecModel",
    "bayes_fm": "Collaborative.bayesian_fm:BayesianFM",
    "bayes_fm_ids": "Collaborative.bayesian_fm:BayesianFMIds",
    "bayes_fm_ordinal": "Collaborative.bayesian_fm:BayesianFMOrdinal",
    "bayes_fm_folded": "Collaborative.bayesian_fm_folded:BayesianFMFolded",
    "bayes_fm_implicit": "Collaborative.bayesian_fm_implicit:BayesianFMImplicit",
    "bias": "Collaborative.bias:BiasModel",
    "boosted_trees": "Collaborative.boosted_trees:BoostedTrees",
    "ease": "Collaborative.ease:EaseModel",
    "item_knn": "Collaborative.neighbours:ItemNeighbours",
    "user_knn": "Collaborative.neighbours:UserNeighbours",
    "river_baseline": "Collaborative.river_online:RiverBaseline",
    "river_biased_mf": "Collaborative.river_online:RiverBiasedMF",
    "svd": "Collaborative.svd:SvdModel",
    "colab": "Collaborative.torch_colab:TorchCollaborativeRecommender",
    "always_3": "Baselines.means:Always3",
    "movie_mean": "Baselines.means:MovieMean",
    "user_mean": "Baselines.means:UserMean",
    "user_median": "Baselines.means:UserMedian",
}


def described() -> Iterator[tuple[str, str, str, str]]:
    """Name, family, what it learns from, and a sentence for each of `RECOMMENDERS`, from
    docs/recommenders.md: importing them all takes seconds."""
    page = (ROOT / "docs" / "recommenders.md").read_text(encoding="utf-8")
    for name, what, learns_from in re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", page, re.M):
        yield name, RECOMMENDERS[name].split(".")[0], learns_from, what.replace("`", "")


def check_name(spec: str) -> None:
    """Raises InputError if `spec` is the name of no recommender; imports none."""
    spec = RENAMED.get(spec, spec)
    mean = spec.removesuffix(MEDIAN)
    if spec in RECOMMENDERS or mean in RECOMMENDERS or ":" in spec:
        return
    nearest = sorted(RECOMMENDERS, key=lambda name: -SequenceMatcher(None, mean, name).ratio())
    raise InputError(
        f"no recommender is named '{spec}'. Those that are: {', '.join(nearest)}; "
        f"or one of them read out by the median ({nearest[0]}{MEDIAN}); "
        "or one of your own as file:Class, for example my_file:MyModel; "
        "or a regressor of scikit-learn, for example sklearn:Ridge"
    )


def load_recommender(spec: str) -> type:
    """The class behind a name of `RECOMMENDERS`, such a name with "_median", "sklearn:Regressor",
    or "file:Class".

    Raises:
        InputError: no such name, file or class, or not a recommender; says what there is.
    """
    check_name(spec)
    spec = RENAMED.get(spec, spec)
    if spec in RECOMMENDERS:
        return load_class(RECOMMENDERS[spec], spec)
    if spec.endswith(MEDIAN):
        from recbench.models.median import median_of  # with numba

        return median_of(load_recommender(spec.removesuffix(MEDIAN)))
    if spec.startswith(SKLEARN):
        return import_module("PerUser.scikit_learn").recommender_of(spec)
    cls = load_class(spec, spec)
    missing = [method for method in ("fit", "predict") if not callable(getattr(cls, method, None))]
    if missing:
        raise InputError(
            f"'{spec}': a recommender needs fit(train, movies) and predict(user, movie); "
            f"{cls.__name__} lacks {' and '.join(missing)}"
        )
    return cls


def class_of(name: str) -> type | None:
    """The class of that name in the tables; None of one of somebody's own."""
    try:
        return load_recommender(name)
    except InputError:
        return None


def family_of(cls: type) -> str:
    """The folder a recommender lives in ("PerUser"), or "own" for a user's own file."""
    folder = cls.__module__.split(".")[0]
    return folder if folder in FAMILIES else OWN


def file_of(cls: type) -> str | None:
    """The user's own file that a recommender stands in; None for those of the project."""
    module = sys.modules.get(cls.__module__)
    return getattr(module, "__file__", None) if family_of(cls) == OWN else None


def name_of(spec: str) -> str:
    """The name in the tables: of one's own "file:Class" the class's; of `sklearn:…` all of it."""
    if spec.startswith(SKLEARN):
        return "".join(spec.split())
    return RENAMED.get(spec, spec).rpartition(":")[2]
