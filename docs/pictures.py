"""Draw pictures of the README and docs: the terminal, the report, the page, the engine.

    python docs/pictures.py [terminal] [report] [page] [weightless]

All of them, or those that are named. They need requirements-dev.txt; `report` and `page` also
Debian's chromium and chromium-driver.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.text import Text
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


# --- docs/page.png: `recommend.py --serve`, after five ratings on the page itself ----------------

# where Linux has a user's profile; here it lies in a temporary folder
USUAL_PROFILE = "~/.local/share/recommender-systems-benchmark/profile.json"
RATED = {
    "Fargo (1996)": 5,
    "Delicatessen (1991)": 4.5,
    "Sleepless in Seattle (1993)": 2,
    "Toy Story (1995)": 4,
    "Alien (1979)": 4.5,
}


def page(folder: Path) -> Path:
    words = ["--serve", "--port", "0", "--dataset", "ml-100k", "--profile", "profile.json"]
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "recommend.py"), *words],
        cwd=folder, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stderr is not None
    address = next(found for line in server.stderr if (found := re.search(r"http://\S+", line)))
    browser = opened(folder, 1280, 1080)
    try:
        browser.get(address[0])
        for title, stars in RATED.items():
            rate(browser, title, stars)
        browser.execute_script(
            "document.querySelector('#profile code').textContent = arguments[0]", USUAL_PROFILE
        )
        browser.save_screenshot(str(DOCS / "page.png"))
    finally:
        browser.quit()
        server.terminate()
        server.wait()
    return DOCS / "page.png"


def rate(browser: webdriver.Chrome, title: str, stars: float) -> None:
    """As a user does: search a movie, click a star."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    search = browser.find_element(By.ID, "q")
    search.clear()
    search.send_keys(title)
    star = f"#found li:first-child .stars label:nth-child({int(2 * stars)})"
    waiting = WebDriverWait(browser, 20, ignored_exceptions=(Exception,))
    waiting.until(lambda _: browser.find_element(By.CSS_SELECTOR, "#found h3").text == title)
    browser.find_element(By.CSS_SELECTOR, star).click()
    done = f"rated: {title}, {stars:g} stars"
    waiting.until(lambda _: done in browser.find_element(By.ID, "message").text)


# --- docs/running.svg: the terminal when eight cells of the default comparison are done ----------

LINES = 40
ENOUGH = "8/25"  # cells


def terminal(folder: Path) -> Path:
    import fcntl
    import pty
    import struct
    import termios

    import pyte

    from recbench.report.terminal import COLUMNS, terminal_picture

    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    words = [sys.executable, str(ROOT / "compare_all.py"), "--dataset", "ml-100k"]
    run = subprocess.Popen(
        [*words, "--output-dir", "results/first"], cwd=folder,
        env={**os.environ, "TERM": "xterm-256color"}, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    try:
        while ENOUGH not in "".join(screen.display):
            stream.feed(os.read(ours, 65536))
    finally:
        run.kill()
        run.wait()
    lines: list[Text | str] = ["$ python compare_all.py"]
    lines += (coloured(screen, row) for row in range(LINES))
    while not str(lines[-1]).strip():
        lines.pop()
    (DOCS / "running.svg").write_text(terminal_picture(lines), encoding="utf-8")
    return DOCS / "running.svg"


def coloured(screen: Any, row: int) -> Text:
    """A line of the screen, in its colours, as rich names them."""
    from rich.style import Style
    from rich.text import Text

    line = Text()
    for column in range(screen.columns):
        one = screen.buffer[row][column]
        plain = {"brown": "yellow"}.get(one.fg, one.fg).replace("bright", "bright_")
        colour = f"#{one.fg}" if re.fullmatch(r"[0-9a-f]{6}", one.fg) else plain
        line.append(one.data, Style(color=colour, bold=one.bold))
    line.rstrip()
    return line


# --- docs/weightless.svg: the four sets of an agent, and which reads which -----------------------

INK, SOFT, TEACH = "#24364b", "#5b7083", "#8a4fa3"
SETS = {  # left edge, colour, title, what it is
    "I": (0.0, "#dcebf7", "I, input", "values from outside"),
    "Q": (14.0, "#e4f3e1", "Q, state", "a neuron for each input neuron"),
    "Z": (28.0, "#fbe6d4", "Z, output", "the prediction"),
    "C": (28.0, "#efe1f5", "C, control", "label, C+, C−"),
}
CHANNELS = ("10 genres", "3 vote average", "3 language", "10 vote count")


def weightless(folder: Path) -> Path:
    """Every arrow is one of the architecture's own connections."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from weightless.arch import CONTROLS, INPUTS, NEIGHBOURS, Arch

    arch = Arch([10, 3, 3, 10], [10], [], "forward_forward_conn")
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(-7, 33), ylim=(-35, 9), aspect="equal")
    axes.axis("off")
    middles = {}  # of each channel: first neuron -> (x, y)
    for name, channels, top in (("I", arch.I, 0), ("Q", arch.Q, 0), ("Z", arch.Z, -11)):
        title(axes, name, top + 1.2)
        y = float(top)
        for channel in channels:
            middles[channel[0]] = column(axes, name, y, len(channel))
            y -= len(channel) + 1.5
    for channel, words in zip(arch.I, CHANNELS, strict=True):
        x, y = middles[channel[0]]
        axes.text(x - 0.4, y, words, color=SOFT, fontsize=8, ha="right", va="center")
    title(axes, "C", 6.4)
    column(axes, "C", 6, 1, len(arch.C[0]))
    for before, after in ((arch.I, arch.Q), (arch.Q, arch.Z)):
        for channel in after:
            x, y = middles[channel[0]]
            for other in before:
                if set(arch.datamatrix[INPUTS, channel[0]]) & set(other):
                    from_x, from_y = middles[other[0]]
                    arrow(axes, (from_x + 1.2, from_y), (x - 0.2, y))
            if set(arch.datamatrix[NEIGHBOURS, channel[0]]) & set(channel):
                arrow(axes, (x + 1.2, y + 1), (x + 1.2, y - 1), bend=-1.2, linestyle=":")
    for neurons, end in ((arch.Q, (16.5, 3.2)), (arch.Z, (29.5, -7.6))):
        if set(arch.C[0]) <= set(arch.datamatrix[CONTROLS, neurons[0][0]]):
            arrow(axes, (29.5, 4.8), end, color=TEACH, label="teaches")
    key = "solid: read in the state being made    dotted: read as in the state before"
    axes.text(-7, -33.2, key, fontsize=8, color=INK)
    learning = (
        "While it learns, a Q neuron takes the value of its I neuron, a Z neuron the label's."
    )
    axes.text(-7, -34.7, learning, fontsize=8, color=INK)
    with rc_context({"svg.hashsalt": "weightless", "svg.fonttype": "none"}):
        figure.savefig(DOCS / "weightless.svg", metadata={"Date": None})
    return DOCS / "weightless.svg"


def title(axes: Axes, name: str, y: float) -> None:
    x, _, words, what = SETS[name]
    axes.text(x, y + 1.2, words, color=INK, fontsize=11, fontweight="bold")
    axes.text(x, y, what, color=SOFT, fontsize=8)


def column(axes: Axes, name: str, top: float, height: int, width: int = 1) -> tuple[float, float]:
    """The neurons of a channel; left edge and middle of its height."""
    from matplotlib.patches import Rectangle

    x, colour, *_ = SETS[name]
    for down in range(height):
        for right in range(width):
            corner = (x + right, top - down - 1)
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor=INK, linewidth=0.7))
    return x, top - height / 2


def arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    bend: float = 0.0,
    color: str = SOFT,
    label: str = "",
    linestyle: str = "-",
) -> None:
    shape = {"arrowstyle": "->", "color": color, "linestyle": linestyle, "linewidth": 1.1}
    if bend:
        shape["connectionstyle"] = f"arc3,rad={bend}"
    axes.annotate("", end, start, arrowprops=shape)
    if label:
        axes.text(end[0] + 0.4, end[1] + 0.6, label, color=color, fontsize=8)


PICTURES = {"terminal": terminal, "report": report, "page": page, "weightless": weightless}


def main(names: Sequence[str]) -> None:
    for name in names or PICTURES:
        if name not in PICTURES:
            sys.exit(f"error: there is no picture {name}, only {', '.join(PICTURES)}")
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            print(PICTURES[name](Path(folder)).relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
