"""`predictions.parquet`: one row per test rating and model, written part by part."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from uuid import uuid4

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from recbench.errors import InputError
from recbench.evaluation.significance import losses_per_user
from recbench.keys import ITERATION, in_file_name

KEY = [*ITERATION, "model"]
Key = tuple[int, int, int, str]
PARTS, ROW = "predictions", b"row"
CELLS = "cells"  # the folder of cells that are done in parts, see `recbench.runs.grid`


class Predictions:
    """The predictions of a run; it holds ratings, so it is not to be passed on.

    A part is the predictions of one model in one cell, with its row of the table, written by
    whoever made them (`write_part`). Each is whole when it is there, so that a run that was stopped
    can go on; a part takes the place of what the file of all has for its key, so that none counts
    twice, wherever a run was stopped.

    Args:
        folder: of the run.
        written_to: where parts are written; None: to the folder of the run.

    Attributes:
        rows: of the parts that were there, each a row of the table.

    Raises:
        InputError: the file of all cannot be read.
    """

    def __init__(self, folder: Path, written_to: Path | None = None) -> None:
        self._file = folder / "predictions.parquet"
        self._parts = folder / PARTS
        self._written_to = (written_to or folder) / PARTS
        self._whole = _keys_of(self._file) if self._file.exists() else []
        self.rows: list[dict] = []
        self._part_of = self._read_parts()

    def keys(self) -> set[Key]:
        """num_users, reviews_per_user, iteration and model of all there are."""
        return {*self._whole, *self._part_of}

    def add(self, row: dict[str, object], predictions: pd.DataFrame) -> None:
        """Write a part, and take it."""
        write_part(self._written_to.parent, row, predictions)
        self.take(row)

    def take(self, key: dict[str, object]) -> None:
        """One more part is there."""
        written, part = (folder / _name(key) for folder in (self._written_to, self._parts))
        if not (part.exists() and part.samefile(written)):  # perhaps on another disk: in two steps
            self._parts.mkdir(exist_ok=True)
            scratch = part.with_suffix(".part")
            shutil.copyfile(written, scratch)
            os.replace(scratch, part)
            written.unlink()
        self._part_of[tuple(key[name] for name in KEY)] = part  # type: ignore[index]

    def forget(self, models: list[str]) -> None:
        """Delete the parts of these models, and what they have said of parts of cells."""
        for key, part in list(self._part_of.items()):
            if key[-1] in models:
                part.unlink()
                del self._part_of[key]
        if any(key[-1] in models for key in self._whole):
            self._whole = [key for key in self._whole if key[-1] not in models]
            scratch = self._file.with_suffix(".part")
            left = pl.scan_parquet(self._file, glob=False).filter(~pl.col("model").is_in(models))
            left.sink_parquet(scratch, compression="zstd")
            os.replace(scratch, self._file)
        for about in self._written_to.parent.glob(f"{CELLS}/*/about.json") if models else ():
            about.unlink()  # what they learned of all users stands beside it: it is written anew
        for name in models:
            for said in self._written_to.parent.glob(f"{CELLS}/*-said/{in_file_name(name)}-*"):
                said.unlink()

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
        if self._written_to != self._parts:  # not yet taken when the run was stopped
            for part in sorted(self._written_to.glob("*.parquet")):
                self._parts.mkdir(exist_ok=True)
                scratch = self._parts / f"{part.name}.part"
                shutil.copyfile(part, scratch)
                os.replace(scratch, self._parts / part.name)
                part.unlink()
        for part in sorted(self._parts.glob("*.parquet")):
            try:
                (key,) = _keys_of(part)
                self.rows.append(json.loads(pq.read_schema(part).metadata[ROW]))
            except (InputError, ValueError, KeyError):
                part.unlink()
                continue
            found[key] = part
        return found


def write_part(folder: Path, row: dict, predictions: pd.DataFrame) -> None:
    """Keep what one model did in one cell, in one step.

    Args:
        row: of the table, as JSON can hold it; its key is among it.
        predictions: see `Measured`.
    """
    part = folder / PARTS / _name(row)
    part.parent.mkdir(parents=True, exist_ok=True)
    frame = predictions.assign(**{name: row[name] for name in KEY})
    table = pa.Table.from_pandas(frame[[*KEY, *predictions.columns]], preserve_index=False)
    table = table.replace_schema_metadata({**table.schema.metadata, ROW: json.dumps(row)})
    scratch = part.with_suffix(f".{uuid4().hex}")  # two workers may do the same, if one was lost
    pq.write_table(table, scratch, compression="zstd", write_page_checksum=True)
    os.replace(scratch, part)


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
