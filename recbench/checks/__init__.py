"""Checks of a recommender against the contract, on toy data."""

from recbench.checks import checks, optional, repeatability
from recbench.checks.checks import CHECKS, Result, check_recommender, result_of

# Each module adds its checks behind those of the modules that it imports.
__all__ = ["CHECKS", "Result", "check_recommender", "checks", "optional", "repeatability"]
__all__ += ["result_of"]
