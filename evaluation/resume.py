"""Going on with a run that was stopped: with its own parameters, on the same data."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TypeVar

from errors import InputError
from evaluation.run_folder import RunFolder
from preparation.joining import Dataset

P = TypeVar("P")  # a dataclass of parameters with a field `resume`


def parameters_of(earlier: RunFolder, given: P) -> P:
    """The parameters of the run that is resumed, as run.json keeps them.

    Raises:
        InputError: others were given beside `resume`, or the run was not one of this script.
    """
    defaults = type(given)()
    resume = given.resume  # type: ignore[attr-defined]
    if given != replace(defaults, resume=resume):  # type: ignore[type-var]
        raise InputError("--resume goes on with the run's own parameters. Give no other flag")
    kept = earlier.about["parameters"]
    if set(kept) != {field.name for field in fields(defaults)}:  # type: ignore[arg-type]
        raise InputError(f"--resume {resume}: is a run of another script. Start a new run")
    for name, value in kept.items():
        if isinstance(value, list):  # JSON has no tuples
            kept[name] = tuple(tuple(one) if isinstance(one, list) else one for one in value)
    return type(given)(**{**kept, "resume": resume})


def check_same_data(folder: RunFolder, dataset: Dataset, known: dict) -> None:
    """Raises InputError unless `dataset` is the one that the run in `folder` knows it to be.

    Args:
        known: what its run.json says of the data, see `about_dataset`.
    """
    found, expected = dataset.source.fingerprint(), known["fingerprint"]
    if found != expected:
        raise InputError(
            f"--resume {folder.path}: was run on other data (fingerprint {expected}, now {found}). "
            "Start a new run"
        )


def about_dataset(dataset: Dataset) -> dict:
    """What run.json says of the data."""
    return {
        "name": dataset.source.name,
        "fingerprint": dataset.source.fingerprint(),
        "counts": dataset.counts,
    }
