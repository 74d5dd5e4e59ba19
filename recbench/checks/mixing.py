"""Users stand where they stand: an index that is off by one shows here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recbench.checks.candidate import FILMS, TRAIN, Broken, Candidate
from recbench.checks.check import check


@check(
    "who gave 5 to every movie is predicted no lower than who gave 0.5 to every movie",
    "look at how user indexes what was learned",
)
def users_are_not_mixed_up(candidate: Candidate) -> None:
    stars = np.where(TRAIN.user == 0, 5.0, TRAIN.stars)
    stars = np.where(TRAIN.user == 5, 0.5, stars)
    model = candidate.fit(replace(TRAIN, stars=stars))
    films = np.arange(FILMS)
    lover, hater = (candidate.ask(model, np.full(FILMS, user), films).mean() for user in (0, 5))
    if lover < hater:
        raise Broken(
            f"the one is predicted {lover:.2f} on average, the other {hater:.2f}", "predict"
        )
