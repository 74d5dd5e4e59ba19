"""The item table: what background users' ratings say of movies, as one file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from recbench.errors import InputError
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.kernel import Scales
from recbench.models.item_table.steps import EVEN, Steps
from recbench.ratings import Movies, Ratings, read_only

FORMAT, VERSION = "recbench film table", 1


@dataclass(frozen=True)
class ItemTable:
    """A property of movies, learned once from users who are not the one that it is used for.

    Attributes:
        movie_id: int64 [m], the MovieLens id of each movie.
        mean: float64 [m], what users give it on average, stars; not clipped.
        factors: float64 [m, ≥ 1]; over users the stars of two movies have the covariance f·f. The
            first is by itself, in a user's level; the others say how alike two movies are.
        codes: uint8 [m, b], 0 or 1; the part of bits in which two movies agree stands for the angle
            between their other factors, see `recbench.models.item_table.codes`.
        scales: of the kernel, see `recbench.models.item_table.kernel`.
        steps: of the predictive distribution, see `recbench.models.item_table.steps`.
        about: how it was made, as JSON can hold it.

    Raises:
        ValueError: the arrays are not of as many movies.
    """

    movie_id: np.ndarray
    mean: np.ndarray
    factors: np.ndarray
    codes: np.ndarray
    scales: Scales
    steps: Steps
    about: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, dtype in (("movie_id", "i8"), ("mean", "f8"), ("factors", "f8"), ("codes", "u1")):
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))
        lengths = {len(self.movie_id), len(self.mean), len(self.factors), len(self.codes)}
        if len(lengths) > 1 or self.factors.ndim != 2 or self.codes.ndim != 2:
            raise ValueError(f"the columns of an item table differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.movie_id)

    @property
    def level(self) -> np.ndarray:
        """The first factor of each movie, float64 [m], stars."""
        return self.factors[:, 0]

    @property
    def norm(self) -> np.ndarray:
        """The length of the others, float64 [m], stars: how far users differ about the movie when
        their level is the same."""
        return np.linalg.norm(self.factors[:, 1:], axis=1)

    @classmethod
    def of_metadata(cls, movies: Movies, mean: ItemBaseline | None = None) -> ItemTable:
        """The table that knows of no movie how it was rated: no likeness but that of metadata.

        Args:
            mean: what votes and bits are worth; None: nobody's ratings say so, and the external
                vote average is believed.
        """
        nobody = Ratings(*(np.empty(0) for _ in range(4)))
        mean = mean or ItemBaseline.fit(nobody, movies)
        return cls(
            movie_id=movies.movie_id,
            mean=mean.stars,
            factors=np.ones((len(movies), 1)),  # a user's level shows in all movies alike
            codes=np.empty((len(movies), 0), dtype=np.uint8),
            scales=Scales.of_nobody(),
            steps=EVEN,
        )

    def for_movies(self, movies: Movies) -> ItemTable:
        """This table with a row for each of `movies`, in their order. A movie that it does not know
        has the mean of all, no factors and no code."""
        order = np.argsort(self.movie_id, kind="stable")
        place = np.searchsorted(self.movie_id[order], movies.movie_id)
        row = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(0, int)
        known = self.movie_id[row] == movies.movie_id
        return ItemTable(
            movie_id=movies.movie_id,
            mean=np.where(known, self.mean[row], self.mean.mean()),
            factors=np.where(known[:, None], self.factors[row], 0.0),
            codes=np.where(known[:, None], self.codes[row], 0),
            scales=self.scales,
            steps=self.steps,
            about=self.about,
        )

    def checksum(self) -> str:
        """SHA-256 over all that is in it, hexadecimal: equal tables, and only those, have it."""
        digest = hashlib.sha256(self._header().encode())
        for array in self._arrays().values():
            digest.update(f"{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def save(self, path: str | Path) -> None:
        """Write it in one step: an interrupted write leaves the old file, or none."""
        header = json.dumps({"sha256": self.checksum(), "header": self._header()})
        unfinished = Path(f"{path}.unfinished")
        with unfinished.open("wb") as file:
            arrays = {"about": np.frombuffer(header.encode(), np.uint8), **self._arrays()}
            np.savez(file, allow_pickle=False, **arrays)
        os.replace(unfinished, path)

    @classmethod
    def load(cls, path: str | Path) -> ItemTable:
        """What `save` wrote. Nothing in the file is code; only numpy is needed.

        Raises:
            InputError: there is no such file, it is damaged, no item table, or of a later version.
        """
        try:
            with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            outer = json.loads(arrays.pop("about").tobytes())
            header = json.loads(outer["header"])
            form, version = header.pop("format"), header.pop("version")
            checksum = outer["sha256"]
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file. Expected an item table") from None
        except (
            OSError, ValueError, KeyError, TypeError, AttributeError, EOFError,
            NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
        ) as error:  # fmt: skip
            raise InputError(
                f"{path}: damaged, or no item table. Make it again: "
                "python -m recbench.models.item_table"
            ) from error
        if form != FORMAT:
            raise InputError(f"{path}: is '{form}'. Expected an item table")
        if version != VERSION:
            raise InputError(f"{path}: is of version {version}. This program reads {VERSION}")
        try:
            cuts = arrays.pop("cuts")
            spread, bits = header["spread"], header["code_bits"]
            arrays["codes"] = np.unpackbits(arrays["codes"], axis=1, count=bits)
            table = cls(**arrays, scales=Scales(**header["scales"]), steps=Steps(cuts, spread),
                        about=header["about"])  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{path}: damaged ({error}). Make it again") from None
        if table.checksum() != checksum:
            raise InputError(f"{path}: damaged, its checksum differs. Make it again")
        return table

    def _header(self) -> str:
        header = {
            "format": FORMAT,
            "version": VERSION,
            "scales": asdict(self.scales),
            "spread": self.steps.spread,
            "code_bits": self.codes.shape[1],
            "about": self.about,
        }
        return json.dumps(header, sort_keys=True)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "movie_id": self.movie_id,
            "mean": self.mean,
            "factors": self.factors,
            "codes": np.packbits(self.codes, axis=1),
            "cuts": self.steps.cuts,
        }
