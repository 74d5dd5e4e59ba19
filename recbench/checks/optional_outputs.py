"""What a recommender may say beside stars: bits, a distribution, its size."""

from __future__ import annotations

import numpy as np

from recbench.checks.candidate import ASKED, Broken, Candidate, kind
from recbench.checks.check import check
from recbench.contract import bytes_of, time_for
from recbench.data.encodings.thermometer import decode_ratings


@check(
    "thermometers uint8 [n, 10] of zeros and ones, from which predict reads its stars",
    "let predict return decode_ratings of what predict_bits returns",
)
def stars_are_read_from_the_bits(candidate: Candidate) -> None:
    candidate.needs("predict_bits")
    model = candidate.fit()
    bits = candidate.call(model.predict_bits, *ASKED, **time_for(model, None))
    shape, dtype = getattr(bits, "shape", kind(bits)), getattr(bits, "dtype", "")
    if shape != (len(ASKED[0]), 10) or dtype != np.uint8:
        raise Broken(
            f"predict_bits returned {dtype} {shape} for {len(ASKED[0])} pairs", "predict_bits"
        )
    if not np.isin(bits, (0, 1)).all():
        raise Broken(f"predict_bits returned {bits.max()} in a bit", "predict_bits")
    if (decode_ratings(bits) != candidate.ask(model, *ASKED)).any():
        raise Broken("the bits say other stars than predict", "predict_bits")
    nobody = np.empty(0, dtype=np.int32)
    if candidate.call(model.predict_bits, nobody, nobody).shape != (0, 10):
        raise Broken("predict_bits of nothing is not of shape (0, 10)", "predict_bits")


@check(
    "a rising grid of stars, float64 [g], and the probability of each, float64 [n, g], sum 1",
    "divide each row by its sum",
)
def distributions_are_distributions(candidate: Candidate) -> None:
    candidate.needs("predict_distribution")
    model = candidate.fit()
    given = candidate.call(model.predict_distribution, *ASKED, **time_for(model, None))
    if not isinstance(given, tuple) or len(given) != 2:
        raise Broken(
            f"predict_distribution returned {kind(given)}, not two arrays", "predict_distribution"
        )
    grid, probability = (np.asarray(one) for one in given)
    if probability.shape != (len(ASKED[0]), len(grid)):
        what = f"predict_distribution returned shapes {grid.shape} and {probability.shape}"
        raise Broken(what, "predict_distribution")
    if (np.diff(grid) <= 0).any():
        raise Broken("the grid does not rise", "predict_distribution")
    sums = probability.sum(axis=1)
    if (probability < 0).any() or not np.allclose(sums, 1, atol=1e-6):
        least, wrong = probability.min(), sums[np.abs(sums - 1).argmax()]
        what = f"the least probability is {least:.2g}, a sum of a row {wrong:.4g}"
        raise Broken(what, "predict_distribution")


@check("bytes of all that was learned, an int, 0 or more, or None", "return int(…)")
def it_says_how_large_it_is(candidate: Candidate) -> None:
    candidate.needs("state_bytes")
    model = candidate.fit()
    for what in ("state_bytes", "shared_bytes"):
        size = candidate.call(bytes_of, model, what)
        if size is not None and not (isinstance(size, int) and size >= 0):
            raise Broken(f"{what} returned {kind(size)}, {size}", what)
