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
    ("bits", "cells"),
    [
        ("1000000000", ["[{'id': 18, 'name': 'Drama'}]"]),
        ("0100000001", ["[{'id': 35, 'name': 'Comedy'}, {'id': 27, 'name': 'Horror'}]"]),
        ("0001100000", ["[{'id': 1, 'name': 'Romance'}, {'id': 9, 'name': 'Documentary'}]"]),
        ("0010011000", ["[{'name': 'Action'}, {'name': 'Thriller'}, {'name': 'Adventure'}]"]),
        ("0000000110", ["[{'name': 'Fantasy'}, {'name': 'Crime'}]"]),
        ("0000000000", ["[{'id': 37, 'name': 'Western'}]", "[]", ""]),  # none of the ten
        ("0000000000", ["[{'id': 18, 'name': 'Dra", "[{'id': 018, 'name': 'Drama'}]"]),
        ("0000000000", ["Drama", "['Drama']", "{'name': 'Drama'}", "18", None, float("nan")]),
        ("0000000000", ["__import__('os').getcwd()"]),
    ],
)
def test_genres(bits, cells):
    for cell in cells:
        assert encode_genres(cell) == [int(bit) for bit in bits], cell


def test_language():
    codes = {"en": "000", "fr": "001", "de": "010", "ja": "011", "it": "100", "es": "110"}
    codes |= dict.fromkeys(("zh", "", None, float("nan"), 104.0), "111")
    for language, bits in codes.items():
        assert encode_lang(language) == [int(bit) for bit in bits], language


def test_codes_are_not_shared_between_calls():
    encode_lang("en")[0] = 1
    encode_lang("xx")[0] = 0
    encode_vote_average(0)[0] = 1
    assert encode_lang("en") == [0, 0, 0]
    assert encode_lang("xx") == [1, 1, 1]
    assert encode_vote_average(0) == [0, 0, 0]


@pytest.mark.parametrize(
    ("place", "counts"),
    [
        (0, [-5, 0, 99]),
        (1, [100, 199.9]),
        (2, ["250"]),
        (8, [850, 899]),
        (9, [900, 14075, float("inf"), float("nan"), None, "many"]),
    ],
)
def test_vote_count(place, counts):
    for count in counts:
        assert encode_vote_count(count) == [int(bit == place) for bit in range(10)], count


@pytest.mark.parametrize(
    ("bits", "averages"),
    [
        ([0, 0, 0], [0, 0.99]),
        ([0, 0, 1], [1]),
        ([0, 1, 0], [2, 2.99]),
        ([0, 1, 1], [3, 3.99]),
        ([1, 1, 1], [4, 7.7, float("nan"), None]),
    ],
)
def test_vote_average(bits, averages):
    assert [encode_vote_average(average) for average in averages] == [bits] * len(averages)


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
