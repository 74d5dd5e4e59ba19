"""How many test ratings of a comparison were seen while settings were chosen -> overlap.csv

Settings are tuned on the *training* rows of development users. But every sample draws ratings of
its own from a user, so a rating that is held out in one sample may be a training row of another.
What is tuned also learns from all ratings of the development users outside its sample, as other
people's. Reserved users are in neither; "all" users are not so clean, and this says how far from
it.

    python benchmarks/tuning_overlap.py --dataset FOLDER
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

from command_line import run
from errors import InputError, TooFewUsers
from evaluation.cells import Cell, make_cell, parse_cells
from evaluation.protocols import PROTOCOLS, UserSet
from evaluation.resume import about_dataset
from evaluation.run_folder import RunFolder, write_csv
from preparation.joining import Dataset, load_dataset
from preparation.sampling import is_reserved
from ratings import Ratings


@dataclass
class Parameters:
    """Edit them here, or give them as flags; the defaults are those of the published runs."""

    dataset: str = "auto"
    """as in compare_all.py"""
    cells: tuple[str, ...] = ("250x10", "250x25", "250x50", "100x200", "0x0")
    """of the comparisons, and of the research"""
    iterations: int = 5
    """of the comparisons, seeds 0, 1 .."""
    tuning_cells: tuple[str, ...] = ("250x10", "250x25", "250x50", "100x200")
    """of tune.py"""
    tuning_seeds: tuple[int, ...] = (0, 1)
    """of tune.py, one for each encoding"""
    research_seeds: tuple[int, ...] = (
        *range(20, 24),
        *range(40, 63),
        *range(70, 73),
        *range(100, 116),
        *range(200, 276),
    )
    """of personal_model_research.py, and of what was tried before it took its final form"""
    output_dir: str = "results/tuning-overlap"
    """where overlap.csv goes"""


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    dataset = load_dataset(parameters.dataset, PROTOCOLS["strict"].join)
    cells = parse_cells(parameters.cells, least_reviews=2)
    tuning_cells = parse_cells(parameters.tuning_cells, least_reviews=3)
    folder = RunFolder.create(
        Path(parameters.output_dir),
        {"parameters": asdict(parameters), "dataset": about_dataset(dataset)},
    )
    tuning = training_pairs(dataset, tuning_cells, parameters.tuning_seeds)
    research = training_pairs(dataset, cells, parameters.research_seeds)
    rows = []
    for user_set in ("all", "reserved"):
        for size in cells:
            tested = np.concatenate(
                [
                    pairs(cell, cell.personal.test)
                    for cell in (
                        cell_of(dataset, user_set, size, seed)
                        for seed in range(parameters.iterations)
                    )
                ]
            )
            rows.append(
                {
                    "user_set": user_set,
                    "num_users": size[0],
                    "reviews_per_user": size[1],
                    "test_ratings": len(tested),
                    "seen_in_tuning": float(np.isin(tested, tuning[0]).mean()),
                    "or_as_others": float(np.isin(tested, tuning[1]).mean()),
                    "seen_in_research": float(np.isin(tested, research[0]).mean()),
                    "or_there_as_others": float(np.isin(tested, research[1]).mean()),
                }
            )
    table = pd.DataFrame(rows)
    write_csv(table, folder.path / "overlap.csv")
    folder.close(started)
    print(table.to_string(index=False))


def training_pairs(
    dataset: Dataset, sizes: list[tuple[int, int]], seeds: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The training ratings of all development samples, validation parts among them; and these with
    the ratings of the people outside each sample."""
    cells = [cell_of(dataset, "development", size, seed) for size in sizes for seed in seeds]
    own = np.unique(np.concatenate([pairs(cell, cell.personal.train) for cell in cells]))
    outside = np.unique(np.concatenate([outside_pairs(dataset, cell) for cell in cells]))
    return own, np.union1d(own, outside)


def outside_pairs(dataset: Dataset, cell: Cell) -> np.ndarray:
    """The ratings of the development users outside the sample of `cell`, as `pairs`.

    There are fewer than the protocol's limit of other users, so each cell learns from all of them.
    """
    outside = ~is_reserved(dataset.user_id) & ~np.isin(dataset.user_id, cell.user_id)
    if outside.sum() != cell.n_other_users:
        raise InputError(
            f"--dataset: {outside.sum()} users are outside, too many to learn from all"
        )
    theirs = dataset.ratings.take(outside[dataset.ratings.user])
    return dataset.user_id[theirs.user] * 2**32 + cell.movies.movie_id[theirs.movie]


def cell_of(dataset: Dataset, user_set: UserSet, size: tuple[int, int], seed: int) -> Cell:
    """The cell, with those users there are."""
    protocol = PROTOCOLS["strict"].changed(user_set=user_set)
    try:
        return make_cell(dataset, protocol, *size, seed)
    except TooFewUsers as too_few:
        return make_cell(dataset, protocol, too_few.there_are, size[1], seed)


def pairs(cell: Cell, ratings: Ratings) -> np.ndarray:
    """One number for each user and movie rated, int64 [n], the same in every sample."""
    return cell.user_id[ratings.user] * 2**32 + cell.movies.movie_id[ratings.movie]


if __name__ == "__main__":
    run(main, Parameters)
