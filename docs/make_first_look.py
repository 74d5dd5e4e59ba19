"""Run docs/first-look.ipynb anew, in place: its text and code stand there.

    python docs/make_first_look.py

No times and versions are in it, so the same code gives the same file.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().with_name("first-look.ipynb")


def executed() -> nbformat.NotebookNode:
    """The notebook with the outputs of a fresh start in docs/.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    made = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(made, timeout=1200, resources=resources, record_timing=False).execute()
    made.metadata.pop("language_info", None)  # it has the version of Python
    for cell in made.cells:
        outputs: list[nbformat.NotebookNode] = []
        for output in cell.get("outputs", []):  # text that came in pieces, in one
            if (
                output.output_type == "stream"
                and outputs
                and outputs[-1].get("name") == output.name
            ):
                outputs[-1].text += output.text
            else:
                outputs.append(output)
        if cell.cell_type == "code":
            cell.outputs = outputs
    return made


if __name__ == "__main__":
    NOTEBOOK.write_text(nbformat.writes(executed()) + "\n", encoding="utf-8")
