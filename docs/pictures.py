"""Draw pictures of the docs: the terminal after a run, the report, the page.

    python docs/pictures.py [terminal] [report] [page]

All of them, or those that are named. Those of pages need requirements-dev.txt, and Debian's
chromium and chromium-driver.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium import webdriver

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


# --- a browser, for tests as well ----------------------------------------------------------------


def missing() -> str:
    """What is not installed, and how to install it; "" if nothing is missing."""
    if CHROMIUM.exists() and DRIVER.exists():
        return ""
    return f"no {CHROMIUM} with {DRIVER}: apt-get install chromium chromium-driver"


def start(profile: Path, *more: str) -> webdriver.Chrome:
    """Chromium without a window, with a new profile in the folder `profile`, and with `more` flags.
    It logs its console and its requests; the caller ends it with `quit`."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, *more, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))


def opened(folder: Path, width: int, height: int) -> webdriver.Chrome:
    if reason := missing():
        sys.exit(f"error: {reason}")
    browser = start(folder / "browser", "--hide-scrollbars")
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return browser


# --- docs/terminal.svg: the end of the default run ------------------------------------------------


def terminal(_: Path) -> Path:
    import pandas as pd
    from rich.console import CONSOLE_SVG_FORMAT, Console
    from rich.terminal_theme import MONOKAI
    from rich.text import Text

    from recbench.evaluation.significance import judged
    from recbench.report.terminal import TABLES, legend, score_table

    run = ROOT / "results" / "main" / "default"
    comparison = pd.read_csv(run / "comparison.csv")
    differences = judged(pd.read_csv(run / "significance.csv"), comparison)
    console = Console(
        record=True, width=80, file=io.StringIO(), highlight=False, force_terminal=True
    )
    table = score_table(comparison, differences, "rmse")
    command = Text("$ .venv/bin/python compare_all.py")
    for one in (command, Text(TABLES["rmse"]), table, Text(legend(differences)), Text("")):
        console.print(one)
    # rich's own, without fonts from elsewhere
    form = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")
    picture = console.export_svg(title="", theme=MONOKAI, code_format=form)
    (DOCS / "terminal.svg").write_text(picture, encoding="utf-8")
    return DOCS / "terminal.svg"


# --- docs/report.png: the first screen of the page of the default run ----------------------------


def report(folder: Path) -> Path:
    from recbench.report.html.page import write_page
    from recbench.report.html.run_files import read_run
    from recbench.report.html.run_report import page_of

    page = page_of(read_run(ROOT / "results" / "main" / "default"))
    browser = opened(folder, 1080, 900)
    try:
        browser.get(write_page(page, folder / "report.html").as_uri())
        browser.save_screenshot(str(DOCS / "report.png"))
    finally:
        browser.quit()
    return DOCS / "report.png"


# --- docs/page.png: `recommend.py --serve`, after a fourth rating --------------------------------

# where Linux has a user's profile; here it lies in a temporary folder
USUAL_PROFILE = "~/.local/share/recommender-systems-benchmark/profile.json"
RATED = ("Fargo (1996)=5", "Delicatessen (1991)=4.5", "Sleepless in Seattle (1993)=2")


def page(folder: Path) -> Path:
    command = [sys.executable, str(ROOT / "recommend.py"), "--dataset", "ml-100k"]
    command += ["--profile", "profile.json"]
    rated = [*command, *(word for one in RATED for word in ("--rate", one))]
    subprocess.run(rated, cwd=folder, capture_output=True, check=True)
    served = [*command, "--serve", "--port", "0"]
    server = subprocess.Popen(served, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    address = next(found for line in server.stderr if (found := re.search(r"http://\S+", line)))
    browser = opened(folder, 1280, 1080)
    try:
        browser.implicitly_wait(20)
        browser.get(f"{address[0]}?q=Alien (1979)")
        browser.find_element("css selector", "#found .stars label:nth-child(9)").click()
        browser.find_element("xpath", "//*[@id='message'][contains(., 'rated: Alien')]")
        browser.execute_script(
            "document.querySelector('#profile code').textContent = arguments[0]; scrollTo(0, 0)",
            USUAL_PROFILE,
        )
        browser.save_screenshot(str(DOCS / "page.png"))
    finally:
        browser.quit()
        server.terminate()
        server.wait()
    return DOCS / "page.png"


PICTURES = {"terminal": terminal, "report": report, "page": page}


def main(names: Sequence[str]) -> None:
    for name in names or PICTURES:
        if name not in PICTURES:
            sys.exit(f"error: there is no picture {name}, only {', '.join(PICTURES)}")
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            print(PICTURES[name](Path(folder)).relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
