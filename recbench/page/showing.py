"""The route of the page itself, which changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from recbench.own_ratings.recommendation import Recommendation
from recbench.own_ratings.session import LATEST
from recbench.page.answering import kept, the_catalogue, the_user, the_view
from recbench.page.guards import LARGEST_FILE
from recbench.page.view import MOST_FILMS

FOUND = 8  # films that a search shows
ROWS = 20  # ratings shown at a time
LACKING = 200  # ratings of films that there are not

routes = Blueprint("showing", __name__)


@dataclass(frozen=True)
class Shown:
    """A film, and what the user gave it.

    Attributes:
        film: with what is expected of it.
        stars: given; None: not rated.
    """

    film: Recommendation
    stars: float | None


@routes.get("/")
def page() -> str:
    view, user = the_view(), the_user()
    said = kept().take(request.args.get("said", ""))
    with user.looked_at() as session:
        rated = session.rated
        found = user.search.find(view.q, FOUND)
        asking = not rated if view.ask is None else view.ask
        question = user.question() if asking else None
        return render_template(
            "page.html",
            view=view,
            said=said,
            catalogue=the_catalogue(),
            recommended=user.recommended(view),
            found=[Shown(session.predict(movie), rated.get(movie)) for movie in found],
            asking=asking,
            question=None if question is None else session.predict(question),
            rated=list(reversed(rated.items()))[view.older :][:ROWS],
            session=session,
            file=user.file,
            LATEST=LATEST,
            LARGEST_FILE=LARGEST_FILE,
            MOST_FILMS=MOST_FILMS,
            ROWS=ROWS,
            LACKING=LACKING,
        )
