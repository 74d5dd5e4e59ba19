"""What your own recommender imports: the two tables, item statistics, the contract."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recbench.contract import (
        ContinualRecommender,
        Contribution,
        Explanation,
        ForgettingRecommender,
        OnlineRecommender,
        Recommender,
        Training,
    )
    from recbench.errors import InputError
    from recbench.models.item_baseline import ItemBaseline
    from recbench.models.item_table.table import ItemTable, ItemTables
    from recbench.ratings import Movies, Ratings

MODELS = ("models.item_table.table",)  # imported last: needs numba
__all__ = [
    "ContinualRecommender",
    "Contribution",
    "Explanation",
    "ForgettingRecommender",
    "InputError",
    "ItemBaseline",
    "ItemTable",
    "ItemTables",
    "Movies",
    "OnlineRecommender",
    "Ratings",
    "Recommender",
    "Training",
]


def __getattr__(name: str) -> Any:
    """Import a name at its first use, so that flags are read without numba."""
    if name in __all__:
        for module in ("errors", "ratings", "models.item_baseline", "contract", *MODELS):
            found = getattr(import_module(f"recbench.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module 'recbench' has no attribute '{name}'")
