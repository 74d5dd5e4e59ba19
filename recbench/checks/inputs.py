"""What a recommender is handed stays as it was: others read the same arrays."""

from __future__ import annotations

import numpy as np

from recbench.checks.candidate import (
    ASKED,
    COLUMNS,
    FACTS,
    MOVIES,
    TRAIN,
    Broken,
    Candidate,
)
from recbench.checks.check import check
from recbench.checks.lines import line_that_changes

AS_IT_WAS = {
    **{f"train.{name}": getattr(TRAIN, name) for name in COLUMNS},
    **{f"movies.{name}": getattr(MOVIES, name) for name in FACTS},
    **dict(zip(("user", "movie"), ASKED, strict=True)),
}


@check(
    "train, movies, user and movie left as they are: they are read-only, and others read them too",
    "change a copy, as in train.stars.copy()",
)
def inputs_are_left_as_they_were(candidate: Candidate) -> None:
    def use() -> None:
        candidate.ask(candidate.fit(), *ASKED)

    def changed() -> list[str]:
        handed = candidate.handed.items()
        return [name for name, array in handed if not same(array, AS_IT_WAS[name])]

    candidate.handed.clear()
    use()
    names = changed()
    if names:
        candidate.handed.clear()
        line = line_that_changes(candidate.returns, changed, use)
        method = "predict" if names[0] in ("user", "movie") else "fit"
        raise Broken(f"{' and '.join(names)} became other values", method, line)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
