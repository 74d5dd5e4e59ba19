"""Ratings of a file added to those that are known: which movie each is of, and which counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.matching import Match, Matcher
from recbench.own_ratings.profile import with_ratings
from recbench.own_ratings.rating import OwnRating
from recbench.own_ratings.titles import names_of

OWN_NUMBERS = "ml-100k"
LIKELY = 0.6  # ratio of difflib from which a title is worth naming as a near one
NEAREST_OF = 20  # ratings without a movie: the search of the nearest takes some milliseconds

Movie = int | tuple[object, ...]  # a row of the catalogue, else what tells apart movies it lacks


@dataclass
class Added:
    """What became of ratings that were added.

    Attributes:
        matched: how many found their movie: by "id", "title", "nearly".
        nearly: of the last, the name given and the movie it was taken for.
        twice: names of movies given more than once; the latest counts.
        replaced: movies that had another rating before.
        unmatched: what found no movie, the first 20 with the nearest movies. It is kept for a movie
            table that has it.
    """

    matched: dict[str, int] = field(default_factory=dict)
    nearly: list[tuple[str, str]] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    replaced: int = 0
    unmatched: list[tuple[OwnRating, list[str]]] = field(default_factory=list)


def added_to(
    known: Mapping[Movie, OwnRating],
    ratings: Sequence[OwnRating],
    matcher: Matcher,
    catalogue: Catalogue,
) -> tuple[tuple[OwnRating, ...], Added]:
    """What is known with ratings of a file, the latest last, and what became of these. Of a movie
    rated twice, in them or before, the later rating counts, by its time if both have one, else the
    one added last.

    Raises:
        InputError: they are of movies by number, and of another numbering.
    """
    _check_numbering(ratings, catalogue)
    added = Added()
    old, new = dict(known), dict[Movie, OwnRating]()
    for rating in ratings:
        match = matcher.find(rating)
        film: Movie = same_film(rating) if match.movie is None else match.movie
        if match.movie is None:
            if film not in new:
                few = len(added.unmatched) < NEAREST_OF
                near = _near(rating, match, matcher, catalogue) if few else []
                added.unmatched.append((rating, near))
        else:
            added.matched[match.how] = added.matched.get(match.how, 0) + 1
            if match.how == "nearly":
                added.nearly.append((rating.name, catalogue.name(match.movie)))
        if film in new:
            added.twice.append(rating.name if match.movie is None else catalogue.name(match.movie))
        new[film] = rating if match.movie is None else catalogue.described(match.movie, rating)
    for film, rating in list(new.items()):
        before = old.get(film)
        if before is None:
            continue
        if before.time is not None and rating.time is not None and before.time > rating.time:
            del new[film]  # given later than the file was made
        else:
            del old[film]
            added.replaced += before.stars != rating.stars
    return with_ratings(old.values(), new.values()), added


def same_film(rating: OwnRating) -> tuple[object, ...]:
    """What tells apart movies that the catalogue lacks."""
    if rating.imdb_id or not rating.title:
        return rating.imdb_id, rating.movie_id
    return tuple(names_of(rating.title))[:1], rating.year


def _check_numbering(ratings: Sequence[OwnRating], catalogue: Catalogue) -> None:
    """Movies by number alone must be numbered as here: MovieLens 100K does it in its own way, so
    that a number is of another movie in later sets."""
    known = set(catalogue.movies.movie_id.tolist())
    lacking = [one.movie_id for one in ratings if not one.title and one.movie_id not in known]
    if lacking and catalogue.dataset == OWN_NUMBERS:
        raise InputError(
            f"movieId {lacking[0]} is not in {OWN_NUMBERS}, which numbers movies in its own "
            "way. The file is of another MovieLens set: name that, or a later one, with "
            "--dataset"
        )


def _near(rating: OwnRating, match: Match, matcher: Matcher, catalogue: Catalogue) -> list[str]:
    movies = match.candidates or matcher.nearest(rating.title, count=2, least=LIKELY)
    return [catalogue.name(movie) for movie in movies]
