"""A Dask cluster in place of processes on this machine: its scheduler, its workers.

Workers have the same project and packages, read the dataset themselves, and exchange files with
this machine in a shared folder. All of that is checked before the work begins, and the code again
by each worker that joins later. Only tasks and rows travel through the scheduler: some kilobytes
each (docs/scale.md).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from recbench.data.loading import load_dataset
from recbench.errors import InputError, disk_is_full
from recbench.registry import load_recommender
from recbench.runs.provenance import changes, code_version, provenance, versions

T = TypeVar("T")
R = TypeVar("R")

ANSWER_SECONDS = 15  # of the scheduler
WORKER_SECONDS = 60  # until the first worker has started
FOLLOW_UP_PRIORITY = 10  # of tasks that come from others; of the others it is 0
PACKAGES = ("dask", "distributed")


@dataclass(frozen=True)
class Cluster:
    """A connection to a scheduler, `distributed.Client`."""

    client: Any

    def check(self, folder: Path, models: Iterable[str], *dataset: Any) -> None:
        """Raises InputError if a worker lacks something; names both.

        Args:
            folder: shared by all machines.
            models: for `load_recommender`.
            dataset: the arguments of `load_dataset`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / f".{uuid4().hex}"  # another folder of that name does not have it
        mark.touch()
        try:
            found = self.client.run(
                fingerprint_on_worker, mark, tuple(models), dataset, on_error="return"
            )
        finally:
            mark.unlink()
        ours = load_dataset(*dataset).source.fingerprint()
        for address, theirs in found.items():
            if isinstance(theirs, Exception):
                raise InputError(f"--cluster: the worker {address}: {_line(theirs)}")
            if theirs != ours:
                raise InputError(
                    f"--cluster: the worker {address} has other data under {dataset[0]} "
                    f"(fingerprint {theirs}, here {ours})"
                )

    def work_through(
        self, work: Callable[[T], R], tasks: Sequence[T], resume_command: str
    ) -> Iterator[R]:
        """As `recbench.runs.processes.work_through`. A task of a lost worker moves to another.

        Raises:
            InputError: the scheduler is gone, a task has ended several workers, or a worker has
                joined with other code.
        """
        from distributed import KilledWorker, as_completed
        from distributed.client import FutureCancelledError

        checked = partial(work_if_same_code, code_version(), work)
        begin = partial(self.client.map, checked, pure=False)
        waiting = as_completed(begin(tasks))
        try:
            for future in waiting:
                result = future.result()
                future.release()
                waiting.update(begin(getattr(result, "then", []), priority=FOLLOW_UP_PRIORITY))
                yield result
        except KilledWorker as error:
            raise InputError(
                f"a task has ended {error.allowed_failures + 1} workers one after another, perhaps "
                f"for lack of memory. What is done is saved: give them more, and {resume_command}"
            ) from None
        except (FutureCancelledError, OSError) as error:
            if disk_is_full(error):
                raise
            raise InputError(
                f"the scheduler is gone ({error}). What is done is saved: start it again, and "
                f"{resume_command}"
            ) from None


@contextmanager
def open_cluster(address: str) -> Iterator[Cluster | None]:
    """The cluster with that scheduler: its address, or the file that it has written its address to.
    None without an address.

    Raises:
        InputError: Dask is not installed, nobody answers, there are no workers, or one of them has
            other code; says which, and what to do.
    """
    if not address:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            f"--cluster: {error.name} is not installed. pip install -r requirements-cluster.txt"
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # errors are shown below, once
    scheduler = {"scheduler_file" if Path(address).is_file() else "address": address}
    try:
        client = Client(**scheduler, timeout=ANSWER_SECONDS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"--cluster {address}: no scheduler answers there ({reason}). Expected its address, "
            "such as tcp://HOST:8786, or the file that it wrote with --scheduler-file; start it "
            "with dask scheduler"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError:
            raise InputError(
                f"--cluster {address}: has no workers. Start some in the project's folder: "
                "dask worker ADDRESS --nworkers auto --nthreads 1"
            ) from None
        _check_code(client)
        yield Cluster(client)


def _check_code(client: Any) -> None:
    """Raises InputError unless every worker has one thread, and code and packages as here."""
    for address, worker in client.scheduler_info(n_workers=-1)["workers"].items():
        if worker["nthreads"] > 1:
            raise InputError(
                f"--cluster: the worker {address} has {worker['nthreads']} threads. Libraries set "
                "things for a whole process: start workers with --nworkers auto --nthreads 1"
            )
    ours = provenance_of_worker()
    for address, theirs in client.run(provenance_of_worker, on_error="return").items():
        if isinstance(theirs, Exception):
            raise InputError(
                f"--cluster: the worker {address} cannot run this project ({_line(theirs)}). Start "
                "workers with its packages, PYTHONPATH being its folder, at the same commit"
            )
        if differences := changes(ours, theirs, "{what} is {then} here and {now} there"):
            raise InputError(
                f"--cluster: the worker {address} differs from this machine: "
                f"{'; '.join(differences)}. Bring both to the same state"
            )


def provenance_of_worker() -> dict:
    """Code, Python and packages, Dask among them; the code as it is, whatever its commit."""
    found = provenance()
    return found | {"git_commit": None, "packages": found["packages"] | versions(PACKAGES)}


def fingerprint_on_worker(mark: Path, models: tuple[str, ...], dataset: tuple) -> str:
    """On a worker: the fingerprint of its dataset. `mark` is a file that has just been made in the
    shared folder.

    Raises:
        InputError: the worker cannot read the dataset or a model, or does not see the folder.
    """
    if not mark.exists():
        raise InputError(
            f"does not see {mark.parent}. Give a folder that all machines have under the same "
            "path: --shared-folder, or --output-dir"
        )
    if not os.access(mark.parent, os.W_OK):
        raise InputError(f"cannot write to {mark.parent}")
    for model in models:
        load_recommender(model)
    return load_dataset(*dataset).source.fingerprint()


def work_if_same_code(code: str, work: Callable[[T], R], task: T) -> R:
    """`work` on a worker that may have joined after the others were checked."""
    if code_version() != code:
        raise InputError(
            "--cluster: a worker has joined with other code. Bring it to the same commit, or end it"
        )
    return work(task)


def _line(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())
