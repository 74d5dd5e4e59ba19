"""What recommenders will cost on large cells, as far as they know it, before any is fitted."""

from __future__ import annotations

from recbench.contract import build
from recbench.data.dataset import Dataset
from recbench.registry import load_recommender
from recbench.runs.grid import CellTask

LARGE = 2_000_000  # ratings; of fewer nothing is said


def expected_costs(tasks: list[CellTask], dataset: Dataset) -> list[str]:
    """A line for each recommender with `expected_cost` and number of ratings it is fitted to."""
    lines: dict[tuple[str, int], str] = {}
    for task in tasks:
        users, ratings = _at_most(task, dataset)
        for name, spec in task.models.items() if ratings >= LARGE else ():
            model = build(load_recommender(spec), task.options())
            if (name, ratings) in lines or not hasattr(model, "expected_cost"):
                continue
            seconds, size = model.expected_cost(ratings, users, len(dataset.table))
            lines[name, ratings] = (
                f"{name} fitted to up to {ratings:,} ratings: about {seconds / 60:,.0f} minutes of "
                f"processor time and {size / 1e9:,.1f} GB"
            )
    return list(lines.values())


def _at_most(task: CellTask, dataset: Dataset) -> tuple[int, int]:
    """Users and ratings of a cell, background users and held-out ratings among them."""
    all_users, all_ratings = len(dataset.user_id), len(dataset.ratings)
    background, reviews = task.protocol.background_users, task.key["reviews_per_user"]
    in_cell = min(task.key["num_users"] or all_users, all_users)
    others = all_users if background == "all" else background
    of_each = all_ratings / all_users
    ratings = in_cell * min(reviews or of_each, of_each) + others * of_each
    return min(in_cell + others, all_users), min(int(ratings), all_ratings)
