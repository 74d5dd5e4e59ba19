"""Random samples of users and of their ratings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import external_votes
from recbench.errors import InputError, TooFewUsers
from recbench.ratings import Ratings

# From all ratings of some users, how many of each are wanted, and random numbers float [n] to a key
# float [n]: of each user's ratings those with the lowest are drawn.
SampleKey = Callable[[Ratings, int, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Sample:
    """The users drawn, their ratings, and the possible background users.

    Attributes:
        rows: int64, the rows of `dataset.ratings` that were drawn, ascending.
        users: int64 [n_users], dense indices in `dataset` of the users drawn, ascending.
        kept: bool [movies], whether a movie reaches `top_percentile`.
        background: bool [users], users outside the sample who may vote or be learned from.
    """

    rows: np.ndarray
    users: np.ndarray
    kept: np.ndarray
    background: np.ndarray


def draw_sample(
    dataset: Dataset,
    num_users: int | None = None,
    reviews_per_user: int | None = None,
    top_percentile: float | None = None,
    seed: int = 0,
    user_set: str = "all",
    sample_key: SampleKey | None = None,
) -> Sample:
    """Draw users at random and ratings of each at random; the four cases of `prepare_data`.

    Args:
        num_users, reviews_per_user, top_percentile: 0 or None: all.
        seed: of both draws.
        user_set: "all", or one of `user_sets`. Research and tuning draw "development" and then
            never see the others; results use "test", a single announced run "claim-1" or "claim-2".
        sample_key: chooses which of a user's ratings are drawn; None: at random.

    Raises:
        InputError: a parameter is out of its range, or there are fewer users than requested; with
            their number.
    """
    num_users, reviews_per_user = num_users or 0, reviews_per_user or 0
    if num_users < 0 or reviews_per_user < 0:
        raise InputError(
            f"num_users ({num_users}) and reviews_per_user ({reviews_per_user}) must be 0 (all) "
            "or more"
        )
    rng = np.random.default_rng([seed, num_users, reviews_per_user])
    anybody = np.ones(dataset.n_users, dtype=bool)
    may_be_drawn = {"all": anybody, **user_sets(dataset.user_id)}[user_set]
    may_be_background = may_be_drawn if user_set == "development" else anybody
    everybody = rng.permutation(np.flatnonzero(may_be_drawn))
    draw_rows = partial(_draw_rows, dataset, reviews_per_user, rng, sample_key)
    if top_percentile and not dataset.source.has_votes:
        size = num_users, reviews_per_user, top_percentile
        return _draw_with_counted_votes(dataset, *size, everybody, may_be_background, draw_rows)
    kept = _reaches(
        dataset.table["vote_count"].to_numpy(),
        dataset.source.movies["vote_count"].to_numpy(),
        top_percentile,
    )
    chosen = _first_eligible(dataset, everybody, kept, num_users, reviews_per_user)
    rows = draw_rows(chosen, kept)
    inside = np.isin(np.arange(dataset.n_users), chosen)
    return Sample(rows, chosen, kept, may_be_background & ~inside)


def user_sets(user_id: np.ndarray) -> dict[str, np.ndarray]:
    """The user sets as masks, bool [n] each, for users with these ids (int64 [n], as in the file).

    "test": a fifth of all, the held-out test users. Of the rest, an eighth each is "claim-1" and
    "claim-2", for claims written down before their run (docs/claim.md); all others are
    "development". The sets depend only on hashes of the ids, so they are the same in every run.
    """
    test = _hashed(user_id, 0x9E3779B97F4A7C15) % np.uint64(5) == 0
    eighth = _hashed(user_id, 0xD1342543DE82EF95) % np.uint64(8)
    claims = {f"claim-{k + 1}": ~test & (eighth == k) for k in range(2)}
    return {"test": test, **claims, "development": ~test & (eighth >= len(claims))}


def _hashed(user_id: np.ndarray, multiplier: int) -> np.ndarray:
    """uint64 [n], multiplicative hashing (Knuth 1973): the upper half of the product."""
    return (user_id.astype(np.uint64) * np.uint64(multiplier)) >> np.uint64(32)


def _draw_with_counted_votes(
    dataset: Dataset,
    num_users: int,
    reviews_per_user: int,
    top_percentile: float,
    everybody: np.ndarray,
    may_be_background: np.ndarray,
    draw_rows: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Sample:
    """Votes are counted outside the sample, but eligibility depends on votes.

    So users are set aside in random order until enough of them have enough ratings of the movies
    that are popular among the rest.
    """
    if num_users == 0:
        raise InputError(
            f"top_percentile: {dataset.source.name} has no votes of its own; they are counted over "
            "users outside the sample, and there are none. Give a number of users"
        )
    most = 0
    for n_aside in range(num_users, len(everybody) + 1):
        set_aside = everybody[:n_aside]
        aside = np.isin(np.arange(dataset.n_users), set_aside)
        if not (may_be_background & ~aside).any():
            break
        votes, _ = external_votes(dataset, may_be_background & ~aside)
        kept = _reaches(votes, votes, top_percentile)
        able = set_aside[_counts(dataset, kept, set_aside) >= max(reviews_per_user, 2)]
        most = max(most, len(able))
        if len(able) >= num_users:
            chosen = np.sort(able[:num_users])
            return Sample(draw_rows(chosen, kept), chosen, kept, may_be_background & ~aside)
    raise _too_few(num_users, most, max(reviews_per_user, 2))


def _reaches(votes: np.ndarray, of_all: np.ndarray, top_percentile: float | None) -> np.ndarray:
    """bool [movies]: whether known `votes` reach the requested quantile of `of_all`."""
    if not top_percentile:
        return np.ones(len(votes), dtype=bool)
    if not 0 < top_percentile < 1:
        raise InputError(
            f"top_percentile is {top_percentile}. Expected a quantile between 0 and 1, such as 0.9 "
            "for the tenth of the movies with the most votes"
        )
    return np.nan_to_num(votes, nan=-1.0) >= np.nanquantile(of_all, top_percentile)


def _counts(dataset: Dataset, kept: np.ndarray, users: np.ndarray) -> np.ndarray:
    """int64 [users]: number of ratings of `kept` movies of each of these users."""
    count = np.diff(dataset.first_row)[users]
    if kept.all():
        return count
    movie = dataset.ratings.movie[dataset.rows_of(users)]
    before = np.append(0, np.cumsum(kept[movie]))  # kept ones before each row
    end = np.cumsum(count)
    return before[end] - before[end - count]


def _first_eligible(
    dataset: Dataset, order: np.ndarray, kept: np.ndarray, num_users: int, reviews_per_user: int
) -> np.ndarray:
    needed = reviews_per_user or (2 if num_users else 1)
    eligible = order[_counts(dataset, kept, order) >= needed]
    if len(eligible) < max(num_users, 1):
        raise _too_few(num_users, len(eligible), needed)
    return np.sort(eligible[: num_users or None])


def _too_few(num_users: int, there_are: int, needed: int) -> TooFewUsers:
    return TooFewUsers(
        f"num_users is {num_users or 'all'}, but only {there_are} users have {needed} ratings or "
        "more of the movies kept. Ask for fewer users or fewer ratings per user",
        there_are,
    )


def _draw_rows(
    dataset: Dataset,
    reviews_per_user: int,
    rng: np.random.Generator,
    sample_key: SampleKey | None,
    chosen: np.ndarray,
    kept: np.ndarray,
) -> np.ndarray:
    ratings = dataset.ratings
    rows = dataset.rows_of(chosen)
    rows = rows[kept[ratings.movie[rows]]]
    if reviews_per_user == 0:
        return rows
    user = ratings.user[rows]  # ascending
    key = rng.random(len(rows))
    if sample_key is not None:
        key = sample_key(ratings.take(rows), reviews_per_user, key)
    shuffled = np.lexsort((key, user))  # within each user
    starts = np.searchsorted(user, chosen)
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    return np.sort(rows[shuffled[place < reviews_per_user]])
