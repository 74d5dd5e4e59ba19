"""A real browser for tests: Debian's Chromium, without a window, driven by selenium."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@contextmanager
def open_browser(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a new profile in the folder `profile`; where there is none the test is
    skipped, but in CI it fails."""
    if not (CHROMIUM.exists() and DRIVER.exists()):
        reason = f"no {CHROMIUM} with {DRIVER}: apt-get install chromium chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}. CI must not skip this")
        pytest.skip(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


def requests_of(driver: webdriver.Chrome) -> list[str]:
    """The addresses that were asked for since this was last called."""
    messages = (json.loads(one["message"])["message"] for one in driver.get_log("performance"))
    sent = (one for one in messages if one["method"] == "Network.requestWillBeSent")
    return [one["params"]["request"]["url"] for one in sent]
