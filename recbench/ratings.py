"""The two tables that all code uses: ratings, and movies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

MIN_STARS, MAX_STARS = 0.5, 5.0
LEARNED = "learned"  # the channel of bits that were learned from ratings; others are metadata
NO_TIME = -1  # the time of every rating of a file without times
DEFAULT_STARS = 3.0  # the prediction without any training rating


def read_only(values: object, dtype: str) -> np.ndarray:
    """A read-only view of `values`, since many recommenders share it. The caller's own array stays
    writable."""
    array = np.asarray(values, dtype=dtype).view()
    array.flags.writeable = False
    return array


@dataclass(frozen=True)
class Ratings:
    """One row per rating, in read-only columns.

    Attributes:
        user: int32 [n], dense user index: 0 .. number of users - 1.
        movie: int32 [n], row number in the `Movies` of the same dataset.
        stars: float32 [n], 0.5 .. 5.0 in halves; from a file with another scale also other values.
        time: int64 [n], seconds since 1970 (UTC), or `NO_TIME`.

    Raises:
        ValueError: if the columns differ in length.

    >>> ratings = Ratings(user=[0, 0, 1], movie=[4, 7, 4], stars=[3.5, 5, 2], time=[10, 20, 15])
    >>> ratings.take(ratings.user == 0).mean_stars()
    4.25
    """

    user: np.ndarray
    movie: np.ndarray
    stars: np.ndarray
    time: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("user", "i4"), ("movie", "i4"), ("stars", "f4"), ("time", "i8")):
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))
        lengths = {len(column) for column in (self.user, self.movie, self.stars, self.time)}
        if len(lengths) > 1:
            raise ValueError(f"the columns of Ratings differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: np.ndarray) -> Ratings:
        """The ratings at `rows`: row numbers int [k] or a mask bool [n], in that order."""
        return Ratings(self.user[rows], self.movie[rows], self.stars[rows], self.time[rows])

    def mean_stars(self) -> float:
        """The mean of all stars, in float64; `DEFAULT_STARS` without ratings."""
        return float(self.stars.mean(dtype=np.float64)) if len(self) else DEFAULT_STARS

    def has_times(self) -> bool:
        """Whether the times are known."""
        return not len(self) or bool((self.time != NO_TIME).any())

    @staticmethod
    def concatenate(parts: list[Ratings]) -> Ratings:
        """The rows of all `parts`, one after another; all must use the same indices."""
        columns = [[getattr(part, name) for part in parts] for name in Ratings.__annotations__]
        return Ratings(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True)
class Movies:
    """One row per movie, read-only: metadata and, with a learned encoding, the code bits of an item
    table in a separate channel.

    Attributes:
        bits: uint8 [m, b], binary features, 0 or 1.
        bit_names: meaning of each of the b bits, as "channel:meaning" ("genres:drama"). Bits of one
            channel are adjacent.
        vote_average: float32 [m], average of the external votes in stars, 0 .. 5; nan if unknown.
        vote_count: float32 [m], number of votes; 0 if unknown.
        movie_id: int64 [m], the MovieLens id.
        title: object [m], the title as text.

    Raises:
        ValueError: if `bits` is not of the shape [m, b].
    """

    bits: np.ndarray
    bit_names: tuple[str, ...]
    vote_average: np.ndarray
    vote_count: np.ndarray
    movie_id: np.ndarray
    title: np.ndarray

    def __post_init__(self) -> None:
        dtypes = {"bits": "u1", "vote_average": "f4", "vote_count": "f4", "movie_id": "i8"}
        for name, dtype in {**dtypes, "title": "O"}.items():
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))
        if self.bits.shape != (len(self), len(self.bit_names)):
            raise ValueError(
                f"{len(self)} movies and {len(self.bit_names)} bit names, "
                f"but bits of shape {self.bits.shape}"
            )

    def __len__(self) -> int:
        return len(self.movie_id)

    @property
    def channels(self) -> dict[str, int]:
        """The channels of the encoding, in order, with their numbers of bits."""
        names = (name.split(":", 1)[0] for name in self.bit_names)
        return {channel: len(list(group)) for channel, group in groupby(names)}

    @property
    def metadata_bits(self) -> np.ndarray:
        """The bits that were not learned from ratings, uint8 [m, ≤ b]."""
        return self.bits[:, : len(self._metadata_names)]

    def without_codes(self) -> Movies:
        """These movies with metadata bits only."""
        names = self._metadata_names
        same = len(names) == len(self.bit_names)
        return self if same else replace(self, bits=self.metadata_bits, bit_names=names)

    def with_codes(self, codes: np.ndarray) -> Movies:
        """These movies with learned bits (uint8 [m, k]) after their metadata bits."""
        learned = tuple(f"{LEARNED}:{bit}" for bit in range(codes.shape[1]))
        return replace(
            self,
            bits=np.concatenate((self.metadata_bits, codes), axis=1),
            bit_names=(*self._metadata_names, *learned),
        )

    @property
    def _metadata_names(self) -> tuple[str, ...]:
        return tuple(name for name in self.bit_names if not name.startswith(f"{LEARNED}:"))


def rows_of_each(user: np.ndarray) -> list[np.ndarray]:
    """Row numbers of each distinct user, in the order of users, then of the table."""
    by_user = np.argsort(user, kind="stable")
    _, starts = np.unique(user[by_user], return_index=True)
    return np.split(by_user, starts[1:]) if len(user) else []


def place_within(user: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Position of each row among those of its user, from 0: int64 [n]. `order` (int [n]) sorts the
    rows by user, then by position."""
    _, start, count = np.unique(user[order], return_index=True, return_counts=True)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - np.repeat(start, count)
    return place


def places(ids: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Index of each of `ids` in `known` (sorted), int64 [n]; len(known) if missing."""
    place = np.searchsorted(known, ids)
    return np.where(np.append(known, -1)[place] == ids, place, len(known))
