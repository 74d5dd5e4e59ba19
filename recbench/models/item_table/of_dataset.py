"""The item table of a whole dataset: everybody in it is a background user."""

from __future__ import annotations

import numpy as np

from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import encode_movies
from recbench.models.item_table.making import CODE_BITS, make_item_table
from recbench.models.item_table.table import ItemTable
from recbench.ratings import Movies


def item_table_of(
    dataset: Dataset, seed: int = 0, code_bits: int = CODE_BITS
) -> tuple[ItemTable, Movies]:
    """The table, for users who are not in `dataset`, and the movies with the bits it is for.

    Args:
        seed, code_bits: see `make_item_table`.
    """
    everybody = np.ones(dataset.n_users, dtype=bool)
    movies = encode_movies(dataset, background=everybody, encoding="extended")

    def movies_without(users: np.ndarray) -> Movies:
        voters = everybody.copy()
        voters[users] = False
        return encode_movies(dataset, background=voters, encoding="extended")

    counted = None if dataset.source.has_votes else movies_without
    return make_item_table(dataset.ratings, movies, seed, code_bits, counted), movies
