"""Which item table is used for whom: none may have been learned from the user it is used for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recbench.models.item_table.making import MOST_USERS, MoviesWithout, make_item_table
from recbench.models.item_table.table import ItemTable
from recbench.ratings import Movies, Ratings, read_only

FOLDS = 4
FOLD_FILE = "fold.npy"
ENOUGH = 4  # background ratings for each training rating of the sample


def fold_of_each(users: np.ndarray, seed: int, folds: int = FOLDS) -> np.ndarray:
    """Users, int [n], in folds of like size, drawn at random: int64 [n], 0 .. folds − 1."""
    fold = np.empty(len(users), dtype=np.int64)
    fold[np.random.default_rng([seed, 7]).permutation(len(users))] = np.arange(len(users)) % folds
    return fold


@dataclass(frozen=True)
class ItemTables:
    """One table for everybody, or one for each fold of users, learned from the other folds.

    Attributes:
        tables: at least one.
        fold: int64 [users], which table is for whom. Users beyond the last have the first.
    """

    tables: tuple[ItemTable, ...]
    fold: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "fold", read_only(self.fold, "i8"))

    @classmethod
    def same_for_all(cls, table: ItemTable) -> ItemTables:
        """`table`, which was made without any of those that it is used for."""
        return cls((table,), np.empty(0))

    @classmethod
    def make(
        cls,
        train: Ratings,
        background: Ratings,
        movies: Movies,
        seed: int,
        movies_without: MoviesWithout | None = None,
    ) -> ItemTables:
        """From `background` users, if these have at least four times as many ratings as those of
        `train`. Else a table for each fold of the latter, from `background` and the other folds:
        where the sample is most of what there is, a table without it would be poor. There are four
        folds; two, where half of the users are more than a table is learned from.

        Args:
            train: training ratings of the users that the tables are for.
            background: of other users.
            movies_without: see `make_item_table`; where there is no background nobody's votes are
                counted.
        """
        if len(background) >= ENOUGH * max(len(train), 1):
            table = make_item_table(background, movies, seed, movies_without=movies_without)
            return cls.same_for_all(table)
        users = int(train.user.max(initial=-1)) + 1
        folds = 2 if users >= 2 * MOST_USERS else FOLDS
        fold = fold_of_each(np.arange(users), seed, folds)
        tables = []
        for k in range(folds):
            others = Ratings.concatenate([train.take(fold[train.user] != k), background])
            tables.append(
                make_item_table(others, movies, seed, movies_without=movies_without, most_folds=1)
            )
        return cls(tuple(tables), fold)

    def save(self, folder: Path) -> None:
        """A file for each table, and one that says who has which; that last."""
        for k, table in enumerate(self.tables):
            table.save(folder / f"item_table-{k}.npz")
        np.save(folder / FOLD_FILE, self.fold)

    @classmethod
    def load(cls, folder: Path) -> ItemTables | None:
        """Those that were saved in `folder`, None if there are none."""
        if not (folder / FOLD_FILE).exists():
            return None
        fold = np.load(folder / FOLD_FILE, allow_pickle=False)
        files = sorted(folder.glob("item_table-*.npz"))
        return cls(tuple(ItemTable.load(file) for file in files), fold)

    def folds_of(self, user: np.ndarray) -> np.ndarray:
        """The table of each user (int [n]), its number, int64 [n]."""
        if not len(self.fold):
            return np.zeros(len(user), dtype=np.int64)
        known = np.asarray(user) < len(self.fold)
        return np.where(known, self.fold[np.minimum(user, len(self.fold) - 1)], 0)

    def fold_of(self, user: int) -> int:
        """The same of one user."""
        return int(self.fold[user]) if user < len(self.fold) else 0
