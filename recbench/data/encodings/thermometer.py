"""The thermometer of a rating: ten bits, one for each half star."""

from __future__ import annotations

import numpy as np

RATING_BITS = 10


def encode_rating(rating: float) -> list[int]:
    """A thermometer of 10 bits: two ones for each whole star, half stars dropped, then zeros.

    Raises:
        ValueError: if `rating` is not within 0 .. 5.
    """
    return encode_ratings(np.array([rating]), "truncated")[0].tolist()


def encode_ratings(stars: np.ndarray, labels: str) -> np.ndarray:
    """Thermometers of `stars`.

    Args:
        stars: float [n], 0 .. 5.
        labels: "truncated", 2·int(stars) ones as published, or "half_stars",
            round(2·stars) ones, halves up.

    Returns:
        uint8 [n, 10], ones first.

    Raises:
        ValueError: a rating is outside 0 .. 5 or nan, or `labels` is unknown.
    """
    return thermometer(count_ones(stars, labels))


def count_ones(stars: np.ndarray, labels: str) -> np.ndarray:
    """Number of ones in the thermometer of each of `stars`, int64 [n]; see `encode_ratings`."""
    stars = np.asarray(stars, dtype=np.float64)
    outside = ~((stars >= 0) & (stars <= 5))
    if outside.any():
        raise ValueError(f"a rating must be within 0 .. 5, not {stars[outside][0]}")
    if labels == "truncated":
        return 2 * stars.astype(np.int64)
    if labels == "half_stars":
        return np.floor(2 * stars + 0.5).astype(np.int64)
    raise ValueError(f"labels are 'truncated' or 'half_stars', not '{labels}'")


def thermometer(ones: np.ndarray) -> np.ndarray:
    """uint8 [n, 10] with `ones` (int [n], 0 .. 10) ones at the front of each row."""
    return (np.arange(RATING_BITS) < np.asarray(ones)[:, None]).astype(np.uint8)


def decode_ratings(bits: np.ndarray) -> np.ndarray:
    """Stars float32 [n] of output bits [n, 10]: half a star for each one, at least 0.5."""
    return np.maximum(bits.sum(axis=1) / 2, 0.5).astype(np.float32)
