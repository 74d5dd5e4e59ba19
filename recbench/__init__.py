"""What a recommender of one's own needs: the two tables, what others say of films, the contract."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recbench.errors import InputError
    from recbench.film_table.table import FilmTable
    from recbench.film_table.tables import FilmTables
    from recbench.item_baseline import ItemBaseline
    from recbench.ratings import Movies, Ratings
    from recbench.recommender import (
        ContinualRecommender,
        Contribution,
        Explanation,
        ForgettingRecommender,
        OnlineRecommender,
        Recommender,
    )

TABLES = ("film_table.table", "film_table.tables")  # last: they need numba
__all__ = [
    "ContinualRecommender",
    "Contribution",
    "Explanation",
    "FilmTable",
    "FilmTables",
    "ForgettingRecommender",
    "InputError",
    "ItemBaseline",
    "Movies",
    "OnlineRecommender",
    "Ratings",
    "Recommender",
]


def __getattr__(name: str) -> Any:
    """Import one of them when it is first used: flags are read without numba."""
    if name in __all__:
        for module in ("errors", "ratings", "item_baseline", "recommender", *TABLES):
            found = getattr(import_module(f"recbench.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module 'recbench' has no attribute '{name}'")
