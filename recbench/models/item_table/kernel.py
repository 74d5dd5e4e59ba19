"""The kernel of a user's stars: how much two ratings of one user tell of each other."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np

# Of the shape of the kernel; the scales are fitted for each item table.
METADATA_DECAY = 0.33  # of each metadata bit that differs
DRIFT_AFTER = 3.4  # ratings
DRIFT_POWER = 0.5


@dataclass(frozen=True)
class Scales:
    """The scales of the kernel: in squared stars, those of level, likeness and slope without unit.

        k(a, b) =  level · f_a f_b
                 + likeness · |F_a| |F_b| · (2/π arcsin cos(F_a, F_b), or the agreement of codes)
                 + metadata · exp(−0.33 · metadata bits that differ)
                 + slope · (mean_a − 3)(mean_b − 3)
                 + drift · (1 + |distance in the order of ratings| / 3.4)^−½

    f is the first factor of a movie, mostly how far a user's general level shows in it, F are the
    others. `noise` is the variance of a rating about all this. Each part is positive semi-definite,
    so k is. The defaults are the prior that `fit_scales` starts from.
    """

    level: float = 1.1
    likeness: float = 1.2
    metadata: float = 0.1
    slope: float = 0.01
    drift: float = 0.06
    noise: float = 0.45

    def as_array(self) -> np.ndarray:
        """float64 [6], in the order of the attributes."""
        return np.array(list(asdict(self).values()))

    @classmethod
    def of_nobody(cls) -> Scales:
        """Where no likeness is known: metadata in its place."""
        return cls(level=0.4, metadata=0.27, drift=0.25, noise=0.6)

    @classmethod
    def of_array(cls, values: np.ndarray) -> Scales:
        return cls(**{f.name: float(v) for f, v in zip(fields(cls), values, strict=True)})


def drift_shape(distance: np.ndarray) -> np.ndarray:
    """(1 + |d| / h)^−q, convex and falling, hence positive definite (Pólya 1949)."""
    return (1 + np.abs(distance) / DRIFT_AFTER) ** -DRIFT_POWER


def metadata_shape(differing: np.ndarray) -> np.ndarray:
    """exp(−α · bits that differ): a product of kernels of one bit each."""
    return np.exp(-METADATA_DECAY * differing)
