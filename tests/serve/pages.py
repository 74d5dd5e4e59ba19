"""A page asked as its own forms ask, without a network."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from pathlib import Path

from PerUser.personal import Personal
from recbench.own_ratings.profile import Profile, ProfileFile
from recbench.own_ratings.session import Session
from recbench.page.app import new_app
from recbench.page.routes import User

HOSTILE = "<script>alert(\"x\")</script> & 'Sons' (1999)"
PORT = 8765
HOME = f"http://127.0.0.1:{PORT}"


@dataclass
class Page:
    """A page, asked as its own forms ask."""

    user: User
    profile: Path
    path: str = ""
    token: str = ""
    client: object = field(init=False)

    def __post_init__(self):
        app, self.path = new_app(self.user, PORT)
        self.client = app.test_client()
        self.token = re.search(r'name="token" value="([^"]+)"', self.get().text)[1]

    def row(self, name: str) -> int:
        catalogue = self.user.catalogue
        return next(row for row in range(len(catalogue)) if catalogue.name(row) == name)

    def get(self, route="", **more):
        return self.client.get(self.path + route, **{"base_url": HOME, **more})

    def post(self, route, headers=None, token=None, **form):
        """What a change answers, which leads back to the page."""
        form["token"] = self.token if token is None else token
        headers = {"Origin": HOME} if headers is None else headers
        url = self.path + route
        return self.client.post(url, data=form, headers=headers, base_url=HOME)

    def done(self, route, **form):
        """The page's message after a change."""
        answer = self.post(route, **form)
        assert answer.status_code == 303, answer.text
        there = self.client.get(
            answer.headers["Location"].replace(".", self.path, 1), base_url=HOME
        )
        assert there.status_code == 200
        return message_of(there)

    def known(self) -> Profile:
        return ProfileFile(self.profile).read()


def message_of(answer) -> str:
    found = re.search(r'<div id="message"[^>]*>(.*?)</div>', answer.text, re.DOTALL)[1]
    return html.unescape(re.sub(r"<[^>]*>", "", found)).strip()


def movies_of(answer) -> list[str]:
    """Names of the recommended movies."""
    listed = answer.text.split('<ol id="movies"')[1].split("</ol>")[0]
    return [html.unescape(name) for name in re.findall(r"<h3>\d+\. (.*?)(?: <|</h3>)", listed)]


def page_of(known_movies, path) -> Page:
    file = ProfileFile(path)
    return Page(User(Session(known_movies, Personal, file.read()), file), path)
