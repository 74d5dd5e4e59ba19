"""Filters, and maximal marginal relevance against a plain reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_movies import catalogue_of_titles

from recbench.errors import InputError
from recbench.own_ratings.filters import POOL, Filters, diversified, known_name


def plain(stars, similarity, count, diversity):
    """As the paper has it, movie by movie."""
    pool = sorted(range(len(stars)), key=lambda movie: (-stars[movie], movie))[: POOL * count]
    least, most = min(stars[movie] for movie in pool), max(stars[movie] for movie in pool)
    relevance = {movie: (stars[movie] - least) / ((most - least) or 1) for movie in pool}
    chosen = []
    while pool and len(chosen) < count:
        scores = {
            movie: (1 - diversity) * relevance[movie]
            - diversity * max(similarity[movie, other] for other in chosen)
            if chosen
            else relevance[movie]
            for movie in pool
        }
        best = max(pool, key=lambda movie: scores[movie])
        chosen.append(best)
        pool.remove(best)
    return chosen


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 100), st.integers(0, 10_000))
def test_as_the_plain_reference(n, count, percent, seed):
    rng = np.random.default_rng(seed)
    stars = rng.uniform(1, 5, n)
    vectors = rng.normal(size=(n, 3))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    similarity = vectors @ vectors.T
    chosen = diversified(stars, lambda a, b: similarity[np.ix_(a, b)], count, percent / 100)
    assert chosen.tolist() == plain(stars, similarity, count, percent / 100)


def test_without_diversity_the_best_in_order():
    stars = np.array([3.0, 5.0, 4.0, 5.0])
    assert diversified(stars, lambda a, b: 1 / 0, 3, 0.0).tolist() == [1, 3, 2]
    assert len(diversified(np.empty(0), lambda a, b: np.ones((1, 0)), 3, 0.5)) == 0
    assert len(diversified(stars, lambda a, b: np.ones((1, 4)), 0, 0.5)) == 0


CATALOGUE = catalogue_of_titles(
    ["A (1950)", "B (1990)", "C (2000)", "D"],
    [("Drama",), ("Horror", "Comedy"), ("Comedy",), ()],
    ["en", "fr", "en", ""],
)


@pytest.mark.parametrize(
    ("filters", "passing"),
    [
        (Filters(), "ABCD"),
        (Filters(genres=("Comedy",)), "BC"),
        (Filters(genres=("Comedy", "Drama")), "ABC"),
        (Filters(genres=("Comedy",), not_genres=("Horror",)), "C"),
        (Filters(year_from=1990), "BC"),
        (Filters(year_to=1990), "AB"),
        (Filters(year_from=1951, year_to=1999), "B"),
        (Filters(languages=("en",)), "AC"),
        (Filters(languages=("en", "fr")), "ABC"),
        (Filters(rated_by=20), "ABC"),
        (Filters(rated_by=50), ""),
    ],
)
def test_filters(filters, passing):
    assert "".join(np.array(list("ABCD"))[filters.passing(CATALOGUE)]) == passing
    without = [name for name in passing if name != "B"]  # a horror movie
    muted = ["Horror", "Of another catalogue"]
    assert list(np.array(list("ABCD"))[filters.passing(CATALOGUE, muted)]) == without


def test_names_of_genres_and_languages():
    known = ("Comedy", "Science Fiction", "Family", "Film-Noir")
    assert known_name(" comedy", "--genre", known) == "Comedy"
    assert known_name("Film Noir", "--genre", known) == "Film-Noir"
    assert known_name("Sci-Fi", "--genre", known) == "Science Fiction"
    assert known_name("Children's", "--genre", known) == "Family"
    with pytest.raises(
        InputError, match=r"--genre Horor: .* Comedy, Science Fiction, Family, Film-Noir"
    ):
        known_name("Horor", "--genre", known)
    assert known_name("EN", "--language", ["en"]) == "en"
    with pytest.raises(InputError, match=r"--language xx: .* en"):
        known_name("xx", "--language", ["en"])
