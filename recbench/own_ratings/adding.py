"""Ratings of a file added to a profile: which movie each is of, which of two counts, and what
became of them in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.matching import Matcher
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.titles import names_of

OWN_NUMBERING = "ml-100k"  # numbers movies in its own way: a number is another movie in later sets
LIKELY = 0.6  # ratio of difflib from which a title is worth naming as a near one
LISTED = 20  # of each kind, in words; the search of the nearest titles takes some milliseconds
WAYS = {"id": "by id", "title": "by title and year", "nearly": "nearly"}

Movie = int | tuple[object, ...]  # a row of the catalogue; of a movie that it lacks: what it is


@dataclass
class Added:
    """What became of ratings that were added."""

    # how many found their movie, by "id", "title", "nearly"; of the last, the name in the file and
    # the movie it was taken for
    matched: Counter[str] = field(default_factory=Counter)
    nearly: list[tuple[str, str]] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)  # in the file; the latest counts
    replaced: int = 0  # movies that had another rating before
    # without a movie, the first 20 with the nearest; they stay for a table that has the movie
    unmatched: list[tuple[OwnRating, list[str]]] = field(default_factory=list)

    def lines(self, kind: str) -> list[str]:
        """The same in sentences; `kind` is that of the file."""
        found, lost = self.matched.total(), len(self.unmatched)
        counts = (f"{self.matched[way]:,} {WAYS[way]}" for way in WAYS if way in self.matched)
        how = ", ".join(counts) or "none"
        lines = [f"{kind}: {found:,} of {found + lost:,} ratings found their movie ({how})"]
        lines += [f"  {name} was taken for {movie}" for name, movie in self.nearly[:LISTED]]
        if len(self.nearly) > LISTED:
            lines.append(f"  and {len(self.nearly) - LISTED:,} more were taken for others")
        if self.twice:
            names = list(dict.fromkeys(self.twice))
            more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
            lines.append(f"rated twice, the latest counts: {', '.join(names[:LISTED])}{more}")
        if self.replaced:
            lines.append(f"{self.replaced:,} movies had other stars before")
        if lost:
            lines.append(f"{lost:,} found no movie; they stay in your profile, and are not used:")
        for rating, near in self.unmatched[:LISTED]:
            lines.append(f"  {rating.name}" + (f" (nearest: {'; '.join(near)})" if near else ""))
        if lost > LISTED:
            lines.append(f"  and {lost - LISTED:,} more")
        return lines


def added_to(
    known: Mapping[Movie, OwnRating],
    ratings: Sequence[OwnRating],
    matcher: Matcher,
    catalogue: Catalogue,
) -> tuple[tuple[OwnRating, ...], Added]:
    """The known ratings with those of a file, the latest last, and what became of the latter. Of a
    movie rated twice, in the file or before, the later rating counts, by its time if both have one,
    else the one added last. Raises InputError if they are of movies by number, and of another
    numbering."""
    numbers = set(catalogue.movies.movie_id.tolist())
    lacking = [one.movie_id for one in ratings if not one.title and one.movie_id not in numbers]
    if lacking and catalogue.dataset == OWN_NUMBERING:
        raise InputError(
            f"movieId {lacking[0]} is not in {OWN_NUMBERING}, which numbers movies in its own way. "
            "The file is of another MovieLens set: name that, or a later one, with --dataset"
        )
    added = Added()
    old, new = dict(known), dict[Movie, OwnRating]()
    for rating in ratings:
        match = matcher.find(rating)
        if match.movie is None:
            movie: Movie = identity(rating)
            name, described = rating.name, rating
            if movie not in new:
                near: Sequence[int] = ()
                if len(added.unmatched) < LISTED:
                    near = match.candidates or matcher.nearest(rating.title, 2, LIKELY)
                added.unmatched.append((rating, [catalogue.name(one) for one in near]))
        else:
            movie = match.movie
            name, described = catalogue.name(movie), catalogue.described(movie, rating)
            added.matched[match.how] += 1
            if match.how == "nearly":
                added.nearly.append((rating.name, name))
        if movie in new:
            added.twice.append(name)
        new[movie] = described
    for movie in old.keys() & new.keys():
        before, after = old[movie], new[movie]
        if before.time is not None and after.time is not None and before.time > after.time:
            del new[movie]  # rated again after the file was made
        else:
            del old[movie]
            added.replaced += before.stars != after.stars
    together = (*old.values(), *new.values())
    return tuple(sorted(together, key=lambda rating: rating.time or 0)), added


def identity(rating: OwnRating) -> tuple[object, ...]:
    """What tells apart movies that the catalogue lacks."""
    if rating.imdb_id or not rating.title:
        return rating.imdb_id, rating.movie_id
    return tuple(names_of(rating.title))[:1], rating.year
