"""Make an item table from all ratings of a dataset, or show what is in one.

The table is what a personal model learns from other users: it is made once and can be shared.

    python -m recbench.models.item_table --dataset FOLDER --output item-table.npz
    python -m recbench.models.item_table --show item-table.npz
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from recbench.command_line import run
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.models.item_table.making import item_table_of
from recbench.models.item_table.table import ItemTable


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py; everybody in it is a background user"""
    output: str = "item-table.npz"
    """the file to write; one that is there is not overwritten"""
    seed: int = 0
    """of the starting point and the users set aside"""
    show: str = ""
    """an item table to show; none is made then"""


console = Console(highlight=False)


def main(parameters: Parameters) -> None:
    if parameters.show:
        describe(ItemTable.load(parameters.show), Path(parameters.show))
        return
    check_range("--seed", parameters.seed, least=0)
    path = Path(parameters.output)
    if path.exists():
        raise InputError(f"--output {path}: is there already. Give another name")
    if not path.parent.is_dir():
        raise InputError(f"--output {path}: there is no folder {path.parent}. Make it first")
    dataset = load_dataset(parameters.dataset)
    with console.status(f"learning from {len(dataset.ratings):,} ratings (20 s a million)"):
        table, _ = item_table_of(dataset, parameters.seed)
    table.save(path)
    describe(table, path)


def describe(table: ItemTable, path: Path) -> None:
    """What is in an item table, in a few lines."""
    known = table.norm > 0
    console.print(
        f"{path}: {len(table):,} movies, {known.sum():,} with factors; {path.stat().st_size:,} "
        f"bytes, SHA-256 {table.checksum()[:16]}",
        f"made from {', '.join(f'{v} {k}' for k, v in table.about.items()) or 'no ratings'}",
        f"{table.factors.shape[1]} factors; scales "
        + ", ".join(f"{name} {value:.3g}" for name, value in asdict(table.scales).items()),
        sep="\n",
    )


if __name__ == "__main__":
    run(main, Parameters)
