"""What a recommender of one's own needs: the two tables, the item baseline and the contract."""

from recbench.errors import InputError
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings
from recbench.recommender import (
    ContinualRecommender,
    Contribution,
    Explanation,
    Recommender,
    SideFeatureRecommender,
)

__all__ = [
    "ContinualRecommender",
    "Contribution",
    "Explanation",
    "InputError",
    "ItemBaseline",
    "Movies",
    "Ratings",
    "Recommender",
    "SideFeatureRecommender",
]
