"""`predictions.parquet`: one row per test rating and model, written part by part."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from uuid import uuid4

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from recbench.errors import InputError
from recbench.evaluation.significance import losses_per_user
from recbench.files import ITERATION, complete_file, in_file_name

KEY = [*ITERATION, "model"]
Key = tuple[int, int, int, str]
PARTS, ROW = "predictions", b"row"
CELLS = "cells"  # the folder of cells that are divided, see `recbench.runs.grid`


class Predictions:
    """The predictions of a run; they contain ratings, so they must not be published.

    A part has the predictions of one model in one cell and its row of the table, written by the
    process that made them (`write_part`). An existing part is always complete, so a stopped run can
    be continued. It replaces the rows of its key in the file of all parts, so none counts twice,
    wherever a run was stopped.

    Args:
        folder: of the run.

    Attributes:
        rows: rows of the table, one for each part found at the start.

    Raises:
        InputError: the file of all parts cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "predictions.parquet"
        self._parts = folder.resolve() / PARTS
        self._whole = _keys_of(self._file) if self._file.exists() else []
        self._part_of: dict[Key, Path] = {}
        self.rows: list[dict] = []
        for part in sorted(self._parts.glob("*.parquet")):
            try:
                (key,) = _keys_of(part)
                self.rows.append(json.loads(pq.read_schema(part).metadata[ROW]))
                self._part_of[key] = part
            except (InputError, ValueError, KeyError):
                part.unlink()  # it is computed again

    def keys(self) -> set[Key]:
        """num_users, reviews_per_user, iteration and model of all predictions."""
        return {*self._whole, *self._part_of}

    def add(self, row: dict[str, object], predictions: pd.DataFrame) -> None:
        """Write a part, and register it."""
        write_part(self._parts.parent, row, predictions)
        self.take(row)

    def take(self, key: dict[str, object]) -> None:
        """Register a part that was written."""
        self._part_of[tuple(key[name] for name in KEY)] = self._parts / _name(key)  # type: ignore[index]

    def forget(self, models: list[str]) -> None:
        """Delete the predictions of these models, also those of shards."""
        for key, part in list(self._part_of.items()):
            if key[-1] in models:
                part.unlink()
                del self._part_of[key]
        if any(key[-1] in models for key in self._whole):
            self._whole = [key for key in self._whole if key[-1] not in models]
            left = pl.scan_parquet(self._file, glob=False).filter(~pl.col("model").is_in(models))
            with complete_file(self._file) as scratch:
                left.sink_parquet(scratch, compression="zstd")
        cells = self._parts.parent / CELLS
        for name in models:
            for shard in cells.glob(f"*/{in_file_name(name)}-*"):
                shard.unlink()

    def losses(self) -> pd.DataFrame:
        """The losses per user of every model in every cell and iteration, see
        `recbench.evaluation.significance.losses_per_user`."""
        frames = []
        for key in sorted(self.keys()):
            losses = losses_per_user(self._rows_of(key).collect().to_pandas())
            frames.append(losses.assign(**dict(zip(KEY, key, strict=True))))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=KEY)

    def of(self, cell: tuple[int, int], model: str) -> pd.DataFrame:
        """The predictions of one model in all iterations of a cell (users, ratings of each)."""
        keys = [key for key in sorted(self.keys()) if (*key[:2], key[3]) == (*cell, model)]
        return pl.concat(map(self._rows_of, keys)).collect().to_pandas()

    def finish(self) -> Path:
        """Combine the parts into one file, in the order of their keys."""
        if self._parts.exists():
            keys = sorted(self.keys())
            if keys:
                with complete_file(self._file) as scratch:
                    everything = pl.concat(map(self._rows_of, keys))
                    everything.sink_parquet(scratch, compression="zstd")
            self._whole, self._part_of = keys, {}
            shutil.rmtree(self._parts)
        return self._file

    def _rows_of(self, key: Key) -> pl.LazyFrame:
        """The rows of a key, from its part or else from the file of all parts."""
        if key in self._part_of:
            return pl.scan_parquet(self._part_of[key], glob=False)
        of_key = [pl.col(name) == value for name, value in zip(KEY, key, strict=True)]
        return pl.scan_parquet(self._file, glob=False).filter(*of_key)


def write_part(folder: Path, row: dict, predictions: pd.DataFrame) -> None:
    """Save the predictions of one model in one cell, in one step.

    Args:
        row: row of the table, with values that JSON can store and the columns of its key.
        predictions: see `Measured`.
    """
    part = folder / PARTS / _name(row)
    part.parent.mkdir(parents=True, exist_ok=True)
    frame = predictions.assign(**{name: row[name] for name in KEY})
    table = pa.Table.from_pandas(frame[[*KEY, *predictions.columns]], preserve_index=False)
    table = table.replace_schema_metadata({**table.schema.metadata, ROW: json.dumps(row)})
    # a unique name: two workers may do the same task, if one was lost
    with complete_file(part, uuid4().hex) as scratch:
        pq.write_table(table, scratch, compression="zstd", write_page_checksum=True)


def _name(key: dict) -> str:
    *iteration, model = (str(key[name]) for name in KEY)
    return "-".join((*iteration, in_file_name(model))) + ".parquet"


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
