"""What do bits learned from other users' ratings do for a recommender? -> results/<run>/*.csv

Behind the metadata bits of a movie stand code bits of an item table, learned from so many
background users. Each personal recommender is run on both, and on as many other bits:

    published, extended    metadata bits alone
    + learned              code bits of the item table (`recbench.models.item_table.codes`)
    + random               as many bits by the toss of a coin for each movie
    + metadata             as many code bits of the extended metadata bits, chosen in the same way

No recommender is tuned again. The users tested, and their held-out ratings, are the same for all.

    python -m experiments.learned_bits --dataset FOLDER
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from rich.console import Console

from recbench.command_line import parse_cells, run
from recbench.contract import Options, build
from recbench.data.dataset import Dataset
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS, Protocol, UserSet
from recbench.evaluation.significance import significance
from recbench.keys import CELL
from recbench.models.item_table.codes import choose_codes
from recbench.models.item_table.making import CODE_BITS, make_item_table
from recbench.models.item_table.table import ItemTable
from recbench.registry import family_of, load_recommender, name_of
from recbench.runs.jobs import Job, run_jobs
from recbench.runs.predictions import Predictions
from recbench.runs.resume import open_run, resumed
from recbench.runs.run_folder import write_csv

METADATA = ("published", "extended")


@dataclass
class Parameters:
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
    seed: int = 0
    """iteration k uses seed + k - 1"""
    output_dir: str = ""
    """the run's folder; default results/<time>-learned-bits"""
    resume: str = ""
    """the folder of a run that was stopped: go on with it, with its own parameters"""
    accept_changes: bool = False
    """go on with a run although the code or a package has changed since"""


@dataclass(frozen=True)
class Bits:
    """What stands in `Movies.bits`.

    Attributes:
        metadata: "published" or "extended".
        kind: "none", "learned", "random" or "metadata": of the bits behind them.
        number: of these.
        background_users: that learned bits are learned from; 0 for other kinds.
    """

    metadata: str
    kind: str = "none"
    number: int = 0
    background_users: int = 0

    def __str__(self) -> str:
        if self.kind == "none":
            return self.metadata
        of = f" of {self.background_users}" if self.background_users else ""
        return f"{self.metadata} + {self.number} {self.kind}{of}"


console = Console(highlight=False)


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters)
    check_range("--iterations", parameters.iterations, least=1, most=1000)
    check_range("--seed", parameters.seed, least=0)
    check_range("--bits", *parameters.bits, least=1, most=CODE_BITS)
    check_range("--background-users", *parameters.background_users, least=20)
    size = parse_cells((parameters.cell,), least_ratings=2)[0]
    protocol = PROTOCOLS["strict"].changed(user_set=parameters.user_set)
    dataset = load_dataset(parameters.dataset, protocol.join)
    folder = open_run(parameters, earlier, "learned-bits", [dataset], protocol=protocol.columns())
    predictions = Predictions(folder.path)
    there_are = make_cell(
        dataset, protocol.changed(background_users="all"), *size, parameters.seed
    ).n_background_users
    sizes = sorted({min(most, there_are) for most in parameters.background_users})
    cells = Cells(dataset, protocol, size)
    jobs = [
        Job(key, columns_of(key, dataset, protocol, bits), partial(work, key, spec, bits, cells,
            predictions))
        for iteration in range(1, parameters.iterations + 1)
        for bits in all_bits(parameters.bits, sizes)
        for spec in parameters.models
        if bits.kind == "none" or not name_of(spec).startswith("user_")
        for key in [{
            "num_users": size[0], "reviews_per_user": size[1], "iteration": iteration,
            "seed": parameters.seed + iteration - 1, "model": f"{name_of(spec)}, {bits}",
        }]
    ]  # fmt: skip
    run_jobs(jobs, folder, console)
    losses = predictions.losses()
    predictions.finish()
    rows = folder.finish([str(job.key["model"]) for job in jobs], started)
    write_csv(differences_of(losses, parameters.models), folder.path / "significance.csv")
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
    chosen = [Bits(metadata) for metadata in METADATA]
    chosen += [Bits("published", kind, middle) for kind in ("random", "metadata")]
    for users in sizes:
        chosen += [Bits("published", "learned", number, users) for number in numbers]
        chosen.append(Bits("extended", "learned", middle, users))
    return chosen


class Cells:
    """Cells with other bits behind the metadata. The last one is kept: an item table is dear."""

    def __init__(self, dataset: Dataset, protocol: Protocol, size: tuple[int, int]) -> None:
        self._dataset, self._protocol, self._size = dataset, protocol, size
        self._kept: dict[tuple, Cell] = {}
        self._table: dict[tuple, ItemTable] = {}

    def get(self, bits: Bits, seed: int) -> Cell:
        cell = self._cell(bits.metadata, bits.background_users, seed)
        movies, rng = cell.movies, np.random.default_rng([seed, 11])
        extended = self._cell("extended", bits.background_users, seed)
        match bits.kind:
            case "learned":
                codes = self._codes(extended, bits.background_users, seed)[:, : bits.number]
            case "random":
                codes = rng.integers(0, 2, (len(movies), bits.number), dtype=np.uint8)
            case "metadata":
                own = extended.movies.bits - extended.movies.bits.mean(axis=0)
                count = np.bincount(cell.personal.train.movie, minlength=len(movies))
                codes = choose_codes(own, count, bits.number, seed)
            case _:
                return cell
        return replace(cell, movies=movies.with_codes(codes))

    def _codes(self, cell: Cell, background_users: int, seed: int) -> np.ndarray:
        """Of an item table learned from the background users alone, however few they are."""
        key = (background_users, seed)
        if key not in self._table:
            table = make_item_table(
                cell.personal.background, cell.movies, seed, movies_without=cell.movies_without
            )
            self._table = {key: table}
        return self._table[key].codes

    def _cell(self, metadata: str, background_users: int, seed: int) -> Cell:
        key = (metadata, background_users, seed)
        if key not in self._kept:
            protocol = self._protocol.changed(
                encoding=metadata, background_users=background_users or 1000
            )
            self._kept = {k: one for k, one in self._kept.items() if k[1:] == key[1:]}
            self._kept[key] = make_cell(self._dataset, protocol, *self._size, seed)
        return self._kept[key]


def columns_of(key: dict, dataset: Dataset, protocol: Protocol, bits: Bits) -> dict:
    """The columns before the scores."""
    return {
        "dataset": dataset.source.name,
        **protocol.columns(),
        **key,
        "recommender": key["model"].split(",")[0],
        "metadata": bits.metadata,
        "kind": bits.kind,
        "bits": bits.number,
        "background": bits.background_users,
    }


def work(key: dict, spec: str, bits: Bits, cells: Cells, predictions: Predictions) -> dict:
    """The scores of one recommender on one kind of bits."""
    model = build(load_recommender(spec), Options(seed=key["seed"]))
    measured = measure(model, cells.get(bits, key["seed"]), "half_stars")
    predictions.add(key, measured.predictions)
    return {"family": family_of(type(model)), **measured.row}


def differences_of(losses: pd.DataFrame, models: tuple[str, ...]) -> pd.DataFrame:
    """Each recommender on each kind of bits against itself on the published ones."""
    tables = []
    for spec in models:
        own = losses[losses["model"].str.startswith(f"{name_of(spec)}, ")]
        if own["model"].nunique() <= len(METADATA):  # it was run on no other bits
            continue
        reference = f"{name_of(spec)}, published"
        cells = own[CELL].drop_duplicates()
        references = cells.assign(reference=reference, reference_role="published bits")
        tables.append(significance(own, references))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    run(main, Parameters)
