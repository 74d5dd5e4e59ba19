"""All checks, in the order in which they are made: the first are what the others rest on."""

from __future__ import annotations

from recbench.checks import (
    asking,
    declarations,
    explaining,
    forgetting,
    inputs,
    learning,
    mixing,
    optional_outputs,
    repeating,
    small_tables,
    stars,
)
from recbench.checks.check import Check

SUBJECTS = (
    stars,
    small_tables,
    inputs,
    repeating,
    asking,
    mixing,
    declarations,
    optional_outputs,
    learning,
    forgetting,
    explaining,
)
CHECKS: tuple[Check, ...] = tuple(
    value for subject in SUBJECTS for value in vars(subject).values() if isinstance(value, Check)
)
