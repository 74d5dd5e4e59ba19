"""The extended encoding, by hand: thresholds, what is not known, and that ratings take no part."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recbench.data.encodings.extended import CHANNELS, extended_bits, facts_of, thresholds
from recbench.data.encodings.movies import encode_movies
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.ratings import Ratings

EXTENDED = PROTOCOLS["strict"].changed(encoding="extended")


def table(**columns):
    given = {
        "id": [1, 2, 3],
        "title": ["A", "B", "C"],
        "genres": ["[{'id': 1, 'name': 'War'}, {'id': 2, 'name': 'Drama'}]", "[]", None],
        "original_language": ["en", "sv", None],
        "release_date": ["1995-10-30", "", "1-01-01"],
        "runtime": [81.0, 0.0, None],
        "belongs_to_collection": ["{'id': 3}", None, ""],
    }
    types = {"runtime": pl.Float64}
    return pl.DataFrame(given | columns, schema_overrides=types)


def test_facts_are_read_and_what_is_no_fact_is_unknown():
    facts = facts_of(table(), np.array([10, 0, np.nan]), np.array([7.7, 8.0, np.nan]))
    assert facts["genres"] == [("War", "Drama"), (), ()]
    assert facts["language"] == [("en",), ("sv",), (None,)]
    assert facts["collection"] == [("yes",), (), ()]
    np.testing.assert_array_equal(facts["year"], [1995, np.nan, np.nan])
    np.testing.assert_array_equal(facts["runtime"], [81, np.nan, np.nan])  # nothing lasts 0 minutes
    assert facts["vote_count"].tolist() == [10, 0, 0]
    assert facts["vote_average"].tolist() == [7.7, 0, 0]  # 8 of no votes says nothing


@pytest.mark.parametrize(
    ("values", "weight", "levels", "expected"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], 1, [2]),  # half of the weight is reached at 2
        ([4, 1, 3, 2], [0, 0, 0, 0], 1, [2]),  # no votes: all weigh the same
        ([1, 2, 3, 4], [1, 1, 1, 9], 1, [4]),
        ([1, 2, 3, 4, 5, 6], [1] * 6, 2, [2, 4]),
        ([5, 5, 5, 7], [1] * 4, 3, []),  # all reach 5; that is no news
        ([5, 5, 7, 7], [1] * 4, 3, [7]),  # a threshold once
        ([1, 2, np.nan], [1, 1, 50], 1, []),
        ([np.nan], [1], 3, []),
    ],
)
def test_thresholds(values, weight, levels, expected):
    cuts = thresholds(np.array(values, float), np.array(weight, float), levels)
    assert cuts.tolist() == expected


def hand_made(n=9):
    """Years 2000 .. 2008, votes 1 each, averages 1 .. 9, runtimes all 100."""
    return {
        "genres": ([("War",)] * 4 + [("Drama", "War")] * 5)[:n],
        "language": [("en",), ("fr",), ("xx",)] * (n // 3),
        "collection": [("yes",)] + [()] * (n - 1),
        "year": np.arange(2000.0, 2000 + n),
        "runtime": np.full(n, 100.0),
        "vote_count": np.ones(n),
        "vote_average": np.arange(1.0, n + 1),
    }


def test_bits_by_hand():
    facts = hand_made()
    bits, names = extended_bits(facts, facts)
    bit = dict(zip(names, bits.T.tolist(), strict=True))
    assert names[:2] == ("genres:Drama", "genres:War")
    assert bit["genres:Drama"] == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert bit["genres:War"] == [1] * 9
    # eight cuts of nine movies: after each; the first is reached by all and left out
    assert [name for name in names if name.startswith("year")] == [
        f"year:>={year}" for year in range(2001, 2008)
    ]
    assert bit["year:>=2003"] == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert bit["vote_average:>=8"] == [0] * 7 + [1, 1]
    assert bit["language:fr"] == [0, 1, 0] * 3
    assert bit["collection:yes"] == [1] + [0] * 8
    assert not [name for name in names if name.startswith(("runtime", "vote_count"))]  # all alike


def test_the_unknown_is_in_the_middle_and_no_votes_are_no_bits():
    population = hand_made()
    population["runtime"] = np.arange(91.0, 100)
    unknown = hand_made(3) | {
        "year": np.full(3, np.nan),
        "runtime": np.full(3, np.nan),
        "vote_count": np.zeros(3),
        "vote_average": np.zeros(3),
    }
    bits, names = extended_bits(unknown, population)
    ones = dict(zip(names, bits[0], strict=True))
    assert [ones[f"year:>={year}"] for year in range(2001, 2008)] == [1, 1, 1, 1, 0, 0, 0]
    assert not any(one for name, one in ones.items() if name.startswith("vote"))


def test_the_table_of_channels_is_the_order_of_the_bits(synthetic):
    movies = make_cell(synthetic, EXTENDED, 12, 20).movies
    assert list(movies.channels) == list(CHANNELS)
    assert set(np.unique(movies.bits)) == {0, 1}
    thermometer = [i for i, name in enumerate(movies.bit_names) if name.startswith("year")]
    assert (np.diff(movies.bits[:, thermometer].astype(int), axis=1) <= 0).all()


def test_no_rating_takes_part(synthetic):
    other = replace(
        synthetic.ratings, stars=5.5 - synthetic.ratings.stars, time=synthetic.ratings.time + 9
    )
    changed = replace(synthetic, ratings=Ratings(other.user, other.movie, other.stars, other.time))
    before, after = (encode_movies(d, encoding="extended") for d in (synthetic, changed))
    assert before.bit_names == after.bit_names
    assert np.array_equal(before.bits, after.bits)


def test_without_votes_there_are_no_bits_of_votes(synthetic):
    movies = make_cell(synthetic, EXTENDED.changed(votes=False), 12, 20).movies
    assert "vote_average" not in movies.channels
    assert "vote_count" not in movies.channels
    assert np.isnan(movies.vote_average).all()
    assert not movies.vote_count.any()
    published = make_cell(
        synthetic, PROTOCOLS["strict"].changed(votes=False, encoding="published"), 12, 20
    ).movies
    assert published.bits[:, 16].all()  # no hundred votes
    assert not published.bits[:, 10:13].any()  # an average of 0
    assert np.isnan(published.vote_average).all()


def test_votes_that_are_counted_give_thresholds_of_their_own(without_votes):
    outside = np.arange(without_votes.n_users) >= 20
    movies = encode_movies(without_votes, background=outside, encoding="extended")
    counts = [float(name.split(">=")[1]) for name in movies.bit_names if "vote_count" in name]
    assert counts
    assert max(counts) <= 40  # users outside
    unknown = encode_movies(without_votes, background=~outside & outside, encoding="extended")
    assert "vote_count" not in unknown.channels
