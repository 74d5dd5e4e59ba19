"""Settings that let the recommenders which sample do it quickly."""

from __future__ import annotations

from typing import ClassVar

from Collaborative.bayesian_fm import BayesianFM
from Collaborative.bayesian_fm_implicit import BayesianFMImplicit

SAMPLES = 20


class ShortFM(BayesianFM):
    defaults_without_background: ClassVar[dict] = {}

    def __init__(self):
        super().__init__(rank=4, samples=SAMPLES)


class ShortFMImplicit(BayesianFMImplicit):
    def __init__(self):
        super().__init__(samples=SAMPLES, rank_of_many=0)


MODELS = {
    "bayes_fm_recent": ShortFM,
    "bayes_fm_implicit_recent": ShortFMImplicit,
    "hybrid_implicit": ShortFMImplicit,
}


def few_samples(name: str) -> dict[str, object]:
    """Of the recommender of that name: few samples, if it samples."""
    if name in MODELS:
        return {"model": MODELS[name]}
    return {"samples": SAMPLES} if name.startswith("bayes_fm") else {}
