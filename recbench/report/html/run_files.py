"""The files of a run, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from recbench.errors import InputError
from recbench.evaluation.significance import USERS_MEDIAN, judged
from recbench.files import CELL, ITERATION
from recbench.report.terminal import replay_verdicts
from recbench.runs.predictions import Predictions
from recbench.runs.run_folder import read_metadata

GRID, REPLAY = "comparison.csv", "continual_summary.csv"
PREDICTIONS = "predictions.parquet"
TEXT = {  # columns of text; the others in `FILES` are of numbers
    *("dataset", "protocol", "model", "status", "error", "retrained", "age"),
    *("score", "reference", "reference_role", "verdict"),
}
DIFFERENCE = [*CELL, "score", "model", "reference", "difference", "low", "high", "p"]
# of each kind of run its files, and of each the columns that it has to have
FILES = {
    GRID: {
        GRID: [*ITERATION, "dataset", "model", "status", "rmse", "fit_seconds", "predict_seconds"],
        "significance.csv": [*DIFFERENCE, "reference_role", "p_holm", "better_share"],
        "claims.csv": DIFFERENCE,
    },
    REPLAY: {
        REPLAY: [
            *("dataset", "model", "retrained", "status", "rmse", "mae"),
            *("percent", "low", "high", "p_holm", "total_seconds"),
        ],
        "learning_curve.csv": [
            *("model", "retrained", "ratings_seen", "n_users", "mae"),
            *("rmse", "rmse_low", "rmse_high"),
        ],
        "waiting.csv": ["model", "retrained", "age", "n_events", "rmse", "percent"],
    },
}
EXPECTED = "Expected the folder of a run of compare_all.py or continual.py"
AGAIN = "Take the file from where it is whole, or run it again"


@dataclass(frozen=True)
class RunFiles:
    """The files of a finished run.

    Attributes:
        folder: the run's.
        metadata: of run.json.
        kind: `GRID` (compare_all.py) or `REPLAY` (continual.py): its main file.
        tables: each CSV by its name; empty with the columns it has to have, where it is not there.
    """

    folder: Path
    metadata: dict
    kind: str
    tables: dict[str, pd.DataFrame]

    @property
    def main(self) -> pd.DataFrame:
        """comparison.csv or continual_summary.csv."""
        return self.tables[self.kind]

    @property
    def done(self) -> pd.DataFrame:
        """The rows of it that have a result: an error, or of one that predicts no stars a
        ranking."""
        scores = self.main.filter(items=["rmse", "ranking_ndcg_at_10"])
        return self.main[(self.main["status"] == "ok") & scores.notna().any(axis=1)]

    @property
    def models(self) -> list[str]:
        """Names in the order of the run; of a replay with when they are refitted."""
        return list(self.main["model"].unique())

    @cached_property
    def losses(self) -> pd.DataFrame:
        """`Predictions.losses` of those who predict stars; empty without predictions.parquet."""
        losses = Predictions(self.folder).losses()
        return losses.dropna(subset="squared_error") if len(losses) else losses

    @property
    def dataset(self) -> str:
        return str(self.main["dataset"].iloc[0])

    @property
    def roles(self) -> list[str]:
        """The roles of references in significance.csv, the user's median last."""
        rows = self.tables.get("significance.csv")
        found = [] if rows is None else list(rows["reference_role"].unique())
        return sorted(found, key=lambda role: role == USERS_MEDIAN)

    @property
    def differences(self) -> pd.DataFrame:
        """Those of significance.csv from the reference itself, not from the user's median."""
        rows = self.tables["significance.csv"]
        return rows[rows["reference_role"] != USERS_MEDIAN]


def read_run(folder: Path) -> RunFiles:
    """The files of the run in `folder`.

    Raises:
        InputError: it is not the folder of a run that has ended, or a file is damaged.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder. {EXPECTED}")
    if not (folder / "run.json").is_file():
        runs = sorted(path.parent.name for path in folder.glob("*/run.json"))
        there = f". There are runs in it: {', '.join(runs[:10])}" if runs else ""
        raise InputError(f"{folder}: has no run.json. {EXPECTED}{there}")
    metadata = read_metadata(folder)
    if metadata.get("status") == "running":
        script = "continual.py" if (folder / "segments.csv").exists() else "compare_all.py"
        raise InputError(
            f"{folder}: the run was stopped before its end, or is still going on, so there is no "
            f"report yet. Go on with it: python {script} --resume {folder}"
        )
    kind = next((name for name in FILES if (folder / name).is_file()), None)
    if kind is None:
        raise InputError(f"{folder}: has neither {GRID} nor {REPLAY}. {EXPECTED}")
    tables = {name: _read(folder / name, columns) for name, columns in FILES[kind].items()}
    key = [*ITERATION, "model"] if kind == GRID else ["model", "retrained"]
    if tables[kind].empty or tables[kind].duplicated(key).any():
        what = "has no row" if tables[kind].empty else f"has several rows of one {', '.join(key)}"
        raise InputError(f"{folder / kind}: {what}. {EXPECTED}")
    if kind == REPLAY:
        tables = {name: named(table) for name, table in tables.items()}
        tables[REPLAY] = replay_verdicts(tables[REPLAY])
    else:
        tables["significance.csv"] = judged(tables["significance.csv"], tables[GRID])
    return RunFiles(folder, metadata, kind, tables)


def _read(file: Path, columns: list[str]) -> pd.DataFrame:
    """The CSV; empty if there is none, or if it was written without a row."""

    def damaged(why: str) -> InputError:
        return InputError(f"{file}: is damaged ({why}). {AGAIN}")

    try:
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        if not text.strip():
            return pd.DataFrame(columns=columns)
        table = pd.read_csv(file, converters=dict.fromkeys(TEXT, str), low_memory=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise damaged(str(error).splitlines()[0]) from None
    if "status" in table and (table["status"] == "failed").all():  # nobody has a score
        table = table.reindex(columns=list(dict.fromkeys([*table, *columns])))
    if missing := [name for name in columns if name not in table]:
        raise InputError(f"{file}: has no column {', '.join(missing)}. {EXPECTED}")
    if not text.endswith("\n") or "\0" in text:
        raise damaged("its last line is cut off")
    for name in (one for one in columns if one not in TEXT):
        column = pd.to_numeric(table[name], errors="coerce")
        for row in table.index[column.isna() & table[name].notna()]:
            value = table[name][row]
            raise damaged(f"line {row + 2}: {name} is {value!r}, expected a number")
        table[name] = column
    keys = [name for name in (*ITERATION, "ratings_seen") if name in columns]
    if table[keys].isna().any(axis=None):
        raise damaged(f"{', '.join(keys)} must not be empty")
    return table.astype(dict.fromkeys(keys, "int64"))


def named(table: pd.DataFrame) -> pd.DataFrame:
    """With the name of the learner, recommender@when it is refitted, as `model`."""
    return table.assign(
        recommender=table["model"], model=table["model"] + "@" + table["retrained"].astype(str)
    )
