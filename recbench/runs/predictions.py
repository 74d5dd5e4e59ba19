"""`predictions.parquet`: one row per test rating and model, written part by part."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pandas as pd
import polars as pl

from recbench.evaluation.significance import losses_per_user
from recbench.keys import ITERATION

KEY = [*ITERATION, "model"]


class Predictions:
    """The predictions of a run; it holds ratings, so it is not to be passed on.

    Each part is whole when it is there, so that a run that was stopped can go on.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "predictions.parquet"
        self._parts = folder / "predictions"

    def add(self, key: dict[str, object], predictions: pd.DataFrame) -> None:
        """Keep `predictions` (see `Measured`) of one model in one cell."""
        self._parts.mkdir(exist_ok=True)
        part = self._parts / ("-".join(str(key[name]) for name in KEY) + ".parquet")
        frame = predictions.assign(**{name: key[name] for name in KEY})
        scratch = part.with_suffix(".part")
        frame[[*KEY, *predictions.columns]].to_parquet(scratch, index=False)
        os.replace(scratch, part)

    def losses(self) -> pd.DataFrame:
        """The losses per user of every model in every cell and iteration, see
        `recbench.evaluation.significance.losses_per_user`."""
        frames = []
        for file in self._files():
            for key, part in pd.read_parquet(file).groupby(KEY, sort=False):
                frames.append(losses_per_user(part).assign(**dict(zip(KEY, key, strict=True))))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=KEY)

    def finish(self) -> Path:
        """Put the parts together into one file."""
        if self._parts.exists():
            scratch = self._file.with_suffix(".part")
            whole = pl.concat([pl.scan_parquet(file) for file in self._files()])
            whole.sink_parquet(scratch, compression="zstd")
            os.replace(scratch, self._file)
            shutil.rmtree(self._parts)
        return self._file

    def _files(self) -> list[Path]:
        whole = [self._file] if self._file.exists() else []
        return whole + sorted(self._parts.glob("*.parquet"))
