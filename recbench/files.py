"""The common part of all files of a run: the columns that identify a result, names, writing."""

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
    """The name of a model as part of a file name. Names that are no identifier, such as
    `sklearn:Ridge(alpha=3)`, are shortened to what every file system allows, and stay distinct."""
    if model.isidentifier():
        return model
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', model)[:40]}-{sha256(model.encode()).hexdigest()[:12]}"


def write_csv(table: pd.DataFrame, file: Path) -> None:
    """Write `table` so that `file` is complete at every moment."""
    with complete_file(file) as scratch:
        scratch.write_text(table.to_csv(index=False), encoding="utf-8")


@contextmanager
def complete_file(file: Path, suffix: str = "part") -> Iterator[Path]:
    """A scratch file to write to, which then replaces `file`."""
    scratch = file.with_name(f"{file.name}.{suffix}")
    yield scratch
    os.replace(scratch, file)
