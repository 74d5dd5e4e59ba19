"""The page in a browser, by keyboard alone and by pointer; no error in its console."""

from __future__ import annotations

import json

import pytest
from browser import open_browser
from own_movies import HERE
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.slow


class At:
    """The page in the browser, and what a user does there."""

    def __init__(self, browser, server, downloads):
        self.browser, self.downloads = browser, downloads
        self.url, self.profile = server.url, server.profile

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def movies(self):
        names = "return [...document.querySelectorAll('#movies h3')].map(h => h.firstChild.data)"
        return [name.split(". ", 1)[1].strip() for name in self.browser.execute_script(names)]

    def until(self, condition, why=""):
        waiting = WebDriverWait(self.browser, 20, 0.05, ignored_exceptions=(Exception,))
        return waiting.until(lambda _: condition(), why)

    def tells(self, words):
        self.until(lambda: words in self.find("#message").text, words)

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def focus(self):
        """Id, and what a screen reader calls the element in focus."""
        element = self.browser.switch_to.active_element
        return element.get_attribute("id"), element.accessible_name

    def tab_to(self, part, most=60):
        """Press Tab until an element with that part of an id has the focus."""
        for _ in range(most):
            if part in self.browser.execute_script("return document.activeElement.id"):
                return
            self.press(Keys.TAB)
        raise AssertionError(f"{part} is not reached, {self.focus()} is")

    def add(self, name, text):
        file = self.downloads / name
        file.write_text(text)
        self.find("#file").send_keys(str(file))
        self.find("#import").send_keys(Keys.ENTER)

    def titles(self):
        return [one["title"] for one in json.loads(self.profile.read_bytes())["ratings"]]

    def errors(self):
        """Lines of the console since it was last read."""
        return [line for line in self.browser.get_log("browser") if line["level"] != "INFO"]


@pytest.fixture(scope="module")
def opened(start, tmp_path_factory):
    """One browser and one server for all tests here."""
    folder = tmp_path_factory.mktemp("browser")
    with open_browser(folder / "profile") as browser:
        browser.set_window_size(1280, 900)
        server = start()
        yield At(browser, server, folder)
        assert server.process.poll() is None


@pytest.fixture
def at(opened):
    """The page of a new user; nothing may have gone wrong there at the end."""
    opened.profile.unlink(missing_ok=True)
    opened.browser.get(opened.url)
    yield opened
    assert opened.errors() == []


def test_rate_by_keyboard_alone(at):
    at.tab_to("q")
    at.press("alien (1979)", Keys.ENTER)
    at.tells("1 movie shown")
    before = at.movies()
    at.tab_to("found-", most=2)
    assert at.focus()[1] == "0.5 stars"
    at.press(*[Keys.ARROW_RIGHT] * 8, Keys.ENTER)
    at.tells("rated: Alien (1979), 4.5 stars")
    assert at.browser.title.startswith("rated: Alien (1979), 4.5 stars")
    assert at.titles() == ["Alien"]
    assert at.movies() != before
    assert "new: " in at.find("#message").text
    assert at.find("#rated summary").text.split("\n") == ["4.5 Alien (1979)"]
    assert "you gave it 4.5" in at.find("#movies").text

    at.tab_to("found-", most=2)
    assert at.focus()[1] == "4.5 stars"  # on the same movie, not at the top of the page
    at.tab_to("found-forget", most=4)
    assert at.focus()[1] == "Forget Alien (1979)"
    at.press(Keys.ENTER)
    at.tells("forgotten: Alien (1979)")
    assert at.titles() == []
    assert at.movies() == before


def test_a_star_is_clicked(at):
    movie = at.movies()[0]
    stars = at.all("#movies li:first-child .stars label")
    assert {star.size["width"] for star in stars} == {24}
    stars[8].click()
    at.tells(f"rated: {movie}, 4.5 stars")
    at.find("#rated summary").send_keys(Keys.ENTER)
    at.until(lambda: at.find("#rated .forget button").is_displayed())
    at.find("#rated .forget button").send_keys(Keys.ENTER)
    at.tells(f"forgotten: {movie}")
    assert at.movies()[0] == movie


def test_add_and_delete(at):
    at.find("#file").send_keys(str(HERE / "letterboxd.csv"))
    at.find("#import").send_keys(Keys.ENTER)
    at.tells("ratings found their movie")
    assert at.find("#summary").text.startswith("253 ratings ·")
    at.find("#delete").send_keys(Keys.ENTER)  # not yet: nobody is sure
    at.find("#sure").send_keys(Keys.SPACE)
    assert at.profile.exists()
    at.find("#delete").send_keys(Keys.ENTER)
    at.tells("deleted")
    assert not at.profile.exists()


def test_a_refusal_is_a_message_with_a_way_back(at):
    movies = at.movies()
    at.add("wrong.csv", "movieId,rating\n1,7\n")
    at.tells("wrong.csv, line 2: the rating is '7'. Expected 0.5, 1.0, 1.5 .. 5.0")
    at.find("main a").click()
    at.until(lambda: at.movies() == movies)
    # a browser logs that the answer was 400: that is so, and no fault of the page
    assert [line["message"].rsplit(" - ")[-1] for line in at.errors()] == [
        "Failed to load resource: the server responded with a status of 400 (BAD REQUEST)"
    ]


def test_a_file_that_is_too_large_is_not_sent(at):
    at.add("large.csv", "x" * 10_000_001)
    told = at.find("#file").get_property("validationMessage")
    assert told == "Too large. Expected 10,000,000 bytes at most."


WIDE = """return [...document.querySelectorAll('button, input, select, summary, h3, p')].filter(
  one => one.checkVisibility() && one.offsetWidth > 1).filter(one => {
    const box = one.getBoundingClientRect();
    return box.left < 0 || box.right > 390 || (one.tagName == 'BUTTON' && box.height < 40)
  }).map(one => one.outerHTML)"""


def test_at_the_width_of_a_phone_nothing_is_cut_off(at):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    at.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        at.browser.get(f"{at.url}?q=a&ask=1")
        assert at.browser.execute_script("return document.documentElement.scrollWidth") == 390
        assert at.browser.execute_script(WIDE) == []
    finally:
        at.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_without_the_script_every_form_works(at):
    at.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        at.browser.get(at.url)
        movie = at.movies()[0]
        at.find("#movies li:first-child .stars label:nth-child(9)").click()
        at.find("#movies li:first-child .rate button").click()
        at.until(lambda: f"rated: {movie}, 4.5 stars" in at.find("#message").text)
        at.find("#genre-Drama").send_keys(Keys.ENTER)
        at.until(lambda: "muted: Drama" in at.find("#message").text)
        assert len(at.titles()) == 1
        assert "message=" in at.browser.current_url
    finally:
        at.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
