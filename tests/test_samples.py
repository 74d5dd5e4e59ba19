"""The four cases of sampling, their errors, and what `prepare_data` hands out."""

import numpy as np
import pytest
from tests_paths import SYNTHETIC

from data_prep import encode_rating, prepare_data
from recbench.data.loading import load_dataset
from recbench.data.sampling import draw_sample
from recbench.errors import InputError, TooFewUsers

DATA = {"dataset": str(SYNTHETIC)}
COLUMNS = ["userId", "movieId", "rating", "genres_enc", "lang_enc"]
COLUMNS += ["vote_avg_enc", "vote_count_enc"]


def test_neither_given_is_everything(synthetic):
    for nothing in ({}, {"num_user": 0, "reviews_per_user": 0}):
        frame = prepare_data(per_user=False, **nothing, **DATA)
        assert len(frame) == len(synthetic.ratings)
        assert frame["userId"].nunique() == synthetic.n_users


def test_only_users_takes_all_their_ratings(synthetic):
    frame = prepare_data(num_user=7, per_user=False, **DATA)
    assert frame["userId"].nunique() == 7
    of_all = np.bincount(synthetic.ratings.user)
    for user, rows in frame.groupby("userId"):
        assert len(rows) == of_all[np.searchsorted(synthetic.user_id, user)]


def test_only_reviews_takes_everybody_who_has_them(synthetic):
    frame = prepare_data(reviews_per_user=50, per_user=False, **DATA)
    able = (np.bincount(synthetic.ratings.user) >= 50).sum()
    assert frame["userId"].nunique() == able
    assert (frame.groupby("userId").size() == 50).all()


def test_both_gives_exactly_so_many_of_each():
    users = prepare_data(reviews_per_user=25, num_user=6, **DATA)
    assert [len(rows) for rows in users] == [25] * 6
    for rows in users:
        assert len({row[0] for row in rows}) == 1  # one user
        assert len({row[1] for row in rows}) == 25  # movies, each once
        assert all([len(cell) for cell in row[2:]] == [10, 10, 3, 3, 10] for row in rows)


def test_rows_carry_the_bits_of_their_movie(synthetic):
    frame = prepare_data(per_user=False, labels="truncated", **DATA)
    assert list(frame.columns) == COLUMNS
    stars = synthetic.ratings.stars
    assert all(
        bits == encode_rating(rating) for bits, rating in zip(frame["rating"], stars, strict=True)
    )
    row_of = {movie: row for row, movie in enumerate(synthetic.table["movieId"])}
    drama = [
        "'Drama'" in synthetic.table["genres"][row_of[movie]] for movie in frame["movieId"][:300]
    ]
    assert drama == [bool(bits[0]) for bits in frame["genres_enc"][:300]]


def test_asking_for_more_users_than_there_are_says_how_many():
    with pytest.raises(ValueError, match="only 60 users") as error:
        prepare_data(num_user=61, **DATA)
    assert error.value.there_are == 60
    with pytest.raises(TooFewUsers, match="only 0 users have 500 ratings"):
        prepare_data(num_user=1, reviews_per_user=500, **DATA)
    with pytest.raises(TooFewUsers):
        prepare_data(reviews_per_user=500, **DATA)


@pytest.mark.parametrize(
    "wrong", [{"num_user": -5}, {"reviews_per_user": -1}, {"top_percentile": 1.5}]
)
def test_parameters_out_of_range(wrong):
    with pytest.raises(InputError, match=r"-5|-1|1\.5"):
        prepare_data(**wrong, **DATA)


def test_top_percentile_keeps_the_movies_with_the_most_votes(synthetic):
    votes = synthetic.source.movies["vote_count"].to_numpy()
    reach = np.quantile(votes, 0.8)
    votes_of = dict(zip(synthetic.table["movieId"], synthetic.table["vote_count"], strict=True))
    frame = prepare_data(top_percentile=0.8, per_user=False, **DATA)
    kept = set(frame["movieId"])
    assert all(votes_of[movie] >= reach for movie in kept)
    popular = {movie for movie, count in votes_of.items() if count >= reach}
    assert kept == popular


def test_same_seed_same_sample_other_seed_other_sample(synthetic):
    first, again, other = (draw_sample(synthetic, 10, 20, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.rows, again.rows)
    assert not np.array_equal(first.rows, other.rows)
    assert not first.background[first.users].any()
    assert first.background.sum() == synthetic.n_users - 10


def test_counted_votes_never_see_the_sample():
    data = load_dataset("ml-100k")
    sample = draw_sample(data, 40, 20, top_percentile=0.8, seed=1)
    assert len(sample.users) == 40
    assert not sample.background[sample.users].any()
    ratings = data.ratings
    counted = ratings.movie[sample.background[ratings.user]]
    votes = np.bincount(counted, minlength=len(data.table))
    assert np.array_equal(sample.kept, votes >= np.quantile(votes, 0.8))
    assert sample.kept[ratings.movie[sample.rows]].all()
    assert (np.bincount(ratings.user[sample.rows])[sample.users] == 20).all()
    with pytest.raises(InputError, match="outside the sample"):
        draw_sample(data, 0, 20, top_percentile=0.8)
