"""The folder of a run: its parameters, and each row as soon as it is done; never overwritten."""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout
from rich.console import Console

from recbench.errors import InputError, disk_is_full
from recbench.files import ITERATION, complete_file, write_csv
from recbench.registry import line_of
from recbench.runs.provenance import provenance

LOCK = ".lock"  # held while a process writes to the folder
MAIN_TABLE = "comparison.csv"
LATEST = "latest"


class RunFolder:
    """A table and `run.json` in their own folder.

    Attributes:
        path: the folder.
        metadata: the content of run.json.
        rows: the rows of the table so far.
        table: its file.
    """

    def __init__(self, path: Path, metadata: dict, table: str = MAIN_TABLE) -> None:
        self.path = path
        self.metadata = metadata
        self.rows: list[dict] = []
        self.table = table
        self._lock = FileLock(path / LOCK)  # held until the process ends, for any reason

    @classmethod
    def create(cls, path: Path, metadata: dict, table: str = MAIN_TABLE) -> RunFolder:
        """A new run in `path`.

        Args:
            metadata: parameters and dataset; provenance and times are added.
            table: the file of its rows.

        Raises:
            InputError: there is a run already, or the folder cannot be written.
        """
        check_new(path)
        about = {"status": "running", **metadata, "started": _now(), **provenance()}
        run = cls(path, about, table)
        try:
            path.mkdir(parents=True, exist_ok=True)
            run._take("--output-dir")
            check_new(path)  # another process may have been faster
            run._write_metadata()
        except OSError as error:
            raise InputError(f"--output-dir {path}: cannot be written ({error.strerror})") from None
        _point_to(path)
        return run

    @classmethod
    def resume(cls, path: Path, table: str = MAIN_TABLE) -> RunFolder:
        """The run in `path`, to be continued with its successful rows.

        Raises:
            InputError: there is no run, its files are damaged, or another process writes to it.
        """
        run = cls(path, read_metadata(path), table)
        run._take("--resume")
        rows = _read_rows(path / table) if (path / table).exists() else []
        run.rows = [row for row in rows if row["status"] == "ok"]
        return run

    def _take(self, flag: str) -> None:
        """Raises InputError if another process has the folder."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise InputError(
                f"{flag} {self.path}: another process is writing to it. Wait for it, or end it"
            ) from None
        except OSError as error:
            raise InputError(f"{flag} {self.path}: cannot be written ({error.strerror})") from None

    # --- rows ----------------------------------------------------------------------------------

    def has(self, **key: object) -> bool:
        """Whether there is a row with these values."""
        return any(all(row[name] == value for name, value in key.items()) for row in self.rows)

    def add(self, *rows: dict) -> None:
        """Write rows; the file is complete at every moment. Without rows nothing is written."""
        if rows:
            self.rows += rows
            write_csv(self._as_table(), self.path / self.table)

    def forget(self, models: list[str]) -> None:
        """Remove the rows of these models from the table and its file."""
        left = [row for row in self.rows if row["model"] not in models]
        if len(left) < len(self.rows):
            self.rows = left
            if left:
                write_csv(self._as_table(), self.path / self.table)
            else:
                (self.path / self.table).unlink(missing_ok=True)

    def _as_table(self) -> pd.DataFrame:
        """The rows; counts are whole numbers, although failed rows have none."""
        table = pd.DataFrame(self.rows)
        counts = [
            name
            for name in table
            if (name.startswith("n_") or name.endswith("_users"))
            and pd.api.types.is_float_dtype(table[name])
            and not (table[name].dropna() % 1).any()
        ]
        return table.astype(dict.fromkeys(counts, "Int64"))

    # --- run.json ------------------------------------------------------------------------------

    def note(self, key: str, value: object) -> None:
        """Set an entry of run.json."""
        self.metadata[key] = value
        self._write_metadata()

    @property
    def references(self) -> list[dict]:
        """The RMSE of collaborative recommenders on validation rows of each cell and iteration so
        far: its key, and `rmse` by name."""
        return self.metadata.get("references", [])

    def remark(self, text: str) -> bool:
        """Add a note for the user to run.json; False if it is there already."""
        before = self.metadata.get("notes", [])
        if text not in before:
            self.note("notes", [*before, text])
        return text not in before

    def append(self, key: str, *entry: object) -> None:
        """Append an entry, with the time, to a list in run.json."""
        self.note(key, [*self.metadata.get(key, []), [_now(), *entry]])

    def attempt(self, work: Callable[[], dict], what: str) -> dict:
        """The columns that `work` returns, and `status`. If it fails, in any way, the error is a
        column, and the traceback goes to errors.txt."""
        try:
            return {**work(), "status": "ok", "error": None}
        except (Exception, SystemExit) as error:
            if disk_is_full(error):
                raise
            self.log_failure(what, traceback.format_exc())
            return {"status": "failed", "error": line_of(error, None)}

    def log_failure(self, what: str, traceback: str) -> None:
        """Append a traceback to errors.txt."""
        with (self.path / "errors.txt").open("a", encoding="utf-8") as file:
            file.write(f"{what}\n{traceback}\n")

    # --- the end -------------------------------------------------------------------------------

    def finish(self, order: list[str], started: float) -> pd.DataFrame:
        """Sort the rows by cell and `order` (of models), and close run.json.

        Args:
            started: `time.perf_counter()` at the start.
        """
        table = self._as_table()
        place = table["model"].map({model: place for place, model in enumerate(order)})
        table = table.assign(_place=place).sort_values([*ITERATION, "_place"], kind="stable")
        table = table.drop(columns="_place").reset_index(drop=True)
        write_csv(table, self.path / self.table)
        self.close(started)
        return table

    def close(self, started: float) -> None:
        """Write into run.json that the run has ended; `started` as in `finish`."""
        failed = sum(row.get("status") == "failed" for row in self.rows)
        self.metadata |= {
            "status": "failed" if failed else "finished",
            "failed_rows": failed,
            "finished": _now(),
            "seconds": self.metadata.get("seconds", 0) + time.perf_counter() - started,
        }
        self._write_metadata()

    def print_end(self, console: Console, report: Path | None, failures: list[str]) -> int:
        """Print the files of the run and what failed; returns the exit status."""
        for file in sorted(self.path.glob("[!.]*")):
            console.print(f"  {file}", soft_wrap=True)
        for failure in failures:
            console.print(f"failed: {failure}")
        if failures and (self.path / "errors.txt").exists():
            console.print(f"the tracebacks are in {self.path / 'errors.txt'}")
        if report is not None:
            console.print(f"report: {report}", soft_wrap=True)
        return 1 if failures else 0

    def _write_metadata(self) -> None:
        with complete_file(self.path / "run.json") as scratch:
            text = json.dumps(self.metadata, indent=2, default=str) + "\n"
            scratch.write_text(text, encoding="utf-8")


def _point_to(path: Path) -> None:
    """Make results/latest a link to the newest run in results/, where links are possible."""
    latest = path.with_name(LATEST)
    if path.parent != Path("results") or (latest.exists() and not latest.is_symlink()):
        return
    scratch = path.with_name(f".{LATEST}-{os.getpid()}")
    try:
        scratch.symlink_to(path.name, target_is_directory=True)
        scratch.replace(latest)
    except OSError:  # on Windows, without permission
        scratch.unlink(missing_ok=True)


def read_metadata(path: Path) -> dict:
    """The content of run.json in the folder.

    Raises:
        InputError: there is none, or it is damaged.
    """
    file = path / "run.json"
    if not file.is_file():
        raise InputError(f"--resume {path}: has no run.json. Give the folder of a run")
    try:
        metadata = json.loads(file.read_text(encoding="utf-8"))
        kinds = {"parameters": dict, "datasets": list, "packages": dict}
        valid = all(isinstance(metadata[key], kind) for key, kind in kinds.items())
        valid &= all({*ITERATION, "rmse"} <= set(one) for one in metadata.get("references", []))
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        valid = False
    if not valid:
        raise InputError(f"{file}: is damaged, or not from a run. Start a new run")
    return metadata


def _read_rows(file: Path) -> list[dict]:
    """The rows of a table, to the last digit, as if the run had never stopped."""
    try:
        table = pd.read_csv(file, float_precision="round_trip")
        valid = table["status"].isin(["ok", "failed"]).all() and len(table.columns) > 1
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, pd.errors.ParserError, UnicodeDecodeError):
        valid = False
    if not valid:
        raise InputError(
            f"{file}: is damaged. Delete it, and all its rows are computed again by --resume"
        )
    return table.to_dict("records")


def check_new(path: Path) -> None:
    """Raises InputError unless a run can be written to `path`; writes nothing."""
    if path.exists() and not path.is_dir():
        raise InputError(f"--output-dir {path}: is a file. Give a folder")
    if (path / "run.json").exists() or (path / MAIN_TABLE).exists():
        raise InputError(
            f"--output-dir {path}: holds a run already, and none is overwritten. Give another "
            f"folder, or continue that run: --resume {path}"
        )
    existing = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise InputError(f"--output-dir {path}: {existing} cannot be written. Give another folder")


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
