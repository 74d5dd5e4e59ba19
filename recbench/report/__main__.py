"""Reports, from the files of runs only.

    python -m recbench.report results/<run>             report.html and plots/ of the run
    python -m recbench.report results/<a> results/<b>   differences between two runs, with intervals
    python -m recbench.report                           tables and figures of the documents

The documents are README.md, docs/ and the pages of published runs, results/<group>/<run>/README.md.
--check writes nothing; its exit status is 1 if a table of the documents differs from the files in
results/. Figures are not checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from recbench.command_line import run
from recbench.errors import InputError
from recbench.report.html.changes import write_changes
from recbench.report.html.run_report import write_report
from recbench.report.markdown import pictures, with_tables

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "results").glob("*/*/README.md")),
]


@dataclass
class Parameters:
    """Flags of `python -m recbench.report`."""

    runs: Positional[tuple[str, ...]] = ()
    """folder of a run, or of two runs to compare; none: the documents of this project"""
    check: bool = False
    """write nothing; list the documents that would change, with exit status 1"""


def main(parameters: Parameters) -> int:
    if len(parameters.runs) > 2:
        raise InputError(f"{len(parameters.runs)} folders of runs are named. Expected one, or two")
    if parameters.runs and parameters.check:
        raise InputError("--check is for the documents of this project: name no folder with it")
    if len(parameters.runs) == 2:
        before, after = map(Path, parameters.runs)
        print(write_changes(before, after))
        return 0
    if parameters.runs:
        print(write_report(Path(parameters.runs[0])))
        return 0
    return _documents(parameters.check)


def _documents(check: bool) -> int:
    """Write them, or with `check` compare them; 1 if one is not what the files say."""
    written = {}
    for file in DOCUMENTS:
        text = file.read_text(encoding="utf-8")
        if not check:
            for picture in pictures(text, ROOT):
                print(f"{picture.relative_to(ROOT)}: drawn")
        written[file] = with_tables(text, ROOT)
    stale = [file for file, text in written.items() if file.read_text(encoding="utf-8") != text]
    for file in stale:
        print(f"{file.relative_to(ROOT)}: {'is out of date' if check else 'written'}")
        if not check:
            file.write_text(written[file], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    run(main, Parameters)
