"""What is timed is what the row says, and the parts of a machine are measured in small."""

from __future__ import annotations

import pandas as pd
import pytest
from tests_paths import SYNTHETIC

from experiments import speed
from experiments.speed import Parameters, main, one_by_one_rows
from recbench.evaluation import cells
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS


def test_item_tables_that_are_there_already_are_timed_anew(synthetic, monkeypatch):
    cell = make_cell(synthetic, PROTOCOLS["strict"], 10, 10)
    tables = cell.personal_tables  # as after the part `personal`
    made = []

    def make(*arguments):
        made.append(arguments)
        return tables

    monkeypatch.setattr(cells, "make_item_tables", make)
    row = next(one_by_one_rows(cell))
    assert row["what"].startswith(f"item tables: {len(tables.tables)} of ")
    assert len(made) == 1


@pytest.mark.slow
def test_recommenders_have_a_line_each(tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "HELD_OUT", 100)  # the set has 146 movies
    words = {"parts": ("engine", "models"), "models": ("bias", "ridge"), "quick": True}
    assert main(Parameters(dataset=str(SYNTHETIC), output_dir=str(tmp_path / "run"), **words)) == 0
    table = pd.read_csv(tmp_path / "run" / "models.csv")
    assert table["model"].tolist() == ["bias", "ridge"]
    assert table["times_as_fast"][0] == 1
    rows = pd.read_csv(tmp_path / "run" / "speed.csv").groupby("part").size()
    assert rows["engine"] == 2
    assert rows["models"] > 2
