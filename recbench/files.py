"""What the files of a run share: the columns that name a result, file names, how to write them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pandas as pd

CELL = ["num_users", "reviews_per_user"]
ITERATION = [*CELL, "iteration"]


def in_file_name(model: str) -> str:
    """The name of a model, as a part of the name of a file: `sklearn:Ridge(alpha=3)` and others
    that are no identifier are shortened to what every file system takes, and stay distinct."""
    if model.isidentifier():
        return model
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', model)[:40]}-{sha256(model.encode()).hexdigest()[:12]}"


def write_csv(table: pd.DataFrame, file: Path) -> None:
    """Write `table` so that `file` is complete at every moment."""
    with complete_file(file) as scratch:
        scratch.write_text(table.to_csv(index=False), encoding="utf-8")


@contextmanager
def complete_file(file: Path, suffix: str = "part") -> Iterator[Path]:
    """A scratch file to write to, which then takes the place of `file`."""
    scratch = file.with_name(f"{file.name}.{suffix}")
    yield scratch
    os.replace(scratch, file)
