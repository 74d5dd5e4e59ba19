"""Add the ratings of a file to a profile: match them to movies, resolve duplicates, and report the
result in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.matching import NEAR, How, Match, Matcher
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.titles import article_first, key

OWN_NUMBERING = "ml-100k"  # its movieIds differ from those of later MovieLens sets
LISTED = 20  # most lines of a kind; a search for the nearest titles takes some milliseconds
WAYS: dict[How, str] = {"id": "by id", "title": "by title and year", "nearly": "nearly"}

Movie = int | tuple[object, ...]  # row of the catalogue, or identity of a movie that it lacks


def added_to(
    known: Mapping[OwnRating, Match],
    ratings: Sequence[OwnRating],
    kind: str,
    matcher: Matcher,
    catalogue: Catalogue,
) -> tuple[tuple[OwnRating, ...], list[str]]:
    """The known ratings and those of a file, the latest last, and sentences about the latter. If a
    movie is rated twice, in the file or before, the later rating counts: by time if both have one,
    else the one added last. So files whose ratings all have times may be added in any order. Raises
    InputError if the file identifies movies by the numbers of another MovieLens set.

    Args:
        known: each rating of the profile, and its own match.
        kind: of the file, in words.
    """
    numbers = {None, *catalogue.movies.movie_id.tolist()}
    lacking = [one.movie_id for one in ratings if not one.title and one.movie_id not in numbers]
    if lacking and catalogue.dataset == OWN_NUMBERING:
        raise InputError(
            f"movieId {lacking[0]} is not in {OWN_NUMBERING}, which has movieIds of its own. "
            "The file is from another MovieLens set: name that set, or a later one, with --dataset"
        )
    pairs = [*known.items(), *((rating, matcher.find(rating)) for rating in ratings)]
    every = [(*pair, movie) for pair, movie in zip(pairs, settled(pairs), strict=True)]
    before, added = every[: len(known)], every[len(known) :]
    together = {_one(rating, movie): rating for rating, _, movie in before}
    for rating, match, movie in added:
        # an uncertain match stays as in the file, so that a certain one can replace it later
        new = rating if movie is None or not match.sure else catalogue.described(movie, rating)
        if _counts(new, together.get(_one(rating, movie), new)):
            together[_one(rating, movie)] = new
    uncertain = [
        _not_taken(rating, was, catalogue)
        for (rating, _, now), was in zip(before, settled(pairs[: len(known)]), strict=True)
        if was is not None and now is None
    ]
    in_words = _in_words(kind, added, uncertain, matcher, catalogue)
    return tuple(sorted(together.values(), key=_moment)), in_words


def _in_words(
    kind: str, added: list[tuple[OwnRating, Match, int | None]], uncertain: list[str],
    matcher: Matcher, catalogue: Catalogue,
) -> list[str]:  # fmt: skip
    """Sentences about the ratings of a file. `added` has each rating, its own match and its final
    movie; `uncertain` are sentences about earlier ratings."""
    rated = [(match, movie) for rating, match, movie in added if rating.stars is not None]
    watched = [movie for rating, _, movie in added if rating.stars is None]
    found = Counter(match.how for match, movie in rated if movie is not None)
    how = ", ".join(f"{found[way]:,} {WAYS[way]}" for way in WAYS if way in found) or "none"
    lines = [f"{kind}: {found.total():,} of {len(rated):,} ratings found their movie ({how})"]
    if watched:
        there = len(watched) - watched.count(None)
        lines.append(
            f"movies watched and not rated: {there:,} of {len(watched):,} found their movie"
        )
    first: dict[Movie, OwnRating] = {}  # of each movie
    twice, lost = [], []
    for rating, match, movie in added:
        name, one = rating.name, _one(rating, movie)
        if movie is not None:
            name = catalogue.name(movie)
            ids = rating.imdb_id, catalogue.imdb_id[movie]
            but = f", but the ids differ: {', '.join(ids)}" if all(ids) else ""
            uncertain += [f"{rating.name} was matched to {name}{but}"] * (not match.sure)
        elif match.movie is not None:
            uncertain.append(_not_taken(rating, match.movie, catalogue))
        if movie is None and one not in first:
            lost.append((rating, match))
        earlier = first.setdefault(one, rating)
        if earlier is not rating and None not in (earlier.stars, rating.stars):
            same = identity(earlier) == identity(rating)
            twice.append(name if same else f"{name}, also as {rating.name}")
    lines += _listed(uncertain)
    if twice:
        lines += ["rated twice, the latest counts:", *_listed(twice)]
    if lost:
        lines.append(f"{len(lost):,} found no movie; they stay in your profile, and are not used:")
        texts = [rating.name for rating, _ in lost]
        for place, (rating, match) in enumerate(lost[:LISTED]):
            near = match.candidates or matcher.nearest(rating.title, 2, NEAR)
            if near and match.movie is None:
                texts[place] += f" (nearest: {'; '.join(map(catalogue.name, near))})"
        lines += _listed(texts)
    return lines + catalogue.about_later([rating for rating, _ in lost])


def settled(pairs: Sequence[tuple[OwnRating, Match]]) -> list[int | None]:
    """The final movie of each rating, from the matches of all ratings: an uncertain match gives way
    to any other rating of the movie; if certain ones have different IMDb ids, none keeps it."""
    claims: dict[tuple[int | None, bool], dict[object, str]] = {}
    for rating, match in pairs:
        claims.setdefault((match.movie, match.sure), {})[identity(rating)] = rating.imdb_id
    movies = []
    for _, match in pairs:
        sure, others = (claims.get((match.movie, one), {}) for one in (True, False))
        lost = len({*sure.values()} - {""}) > 1 if match.sure else len({*sure, *others}) > 1
        movies.append(None if lost else match.movie)
    return movies


def _not_taken(rating: OwnRating, movie: int, catalogue: Catalogue) -> str:
    name = catalogue.name(movie)
    return f"{rating.name} was not matched to {name}: another of your ratings is of that movie"


def _counts(new: OwnRating, old: OwnRating) -> bool:
    """Whether a new rating replaces an old one of the same movie: not if it is earlier. A rating
    always replaces "watched", never the reverse."""
    if (new.stars is None) != (old.stars is None):
        return old.stars is None
    return old.time is None or new.time is None or old.time <= new.time


def _listed(lines: Sequence[str]) -> list[str]:
    """The first `LISTED` distinct lines, indented."""
    once = list(dict.fromkeys(lines))
    more = [f"and {len(once) - LISTED:,} more"] if len(once) > LISTED else []
    return [f"  {line}" for line in (*once[:LISTED], *more)]


def _moment(rating: OwnRating) -> tuple[int, str, str, int]:
    """Sort key: time, none first; equal times, since sites write only days, by name."""
    return rating.time or 0, rating.name, rating.imdb_id, rating.movie_id or 0


def _one(rating: OwnRating, movie: int | None) -> Movie:
    return identity(rating) if movie is None else movie


def identity(rating: OwnRating) -> tuple[object, ...]:
    """What identifies a movie that the catalogue lacks."""
    if rating.imdb_id or not rating.title:
        return rating.imdb_id, rating.movie_id, rating.tmdb_id
    return key(article_first(rating.title)), rating.year
