"""Each encoder on cases worked by hand, and on broken input."""

import numpy as np
import pytest

import data_prep
from data_prep import (
    encode_genres,
    encode_lang,
    encode_rating,
    encode_vote_average,
    encode_vote_count,
)
from recbench.data.encodings.thermometer import (
    count_ones,
    decode_ratings,
    encode_ratings,
    thermometer,
)


@pytest.mark.parametrize(
    ("genres", "bits"),
    [
        ("[{'id': 18, 'name': 'Drama'}]", "1000000000"),
        ("[{'id': 35, 'name': 'Comedy'}, {'id': 27, 'name': 'Horror'}]", "0100000001"),
        ("[{'id': 10749, 'name': 'Romance'}, {'id': 99, 'name': 'Documentary'}]", "0001100000"),
        (
            "[{'name': 'Action'}, {'name': 'Thriller'}, {'name': 'Adventure'}, "
            "{'name': 'Fantasy'}, {'name': 'Crime'}]",
            "0010011110",
        ),
        ("[{'id': 37, 'name': 'Western'}]", "0000000000"),  # none of the ten
        ("[]", "0000000000"),
        ("", "0000000000"),
        ("[{'id': 18, 'name': 'Dra", "0000000000"),
        ("Drama", "0000000000"),
        ("['Drama']", "0000000000"),
        ("{'name': 'Drama'}", "0000000000"),
        ("__import__('os').getcwd()", "0000000000"),
        (None, "0000000000"),
        (float("nan"), "0000000000"),
    ],
)
def test_genres(genres, bits):
    assert encode_genres(genres) == [int(bit) for bit in bits]


@pytest.mark.parametrize(
    ("language", "bits"),
    [
        ("en", [0, 0, 0]),
        ("fr", [0, 0, 1]),
        ("de", [0, 1, 0]),
        ("ja", [0, 1, 1]),
        ("it", [1, 0, 0]),
        ("es", [1, 1, 0]),
        ("zh", [1, 1, 1]),
        ("", [1, 1, 1]),
        (None, [1, 1, 1]),
        (float("nan"), [1, 1, 1]),
        (104.0, [1, 1, 1]),
    ],
)
def test_language(language, bits):
    assert encode_lang(language) == bits


def test_codes_are_not_shared_between_calls():
    encode_lang("en")[0] = 1
    encode_lang("xx")[0] = 0
    encode_vote_average(0)[0] = 1
    assert encode_lang("en") == [0, 0, 0]
    assert encode_lang("xx") == [1, 1, 1]
    assert encode_vote_average(0) == [0, 0, 0]


@pytest.mark.parametrize(
    ("count", "place"),
    [
        (0, 0),
        (99, 0),
        (100, 1),
        (199.9, 1),
        (850, 8),
        (899, 8),
        (900, 9),
        (14075, 9),
        ("250", 2),
        (float("inf"), 9),
        (float("nan"), 9),
        (None, 9),
        ("many", 9),
        (-5, 0),
    ],
)
def test_vote_count(count, place):
    assert encode_vote_count(count) == [int(bit == place) for bit in range(10)]


@pytest.mark.parametrize(
    ("average", "bits"),
    [
        (0, [0, 0, 0]),
        (0.99, [0, 0, 0]),
        (1, [0, 0, 1]),
        (2, [0, 1, 0]),
        (2.99, [0, 1, 0]),
        (3, [0, 1, 1]),
        (3.99, [0, 1, 1]),
        (4, [1, 1, 1]),
        (7.7, [1, 1, 1]),
        (float("nan"), [1, 1, 1]),
        (None, [1, 1, 1]),
    ],
)
def test_vote_average(average, bits):
    assert encode_vote_average(average) == bits


@pytest.mark.parametrize(
    ("rating", "truncated", "half_stars"),
    [(0.5, 0, 1), (1, 2, 2), (2.5, 4, 5), (3, 6, 6), (3.5, 6, 7), (4.5, 8, 9), (5, 10, 10)],
)
def test_rating(rating, truncated, half_stars):
    assert encode_rating(rating) == [1] * truncated + [0] * (10 - truncated)
    assert encode_ratings(np.array([rating]), "truncated")[0].tolist() == encode_rating(rating)
    both = encode_ratings(np.array([rating]), "half_stars")
    assert both[0].tolist() == [1] * half_stars + [0] * (10 - half_stars)


@pytest.mark.parametrize("rating", [7, -1, float("nan")])
def test_rating_off_the_scale_is_refused(rating):
    with pytest.raises(ValueError, match=r"within 0 .. 5"):
        encode_rating(rating)


def test_predictions_off_the_grid_are_rounded_or_cut():
    stars = np.array([3.24, 3.25, 3.74, 3.75, 3.99])
    assert count_ones(stars, "half_stars").tolist() == [6, 7, 7, 8, 8]
    assert count_ones(stars, "truncated").tolist() == [6, 6, 6, 6, 6]
    with pytest.raises(ValueError, match="labels"):
        count_ones(stars, "rounded")


def test_stars_come_back_from_their_thermometer():
    stars = np.arange(1, 11) / 2
    assert decode_ratings(encode_ratings(stars, "half_stars")).tolist() == stars.tolist()
    assert decode_ratings(thermometer(np.array([0]))).tolist() == [0.5]


def test_both_published_names():
    assert data_prep.encode_vote_avg is encode_vote_average
    assert data_prep.data_prep is data_prep.prepare_data
