"""Write the tables and pictures of README.md and docs/ anew from the files in results/.

    python -m recbench.report

With --check nothing is written, and the status is 1 if a table is not what the files say.
Pictures are not checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recbench.command_line import run
from recbench.report.leaderboard.html import leaderboard_page
from recbench.report.markdown import pictures, with_tables

ROOT = Path(__file__).resolve().parents[2]
LEADERBOARD = ROOT / "docs" / "leaderboard.html"


@dataclass
class Parameters:
    """Flags of `python -m recbench.report`."""

    check: bool = False
    """write nothing; say which documents would change, with status 1"""


def main(parameters: Parameters) -> int:
    written = {LEADERBOARD: leaderboard_page(ROOT / "results" / "main")}
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = file.read_text(encoding="utf-8")
        if not parameters.check:
            for picture in pictures(text, ROOT):
                print(f"{picture.relative_to(ROOT)}: drawn")
        written[file] = with_tables(text, ROOT)
    stale = 0
    for file, text in written.items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            stale += 1
            print(
                f"{file.relative_to(ROOT)}: {'is out of date' if parameters.check else 'written'}"
            )
            if not parameters.check:
                file.write_text(text, encoding="utf-8")
    return 1 if parameters.check and stale else 0


if __name__ == "__main__":
    run(main, Parameters)
