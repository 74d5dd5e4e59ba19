"""Draw docs/page.png: the page of `recommend.py --serve`, as a browser shows it.

    python docs/draw_page.py

On MovieLens 100K, of a user who rates five movies on the page itself. Needs Chromium and its
driver, and requirements-dev.txt.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import chromium
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "page.png"
SIZE = {"width": 1280, "height": 1080, "deviceScaleFactor": 1, "mobile": False}
# where Linux keeps a user's profile; here it lies in a folder that is gone after the picture
USUALLY_KEPT_IN = "~/.local/share/recommender-systems-benchmark/profile.json"
RATED = {
    "Fargo (1996)": 5,
    "Delicatessen (1991)": 4.5,
    "Sleepless in Seattle (1993)": 2,
    "Toy Story (1995)": 4,
    "Alien (1979)": 4.5,
}


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        words = ["--serve", "--port", "0", "--dataset", "ml-100k", "--profile", "profile.json"]
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "recommend.py"), *words],
            cwd=folder, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert server.stderr is not None
        told = (re.search(r"http://\S+", line) for line in server.stderr)
        url = next(found for found in told if found)[0]
        browser = opened(folder)
        try:
            browser.get(url)
            for title, stars in RATED.items():
                rate(browser, title, stars)
            browser.execute_script(
                "document.querySelector('#profile code').textContent = arguments[0]",
                USUALLY_KEPT_IN,
            )
            browser.save_screenshot(str(PICTURE))
        finally:
            browser.quit()
            server.terminate()
            server.wait()
    print(PICTURE)


def opened(folder: str) -> webdriver.Chrome:
    if reason := chromium.missing():
        sys.exit(f"error: {reason}")
    browser = chromium.start(Path(folder) / "browser", "--hide-scrollbars")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
    return browser


def rate(browser: webdriver.Chrome, title: str, stars: float) -> None:
    """As a user does: look for a movie, click a star."""
    search = browser.find_element(By.ID, "q")
    search.clear()
    search.send_keys(title)
    star = f"#found li:first-child .stars label:nth-child({int(2 * stars)})"
    waiting = WebDriverWait(browser, 20, ignored_exceptions=(Exception,))
    waiting.until(lambda _: browser.find_element(By.CSS_SELECTOR, "#found h3").text == title)
    browser.find_element(By.CSS_SELECTOR, star).click()
    done = f"rated: {title}, {stars:g} stars"
    waiting.until(lambda _: done in browser.find_element(By.ID, "message").text)


if __name__ == "__main__":
    main()
