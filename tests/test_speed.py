"""What is timed is what the row says."""

from __future__ import annotations

from experiments.speed.models import one_by_one_rows
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.item_table.table import ItemTables


def test_item_tables_that_are_there_already_are_timed_anew(synthetic, monkeypatch):
    cell = make_cell(synthetic, PROTOCOLS["strict"], 10, 10)
    tables = cell.personal_tables  # as after the part `personal`
    made = []

    def make(*arguments):
        made.append(arguments)
        return tables

    monkeypatch.setattr(ItemTables, "make", make)
    row = next(one_by_one_rows(cell))
    assert row.what.startswith(f"item tables: {len(tables.tables)} of ")
    assert len(made) == 1
