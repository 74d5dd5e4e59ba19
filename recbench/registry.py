"""Recommenders by name: those of the family folders, and classes in a user's own files."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import traceback
from difflib import SequenceMatcher
from importlib import import_module
from pathlib import Path
from types import ModuleType

from recbench.errors import InputError

ROOT = Path(__file__).resolve().parents[1]  # of the project
FAMILIES = ("PerUser", "Collaborative", "Baselines")
GONE = {  # names of earlier runs -> their replacements
    "personal_exact": "personal",
    "hybrid": "hybrid_implicit",
    "boosted_trees": "bayes_fm",
    "lightgbm": "bayes_fm",
}
MEDIAN = "_median"  # "ridge_median" predicts the median where "ridge" predicts the mean
OWN = "own"  # first part of the module name of a user's own file
NO_STARS = (
    "'{}' ranks movies and predicts no stars. Use it by its name, with compare_all.py --ranking"
)
SKLEARN = ("sklearn:", "sklearn+item:")  # see PerUser/scikit_learn.py

RECOMMENDERS = {
    "hybrid_implicit": "Collaborative.hybrid:HybridImplicit",
    "mlp_tuned": "PerUser.mlp_tuned:TunedPerUserMlp",
    "ao": "PerUser.perUser:AoRecommender",
    "wisard": "PerUser.wisard:WisardRecommender",
    "torch": "PerUser.perUser_pytorch:TorchPerUserRecommender",
    "personal": "PerUser.personal:Personal",
    "ntuple": "PerUser.ntuple:NTuple",
    "implicit_mean": "PerUser.ntuple:ImplicitMean",
    "fold_in": "PerUser.fold_in:FoldIn",
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
    "bayes_fm_recent": "Collaborative.recent:BayesianFMRecent",
    "bayes_fm_implicit_recent": "Collaborative.recent:BayesianFMImplicitRecent",
    "vb_all_recent": "Collaborative.recent:VbAllRecent",
    "bias": "Collaborative.bias:BiasModel",
    "ease": "Collaborative.ease:EaseModel",
    "item_knn": "Collaborative.neighbours:ItemNeighbours",
    "user_knn": "Collaborative.neighbours:UserNeighbours",
    "river_baseline": "Collaborative.river_online:RiverBaseline",
    "river_biased_mf": "Collaborative.river_online:RiverBiasedMF",
    "svd": "Collaborative.svd:SvdModel",
    "vb_all": "Collaborative.vb_all:VbAll",
    "colab": "Collaborative.torch_colab:TorchCollaborativeRecommender",
    "always_3": "Baselines.means:Always3",
    "movie_mean": "Baselines.means:MovieMean",
    "user_mean": "Baselines.means:UserMean",
    "user_median": "Baselines.means:UserMedian",
}
RANKERS = {  # rank movies, and predict no stars
    "most_popular": "Collaborative.implicit_ranking:MostPopular",
    "ease_implicit": "Collaborative.implicit_ranking:ImplicitEase",
    "ials": "Collaborative.implicit_ranking:ImplicitAls",
    "bpr": "Collaborative.implicit_ranking:ImplicitBpr",
}
BY_NAME = RECOMMENDERS | RANKERS


OTHER_NAMES = """\
NAME_median        the form of NAME that predicts the median
sklearn:Regressor  a regressor of scikit-learn per user, such as sklearn:Ridge(alpha=3)
sklearn+item:…     the same, fitted to residuals from the item baseline
file:Class         your own, such as my_file:MyModel; see docs/your-own-model.md"""


def listed() -> str:
    """What --list-models prints: name, family, `learns_from` and a sentence for each of `BY_NAME`,
    from docs/recommenders.md, since importing them all takes seconds."""
    page = (ROOT / "docs" / "recommenders.md").read_text(encoding="utf-8")
    lines = [("NAME", "FAMILY", "LEARNS FROM", "")]
    for name, what, learns_from in re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", page, re.M):
        lines.append((name, BY_NAME[name].split(".")[0], learns_from, what.replace("`", "")))
    rows = ("{:17}  {:13}  {:26}  {}".format(*line).rstrip() for line in lines)
    return "\n".join((*rows, OTHER_NAMES))


def check_name(spec: str, ranking: bool = False) -> None:
    """Raises InputError if `spec` names no recommender, or one that predicts no stars unless
    `ranking`. Imports nothing."""
    mean = spec.removesuffix(MEDIAN)
    if mean in RANKERS:
        if ranking and spec == mean:
            return
        raise InputError(NO_STARS.format(spec))
    if spec in RECOMMENDERS or mean in RECOMMENDERS or ":" in spec:
        return
    if mean in GONE:
        raise InputError(f"'{spec}' was removed. Use {GONE[mean]}")
    known = BY_NAME if ranking else RECOMMENDERS
    nearest = sorted(known, key=lambda name: -SequenceMatcher(None, mean, name).ratio())
    raise InputError(
        f"no recommender is named '{spec}'. Expected one of: {', '.join(nearest)}; "
        f"or its form that predicts the median, such as {nearest[0]}{MEDIAN}; "
        "or your own as file:Class, such as my_file:MyModel; "
        "or a regressor of scikit-learn, such as sklearn:Ridge"
    )


def load_recommender(spec: str) -> type:
    """The class of a name in `BY_NAME`, such a name with "_median", "sklearn:Regressor" or
    "file:Class".

    Raises:
        InputError: no such name, file or class, or not a recommender; with the alternatives.
    """
    check_name(spec, ranking=True)
    if spec in BY_NAME:
        return load_class(BY_NAME[spec], spec)
    if spec.endswith(MEDIAN):
        from recbench.models.median import median_of  # with numba

        return median_of(load_recommender(spec.removesuffix(MEDIAN)))
    if spec.startswith(SKLEARN):
        return import_module("PerUser.scikit_learn").recommender_of(spec)
    cls = load_class(spec, spec)
    missing = [method for method in ("fit", "predict") if not callable(getattr(cls, method, None))]
    if missing:
        raise InputError(
            f"'{spec}': a recommender needs fit(training) or fit(train, movies), and "
            f"predict(user, movie); {cls.__name__} lacks {' and '.join(missing)}"
        )
    from recbench.contract import check_declarations  # with numpy

    check_declarations(cls)
    return cls


def class_of(name: str) -> type | None:
    """The class of that name in the tables, or its replacement; None for a user's own."""
    try:
        return load_recommender(GONE.get(name, name))
    except InputError:
        return None


def family_of(cls: type) -> str:
    """The folder of a recommender ("PerUser"), or "own" for a user's own file."""
    folder = cls.__module__.split(".")[0]
    return folder if folder in FAMILIES else OWN


def file_of(cls: type) -> str | None:
    """The user's own file with the recommender; None for those of the project."""
    module = sys.modules.get(cls.__module__)
    return getattr(module, "__file__", None) if family_of(cls) == OWN else None


def name_of(spec: str) -> str:
    """The name in the tables: the class in "file:Class"; all of `sklearn:…`."""
    if spec.startswith(SKLEARN):
        return "".join(spec.split())
    return spec.rpartition(":")[2]


# --- classes by path ---------------------------------------------------------------------------


def load_class(path: str, spec: str) -> type:
    """The class at "module:Class" or "file:Class"; `spec` is the user's text.

    Raises:
        InputError: there is no such file or class, or the file cannot be run; with the line.
    """
    module_name, _, class_name = path.partition(":")
    module = _import(module_name, spec)
    cls = getattr(module, class_name, None)
    if not inspect.isclass(cls):
        classes = [name for name, value in vars(module).items() if inspect.isclass(value)]
        raise InputError(
            f"'{spec}': {module_name} has no class '{class_name}', only {', '.join(classes)}"
        )
    return cls


def line_of(error: BaseException, file: str | None) -> str:
    """An error in words: "my_file.py, line 12: ValueError: no"; without the line if it did not
    pass through the file, or if there is no file."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{Path(error.filename or '').name}, line {error.lineno}: SyntaxError: {error.msg}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: {text}" if frames else text


def _import(module_name: str, spec: str) -> ModuleType:
    path = _file(module_name)
    if not path.is_file():
        try:
            return import_module(module_name)
        except (Exception, SystemExit) as error:  # a module may fail in any way
            first = module_name.split(".", maxsplit=1)[0]
            no_such_name = isinstance(error, ModuleNotFoundError) and error.name == first
            if no_such_name or not all(map(str.isidentifier, module_name.split("."))):
                raise InputError(f"'{spec}': there is no file {path.name} here") from None
            raise InputError(f"'{spec}' cannot be loaded. {line_of(error, None)}") from None
    # a unique module name, so a file named json.py or ratings.py replaces no other module
    name = f"{OWN}.{'.'.join(path.with_suffix('').parts[1:])}"
    if name in sys.modules:
        return sys.modules[name]
    file_spec = importlib.util.spec_from_file_location(name, path)
    assert file_spec is not None
    assert file_spec.loader is not None
    module = importlib.util.module_from_spec(file_spec)
    sys.modules[name] = module  # classes defined in it can then be pickled
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # so that it can import files beside it
    try:
        file_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may fail in any way
        del sys.modules[name]
        raise InputError(f"'{spec}' cannot be loaded. {line_of(error, str(path))}") from None
    return module


def _file(module_name: str) -> Path:
    return Path(module_name if module_name.endswith(".py") else f"{module_name}.py").resolve()
