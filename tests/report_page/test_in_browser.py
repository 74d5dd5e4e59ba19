"""The page in a real browser: it draws, sorts, switches, hides, prints, and asks for nothing."""

from urllib.parse import unquote

import pandas as pd
import pytest
from browser import requests_of
from made_runs import EVIL_NAME
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait
from tests_paths import ROOT

from recbench.report.html.changes import write_changes
from recbench.report.html.page import write_page
from recbench.report.html.run_files import read_run
from recbench.report.html.run_report import page_of


@pytest.fixture(scope="module")
def grid_page(grid_folder):
    return page_in(grid_folder)


@pytest.fixture(scope="module")
def opened(browser, grid_page):
    """The page of a grid in the browser, for tests that leave it as it was."""
    show(browser, grid_page)
    return browser


def page_in(folder):
    """As `write_report`, but for the pictures beside it."""
    return write_page(page_of(read_run(folder)), folder / "report.html")


def screen(browser, width=1280, height=900, scheme="light", mobile=False):
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def show(browser, file, **size):
    """Load the page, and wait until its pictures are drawn; what was asked of the network."""
    screen(browser, **size)
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(file.as_uri())
    WebDriverWait(browser, 120).until(
        lambda driver: driver.execute_script("return document.documentElement.dataset.drawn")
    )
    return requests_of(browser)


def errors_of(browser):
    return [one["message"] for one in browser.get_log("browser")]


def undrawn(browser):
    """The charts that have neither a picture nor a sentence."""
    return browser.execute_script(
        "return [...document.querySelectorAll('figure')].filter((one) => !one.querySelector("
        "'.main-svg') && !one.textContent.trim()).map((one) => one.dataset.chart)"
    )


def traces(browser, chart):
    return browser.execute_script(
        f"return document.querySelector('[data-chart={chart}] .plot').data.map("
        "(one) => ({x: [...one.x], y: [...one.y], text: one.hovertext}))"
    )


def column(browser, section, number):
    cells = f"#{section} tbody tr td:nth-child({number})"
    return [
        one.get_attribute("textContent") for one in browser.find_elements(By.CSS_SELECTOR, cells)
    ]


def click(browser, selector):
    """In the middle of the screen, where the bar at the top covers nothing."""
    found = browser.find_element(By.CSS_SELECTOR, selector)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
    found.click()


def unfold(browser, section):
    """Open a folded table, and wait until it is drawn: the page hears of it a moment later."""
    click(browser, f"#{section} summary")
    WebDriverWait(browser, 60).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, f"#{section} tbody tr")
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["main/default", "main/ml-1m-ranking", "continual/ml-100k"])
def test_a_published_run_is_drawn_without_an_error_or_a_request(browser, tmp_path, name):
    file = write_page(page_of(read_run(ROOT / "results" / name)), tmp_path / "report.html")
    assert file.stat().st_size < 4_000_000
    asked = show(browser, file)
    assert errors_of(browser) == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    assert undrawn(browser) == []
    assert len(browser.find_elements(By.TAG_NAME, "figure")) >= 3


def test_replays_failures_and_changes_are_drawn_too(browser, two, replay_folder, failed_folder):
    for file in (page_in(replay_folder), page_in(failed_folder), write_changes(*two)):
        show(browser, file)
        assert errors_of(browser) == []
        assert undrawn(browser) == []


def test_tables_sort(opened, grid_folder):
    unfold(opened, "differences")
    table = pd.read_csv(grid_folder / "significance.csv")
    here = table[(table["num_users"] == 0) & (table["score"] == "rmse")]
    heads = opened.find_elements(By.CSS_SELECTOR, "#differences th")
    names = [one.get_attribute("textContent").strip() for one in heads]
    place = names.index("difference") + 1
    expected = sorted(round(value, 3) for value in here["difference"])
    for direction, order in (("ascending", expected), ("descending", expected[::-1])):
        click(opened, f"#differences th:nth-child({place}) button")
        assert [float(text) for text in column(opened, "differences", place)] == order
        head = opened.find_element(By.CSS_SELECTOR, f"#differences th:nth-child({place})")
        assert head.get_attribute("aria-sort") == direction


def test_switches_act_on_figures_and_tables(opened):
    def chosen(name, value):
        switch = opened.find_element(By.CSS_SELECTOR, f"[data-switch={name}] select")
        Select(switch).select_by_value(value)
        tables = [column(opened, section, 2) for section in ("error-by-ratings", "cost")]
        return traces(opened, "differences"), traces(opened, "error_by_cost"), *tables

    before = chosen("score", "rmse")
    scored = chosen("score", "mae")
    assert all(one != other for one, other in zip(before, scored, strict=True))
    assert chosen("cell", "60 × 10")[0] != scored[0]
    words = opened.find_element(By.CSS_SELECTOR, "#differences .chosen").text
    assert words == "MAE, stars · 60 × 10 · beside middle"
    chosen("score", "rmse")
    assert chosen("cell", "all × all") == before
    assert errors_of(opened) == []


def test_a_recommender_is_hidden_and_shown_everywhere(opened):
    def names():
        drawn = [one["text"] for chart in ("error_by_ratings", "differences")
                 for one in traces(opened, chart)]  # fmt: skip
        return {text.split("</b>")[0].removeprefix("<b>") for row in drawn if row for text in row}

    assert names() == {"near", "middle", "far"}
    click(opened, "#error-by-ratings [data-model=far]")
    assert names() == {"near", "middle"}
    for chip in opened.find_elements(By.CSS_SELECTOR, "[data-model=far]"):
        assert chip.get_attribute("aria-pressed") == "false"
    click(opened, "[data-show=all]")
    assert names() == {"near", "middle", "far"}


def test_tables_are_downloaded_whole(opened, grid_folder, tmp_path):
    link = opened.find_element(By.CSS_SELECTOR, "#comparison a[download]")
    assert link.get_attribute("download") == "comparison.csv"
    kind, _, text = link.get_attribute("href").partition(",")
    assert kind == "data:text/csv;charset=utf-8"
    (tmp_path / "it.csv").write_text(unquote(text))
    found, expected = map(pd.read_csv, (tmp_path / "it.csv", grid_folder / "comparison.csv"))
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False)


def test_light_and_dark(browser, grid_page):
    def colours():
        return browser.execute_script(
            "return [getComputedStyle(document.body).backgroundColor, "
            "document.querySelector('[data-chart=differences] .plot').data[0].marker.color]"
        )

    show(browser, grid_page, scheme="light")
    light = colours()
    show(browser, grid_page, scheme="dark")
    assert all(one != other for one, other in zip(light, colours(), strict=True))


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, grid_page):
    show(browser, grid_page, width=390, height=844, mobile=True)
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    bottom = browser.execute_script(
        "return document.querySelector('figure').getBoundingClientRect().bottom"
    )
    assert bottom <= 844, "the first picture is on the first screen"


def test_names_that_are_scripts_are_names_and_no_other_script_runs(browser, evil_folder):
    asked = show(browser, page_in(evil_folder))
    assert errors_of(browser) == []
    assert browser.execute_script("return window.hacked") is None
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert len(asked) <= 2  # the page, and its icon, which is empty
    chip = browser.find_element(By.CSS_SELECTOR, ".legend button")
    assert chip.get_attribute("data-model") == EVIL_NAME
    ticks = browser.find_elements(By.CSS_SELECTOR, "[data-chart=differences] .ytick text")
    assert "<b>a&lt;" in [one.text for one in ticks]
    browser.execute_script(  # one that got in all the same does not run
        "const one = document.createElement('script'); one.textContent = 'window.hacked = 1';"
        "document.head.append(one)"
    )
    assert browser.execute_script("return window.hacked") is None
    assert any("Content Security Policy" in message for message in errors_of(browser))
