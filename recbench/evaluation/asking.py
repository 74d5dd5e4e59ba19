"""How a fitted recommender is asked for stars: once, whether it answers in stars or in bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recbench.contract import time_for
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings
from recbench.ratings import MAX_STARS, MIN_STARS


@dataclass(frozen=True)
class Answer:
    """What a recommender says of some pairs.

    Attributes:
        stars: float64 [n], without gaps.
        covered: bool [n], where that is its own answer; elsewhere it has none.
        ones: int [n], of the bits that the stars were read from; None: it has no bits.
    """

    stars: np.ndarray
    covered: np.ndarray
    ones: np.ndarray | None


def ask(
    recommender: Any,
    user: np.ndarray,
    movie: np.ndarray,
    otherwise: float,
    time: np.ndarray | None = None,
) -> Answer:
    """Its prediction for each pair (int [n] both), or `otherwise` where it gives nan or infinity.

    Of one with `predict_bits` that is what its bits say: an engine that draws at random would say
    something else if it were asked for stars as well.

    Args:
        time: int64 [n], when each is asked for, for recommenders that ask for that; None: now.

    Raises:
        ValueError: what it predicts is not what the contract asks for.
    """
    when, ones = time_for(recommender, time), None
    if hasattr(recommender, "predict_bits"):
        bits = recommender.predict_bits(user, movie, **when)
        if bits.shape != (len(user), RATING_BITS):
            raise ValueError(f"predict_bits returned shape {bits.shape} for {len(user)} pairs")
        asked, ones = decode_ratings(bits), bits.sum(axis=1)
    else:
        asked = recommender.predict(user, movie, **when)
    stars = np.asarray(asked, dtype=np.float64)
    if stars.shape != (len(user),):
        raise ValueError(f"predict returned shape {stars.shape} for {len(user)} pairs")
    covered = np.isfinite(stars)
    outside = covered & ~((stars >= MIN_STARS) & (stars <= MAX_STARS))
    if outside.any():
        raise ValueError(
            f"predict returned {stars[outside][0]:g} stars; clip to {MIN_STARS} .. {MAX_STARS}"
        )
    return Answer(np.where(covered, stars, otherwise), covered, ones)
