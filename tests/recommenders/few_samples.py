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


def few_samples(name: str) -> dict[str, object]:
    """Of the recommender of that name: few samples, if it samples."""
    if name.startswith("bayes_fm"):
        return {"samples": SAMPLES}
    return {"hybrid": {"model": ShortFM}, "hybrid_implicit": {"model": ShortFMImplicit}}.get(
        name, {}
    )
