"""The folder of a run: parameters, each result as soon as it is there, nothing overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from recbench.errors import InputError
from recbench.keys import CELL, ITERATION
from recbench.runs.provenance import changes, circumstances, git_commit

LOCK = ".lock"  # held while a process writes to the folder


class RunFolder:
    """A table, `comparison.csv` where nothing else is said, and `run.json` in their own folder.

    Attributes:
        path: the folder.
        metadata: what stands in run.json.
        rows: the rows of the table so far.
        table: its file.
    """

    def __init__(
        self, path: Path, metadata: dict, rows: list[dict], table: str = "comparison.csv"
    ) -> None:
        self.path = path
        self.metadata = metadata
        self.rows = rows
        self.table = table
        self._lock = FileLock(path / LOCK)  # until the process ends, however it ends

    @classmethod
    def create(cls, path: Path, metadata: dict, table: str = "comparison.csv") -> RunFolder:
        """A new run in `path`.

        Args:
            metadata: parameters and dataset; the machine, versions and times are added.
            table: the file of its rows.

        Raises:
            InputError: there is a run already, or the folder cannot be written.
        """
        check_new(path)
        described = {**metadata, "started": _now(), **circumstances()}
        run = cls(path, {"status": "running", **described}, [], table)
        try:
            path.mkdir(parents=True, exist_ok=True)
            run._take("--output-dir")
            check_new(path)  # another process may have been as fast
            run._write_metadata()
        except OSError as error:
            raise InputError(f"--output-dir {path}: cannot be written ({error.strerror})") from None
        return run

    @classmethod
    def resume(cls, path: Path, table: str = "comparison.csv") -> RunFolder:
        """The run in `path`, to go on with: what succeeded is kept, what failed is forgotten.

        Raises:
            InputError: there is no run, its files are damaged, or another process writes to it.
        """
        metadata = read_metadata(path)
        run = cls(path, metadata, [], table)
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

    def unmistakable_name(self) -> str:
        """Of this run, where several runs leave files side by side."""
        text = f"{self.path.absolute()} {self.metadata.get('started')}"
        return f"{self.path.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def changes_since(self) -> list[str]:
        """What is no longer as it was when the run was begun: code, Python, packages."""
        return changes(self.metadata, circumstances())

    def note_changes(self, changes: list[str]) -> None:
        """Put down in run.json that the run goes on although something has changed."""
        earlier = self.metadata.get("resumed_with_changes", [])
        self.note("resumed_with_changes", [*earlier, [_now(), *changes]])

    def note_addition(self, models: list[str]) -> None:
        """Put down in run.json that models were added later, and by which commit."""
        additions = self.metadata.get("added_models", [])
        self.note("added_models", [*additions, [_now(), git_commit(), models]])

    def has(self, **key: object) -> bool:
        """Whether there is a row with these values."""
        return any(all(row[name] == value for name, value in key.items()) for row in self.rows)

    def adopt(self, rows: list[dict]) -> None:
        """Put down rows of results that were kept when the run was stopped before it could."""
        key = [*ITERATION, "model"]
        self.rows += [row for row in rows if not self.has(**{name: row[name] for name in key})]

    def forget(self, models: list[str]) -> None:
        """Take the rows of these models out of the table, at once."""
        left = [row for row in self.rows if row["model"] not in models]
        if len(left) < len(self.rows):
            self.rows = left
            if left:
                write_csv(self._as_table(), self.path / self.table)
            else:
                (self.path / self.table).unlink(missing_ok=True)

    def add(self, *rows: dict) -> None:
        """Put rows down, safely: the file is always whole. Without rows nothing is written."""
        if rows:
            self.rows += rows
            write_csv(self._as_table(), self.path / self.table)

    def _as_table(self) -> pd.DataFrame:
        """The rows; counts are whole numbers, though a failed row has none."""
        table = pd.DataFrame(self.rows)
        counts = [name for name in table if name.startswith("n_") or name.endswith("_users")]
        numbers = [
            name
            for name in counts
            if pd.api.types.is_float_dtype(table[name]) and not (table[name].dropna() % 1).any()
        ]
        return table.astype(dict.fromkeys(numbers, "Int64"))

    def note(self, key: str, value: object) -> None:
        """Put something down in run.json."""
        self.metadata[key] = value
        self._write_metadata()

    def new_notes(self, notes: list[str]) -> list[str]:
        """Those of `notes` that run.json does not have yet; it has them now."""
        there = self.metadata.get("notes", [])
        new = [note for note in dict.fromkeys(notes) if note not in there]
        if new:
            self.note("notes", [*there, *new])
        return new

    def note_reference(self, scores: dict) -> None:
        """Put down in run.json how well collaborative recommenders did on validation rows of a cell
        in one iteration: `scores` are its key and `rmse`, a dict by name."""
        others = [one for one in self.references if any(one[k] != scores[k] for k in ITERATION)]
        in_order = sorted([*others, scores], key=lambda one: [one[name] for name in ITERATION])
        self.note("references", in_order)

    @property
    def references(self) -> list[dict]:
        """The scores noted so far."""
        return self.metadata.get("references", [])

    def best_references(self) -> list[tuple[int, int, str]]:
        """Of each cell (users, ratings of each), the recommender with the lowest mean RMSE on the
        validation rows of all its iterations, of those that succeeded in each."""
        cells: dict[tuple[int, int], list[dict]] = {}
        for one in self.references:
            cells.setdefault((one[CELL[0]], one[CELL[1]]), []).append(one["rmse"])
        best = []
        for cell, scores in cells.items():
            in_all = set.intersection(*(set(one) for one in scores))
            if in_all:
                by_mean = min(sorted(in_all), key=lambda name: sum(one[name] for one in scores))
                best.append((*cell, by_mean))
        return best

    def log_failure(self, what: str, traceback: str) -> None:
        """Keep the traceback of a failure in errors.txt."""
        with (self.path / "errors.txt").open("a", encoding="utf-8") as file:
            file.write(f"{what}\n{traceback}\n")

    def finish(self, order: list[str], started: float) -> pd.DataFrame:
        """Bring the rows into the order of the grid and `order` (of models), and close run.json.

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
        """Say in run.json that the run has ended; `started` as in `finish`."""
        failed = sum(row.get("status") == "failed" for row in self.rows)
        self.metadata |= {
            "status": "failed" if failed else "finished",
            "failed_rows": failed,
            "finished": _now(),
            "seconds": self.metadata.get("seconds", 0) + time.perf_counter() - started,
        }
        self._write_metadata()

    def _write_metadata(self) -> None:
        _replace(self.path / "run.json", json.dumps(self.metadata, indent=2, default=str) + "\n")


def read_metadata(path: Path) -> dict:
    """What run.json in the folder says.

    Raises:
        InputError: there is none, or it is damaged.
    """
    file = path / "run.json"
    if not file.is_file():
        raise InputError(f"--resume {path}: has no run.json. Give the folder of a run")
    try:
        metadata = json.loads(file.read_text(encoding="utf-8"))
        wanted = {"parameters": dict, "datasets": list, "packages": dict}
        whole = all(isinstance(metadata[key], kind) for key, kind in wanted.items())
        for one in metadata.get("references", []):
            whole &= {*ITERATION, "rmse"} <= set(one)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise InputError(f"{file}: is damaged, or not that of a run. Start a new run")
    return metadata


def _read_rows(file: Path) -> list[dict]:
    """The rows of a table, to the last digit, so that going on is as if never stopped."""
    try:
        table = pd.read_csv(file, float_precision="round_trip")
        whole = table["status"].isin(["ok", "failed"]).all() and len(table.columns) > 1
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, pd.errors.ParserError, UnicodeDecodeError):
        whole = False
    if not whole:
        raise InputError(
            f"{file}: is damaged. Delete it, and all its rows are computed again by --resume"
        )
    return table.to_dict("records")


def check_new(path: Path) -> None:
    """Raises InputError unless a run can be written to `path`; writes nothing."""
    if path.exists() and not path.is_dir():
        raise InputError(f"--output-dir {path}: is a file. Give a folder")
    if (path / "run.json").exists() or (path / "comparison.csv").exists():
        raise InputError(
            f"--output-dir {path}: holds a run already, and none is overwritten. Give another "
            f"folder, or go on with that run: --resume {path}"
        )
    existing = next(
        parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists()
    )
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise InputError(f"--output-dir {path}: {existing} cannot be written. Give another folder")


def write_csv(table: pd.DataFrame, file: Path) -> None:
    """Write `table` so that `file` is whole at every moment."""
    _replace(file, table.to_csv(index=False))


def _replace(file: Path, text: str) -> None:
    scratch = file.with_suffix(f"{file.suffix}.part")
    scratch.write_text(text, encoding="utf-8")
    os.replace(scratch, file)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
