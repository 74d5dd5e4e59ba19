"""docs/first-look.ipynb is what docs/make_first_look.py makes, but for its pictures' bytes."""

from __future__ import annotations

import importlib.util
import re

import nbformat
import pytest
from tests_paths import ROOT


def script():
    spec = importlib.util.spec_from_file_location(
        "make_first_look", ROOT / "docs" / "make_first_look.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = script()
KEPT = nbformat.read(MADE.NOTEBOOK, as_version=4)


def sources(notebook):
    return [(cell.id, cell.cell_type, cell.source) for cell in notebook.cells]


def texts(notebook):
    """What each cell puts out as text, and of what kinds its other outputs are."""
    return [
        [
            output.text if output.output_type == "stream" else plain(output.data)
            for output in cell.get("outputs", [])
        ]
        for cell in notebook.cells
    ]


def plain(data):
    return {kind: value for kind, value in data.items() if kind == "text/plain"} | {
        "kinds": sorted(data)
    }


def test_its_cells_are_those_of_the_script():
    assert sources(KEPT) == sources(MADE.notebook())


def test_it_is_small_whole_and_of_no_machine():
    text = MADE.NOTEBOOK.read_text()
    assert len(text.encode()) <= MADE.MOST_BYTES
    nbformat.validate(KEPT)
    assert [cell.execution_count for cell in KEPT.cells if cell.cell_type == "code"] == [
        *range(1, 1 + sum(cell.cell_type == "code" for cell in KEPT.cells))
    ]
    kinds = {output.output_type for cell in KEPT.cells for output in cell.get("outputs", [])}
    assert kinds == {"stream", "execute_result"}
    assert not re.search(r"/(work|root|home|tmp|Users)/", text)


def test_its_links_lead_somewhere():
    for cell in KEPT.cells:
        for target in re.findall(r"\]\(([^)#]*)\)", cell.source):
            assert (ROOT / "docs" / target).exists(), target


@pytest.mark.slow
def test_a_run_of_it_puts_out_the_same_text():
    assert texts(MADE.executed()) == texts(KEPT)
