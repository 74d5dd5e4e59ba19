"""Continue a stopped run, with its own parameters, on the same data, by the same code."""

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
from recbench.runs.provenance import changes, git_commit, provenance
from recbench.runs.run_folder import MAIN_TABLE, RunFolder, check_new, read_metadata

P = TypeVar("P")  # a dataclass of parameters with a field `resume`

MOST_AT_ONCE = 1000  # most runs started in one second

# Parameters of execution, not of the experiment: they may change when a run is continued.
RUNTIME = (
    *("workers", "users_per_task", "cache", "output_dir", "resume"),
    *("model_timeout", "accept_changes", "add_models", "list_models"),
)


def kept_parameters(folder: str, kind: type[P]) -> P:
    """The parameters of the run in `folder`; those in `RUNTIME` at their defaults.

    Raises:
        InputError: there is no run, it is of another script, or its run.json is damaged.
    """
    kept = read_metadata(Path(folder))["parameters"]
    names = [field.name for field in dataclasses.fields(kind) if field.name not in RUNTIME]  # type: ignore[arg-type]
    if set(kept) - set(RUNTIME) - set(names):
        raise InputError(
            f"--resume {folder}: is a run of another script, or of another version of it. "
            "Start a new run"
        )
    # parameters that the run does not know have their defaults
    return kind(**{name: _tuples(kept[name]) for name in names if name in kept})


def resumed(parameters: P, table: str = MAIN_TABLE) -> tuple[P, RunFolder | None]:
    """The parameters of a run and its folder, if `resume` names one; else `parameters` and None.

    Args:
        table: the file of the run's rows.

    Raises:
        InputError: the run has other parameters, its files are damaged, another process is writing
            to it, or the code or a package has changed since; or a new run cannot be written to
            `output_dir`.
    """
    resume, output_dir = parameters.resume, getattr(parameters, "output_dir", "")  # type: ignore[attr-defined]
    if not resume:
        if output_dir:
            check_new(Path(output_dir))
        return parameters, None
    kept = kept_parameters(resume, type(parameters))
    of_run = read_metadata(Path(resume))["parameters"]
    for field in dataclasses.fields(parameters):  # type: ignore[arg-type]
        now, then = getattr(parameters, field.name), getattr(kept, field.name)
        if field.name in of_run and field.name not in RUNTIME and now != then:
            flag = f"--{field.name.replace('_', '-').replace('reviews', 'ratings')}"
            raise InputError(
                f"--resume {resume}: {flag} is {_shown(now)}, the run "
                f"has {_shown(then)}. A run continues with its own parameters: leave the flag out"
            )
    if output_dir:
        raise InputError("--output-dir: a resumed run stays in its folder. Leave the flag out")
    earlier = RunFolder.resume(Path(resume), table)
    if different := changes(earlier.metadata, provenance()):
        if not parameters.accept_changes:  # type: ignore[attr-defined]
            raise InputError(
                f"--resume {resume}: {'; '.join(different)}. The table would mix rows of both. "
                "Undo the change, start a new run, or add --accept-changes (run.json records it)"
            )
        print(f"continuing although {'; '.join(different)}")
        earlier.append("resumed_with_changes", *different)
    return parameters, earlier


def open_run(
    parameters: Any,
    earlier: RunFolder | None,
    name: str,
    datasets: list[Dataset],
    table: str = MAIN_TABLE,
    **metadata: object,
) -> RunFolder:
    """The folder of a run: `earlier`, if it was run on the same data, or a new one.

    Args:
        parameters: of the run, a dataclass; its folder is `output_dir`, else results/<time>-name.
        metadata: further entries of run.json.

    Raises:
        InputError: the earlier run was on other data, or the folder cannot be written.
    """
    found = [
        {
            "name": dataset.source.name,
            "fingerprint": dataset.source.fingerprint(),
            "counts": dataset.counts,
        }
        for dataset in datasets
    ]
    if earlier is None:
        values = dataclasses.asdict(parameters)
        lasting = {key: value for key, value in values.items() if key not in RUNTIME}
        about = {"parameters": lasting, "datasets": found, **metadata}
        path = Path(parameters.output_dir) if parameters.output_dir else _new_folder(name)
        return RunFolder.create(path, about, table)
    for now, then in zip(found, earlier.metadata["datasets"], strict=True):
        if now["fingerprint"] != then["fingerprint"]:
            raise InputError(
                f"--resume {earlier.path}: was run on other data (fingerprint "
                f"{then['fingerprint']}, now {now['fingerprint']}). Start a new run"
            )
    return earlier


def _new_folder(name: str) -> Path:
    """results/<time>-name, with a number appended if another run began in the same second."""
    now = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{number}" for number in range(2, MOST_AT_ONCE))):
        path = Path("results", f"{now}-{name.replace('/', '-')}{suffix}")
        try:
            path.mkdir(parents=True)
            break
        except FileExistsError:
            continue
        except OSError:  # reported by `RunFolder.create`
            break
    return path


def resume_command(folder: RunFolder, parameters: Any, **changed: object) -> str:
    """The command that continues a run after it was stopped.

    Args:
        changed: parameters with other values in that command.
    """
    words = ["python", sys.argv[0], "--resume", str(folder.path)]
    defaults = vars(type(parameters)())
    values = vars(parameters) | changed
    for name in ("workers", "users_per_task", "model_timeout"):
        if values.get(name) != defaults.get(name):
            words += [f"--{name.replace('_', '-')}", str(values[name])]
    if not values.get("cache", True):
        words.append("--no-cache")
    if values.get("accept_changes"):
        words.append("--accept-changes")
    return shlex.join(words)


def forget_changed_files(
    folder: RunFolder, predictions: Predictions, models: tuple[str, ...]
) -> list[str]:
    """Delete the results of models if their file has changed since, so that they run again;
    run.json has a hash of each file. Returns the names of these models."""
    now = {}
    for spec in models:
        file = file_of(load_recommender(spec))
        if file is not None:
            now[name_of(spec)] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    then = folder.metadata.get("own_files", now)
    changed = [name for name in now if then.get(name) != now[name]]
    predictions.forget(changed)  # first: a run may be stopped in between
    folder.forget(changed)
    if now:
        folder.note("own_files", now)
    return changed


def add_models(
    folder: RunFolder, predictions: Predictions, models: tuple[str, ...], more: tuple[str, ...]
) -> tuple[str, ...]:
    """The models of a run, and those to be added. A new model replaces one of the same name, from
    the same file or another, and the results of the former are deleted. run.json records the time
    and the commit."""
    names = [name_of(spec) for spec in more]
    predictions.forget(names)
    folder.forget(names)
    together = tuple({name_of(spec): spec for spec in (*models, *more)}.values())
    folder.metadata["parameters"]["models"] = list(together)
    folder.append("added_models", git_commit(), names)
    return together


def _tuples(value: Any) -> Any:
    """JSON has no tuples."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
