"""The item table: mean stars, factors and implicit feedback of movies from background users; its
file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from recbench.contract import NO_RATINGS
from recbench.errors import InputError
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.scales import (
    EVEN,
    SESSION,
    STARS,
    Scales,
    Steps,
    implicit_means,
)
from recbench.ratings import Movies, read_only
from weightless import storage

FORMAT, VERSION = "recbench item table", 3
PREFIX = "item_table"  # of its parts in a file
FOLD_FILE = "fold.npy"
ARRAYS = {  # and their types
    "movie_id": "i8", "mean": "f8", "factors": "f8", "implicit": "f8", "implicit_mean": "f8",
    "uncertainty": "f8", "count": "i8",
}  # fmt: skip


@dataclass(frozen=True)
class ItemTable:
    """Properties of movies, learned once from users other than those it is used for.

    The prior mean of movie i for a user who has rated the movies N is

        mean_i + w_i · (|N|^−½ Σ_{j ∈ N, j ≠ i} B_j − B's̄)

    Attributes:
        movie_id: int64 [m], the MovieLens id of each movie.
        mean: float64 [m], mean over users in stars, not clipped.
        factors: float64 [m, k ≥ 1], w; over users the stars of two movies have the covariance w·w.
            The first is the baseline loading; the others give the similarity of two movies.
        implicit: float64 [m, k], B: effect of having rated a movie on a user's vector, whatever the
            stars.
        implicit_mean: float64 [k], B's̄, the mean of B's_u over users.
        uncertainty: float64 [m], the variance of the movie's own numbers, squared stars.
        count: int64 [m], number of background users who rated it.
        scales: of the kernel.
        steps: of the predictive distribution.
        persistence: 0 .. 1, share of a user's contribution that persists in another session, see
            `recbench.models.item_table.scales.fit_persistence`.
        about: how it was made, JSON data.

    Raises:
        ValueError: the arrays differ in their numbers of movies or factors.
    """

    movie_id: np.ndarray
    mean: np.ndarray
    factors: np.ndarray
    implicit: np.ndarray
    implicit_mean: np.ndarray
    uncertainty: np.ndarray
    count: np.ndarray
    scales: Scales
    steps: Steps
    persistence: float = 1.0
    about: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, dtype in ARRAYS.items():
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))
        m, k = len(self.movie_id), self.factors.shape[1] if self.factors.ndim == 2 else 0
        shapes = {name: getattr(self, name).shape for name in ARRAYS}
        expected: dict[str, tuple[int, ...]] = dict.fromkeys(ARRAYS, (m,))
        expected |= {"factors": (m, k), "implicit": (m, k), "implicit_mean": (k,)}
        if shapes != expected or not k:
            raise ValueError(f"the columns of an item table differ in length: {shapes}")

    def __len__(self) -> int:
        return len(self.movie_id)

    @property
    def loading(self) -> np.ndarray:
        """The baseline loading, the first factor of each movie: float64 [m], stars."""
        return self.factors[:, 0]

    @classmethod
    def of_metadata(cls, movies: Movies, mean: ItemBaseline | None = None) -> ItemTable:
        """The table without any ratings: similarity comes from metadata only.

        Args:
            mean: from votes and bits; None: the external vote average.
        """
        mean = mean or ItemBaseline.fit(NO_RATINGS, movies)
        nothing = np.zeros(len(movies))
        return cls(
            movie_id=movies.movie_id,
            mean=mean.stars,
            factors=np.ones((len(movies), 1)),  # a user's bias shows in all movies equally
            implicit=nothing[:, None],
            implicit_mean=np.zeros(1),
            uncertainty=nothing,
            count=nothing,
            scales=Scales.of_nobody(),
            steps=EVEN,
        )

    def implicit_means(self, rated: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Effect of having rated movies (int [k]) on the stars of others (int [n]), float64 [n]."""
        return implicit_means(self.factors, self.implicit, self.implicit_mean, rated, movie)

    def persisting(self, latest: float, time: np.ndarray | None) -> np.ndarray | float:
        """Factor of the user's own part of a prediction, float64 [n]: `persistence` for a query in
        a session after the user's `latest` rating, else 1.

        Args:
            latest: seconds; nan: not known.
            time: int64 [n], seconds, of each query; None: in the session of the latest rating.
        """
        if time is None:
            return 1.0
        return np.where(time - latest > SESSION, self.persistence, 1.0)

    def checksum(self) -> str:
        """Hexadecimal SHA-256 of the contents: the same for equal tables only."""
        digest = hashlib.sha256(self._header().encode())
        for array in self._arrays().values():
            digest.update(f"{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def parts(self) -> tuple[dict[str, str], dict[str, np.ndarray]]:
        """Header and arrays of a file, see `weightless.storage`."""
        return {PREFIX: self._header()}, {f"{PREFIX}_{k}": v for k, v in self._arrays().items()}

    @classmethod
    def of(cls, header: dict[str, str], arrays: dict[str, np.ndarray]) -> ItemTable:
        """The table of these `parts`, which may be among others.

        Raises:
            ValueError, KeyError, TypeError: they are not a table, or one of another version.
        """
        about = json.loads(header[PREFIX])
        if (about["format"], about["version"]) != (FORMAT, VERSION):
            raise ValueError("it is of another version")
        return cls(
            **{name: arrays[f"{PREFIX}_{name}"] for name in ARRAYS},
            scales=Scales(**about["scales"]),
            steps=Steps(arrays[f"{PREFIX}_cuts"], about["spread"]),
            persistence=about["persistence"],
            about=about["about"],
        )

    def save(self, path: str | Path) -> None:
        """Write it in one step: an interrupted write leaves the old file, or none."""
        storage.write(path, FORMAT, *self.parts())

    @classmethod
    def load(cls, path: str | Path) -> ItemTable:
        """Read a file written by `save`; it contains no code.

        Raises:
            InputError: the file is missing, damaged, not an item table, or of another version.
        """
        try:
            return cls.of(*storage.read(path, FORMAT))
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file. Expected an item table") from None
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: damaged, or not an item table ({error}). Make it again"
            ) from None

    def _header(self) -> str:
        header = {
            "format": FORMAT,
            "version": VERSION,
            "scales": asdict(self.scales),
            "spread": self.steps.spread,
            "persistence": self.persistence,
            "about": self.about,
        }
        return json.dumps(header, sort_keys=True)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {**{name: getattr(self, name) for name in ARRAYS}, "cuts": self.steps.cuts}


@dataclass(frozen=True)
class ItemTables:
    """One table for everybody, or one for each fold of users, learned from the other folds.

    Attributes:
        tables: at least one.
        fold: int64 [users], index of each user's table; 0 for users beyond the last.
    """

    tables: tuple[ItemTable, ...]
    fold: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "fold", read_only(self.fold, "i8"))

    @classmethod
    def same_for_all(cls, table: ItemTable) -> ItemTables:
        """`table` for all users, none of whom it was learned from."""
        return cls((table,), np.empty(0))

    def save(self, folder: Path) -> None:
        """Write a file per table and then one with the folds."""
        for k, table in enumerate(self.tables):
            table.save(folder / f"item_table-{k}.npz")
        np.save(folder / FOLD_FILE, self.fold)

    @classmethod
    def load(cls, folder: Path) -> ItemTables | None:
        """The tables in `folder`; None if there are none."""
        if not (folder / FOLD_FILE).exists():
            return None
        files = sorted(folder.glob("item_table-*.npz"))
        fold = np.load(folder / FOLD_FILE, allow_pickle=False)
        return cls(tuple(map(ItemTable.load, files)), fold)

    def folds_of(self, user: np.ndarray) -> np.ndarray:
        """Index of the table of each user (int [n]), int64 [n]."""
        if not len(self.fold):
            return np.zeros(len(user), dtype=np.int64)
        known = np.asarray(user) < len(self.fold)
        return np.where(known, self.fold[np.minimum(user, len(self.fold) - 1)], 0)

    def fold_of(self, user: int) -> int:
        """The same of one user."""
        return int(self.fold[user]) if user < len(self.fold) else 0

    def probabilities(self, user: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Probability of each of `STARS`, float64 [n, 10], by the steps of each user's table; mean
        and variance (float64 [n]) are those of the latent rating."""
        probabilities, fold = np.empty((len(user), len(STARS))), self.folds_of(user)
        for k, table in enumerate(self.tables):
            rows = fold == k
            probabilities[rows] = table.steps.probabilities(mean[rows], variance[rows])
        return probabilities
