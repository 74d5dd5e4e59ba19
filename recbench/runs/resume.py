"""Going on with a run that was stopped: with its own parameters, on the same data."""

from __future__ import annotations

import time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar

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


def open_run(
    parameters: Any,
    earlier: RunFolder | None,
    name: str,
    datasets: list[Dataset],
    table: str = "comparison.csv",
    **metadata: object,
) -> RunFolder:
    """The folder of a run: `earlier`, if it was run on the same data, or a new one.

    Args:
        parameters: of the run, a dataclass; its `output_dir` says where, else results/<time>-name.
        metadata: what else run.json says.

    Raises:
        InputError: the earlier run was on other data, or the folder cannot be written.
    """
    found = [dataset_metadata(dataset) for dataset in datasets]
    if earlier is None:
        default = f"results/{time.strftime('%Y%m%d-%H%M%S')}-{name.replace('/', '-')}"
        described = {"parameters": asdict(parameters), "datasets": found, **metadata}
        return RunFolder.create(Path(parameters.output_dir or default), described, table)
    for now, known in zip(found, earlier.metadata["datasets"], strict=True):
        if now["fingerprint"] != known["fingerprint"]:
            raise InputError(
                f"--resume {earlier.path}: was run on other data (fingerprint "
                f"{known['fingerprint']}, now {now['fingerprint']}). Start a new run"
            )
    return earlier


def dataset_metadata(dataset: Dataset) -> dict:
    """What run.json says of the data."""
    return {
        "name": dataset.source.name,
        "fingerprint": dataset.source.fingerprint(),
        "counts": dataset.counts,
    }
