"""Draw docs/report.png: the first screen of the page of the default run, as a browser shows it.

    python docs/draw_report.py

It needs Debian's chromium and requirements-dev.txt; the page is made from results/main/default.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import chromium  # noqa: E402

from recbench.report.html.page import write_page  # noqa: E402
from recbench.report.html.run_files import read_run  # noqa: E402
from recbench.report.html.run_report import page_of  # noqa: E402

PICTURE = ROOT / "docs" / "report.png"
SIZE = ("--hide-scrollbars", "--window-size=1080,900", "--virtual-time-budget=20000")

if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        page = page_of(read_run(ROOT / "results" / "main" / "default"))
        file = write_page(page, Path(folder) / "report.html")
        profile = f"--user-data-dir={folder}/profile"
        command = [str(chromium.CHROMIUM), *chromium.FLAGS, *SIZE, profile]
        command += [f"--screenshot={PICTURE}", file.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
    print(PICTURE.relative_to(ROOT))
