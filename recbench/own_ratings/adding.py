"""Ratings of a file added to a profile: which movie each is of, which of two counts, and what
became of them in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.matching import NEAR, Match, Matcher
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.titles import article_first, key

OWN_NUMBERING = "ml-100k"  # numbers movies in its own way: a number is another movie in later sets
LISTED = 20  # of each kind, in words; the search of the nearest titles takes some milliseconds
WAYS = {"id": "by id", "title": "by title and year", "nearly": "nearly"}

Movie = int | tuple[object, ...]  # a row of the catalogue; of a movie that it lacks: what it is


@dataclass
class Added:
    """What became of ratings that were added."""

    matched: Counter[str] = field(default_factory=Counter)  # by "id", "title", "nearly"
    uncertain: list[str] = field(default_factory=list)  # which were taken, or not, for a movie
    twice: list[str] = field(default_factory=list)  # in the file; the latest counts
    watched: int = 0  # movies found, and not rated
    # without a movie, the first 20 with the nearest; they stay for a table that has the movie
    unmatched: list[tuple[OwnRating, list[str]]] = field(default_factory=list)

    def lines(self, kind: str, catalogue: Catalogue) -> list[str]:
        """The same in sentences; `kind` is that of the file."""
        found, lost = self.matched.total(), len(self.unmatched)
        lost_watched = sum(rating.stars is None for rating, _ in self.unmatched)
        rated, watched = found + lost - lost_watched, self.watched + lost_watched
        counts = (f"{self.matched[way]:,} {WAYS[way]}" for way in WAYS if way in self.matched)
        how = ", ".join(counts) or "none"
        lines = [f"{kind}: {found:,} of {rated:,} ratings found their movie ({how})"]
        if watched:
            lines.append(
                f"movies watched and not rated: {self.watched:,} of {watched:,} found their movie"
            )
        lines += _listed(self.uncertain)
        if self.twice:
            lines.append("rated twice, the latest counts:")
            lines += _listed(self.twice)
        if lost:
            lines.append(f"{lost:,} found no movie; they stay in your profile, and are not used:")
            lines += _listed([
                rating.name + (f" (nearest: {'; '.join(near)})" if near else "")
                for rating, near in self.unmatched
            ])  # fmt: skip
        return lines + catalogue.about_later([rating for rating, _ in self.unmatched])


def added_to(
    known: Mapping[OwnRating, Match],
    ratings: Sequence[OwnRating],
    matcher: Matcher,
    catalogue: Catalogue,
) -> tuple[tuple[OwnRating, ...], Added]:
    """The known ratings with those of a file, the latest last, and what became of the latter. Of a
    movie rated twice, in the file or before, the later rating counts, by its time if both have one,
    else the one added last: where each has a time of its own, files may come in any order. Raises
    InputError if they are of movies by number, and of another numbering.

    Args:
        known: each rating of the profile, and the movie that it would have by itself.
    """
    numbers = {None, *catalogue.movies.movie_id.tolist()}
    lacking = [one.movie_id for one in ratings if not one.title and one.movie_id not in numbers]
    if lacking and catalogue.dataset == OWN_NUMBERING:
        raise InputError(
            f"movieId {lacking[0]} is not in {OWN_NUMBERING}, which numbers movies in its own way. "
            "The file is of another MovieLens set: name that, or a later one, with --dataset"
        )
    every = [*known.items(), *((rating, matcher.find(rating)) for rating in ratings)]
    alone, movies, added = settled(list(known.items())), settled(every), Added()
    before: dict[Movie, OwnRating] = {}  # of the file
    together: dict[Movie, OwnRating] = {}
    for place, ((rating, match), movie) in enumerate(zip(every, movies, strict=True)):
        one = identity(rating) if movie is None else movie
        if place < len(known):
            together[one] = rating
            if movie is None and alone[place] is not None:
                added.uncertain.append(_not_taken(rating, match, catalogue))
            continue
        _tell(added, rating, match, movie, before.get(one), matcher, catalogue)
        before[one] = rating
        # in doubt it stays as the file has it, to yield to a surer rating that comes later
        new = rating if movie is None or not match.sure else catalogue.described(movie, rating)
        if _counts(new, together.get(one, new)):
            together[one] = new
    return tuple(sorted(together.values(), key=_moment)), added


def settled(pairs: Sequence[tuple[OwnRating, Match]]) -> list[int | None]:
    """The movie of each rating, where each has the movie that it would have by itself: one that is
    in doubt yields to any other of the movie; of two with IMDb ids that differ, neither has it."""
    claims: dict[tuple[int | None, bool], dict[object, str]] = {}
    for rating, match in pairs:
        claims.setdefault((match.movie, match.sure), {})[identity(rating)] = rating.imdb_id
    movies = []
    for _, match in pairs:
        sure, others = (claims.get((match.movie, one), {}) for one in (True, False))
        lost = len({*sure.values()} - {""}) > 1 if match.sure else len({*sure, *others}) > 1
        movies.append(None if lost else match.movie)
    return movies


def _tell(
    added: Added, rating: OwnRating, match: Match, movie: int | None, before: OwnRating | None,
    matcher: Matcher, catalogue: Catalogue,
) -> None:  # fmt: skip
    """Add what became of a rating of a file; `before` has another one there, of the same movie."""
    name = rating.name if movie is None else catalogue.name(movie)
    if movie is not None:
        if rating.stars is None:
            added.watched += 1
        else:
            added.matched[match.how] += 1
        if not match.sure:
            ids = rating.imdb_id, catalogue.imdb_id[movie]
            but = f", but the ids differ: {', '.join(ids)}" if all(ids) else ""
            added.uncertain.append(f"{rating.name} was taken for {name}{but}")
    elif before is None:
        near: Sequence[int] = ()
        if match.movie is not None:
            added.uncertain.append(_not_taken(rating, match, catalogue))
        elif len(added.unmatched) < LISTED:
            near = match.candidates or matcher.nearest(rating.title, 2, NEAR)
        added.unmatched.append((rating, [catalogue.name(one) for one in near]))
    if before and None not in (before.stars, rating.stars):
        same = identity(before) == identity(rating)
        added.twice.append(name if same else f"{name}, also as {rating.name}")


def _not_taken(rating: OwnRating, match: Match, catalogue: Catalogue) -> str:
    assert match.movie is not None
    name = catalogue.name(match.movie)
    return f"{rating.name} was not taken for {name}: another rating of yours is of it"


def _counts(new: OwnRating, old: OwnRating) -> bool:
    """Whether one that is added takes the place of another of the movie: not what was rated before
    that, nor that the movie was watched the place of a rating."""
    if (new.stars is None) != (old.stars is None):
        return old.stars is None
    return old.time is None or new.time is None or old.time <= new.time


def _listed(lines: Sequence[str]) -> list[str]:
    """The first lines of many, each once, indented."""
    once = list(dict.fromkeys(lines))
    more = [f"and {len(once) - LISTED:,} more"] if len(once) > LISTED else []
    return [f"  {line}" for line in (*once[:LISTED], *more)]


def _moment(rating: OwnRating) -> tuple[int, str, str, int]:
    """To sort by: the time, those without one first; of one time, as sites write days, the name."""
    return rating.time or 0, rating.name, rating.imdb_id, rating.movie_id or 0


def identity(rating: OwnRating) -> tuple[object, ...]:
    """What tells apart movies that the catalogue lacks."""
    if rating.imdb_id or not rating.title:
        return rating.imdb_id, rating.movie_id, rating.tmdb_id
    return key(article_first(rating.title)), rating.year
