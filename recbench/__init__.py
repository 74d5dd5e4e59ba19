"""What a recommender of one's own needs: the two tables, what others say of films, the contract."""

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
