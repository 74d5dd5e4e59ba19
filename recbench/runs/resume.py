"""Going on with a run that was stopped: with its own parameters, on the same data."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TypeVar

from recbench.data.joining import Dataset
from recbench.errors import InputError
from recbench.runs.run_folder import RunFolder

P = TypeVar("P")  # a dataclass of parameters with a field `resume`


def resumed(given: P, table: str = "comparison.csv") -> tuple[P, RunFolder | None]:
    """The parameters of a run and its folder, if `given` resumes one; else `given` and None.

    Args:
        table: the file of the run's rows.

    Raises:
        InputError: others were given beside `resume`, or the run was not one of this script.
    """
    resume = given.resume  # type: ignore[attr-defined]
    if not resume:
        return given, None
    earlier = RunFolder.resume(Path(resume), table)
    defaults = type(given)()
    if given != replace(defaults, resume=resume):  # type: ignore[type-var]
        raise InputError("--resume goes on with the run's own parameters. Give no other flag")
    kept = earlier.metadata["parameters"]
    if set(kept) != {field.name for field in fields(defaults)}:  # type: ignore[arg-type]
        raise InputError(f"--resume {resume}: is a run of another script. Start a new run")
    for name, value in kept.items():
        if isinstance(value, list):  # JSON has no tuples
            kept[name] = tuple(tuple(one) if isinstance(one, list) else one for one in value)
    return type(given)(**{**kept, "resume": resume}), earlier


def check_same_data(folder: RunFolder, dataset: Dataset, known: dict) -> None:
    """Raises InputError unless `dataset` is the one that the run in `folder` knows it to be.

    Args:
        known: what its run.json says of the data, see `dataset_metadata`.
    """
    found, expected = dataset.source.fingerprint(), known["fingerprint"]
    if found != expected:
        raise InputError(
            f"--resume {folder.path}: was run on other data (fingerprint {expected}, now {found}). "
            "Start a new run"
        )


def dataset_metadata(dataset: Dataset) -> dict:
    """What run.json says of the data."""
    return {
        "name": dataset.source.name,
        "fingerprint": dataset.source.fingerprint(),
        "counts": dataset.counts,
    }
