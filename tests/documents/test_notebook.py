"""docs/first-look.ipynb is whole, and a run of it puts out the text that it has."""

from __future__ import annotations

import re
import sys

import nbformat
import pytest
from tests_paths import ROOT

sys.path.insert(0, str(ROOT / "docs"))
from make_first_look import NOTEBOOK, executed

PUBLISHED = nbformat.read(NOTEBOOK, as_version=4)


def texts(notebook):
    """The text that each cell puts out."""
    return [
        [
            output.text if output.output_type == "stream" else output.data.get("text/plain")
            for output in cell.get("outputs", [])
        ]
        for cell in notebook.cells
    ]


def test_it_is_whole_and_of_no_machine():
    nbformat.validate(PUBLISHED)
    text = NOTEBOOK.read_text()
    assert not re.search(r"/(work|root|home|tmp|Users)/", text)
    for cell in PUBLISHED.cells:
        for target in re.findall(r"\]\(([^)#]*)\)", cell.source):
            assert (ROOT / "docs" / target).exists(), target


@pytest.mark.slow
def test_a_run_of_it_puts_out_the_same_text():
    assert texts(executed()) == texts(PUBLISHED)
