"""How `ntuple` depends on its input (bits, codes or factors) and on its size.

On development users. The item table of a cell is made once; tuples are drawn several times. λ falls
as n grows, since tuples with more bits fire more rarely.

    python -m experiments.ntuple_variants --datasets FOLDER ml-100k
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pandas as pd

from experiments.variants import Variant, VariantFlags, error, run_variants, with_percent
from PerUser.ntuple import ImplicitMean, NTuple
from PerUser.personal import Personal
from recbench.command_line import run
from recbench.contract import Recommender
from recbench.evaluation.cells import Cell
from recbench.evaluation.protocols import Encoding
from recbench.report.figure import Axis, Figure
from recbench.report.plots import draw
from recbench.report.style import looks_of, save
from recbench.runs.run_folder import RunFolder

BITS_OF_TUPLE = (4, 5, 6, 7, 8, 10, 12)
TUPLES = (32, 128, 256, 512)
CODE_BITS = (64, 128, 512)
WEIGHT, WEIGHT_FALLS = 0.4, 0.7  # λ for seven bits, and its factor for each further bit


@dataclass
class Parameters(VariantFlags):
    """Edit them here, or give them as flags."""

    cells: tuple[str, ...] = ("200x0",)
    """users x ratings of each; 0: all"""
    draws: int = 3
    """draws of tuples in each sample; codes, which take seconds to choose, are drawn once"""


Make = Callable[[], Recommender]


def of_size(n: int, tuples: int = 256) -> NTuple:
    return NTuple(n=n, tuples=tuples, weight=round(WEIGHT * WEIGHT_FALLS ** (n - 7), 3))


def makers(encoding: str) -> dict[str, Make]:
    """Recommenders by name; all are compared with `personal`."""
    if encoding == "published":
        return {"published bits": partial(NTuple, reads="bits")}
    found: dict[str, Make] = {
        "personal": Personal,
        "no counters": ImplicitMean,
        "extended bits": partial(NTuple, reads="bits"),
        "factors": partial(NTuple, reads="factors"),
    }
    for bits in CODE_BITS:
        found[f"codes of {bits} bits"] = partial(NTuple, reads="codes", code_bits=bits)
    for n in BITS_OF_TUPLE:
        for tuples in TUPLES:
            found[f"n {n}, T {tuples}"] = partial(of_size, n, tuples)
    return found


def main(parameters: Parameters) -> int:
    def variants(encoding: Encoding) -> Iterator[Variant]:
        for name, make in makers(encoding).items():
            drawn = name.startswith("n ") or name in ("factors", "extended bits", "published bits")
            for seed in range(parameters.draws if drawn else 1):
                yield {"model": name, "draw": seed}, partial(work, make, seed)

    encodings: tuple[Encoding, ...] = ("extended", "published")
    return run_variants(parameters, "ntuple-variants", variants, tables, encodings)


def work(make: Make, seed: int, cell: Cell) -> dict:
    return error(make(), cell, cell.personal_tables, seed)


def tables(rows: pd.DataFrame, folder: RunFolder) -> dict[str, pd.DataFrame]:
    """The excess of RMSE over that of `personal` in the same sample, in percent, mean over
    datasets, by n and T. And RMSE for each dataset, mean over samples and draws."""
    rows = with_percent(rows)
    of_model = rows.pivot_table(index="model", columns="dataset", values="rmse", sort=False)
    by_dataset = rows.groupby(["model", "dataset"], sort=False)["percent"].mean()
    of_model["percent"] = by_dataset.groupby("model").mean()
    sized = of_model["percent"].filter(regex="^n ")
    n, tuples = sized.index.str.extract(r"n (\d+), T (\d+)").astype(int).to_numpy().T
    by_size = pd.DataFrame({"n": n, "T": tuples, "percent": sized.to_numpy()})
    drawn = by_size.assign(model="n = " + by_size["n"].astype(str))
    codes = of_model["percent"].filter(regex="^codes")
    bits = [f"codes of {code.split()[2]} bits, n = 7" for code in codes.index]
    of_codes = pd.DataFrame({"model": bits, "T": 256, "percent": codes.to_numpy()})
    drawn = pd.concat([drawn, of_codes], ignore_index=True)
    axes = Axis("T", "tuples", "log"), Axis("percent", "RMSE over that of personal, percent")
    figure = Figure("size", "lines", drawn, *axes)
    save(draw(figure, looks_of(drawn["model"].unique().tolist())), folder.path / "size")
    size = by_size.pivot_table(index="n", columns="T", values="percent")
    size.columns = [f"T {column}" for column in size.columns]
    return {"size.csv": size.reset_index(), "summary.csv": of_model.reset_index()}


if __name__ == "__main__":
    run(main, Parameters)
