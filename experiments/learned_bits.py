"""What do bits learned from other users' ratings do for a recommender? -> results/<run>/*.csv

Behind the metadata bits of a movie stand code bits of an item table, learned from so many
background users. Each personal recommender is run on both, and on as many other bits:

    published, extended    metadata bits alone
    + learned              code bits of the item table
    + random               as many bits by the toss of a coin for each movie
    + metadata             as many code bits of the extended metadata bits, chosen in the same way

No recommender is tuned again. The users tested, and their held-out ratings, are the same for all.

    python -m experiments.learned_bits --dataset FOLDER
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd

from experiments.common import Job, ResumableFlags, console, grid, run_jobs
from recbench.command_line import run
from recbench.data.dataset import Dataset
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS, Protocol, UserSet
from recbench.evaluation.significance import significance
from recbench.files import CELL, write_csv
from recbench.models.item_table.making import CODE_BITS, choose_codes, make_item_table
from recbench.registry import family_of, load_recommender, name_of
from recbench.runs.predictions import Predictions
from recbench.runs.resume import open_run, resumed


@dataclass
class Parameters(ResumableFlags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    models: tuple[str, ...] = ("ao", "torch", "ridge", "mlp_tuned", "user_mean", "user_median")
    """recommenders of one user"""
    cell: str = "250x50"
    """users x ratings of each; 0: all"""
    bits: tuple[int, ...] = (64, 128, 256)
    """how many learned bits; the other kinds have the second of these numbers"""
    background_users: tuple[int, ...] = (100, 300, 1000, 5000)
    """how many users the bits are learned from; more than there are: all there are"""
    iterations: int = 3
    """how often each is run"""
    user_set: UserSet = "test"
    """who is tested"""


@dataclass(frozen=True)
class Bits:
    """`Movies.bits`: the metadata, "published" or "extended"; and of a kind ("none", "learned",
    "random" or "metadata") so many more, learned ones from so many background users."""

    metadata: str
    kind: str = "none"
    bits: int = 0
    background: int = 0

    def __str__(self) -> str:
        if self.kind == "none":
            return self.metadata
        of = f" of {self.background}" if self.background else ""
        return f"{self.metadata} + {self.bits} {self.kind}{of}"


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters)
    check_range("--bits", *parameters.bits, least=1, most=CODE_BITS)
    check_range("--background-users", *parameters.background_users, least=20)
    keys = grid((parameters.cell,), parameters.iterations, parameters.seed)
    protocol = PROTOCOLS["strict"].changed(user_set=parameters.user_set)
    dataset = load_dataset(parameters.dataset, protocol.join)
    folder = open_run(parameters, earlier, "learned-bits", [dataset], protocol=protocol.columns())
    predictions = Predictions(folder.path)
    size = (keys[0]["num_users"], keys[0]["reviews_per_user"])
    everybody = protocol.changed(background_users="all")
    there_are = make_cell(dataset, everybody, *size, parameters.seed).n_background_users
    sizes = sorted({min(most, there_are) for most in parameters.background_users})
    cells = Cells(dataset, protocol, size)
    jobs = []
    for cell_key in keys:
        for bits in all_bits(parameters.bits, sizes):
            for spec in parameters.models:
                name = name_of(spec)
                if bits.kind == "none" or not name.startswith("user_"):
                    key: dict[str, Any] = {**cell_key, "model": f"{name}, {bits}"}
                    columns = {"dataset": dataset.source.name, **protocol.columns(), **key}
                    columns |= {"recommender": name, **vars(bits)}
                    jobs.append(
                        Job(key, columns, partial(work, key, spec, bits, cells, predictions))
                    )
    run_jobs(jobs, folder)
    losses = predictions.losses()
    predictions.finish()
    rows = folder.finish([str(job.key["model"]) for job in jobs], started)
    names = [name_of(spec) for spec in parameters.models]
    write_csv(differences_of(losses, names), folder.path / "significance.csv")
    means = rows.groupby(["recommender", "metadata", "kind", "bits", "background"], sort=False)
    summary = means[["rmse", "accuracy_mean"]].agg(["mean", "std"])
    summary.columns = ["_".join(column) for column in summary.columns]
    write_csv(summary.reset_index(), folder.path / "summary.csv")
    console.print(summary["rmse_mean"].to_string(float_format="{:.3f}".format))
    console.print(f"RMSE; in {folder.path}")
    return int((rows["status"] == "failed").any())


def all_bits(numbers: tuple[int, ...], sizes: list[int]) -> list[Bits]:
    """The encodings, those of as many background users one after another."""
    middle = numbers[min(1, len(numbers) - 1)]
    chosen = [Bits("published"), Bits("extended")]
    chosen += [Bits("published", kind, middle) for kind in ("random", "metadata")]
    for users in sizes:
        chosen += [Bits("published", "learned", number, users) for number in numbers]
        chosen.append(Bits("extended", "learned", middle, users))
    return chosen


class Cells:
    """Cells with other bits behind the metadata. The last ones are cached: an item table takes
    long to make."""

    def __init__(self, dataset: Dataset, protocol: Protocol, size: tuple[int, int]) -> None:
        self._dataset, self._protocol, self._size = dataset, protocol, size
        self._cell = lru_cache(2)(self._make_cell)
        self._learned = lru_cache(1)(self._make_learned)

    def get(self, bits: Bits, seed: int) -> Cell:
        cell = self._cell(bits.metadata, bits.background, seed)
        movies, extended = cell.movies, self._cell("extended", bits.background, seed)
        match bits.kind:
            case "learned":
                codes = self._learned(bits.background, seed)[:, : bits.bits]
            case "random":
                rng = np.random.default_rng([seed, 11])
                codes = rng.integers(0, 2, (len(movies), bits.bits), dtype=np.uint8)
            case "metadata":
                own = extended.movies.bits - extended.movies.bits.mean(axis=0)
                count = np.bincount(cell.personal.train.movie, minlength=len(movies))
                codes = choose_codes(own, count, bits.bits, seed)
            case _:
                return cell
        return replace(cell, encoded=movies.with_codes(codes))

    def _make_learned(self, background_users: int, seed: int) -> np.ndarray:
        """Of an item table learned from the background users alone, however few they are."""
        cell = self._cell("extended", background_users, seed)
        background, without = cell.personal.background, cell.movies_without
        return make_item_table(background, cell.movies, seed, movies_without=without).codes

    def _make_cell(self, metadata: str, background_users: int, seed: int) -> Cell:
        changes = {"encoding": metadata, "background_users": background_users or 1000}
        return make_cell(self._dataset, self._protocol.changed(**changes), *self._size, seed)


def work(key: dict, spec: str, bits: Bits, cells: Cells, predictions: Predictions) -> dict:
    """The scores of one recommender on one kind of bits."""
    cls = load_recommender(spec)
    measured = measure(cls, cells.get(bits, key["seed"]))
    predictions.add(key, measured.predictions)
    return {"family": family_of(cls), **measured.row}


def differences_of(losses: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Each recommender on each kind of bits against itself on the published ones."""
    tables = []
    for name in names:
        own = losses[losses["model"].str.startswith(f"{name}, ")]
        if own["model"].nunique() > 2:  # it was run on other bits than metadata
            cells, reference = own[CELL].drop_duplicates(), f"{name}, published"
            references = cells.assign(reference=reference, reference_role="published bits")
            tables.append(significance(own, references))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    run(main, Parameters)
