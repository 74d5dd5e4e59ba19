"""How a film table is made from the ratings of background users."""

from __future__ import annotations

import numpy as np

from recbench.film_table.codes import choose_codes
from recbench.film_table.fit_scales import fit_scales, prequential
from recbench.film_table.posterior import mean_and_factors
from recbench.film_table.steps import fit_steps
from recbench.film_table.table import FilmTable
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings
from recbench.threads import one_thread

RANK, SAMPLES, SAMPLES_FOR_SCALES = 14, 113, 60
FACTORS = 32
CODE_BITS = 256
ASIDE, ASIDE_AT_MOST = 0.2, 300  # people that the scales are fitted to
FEWEST_PEOPLE = 10


def make_film_table(
    background: Ratings, movies: Movies, seed: int = 0, code_bits: int = CODE_BITS
) -> FilmTable:
    """Learn the table from `background`, and from nobody else.

    Scales and steps have to be right for people whom the table was not learned from. So a first
    table is learned without a fifth of the people (at most 300), scales and steps are fitted to
    these, and the table is then learned again from all.

    Args:
        movies: all films that the table is to have; only metadata bits are looked at.
        seed: of the sampler, of who is set aside and of the codes.
        code_bits: bits of a code, 0 or more.
    """
    people = np.unique(background.user)
    if len(people) < FEWEST_PEOPLE:
        return FilmTable.of_metadata(movies)
    with one_thread():
        n_aside = min(int(ASIDE * len(people)), ASIDE_AT_MOST)
        chosen = np.random.default_rng([seed, 5]).permutation(people)[:n_aside]
        aside = np.isin(background.user, chosen)
        others, theirs = background.take(~aside), background.take(aside)

        mean, factors, codes = _learn(others, movies, seed, SAMPLES_FOR_SCALES, code_bits)
        signs, norm = 2.0 * codes - 1, np.linalg.norm(factors, axis=1)
        scales = fit_scales(theirs, mean, signs, norm, movies.bits)
        steps = fit_steps(*prequential(theirs, mean, signs, norm, movies.bits, scales))

        mean, factors, codes = _learn(background, movies, seed, SAMPLES, code_bits)
    about: dict[str, object] = {"users": len(people), "ratings": len(background), "seed": seed}
    return FilmTable(movies.movie_id, mean, factors, codes, scales, steps, about)


def _learn(
    ratings: Ratings, movies: Movies, seed: int, samples: int, code_bits: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, factors and codes of each film. The mean is half the mean over people, half the item
    baseline: of few people either is better than none, and both together than either."""
    stars, factors = mean_and_factors(ratings, movies, seed, RANK, samples, FACTORS)
    mean = (stars + ItemBaseline.fit(ratings, movies).stars) / 2
    count = np.bincount(ratings.movie, minlength=len(movies))
    return mean, factors, choose_codes(factors, count, code_bits, seed)
