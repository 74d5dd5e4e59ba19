"""Full ranking: all movies that a user has not rated in training are ranked, without sampling.

Sampled negatives can reverse the order of two recommenders (Krichene and Rendle 2020, "On sampled
metrics for item recommendation"). Movies are ranked by predicted stars. Tied movies are in random
order, and each score is its expected value over these orders: exact, reproducible, and at chance
level for a constant prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from recbench.evaluation.metrics import LIKED, Row
from recbench.ratings import Ratings

PLACES = 10
DISCOUNT = 1 / np.log2(np.arange(2, PLACES + 2))  # of a place
PAIRS_AT_ONCE = 200_000  # a recommender may need kilobytes for each
PER_USER = ("ranking_ndcg_at_10", "ranking_recall_at_10")
COLUMNS = ("ranking_users", *PER_USER, "ranking_popularity", "ranking_catalogue_share")

Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]  # user, movie -> stars


@dataclass(frozen=True)
class Ranking:
    """Scores of the top ten for each tested user with a liked held-out movie.

    Attributes:
        user: int [k], ascending.
        ndcg: float64 [k], DCG / ideal DCG at ten, gain 1 for a liked held-out movie.
        recall: float64 [k], share of those movies in the top ten.
        popularity: float64 [k], mean popularity percentile of the top ten, 0 .. 1.
        catalogue_share: share of the candidates in any user's top ten.
    """

    user: np.ndarray
    ndcg: np.ndarray
    recall: np.ndarray
    popularity: np.ndarray
    catalogue_share: float

    def scores(self) -> Row:
        """Scores by column; empty without such users."""
        if not len(self.user):
            return {**dict.fromkeys(COLUMNS), "ranking_users": 0}
        means = [float(one.mean()) for one in (self.ndcg, self.recall, self.popularity)]
        return dict(zip(COLUMNS, (len(self.user), *means, self.catalogue_share), strict=True))

    def columns_for(self, user: np.ndarray) -> dict[str, np.ndarray]:
        """The scores per user that are compared between recommenders, for every entry of `user`
        (int [n]): float64 [n], nan for users without a ranking."""
        place = np.searchsorted(self.user, user)
        here = np.isin(user, self.user)
        columns = {}
        for name, values in zip(PER_USER, (self.ndcg, self.recall), strict=True):
            columns[name] = np.where(here, np.append(values, np.nan)[place], np.nan)
        return columns


def full_ranking(
    predict: Predict, train: Ratings, test: Ratings, candidates: np.ndarray, popularity: np.ndarray
) -> Ranking:
    """Rank the candidates for every user with a liked movie in `test`.

    Args:
        train: training ratings; a user's rated movies are not candidates.
        candidates: int [m], ascending: the movies that can be recommended.
        popularity: float64 [m], of each candidate.
    """
    liked = test.take(test.stars >= LIKED)
    users = np.unique(liked.user)
    not_shown = np.ones(len(candidates))  # the chance that a movie is in nobody's ten
    figures = []
    for stars, is_liked in _stars_by_user(predict, train, liked, users, candidates):
        chance = place_chances(stars)  # (m, places)
        in_ten = chance.sum(axis=1)
        not_shown *= 1 - in_ten
        ideal = DISCOUNT[: is_liked.sum()].sum()
        ndcg = (chance[is_liked] @ DISCOUNT).sum() / ideal
        figures.append((ndcg, in_ten[is_liked].mean(), in_ten @ popularity / in_ten.sum()))
    ndcg, recall, mean_popularity = np.array(figures).reshape(-1, 3).T
    return Ranking(users, ndcg, recall, mean_popularity, float(1 - not_shown.mean()))


def place_chances(stars: np.ndarray) -> np.ndarray:
    """Probability of each movie at each of the ten places, float64 [m, places].

    Movies are ranked by `stars` (float [m]), highest first; ties are in random order; -inf is not
    ranked.
    """
    _, alike, count = np.unique(-stars, return_inverse=True, return_counts=True)
    after = np.cumsum(count)[:, None]  # (groups, 1)
    place = np.arange(PLACES)
    theirs = (after - count[:, None] <= place) & (place < after)  # (groups, places)
    return (theirs / count[:, None])[alike] * np.isfinite(stars)[:, None]


def popularity_percentile(ratings: Ratings, candidates: np.ndarray) -> np.ndarray:
    """For each candidate, the share of candidates with fewer `ratings`, ties counting half: float64
    [m], with mean one half."""
    count = np.bincount(ratings.movie, minlength=candidates.max(initial=0) + 1)[candidates]
    in_order = np.sort(count)
    fewer, not_more = (np.searchsorted(in_order, count, side) for side in ("left", "right"))
    return (fewer + not_more) / (2 * len(candidates))


def _stars_by_user(
    predict: Predict, train: Ratings, liked: Ratings, users: np.ndarray, candidates: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each user the predicted stars of the candidates, -inf for those rated in training, and
    which of them are liked: float64 [m] and bool [m]. Users are predicted in batches."""
    train = train.take(np.isin(train.user, users))
    at_once = max(PAIRS_AT_ONCE // max(len(candidates), 1), 1)
    for start in range(0, len(users), at_once):
        chunk = users[start : start + at_once]
        may_be_shown = ~_marked(train, chunk, candidates)
        row, column = np.nonzero(may_be_shown)
        stars = np.full(may_be_shown.shape, -np.inf)
        stars[row, column] = predict(chunk[row], candidates[column])
        yield from zip(stars, _marked(liked, chunk, candidates), strict=True)


def _marked(ratings: Ratings, users: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Which candidates each user has rated, bool [users, candidates]."""
    rated = ratings.take(np.isin(ratings.user, users) & np.isin(ratings.movie, candidates))
    marked = np.zeros((len(users), len(candidates)), dtype=bool)
    marked[np.searchsorted(users, rated.user), np.searchsorted(candidates, rated.movie)] = True
    return marked
