"""Explanations: parts whose sum the prediction is."""

from __future__ import annotations

import math

from recbench.checks.asking import CLOSE
from recbench.checks.candidate import Broken, Candidate, all_pairs, kind
from recbench.checks.check import check
from recbench.checks.learning import FIRST, NEW_USER, THEN


@check(
    "contributions whose sum is the prediction, cut to 0.5 .. 5 by a part of its own",
    "add a Contribution for what is missing, such as 'limit of the scale'",
)
def explanations_sum_to_the_prediction(candidate: Candidate) -> None:
    candidate.needs("explain_one")
    model = candidate.fit(FIRST)
    if hasattr(model, "learn_one"):
        candidate.learn(model, THEN)
    user, movie = all_pairs((0, 1, 3, NEW_USER))
    stars = candidate.ask(model, user, movie)
    for one, film, predicted in zip(user.tolist(), movie.tolist(), stars.tolist(), strict=True):
        explanation = candidate.call(model.explain_one, one, film)
        parts = getattr(explanation, "contributions", None)
        if parts is None:
            what = f"explain_one returned {kind(explanation)}, not a recbench.Explanation"
            raise Broken(what, "explain_one")
        total = math.fsum(part.stars for part in parts)
        if not abs(total - predicted) <= CLOSE:
            what = f"the parts sum to {total:.4f} stars, predict says {predicted:.4f}"
            raise Broken(what, "explain_one")
