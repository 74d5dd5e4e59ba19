"""Folders of runs, made up, but with the tables that the project's own functions make."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from recbench.evaluation import metrics
from recbench.evaluation.significance import significance
from recbench.files import CELL
from recbench.runs.predictions import Predictions
from recbench.stream import scores as replay_scores

N_USERS, N_MOVIES = 60, 30
CELLS = [(60, 10), (0, 0)]
EVIL_NAME = "<img src=x onerror=window.hacked=1>"
EVIL = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"
OFFSETS = {"near": 0.1, "middle": 0.4, "far": 0.9}  # how far predictions are from the stars


def make_grid(
    folder: Path,
    *,
    offsets: dict[str, float] | None = None,
    iterations: int = 2,
    seed: int = 0,
    dataset: str = "made-up",
    failed: dict[str, str] | None = None,
    reference: str = "middle",
) -> Path:
    """A run of compare_all.py: comparison.csv, significance.csv, predictions.parquet, run.json.

    Args:
        offsets: of each recommender, in order; more is worse.
        failed: recommenders that failed, with the reason.
    """
    folder.mkdir(parents=True)
    offsets = OFFSETS if offsets is None else offsets
    predictions, rows = Predictions(folder), []
    for iteration in range(1, iterations + 1):
        for cell in CELLS:
            rng = np.random.default_rng([seed, iteration, *cell])
            per_user = rng.integers(2, 9, N_USERS) if cell == (0, 0) else np.full(N_USERS, 2)
            user = np.repeat(np.arange(N_USERS), per_user)
            movie = rng.integers(0, N_MOVIES, len(user))
            stars = rng.integers(1, 11, len(user)) / 2
            key = {**dict(zip(CELL, cell, strict=True)), "iteration": iteration}
            about = {"dataset": dataset, "protocol": "strict", "holdout": "last", "split": 0.8}
            about |= {**key, "seed": iteration - 1, "family": "PerUser", "tuned": "never"}
            for model, offset in offsets.items():
                noise = rng.normal(0, 0.6, len(user))
                predicted = np.clip(stars + offset + noise, 0.5, 5).astype(np.float32)
                ones, predicted_ones = (np.rint(2 * x).astype(np.int8) for x in (stars, predicted))
                frame = {"user_id": user, "movie_id": movie, "stars": stars.astype(np.float32)}
                frame |= {"predicted": predicted, "ones": ones, "predicted_ones": predicted_ones}
                predictions.add({**key, "model": model}, pd.DataFrame(frame))
                costs = {"fit_seconds": 0.1 + offset, "predict_seconds": 0.01}
                costs |= {"bytes_per_user": 100 * offset, "bytes_shared": 2e6, "n_test": len(user)}
                costs |= {
                    "coverage_50": 0.5,
                    "coverage_80": 0.7,
                    "coverage_95": 0.9,
                    "crps": 0.5 + offset,
                }
                scores = {
                    "rmse": metrics.rmse(stars, predicted, user),
                    "mae": metrics.mae(stars, predicted, user),
                }
                rows.append({**about, "model": model, **scores, **costs, "status": "ok"})
            for model, reason in (failed or {}).items():
                rows.append({**about, "model": model, "status": "failed", "error": reason})
    first = dict.fromkeys([*rows[0], "rmse", "fit_seconds", "predict_seconds", "error"])
    columns = [name for name in first if name != "status"]
    table = pd.DataFrame(rows).reindex(columns=[*columns, "status"])
    table.to_csv(folder / "comparison.csv", index=False)
    if reference in offsets:
        references = [(*cell, reference, "named beforehand") for cell in CELLS]
        columns = [*CELL, "reference", "reference_role"]
        losses = predictions.losses()
        differences = significance(losses, pd.DataFrame(references, columns=columns))
        differences.to_csv(folder / "significance.csv", index=False)
    predictions.finish()
    _write_metadata(folder, dataset)
    return folder


def make_replay(folder: Path) -> Path:
    """A run of continual.py: continual_summary.csv, learning_curve.csv, waiting.csv, run.json."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(N_USERS), 30)
    seen = np.tile(np.arange(30), N_USERS)
    stars = rng.integers(1, 11, len(user)) / 2
    names = {"first@never": 0.5, "second@x1.5": 0.2, "third@1d": 0.8}
    predicted = {
        name: np.clip(stars + offset + rng.normal(0, 0.5, len(user)), 0.5, 5)
        for name, offset in names.items()
    }
    errors = replay_scores.summary(stars, user, predicted, "first@never")
    curve = replay_scores.learning_curve(stars, user, seen, predicted, "first@never")
    age = np.where(seen > 0, rng.uniform(10, 1e6, len(seen)), np.nan)
    ages = dict.fromkeys(names, age)
    waiting = replay_scores.by_age(stars, ages, predicted, "first@never")
    costs = {"dataset": "made-up", "n_events": len(user), "n_users": N_USERS, "learn_us_p50": 2.0}
    costs |= {"learn_us_p99": 9.0, "predict_us_p50": 1.0, "predict_us_p99": 7.0, "fits": 2}
    costs |= {"bytes_per_user": 100.0, "fit_seconds": 0.1, "total_seconds": 1.5}
    summary = _split(errors.assign(**costs, status="ok", error=None))
    summary.to_csv(folder / "continual_summary.csv", index=False)
    _split(curve).to_csv(folder / "learning_curve.csv", index=False)
    _split(waiting).to_csv(folder / "waiting.csv", index=False)
    _write_metadata(folder, "made-up")
    return folder


def _split(table: pd.DataFrame) -> pd.DataFrame:
    names = table["name"].str.rpartition("@")
    return table.assign(model=names[0], retrained=names[2]).drop(columns="name")


def _write_metadata(folder: Path, dataset: str) -> None:
    metadata = {
        "status": "finished",
        "parameters": {"dataset": dataset, "iterations": 2},
        "datasets": [{"name": dataset, "fingerprint": "0123456789abcdef", "counts": {}}],
        "packages": {"numpy": "2"},
        "machine": {"system": "Linux", "cores": 2},
        "git_commit": "abc",
    }
    (folder / "run.json").write_text(json.dumps(metadata))
