"""Recommendations as text, JSON or CSV, and in words what became of ratings that were added."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

from recbench.own_ratings.adding import Added
from recbench.own_ratings.changes import Changes
from recbench.own_ratings.recommendation import Recommendation

COLUMNS = (
    *("place", "title", "year", "stars", "low", "high", "genres", "language", "rated_by"),
    *("movie_id", "imdb_id", "reasons"),
)
OF_OTHERS = "what other users give it: no rating of yours speaks for or against it"
LISTED = 20  # of what found no movie
INTERVAL = "80 % interval of the predictive distribution"


def as_text(films: Sequence[Recommendation]) -> str:
    """A movie in two lines or more: what is expected, what it is, why."""
    if not films:
        return "no unseen movie passes the filters\n"
    width = min(max(len(film.name) for film in films), 60)
    lines = [f"     {'':{width}}  stars   80 %"]
    for place, film in enumerate(films, start=1):
        between = f"{film.low:g} to {film.high:g}"
        lines.append(f"{place:3}. {film.name:{width}}   {film.stars:.1f}   {between}")
        known = f"rated by {film.rated_by:,}"
        lines.append(
            f"     {' · '.join(filter(None, (', '.join(film.genres), film.language, known)))}"
        )
        reasons = [f"{one.stars:+.2f} {one.film}: {one.words}" for one in film.reasons]
        lines += [f"     {reason}" for reason in reasons or [OF_OTHERS]]
    return "\n".join(lines) + "\n"


def as_json(
    films: Sequence[Recommendation],
    dataset: str,
    ratings: int,
    muted: Sequence[str],
    changes: Changes | None,
    ask: str | None,
) -> str:
    """An object with the movies in order.

    Args:
        ratings: how many of the user's ratings were learned.
        changes: null where nothing was changed.
        ask: the movie that would teach most; null where that was not asked.
    """
    listed = []
    for place, film in enumerate(films, start=1):
        fields = {name: value for name, value in asdict(film).items() if name != "movie"}
        listed.append({"place": place, **fields, "stars": round(film.stars, 3)})
    whole = {
        "dataset": dataset,
        "ratings": ratings,
        "muted": list(muted),
        "interval": INTERVAL,
        "recommendations": listed,
        "changes": None if changes is None else asdict(changes),
        "ask": ask,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def as_csv(films: Sequence[Recommendation]) -> str:
    """A row for each movie; genres and reasons parted by |."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for place, film in enumerate(films, start=1):
        reasons = "|".join(f"{one.film}: {one.words} ({one.stars:+.2f})" for one in film.reasons)
        table.writerow(
            [
                *(place, film.title, film.year or "", round(film.stars, 3), film.low, film.high),
                *("|".join(film.genres), film.language, film.rated_by),
                *(film.movie_id, film.imdb_id, reasons),
            ]
        )
    return text.getvalue()


def lines_of(added: Added, kind: str) -> list[str]:
    """What became of the ratings of a file, in sentences."""
    found, lost = sum(added.matched.values()), len(added.unmatched)
    ways = {"id": "by id", "title": "by title and year", "nearly": "nearly"}
    how = ", ".join(f"{added.matched[way]:,} {words}" for way, words in ways.items()
                    if way in added.matched)  # fmt: skip
    lines = [f"{kind}: {found:,} of {found + lost:,} ratings found their movie ({how or 'none'})"]
    lines += [f"  {given} was taken for {film}" for given, film in added.nearly[:LISTED]]
    if len(added.nearly) > LISTED:
        lines.append(f"  and {len(added.nearly) - LISTED:,} more were taken for others")
    if added.twice:
        lines.append(f"rated twice, the latest counts: {_some(added.twice)}")
    if added.replaced:
        lines.append(f"{added.replaced:,} movies had other stars before")
    if lost:
        lines.append(f"{lost:,} found no movie; they are kept in your profile, and not used:")
        for rating, near in added.unmatched[:LISTED]:
            hint = f" (nearest: {'; '.join(near)})" if near else ""
            lines.append(f"  {rating.name}{hint}")
        if lost > LISTED:
            lines.append(f"  and {lost - LISTED:,} more")
    return lines


def _some(names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    more = f" and {len(different) - LISTED:,} more" if len(different) > LISTED else ""
    return ", ".join(different[:LISTED]) + more
