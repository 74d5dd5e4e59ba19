"""Some movies asked one after another, for a user of whom nothing is known."""

from __future__ import annotations

from collections.abc import Callable

from recbench.own_ratings.session import Session, stars_of

FILMS = 10  # to be rated
MOST_ASKED = 50  # of whom knows few of them, no more is asked
HELP = "0.5 to 5 in halves; Enter: not seen; q: stop"


def interview(
    session: Session,
    ask: Callable[[str], str],
    tell: Callable[[str], None],
    after_each: Callable[[], None] = lambda: None,
    films: int = FILMS,
) -> int:
    """Ask for the stars of the movies that teach most, until `movies` are rated; how many were.

    Args:
        ask: shows a question and returns the answer; EOFError means that no more will come.
        tell: shows a sentence.
        after_each: called after each rating.
    """
    tell(f"How many stars do you give these movies? {HELP}")
    skipped: set[int] = set()
    rated = 0
    while rated < films and rated + len(skipped) < MOST_ASKED:
        movie = session.ask(skipped)
        if movie is None:
            break
        answer = _answer(f"{rated + 1:2}. {session.catalogue.name(movie)}: ", ask, tell)
        if answer == "stop":
            break
        if answer is None:
            skipped.add(movie)
            continue
        session.rate_movie(movie, float(answer))
        rated += 1
        after_each()
    return rated


def _answer(
    question: str, ask: Callable[[str], str], tell: Callable[[str], None]
) -> float | str | None:
    """Stars; None: not seen; "stop"."""
    while True:
        try:
            answer = ask(question).strip()
        except EOFError:
            return "stop"
        if not answer:
            return None
        if answer.casefold() in ("q", "quit"):
            return "stop"
        stars = stars_of(answer)
        if stars is not None:
            return stars
        tell(f"'{answer}' are no stars. Expected {HELP}")
