"""What a recommender of one's own needs: the two tables, what others say of movies, the
contract."""

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

MODELS = ("models.item_table.table",)  # last: they need numba
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
    """Import one of them when it is first used: flags are read without numba."""
    if name in __all__:
        for module in ("errors", "ratings", "models.item_baseline", "contract", *MODELS):
            found = getattr(import_module(f"recbench.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module 'recbench' has no attribute '{name}'")
