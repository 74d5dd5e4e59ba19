"""Going on with a run that was stopped: its own parameters, the same data, the same code."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
import sys
import time
from pathlib import Path
from typing import Any, TypeVar

from recbench.data.dataset import Dataset
from recbench.errors import InputError
from recbench.registry import file_of, load_recommender, name_of
from recbench.runs.predictions import Predictions
from recbench.runs.run_folder import RunFolder, read_metadata

P = TypeVar("P")  # a dataclass of parameters with a field `resume`

# How a run is carried out, not what it is: these may be others when it goes on.
RUNTIME = (
    *("workers", "cluster", "shared_folder", "users_per_task", "cache", "output_dir", "resume"),
    *("model_timeout", "accept_changes", "add_models", "list_models"),
)


def kept_parameters(folder: str, kind: type[P]) -> P:
    """The parameters of the run in `folder`; those of how it is carried out at their defaults.

    Raises:
        InputError: there is no run, it was one of another script, or its run.json is damaged.
    """
    kept = read_metadata(Path(folder))["parameters"]
    names = [field.name for field in dataclasses.fields(kind) if field.name not in RUNTIME]  # type: ignore[arg-type]
    if not isinstance(kept, dict) or set(kept) - set(RUNTIME) - set(names):
        raise InputError(
            f"--resume {folder}: is a run of another script, or of another version of it. "
            "Start a new run"
        )
    # a parameter that is newer than the run has its default
    return kind(**{name: _tuples(kept[name]) for name in names if name in kept})


def resumed(given: P, table: str = "comparison.csv") -> tuple[P, RunFolder | None]:
    """The parameters of a run and its folder, if `given` resumes one; else `given` and None.

    Args:
        table: the file of the run's rows.

    Raises:
        InputError: other parameters are given than the run has, its files are damaged, another
            process is writing to it, or the code or a package has changed since.
    """
    resume = given.resume  # type: ignore[attr-defined]
    if not resume:
        return given, None
    kept = kept_parameters(resume, type(given))
    of_run = read_metadata(Path(resume))["parameters"]
    for field in dataclasses.fields(given):  # type: ignore[arg-type]
        now, then = getattr(given, field.name), getattr(kept, field.name)
        if field.name in of_run and field.name not in RUNTIME and now != then:
            flag = f"--{field.name.replace('_', '-').replace('reviews', 'ratings')}"
            raise InputError(
                f"--resume {resume}: {flag} is {_shown(now)}, the run "
                f"has {_shown(then)}. A run goes on with its own parameters: leave the flag out"
            )
    if getattr(given, "output_dir", ""):
        raise InputError("--output-dir: a run that goes on stays where it is. Leave the flag out")
    earlier = RunFolder.resume(Path(resume), table)
    changes = earlier.changes_since()
    if changes and not given.accept_changes:  # type: ignore[attr-defined]
        raise InputError(
            f"--resume {resume}: {'; '.join(changes)}. Rows of both would be mixed. Go back to "
            "what it was, start a new run, or add --accept-changes (run.json will say so)"
        )
    if changes:
        print(f"going on although {'; '.join(changes)}")
        earlier.note_changes(changes)
    return given, earlier


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
        values = dataclasses.asdict(parameters)
        asked = {key: value for key, value in values.items() if key not in RUNTIME}
        described = {"parameters": asked, "datasets": found, **metadata}
        return RunFolder.create(Path(parameters.output_dir or default), described, table)
    for now, known in zip(found, earlier.metadata["datasets"], strict=True):
        if now["fingerprint"] != known["fingerprint"]:
            raise InputError(
                f"--resume {earlier.path}: was run on other data (fingerprint "
                f"{known['fingerprint']}, now {now['fingerprint']}). Start a new run"
            )
    return earlier


def how_to_go_on(folder: RunFolder, parameters: Any) -> str:
    """The command with which a run that is stopped goes on."""
    words = ["python", sys.argv[0], "--resume", str(folder.path)]
    defaults = type(parameters)()
    for name in ("workers", "cluster", "shared_folder", "users_per_task", "model_timeout"):
        value = getattr(parameters, name, None)
        if value != getattr(defaults, name, None):
            words += [f"--{name.replace('_', '-')}", str(value)]
    if not getattr(parameters, "cache", True):
        words.append("--no-cache")
    if getattr(parameters, "accept_changes", False):
        words.append("--accept-changes")
    return shlex.join(words)


def forget_changed_files(
    folder: RunFolder, predictions: Predictions, models: tuple[str, ...]
) -> list[str]:
    """Forget the results of models whose own file is another than when they were made, so that they
    are run again; puts down in run.json what each file is now.

    Returns:
        the names of these models.
    """
    now = {}
    for spec in models:
        file = file_of(load_recommender(spec))
        if file is not None:
            now[name_of(spec)] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    then = folder.metadata.get("own_files", now)
    changed = [name for name in now if then.get(name) != now[name]]
    forget(folder, predictions, changed)  # first: a run may be stopped in between
    if now:
        folder.note("own_files", now)
    return changed


def add_models(
    folder: RunFolder, predictions: Predictions, models: tuple[str, ...], more: tuple[str, ...]
) -> tuple:
    """The models of a run and those that it is to have as well. One of a name that it has already,
    from the same file or another, takes the former's place, whose results are forgotten. run.json
    says when and by which commit."""
    names = [name_of(spec) for spec in more]
    forget(folder, predictions, names)
    together = tuple({name_of(spec): spec for spec in (*models, *more)}.values())
    folder.metadata["parameters"]["models"] = list(together)
    folder.note_addition(names)
    return together


def forget(folder: RunFolder, predictions: Predictions, models: list[str]) -> None:
    """Forget what these models have done."""
    predictions.forget(models)
    folder.forget(models)


def dataset_metadata(dataset: Dataset) -> dict:
    """What run.json says of the data."""
    return {
        "name": dataset.source.name,
        "fingerprint": dataset.source.fingerprint(),
        "counts": dataset.counts,
    }


def _tuples(value: Any) -> Any:
    """JSON has no tuples."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
