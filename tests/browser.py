"""A real browser for tests, and what it has asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

from docs import pictures


@contextmanager
def open_browser(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a new profile in the folder `profile`; where there is none the test is
    skipped, but in CI it fails."""
    if reason := pictures.missing():
        if os.environ.get("CI"):
            pytest.fail(f"{reason}. CI must not skip this")
        pytest.skip(reason)
    driver = pictures.start(profile)
    try:
        yield driver
    finally:
        driver.quit()


def requests_of(driver: webdriver.Chrome) -> list[str]:
    """The addresses that were asked for since this was last called."""
    messages = (json.loads(one["message"])["message"] for one in driver.get_log("performance"))
    sent = (one for one in messages if one["method"] == "Network.requestWillBeSent")
    return [one["params"]["request"]["url"] for one in sent]
