"""Checks of a recommender against the contract, on toy data."""

from recbench.checks import checks, optional
from recbench.checks.candidate import CHECKS, Candidate, Result, check_recommender, result_of

__all__ = ["CHECKS", "Candidate", "Result", "check_recommender", "checks", "optional", "result_of"]
