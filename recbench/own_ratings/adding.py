"""Ratings of a file added to a profile: which movie each is of, which of two counts, and what
became of them in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.matching import NEAR, How, Match, Matcher
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.titles import article_first, key

OWN_NUMBERING = "ml-100k"  # numbers movies in its own way: a number is another movie in later sets
LISTED = 20  # of each kind, in words; the search of the nearest titles takes some milliseconds
WAYS: dict[How, str] = {"id": "by id", "title": "by title and year", "nearly": "nearly"}

Movie = int | tuple[object, ...]  # a row of the catalogue; of a movie that it lacks: what it is


def added_to(
    known: Mapping[OwnRating, Match],
    ratings: Sequence[OwnRating],
    kind: str,
    matcher: Matcher,
    catalogue: Catalogue,
) -> tuple[tuple[OwnRating, ...], list[str]]:
    """The known ratings with those of a file, the latest last, and what became of the latter, in
    sentences. Of a movie rated twice, in the file or before, the later rating counts, by its time
    if both have one, else the one added last: where each has a time of its own, files may come in
    any order. Raises InputError if they are of movies by number, and of another numbering.

    Args:
        known: each rating of the profile, and the movie that it would have by itself.
        kind: of the file, in words.
    """
    numbers = {None, *catalogue.movies.movie_id.tolist()}
    lacking = [one.movie_id for one in ratings if not one.title and one.movie_id not in numbers]
    if lacking and catalogue.dataset == OWN_NUMBERING:
        raise InputError(
            f"movieId {lacking[0]} is not in {OWN_NUMBERING}, which numbers movies in its own way. "
            "The file is of another MovieLens set: name that, or a later one, with --dataset"
        )
    pairs = [*known.items(), *((rating, matcher.find(rating)) for rating in ratings)]
    every = [(*pair, movie) for pair, movie in zip(pairs, settled(pairs), strict=True)]
    before, added = every[: len(known)], every[len(known) :]
    together = {_one(rating, movie): rating for rating, _, movie in before}
    for rating, match, movie in added:
        # in doubt it stays as the file has it, to yield to a surer rating that comes later
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
    """What became of the ratings of a file, with the movie that each would have by itself, and the
    one that it has; `uncertain` are sentences about ratings that were there before."""
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
            uncertain += [f"{rating.name} was taken for {name}{but}"] * (not match.sure)
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


def _not_taken(rating: OwnRating, movie: int, catalogue: Catalogue) -> str:
    name = catalogue.name(movie)
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


def _one(rating: OwnRating, movie: int | None) -> Movie:
    return identity(rating) if movie is None else movie


def identity(rating: OwnRating) -> tuple[object, ...]:
    """What tells apart movies that the catalogue lacks."""
    if rating.imdb_id or not rating.title:
        return rating.imdb_id, rating.movie_id, rating.tmdb_id
    return key(article_first(rating.title)), rating.year
