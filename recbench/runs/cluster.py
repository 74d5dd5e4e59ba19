"""A Dask cluster in place of processes on this machine: its scheduler, its workers.

Workers have the project and the packages of their own, in the same versions, read the dataset by
themselves, and exchange files with this machine in a folder that all of them see. All of that is
checked before the work begins, and the code again by each worker that comes later. Tasks and rows
are all that travels through the scheduler: some kilobytes each (docs/scale.md).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from recbench.data.loading import load_dataset
from recbench.errors import InputError
from recbench.registry import load_recommender
from recbench.runs.provenance import changes, circumstances, code_version, versions

T = TypeVar("T")
R = TypeVar("R")

ANSWER_SECONDS = 15  # of the scheduler
WORKER_SECONDS = 60  # until the first worker has started
FIRST = 10  # the priority of tasks that come of others; of the others it is 0
PACKAGES = ("dask", "distributed")


@dataclass(frozen=True)
class Needed:
    """What a worker has to have for the tasks of a run.

    Attributes:
        dataset, join, cache: see `load_dataset`.
        models: what `load_recommender` takes.
        folder: that all machines share.
    """

    dataset: str
    join: str
    cache: bool
    models: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class Cluster:
    """A connection to a scheduler, `distributed.Client`."""

    client: Any

    def check(self, needed: Needed) -> None:
        """Raises InputError unless every worker has what is needed; says which lacks what."""
        needed.folder.mkdir(parents=True, exist_ok=True)
        mark = needed.folder / f".{uuid4().hex}"  # of another folder of that name there is none
        mark.touch()
        try:
            found = self.client.run(what_is_there, needed, mark, on_error="return")
        finally:
            mark.unlink()
        ours = load_dataset(needed.dataset, needed.join, needed.cache).source.fingerprint()
        for address, theirs in found.items():
            if isinstance(theirs, Exception):
                raise InputError(f"--cluster: the worker {address}: {_line(theirs)}")
            if theirs != ours:
                raise InputError(
                    f"--cluster: the worker {address} has other data under {needed.dataset} "
                    f"(fingerprint {theirs}, here {ours})"
                )

    def work_through(self, work: Callable[[T], R], tasks: Sequence[T], go_on: str) -> Iterator[R]:
        """As `recbench.runs.workers.work_through`. A task whose worker is lost is done by another.

        Raises:
            InputError: the scheduler is gone, a task has cost several workers, or a worker has come
                with other code.
        """
        from distributed import KilledWorker, as_completed
        from distributed.client import FutureCancelledError

        checked = partial(work_if_same_code, code_version(), work)

        def begin(some: Sequence[T], priority: int) -> list:
            return self.client.map(checked, some, pure=False, priority=priority)

        waiting = as_completed(begin(tasks, 0))
        try:
            for future in waiting:
                result = future.result()
                future.release()
                for more in begin(getattr(result, "then", []), FIRST):
                    waiting.add(more)
                yield result
        except KilledWorker as error:
            raise InputError(
                f"a task has ended {error.allowed_failures + 1} workers one after another, perhaps "
                f"for want of memory. What is done is kept: give them more, and {go_on}"
            ) from None
        except (FutureCancelledError, OSError) as error:
            raise InputError(
                f"the scheduler is gone ({error}). What is done is kept: start it again, and "
                f"{go_on}"
            ) from None


@contextmanager
def open_cluster(address: str) -> Iterator[Cluster | None]:
    """The cluster whose scheduler has that address, or has written it to that file; None: no
    address is given.

    Raises:
        InputError: Dask is not installed, nobody answers, there are no workers, or one of them has
            other code; says which, and what to do.
    """
    if not address:
        yield None
        return
    with _connected(address) as client:
        _check_code(client)
        yield Cluster(client)


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            f"--cluster: {error.name} is not installed. pip install -r requirements-cluster.txt"
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # errors are told below, once
    given = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        client = Client(**given, timeout=ANSWER_SECONDS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"--cluster {address}: no scheduler answers there ({reason}). Expected its address, "
            "such as tcp://HOST:8786, or the file that it wrote with --scheduler-file; start it "
            "with dask scheduler"
        ) from None
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError:
        client.close()
        raise InputError(
            f"--cluster {address}: has no workers. Start some in the project's folder: "
            "dask worker ADDRESS --nworkers auto --nthreads 1"
        ) from None
    return client


def _check_code(client: Any) -> None:
    """Raises InputError unless every worker has one thread, and code and packages as here."""
    for address, worker in client.scheduler_info(n_workers=-1)["workers"].items():
        if worker["nthreads"] > 1:
            raise InputError(
                f"--cluster: the worker {address} has {worker['nthreads']} threads. Libraries set "
                "things for a whole process: start workers with --nworkers auto --nthreads 1"
            )
    ours = seen_by_worker()
    for address, theirs in client.run(seen_by_worker, on_error="return").items():
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


def seen_by_worker() -> dict:
    """Code, Python and packages, Dask among them; the code as it is, whatever its commit."""
    found = circumstances()
    packages = {**found["packages"], **versions(PACKAGES)}
    return {**found, "git_commit": None, "packages": packages}


def what_is_there(needed: Needed, mark: Path) -> str:
    """On a worker: the fingerprint of the dataset there.

    Args:
        mark: a file that has just been made in the shared folder.

    Raises:
        InputError: the worker cannot read the dataset or a model, or does not see the folder.
    """
    if not mark.exists():
        raise InputError(
            f"does not see {needed.folder}. Give a folder that all machines have under the same "
            "path: --shared-folder, or --output-dir"
        )
    if not os.access(needed.folder, os.W_OK):
        raise InputError(f"cannot write to {needed.folder}")
    for model in needed.models:
        load_recommender(model)
    return load_dataset(needed.dataset, needed.join, needed.cache).source.fingerprint()


def work_if_same_code(code: str, work: Callable[[T], R], task: T) -> R:
    """`work` on a worker that may have come after the others were looked at."""
    if code_version() != code:
        raise InputError(
            "--cluster: a worker has come with other code. Bring it to the same commit, or end it"
        )
    return work(task)


def _line(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())
