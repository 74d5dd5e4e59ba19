"""Filters of movies, and lists that balance predicted stars with diversity."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue

# MovieLens's names and others for a genre of TMDB
OTHER_NAMES = dict.fromkeys(("sci-fi", "scifi", "sf"), "Science Fiction")
OTHER_NAMES |= dict.fromkeys(("children", "children's"), "Family")
OTHER_NAMES |= dict.fromkeys(("film noir", "noir"), "Film-Noir")
OTHER_NAMES |= {"musical": "Music", "documentaries": "Documentary"}
POOL = 10  # best candidates for each movie of a diverse list

NONE = "no unseen movie passes the filters"

Similarity = Callable[[np.ndarray, np.ndarray], np.ndarray]  # of positions [m], [n]: float64 [m, n]


@dataclass(frozen=True)
class Filters:
    """Conditions on a movie; all must hold. A year limit excludes movies of unknown year."""

    genres: tuple[str, ...] = ()  # it has one of these, spelled as in the catalogue; empty: any
    not_genres: tuple[str, ...] = ()  # it has none of these
    languages: tuple[str, ...] = ()  # it is in one of these; empty: any
    year_from: int = 0  # 0: no limit
    year_to: int = 0
    rated_by: int = 0  # at least n users of the dataset rated it

    def passing(self, catalogue: Catalogue, muted: Collection[str] = ()) -> np.ndarray:
        """Mask of the movies that pass, bool [m]; movies of a `muted` genre never do."""
        genres, no_genres = set(self.genres), {*self.not_genres, *muted}
        passing = catalogue.rated_by >= self.rated_by
        passing &= catalogue.same == np.arange(len(catalogue))  # duplicates once
        if self.year_from or self.year_to:
            passing &= catalogue.year >= max(self.year_from, 1)
            passing &= catalogue.year <= (self.year_to or np.inf)
        if genres:
            passing &= np.array([bool(genres & set(one)) for one in catalogue.genres])
        if no_genres:
            passing &= np.array([not no_genres & set(one) for one in catalogue.genres])
        if self.languages:
            passing &= np.isin(np.array(catalogue.language), self.languages)
        return passing

    def if_none(self, catalogue: Catalogue) -> str:
        """The message if no movie passes."""
        return f"{NONE}: {catalogue.until}" if self.year_from > catalogue.last_year else NONE


def known_name(name: str, flag: str, known: Iterable[str]) -> str:
    """A genre or language, spelled as in the catalogue; case is ignored. Raises InputError, with
    the alternatives, if no movie has it."""
    by_name = {one.casefold(): one for one in known}
    folded = name.strip().casefold()
    found = by_name.get(folded) or by_name.get(OTHER_NAMES.get(folded, "").casefold())
    if found is None:
        there_are = ", ".join(by_name.values())
        raise InputError(f"{flag} {name}: no movie has it. Expected one of {there_are}")
    return found


def diversified(
    stars: np.ndarray, similarity: Similarity, count: int, diversity: float
) -> np.ndarray:
    """Maximal marginal relevance (Carbonell and Goldstein 1998): movies are chosen one by one from
    the ten times `count` best, each with the largest (1 − d) · relevance − d · similarity to the
    most similar movie already chosen. Relevance is the movie's stars, scaled to 0 (worst candidate)
    .. 1 (best), so that both parts have the same range.

    Args:
        stars: float64 [m], predicted.
        similarity: of movies at positions int [m] and int [n], at most 1.
        diversity: d, 0 (the best movies in order) .. 1 (the best movie, then the least similar).

    Returns:
        positions of the chosen movies, int [≤ count], in the order of choice.
    """
    order = np.argsort(-stars, kind="stable")
    if diversity == 0 or count == 0 or not len(stars):
        return order[:count]
    pool = order[: POOL * count]
    relevance = (stars[pool] - stars[pool].min()) / (np.ptp(stars[pool]) or 1.0)
    chosen, nearest = [0], np.full(len(pool), -np.inf)  # the first by its stars only
    while len(chosen) < min(count, len(pool)):
        nearest = np.maximum(nearest, similarity(pool[chosen[-1:]], pool)[0])
        score = (1 - diversity) * relevance - diversity * nearest
        score[chosen] = -np.inf
        chosen.append(int(score.argmax()))
    return pool[chosen]
