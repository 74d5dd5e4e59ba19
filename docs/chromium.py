"""Debian's Chromium without a window, driven by selenium: for pictures here, and for tests."""

from __future__ import annotations

from pathlib import Path

from selenium import webdriver

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
FLAGS += ("--disable-background-networking", "--disable-component-update", "--disable-sync")


def missing() -> str:
    """What is not installed, and how to install it; "" if nothing is missing."""
    if CHROMIUM.exists() and DRIVER.exists():
        return ""
    return f"no {CHROMIUM} with {DRIVER}: apt-get install chromium chromium-driver"


def start(profile: Path, *more: str) -> webdriver.Chrome:
    """A browser with a new profile in the folder `profile`, and with `more` flags. It keeps what
    the console says and what it asks for; whoever starts it ends it with `quit`."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, *more, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
