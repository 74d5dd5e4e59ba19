"""The film table of a whole dataset: everybody in it is a background user."""

from __future__ import annotations

import numpy as np

from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import encode_movies
from recbench.film_table.making import CODE_BITS, make_film_table
from recbench.film_table.table import FilmTable
from recbench.ratings import Movies


def film_table_of(
    dataset: Dataset, seed: int = 0, code_bits: int = CODE_BITS
) -> tuple[FilmTable, Movies]:
    """The table, for users who are not in `dataset`, and the movies with the bits it is for.

    Args:
        seed, code_bits: see `make_film_table`.
    """
    everybody = np.ones(dataset.n_users, dtype=bool)
    movies = encode_movies(dataset, background=everybody, encoding="extended")

    def movies_without(users: np.ndarray) -> Movies:
        voters = everybody.copy()
        voters[users] = False
        return encode_movies(dataset, background=voters, encoding="extended")

    counted = None if dataset.source.has_votes else movies_without
    return make_film_table(dataset.ratings, movies, seed, code_bits, counted), movies
