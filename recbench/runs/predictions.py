"""`predictions.parquet`: one row per test rating and model, written part by part."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from recbench.errors import InputError
from recbench.evaluation.significance import losses_per_user
from recbench.keys import ITERATION

KEY = [*ITERATION, "model"]
Key = tuple[int, int, int, str]


class Predictions:
    """The predictions of a run; it holds ratings, so it is not to be passed on.

    A part is the predictions of one model in one cell. Each is whole when it is there, so that a
    run that was stopped can go on; a part takes the place of what the file of all has for its key,
    so that none counts twice, wherever a run was stopped.

    Raises:
        InputError: the file of all cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "predictions.parquet"
        self._parts = folder / "predictions"
        self._whole = _keys_of(self._file) if self._file.exists() else []
        self._part_of = self._read_parts()

    def keys(self) -> set[Key]:
        """num_users, reviews_per_user, iteration and model of all there are."""
        return {*self._whole, *self._part_of}

    def add(self, key: dict[str, object], predictions: pd.DataFrame) -> None:
        """Keep `predictions` (see `Measured`) of one model in one cell."""
        self._parts.mkdir(exist_ok=True)
        part = self._parts / ("-".join(str(key[name]) for name in KEY) + ".parquet")
        frame = predictions.assign(**{name: key[name] for name in KEY})
        scratch = part.with_suffix(".part")
        table = pa.Table.from_pandas(frame[[*KEY, *predictions.columns]], preserve_index=False)
        pq.write_table(table, scratch, compression="zstd", write_page_checksum=True)
        os.replace(scratch, part)
        self._part_of[tuple(key[name] for name in KEY)] = part  # type: ignore[index]

    def losses(self) -> pd.DataFrame:
        """The losses per user of every model in every cell and iteration, see
        `recbench.evaluation.significance.losses_per_user`."""
        frames = []
        for key, rows in self._in_order():
            losses = losses_per_user(rows.collect().to_pandas())
            frames.append(losses.assign(**dict(zip(KEY, key, strict=True))))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=KEY)

    def of(self, cell: tuple[int, int], model: str) -> pd.DataFrame:
        """The predictions of one model in all iterations of a cell (users, ratings of each)."""
        pieces = [
            rows for key, rows in self._in_order() if (key[0], key[1], key[3]) == (*cell, model)
        ]
        return pl.concat(pieces).collect().to_pandas()

    def finish(self) -> Path:
        """Put the parts together into one file, in the order of their keys."""
        if self._parts.exists():
            pieces = [rows for _, rows in self._in_order()]
            if pieces:
                scratch = self._file.with_suffix(".part")
                pl.concat(pieces).sink_parquet(scratch, compression="zstd")
                os.replace(scratch, self._file)
            self._whole, self._part_of = sorted(self.keys()), {}
            shutil.rmtree(self._parts)
        return self._file

    def _in_order(self) -> list[tuple[Key, pl.LazyFrame]]:
        """Each key and its rows, a part before what the file of all has."""
        pieces = []
        for key in sorted(self.keys()):
            if key in self._part_of:
                pieces.append((key, pl.scan_parquet(self._part_of[key], glob=False)))
            else:
                of_key = [pl.col(name) == value for name, value in zip(KEY, key, strict=True)]
                pieces.append((key, pl.scan_parquet(self._file, glob=False).filter(*of_key)))
        return pieces

    def _read_parts(self) -> dict[Key, Path]:
        """The part of each key. One that cannot be read is no part: it is computed again."""
        found = {}
        for part in sorted(self._parts.glob("*.parquet")):
            try:
                (key,) = _keys_of(part)
            except (InputError, ValueError):
                part.unlink()
                continue
            found[key] = part
        return found


def _keys_of(file: Path) -> list[Key]:
    try:
        pq.read_table(file, page_checksum_verification=True)
        keys = pl.scan_parquet(file, glob=False).select(KEY).unique().collect().rows()
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{file}: cannot be read ({reason}). Delete it, and its rows are computed again by "
            "--resume"
        ) from None
    return sorted(keys)
