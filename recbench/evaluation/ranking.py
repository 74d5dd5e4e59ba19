"""Full ranking: every movie that a user has not rated in training is ranked, none is sampled.

Sampled negatives can turn the order of two recommenders round (Krichene and Rendle 2020, "On
sampled metrics for item recommendation"), so there are none. Movies are ranked by predicted stars.
Movies predicted alike stand in random order, and every figure here is its expected value over those
orders: exact, the same each time, and at chance level for a constant prediction.
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
    """What the first ten places are worth to each tested user with a liked movie held out.

    Attributes:
        user: int [k], ascending.
        ndcg: float64 [k], DCG / ideal DCG of ten places, gain 1 of a liked movie held out.
        recall: float64 [k], the part of those movies that is among the ten.
        popularity: float64 [k], mean popularity percentile of the ten.
        catalogue_share: the part of the candidates that is among anybody's ten.
    """

    user: np.ndarray
    ndcg: np.ndarray
    recall: np.ndarray
    popularity: np.ndarray
    catalogue_share: float

    def scores(self) -> Row:
        """By column; empty if there are no such users."""
        if not len(self.user):
            return {**dict.fromkeys(COLUMNS), "ranking_users": 0}
        means = [float(one.mean()) for one in (self.ndcg, self.recall, self.popularity)]
        return dict(zip(COLUMNS, (len(self.user), *means, self.catalogue_share), strict=True))

    def columns_for(self, user: np.ndarray) -> dict[str, np.ndarray]:
        """The scores of each user that are compared between recommenders, for every entry of
        `user` (int [n]): float64 [n], nan of users that are not here."""
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
        train: whose movies are never recommended to the same user.
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
    """The chance of each movie to stand on each of the ten places, float64 [m, places].

    Movies are ranked by `stars` (float [m]), the highest first; those alike in random order; those
    of -inf not at all.
    """
    _, alike, count = np.unique(-stars, return_inverse=True, return_counts=True)
    after = np.cumsum(count)[:, None]  # (groups, 1)
    place = np.arange(PLACES)
    theirs = (after - count[:, None] <= place) & (place < after)  # (groups, places)
    return (theirs / count[:, None])[alike] * np.isfinite(stars)[:, None]


def popularity_percentile(ratings: Ratings, candidates: np.ndarray) -> np.ndarray:
    """Of each candidate: the part of the candidates with fewer `ratings`, those with as many
    counting half. float64 [m]; the mean is one half."""
    count = np.bincount(ratings.movie, minlength=candidates.max(initial=0) + 1)[candidates]
    in_order = np.sort(count)
    fewer, not_more = (np.searchsorted(in_order, count, side) for side in ("left", "right"))
    return (fewer + not_more) / (2 * len(candidates))


def _stars_by_user(
    predict: Predict, train: Ratings, liked: Ratings, users: np.ndarray, candidates: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each user the predicted stars of the candidates, -inf of those rated in training, and
    which of them are liked: float64 [m] and bool [m]. Predicted for some users at a time."""
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
    """bool [users, candidates]: who has rated what."""
    rated = ratings.take(np.isin(ratings.user, users) & np.isin(ratings.movie, candidates))
    marked = np.zeros((len(users), len(candidates)), dtype=bool)
    marked[np.searchsorted(users, rated.user), np.searchsorted(candidates, rated.movie)] = True
    return marked
