"""One user's session: the profile, its changes, and the recommendations from it."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from recbench.errors import InputError
from recbench.own_ratings.adding import added_to, settled
from recbench.own_ratings.filters import Filters, diversified, known_name
from recbench.own_ratings.known_movies import KnownMovies
from recbench.own_ratings.matching import NEAR, Match, Matcher, all_names
from recbench.own_ratings.profile import Profile
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.recommendation import (
    ME,
    Model,
    Recommendation,
    expected_stars,
    fitted_model,
    recommendation,
)
from recbench.own_ratings.titles import names_of
from recbench.own_ratings.values import on_the_grid, split_title, stars_of
from recbench.ratings import MAX_STARS

LATEST = 3_000  # most ratings that the model learns; n take n³ / 3 operations
CANDIDATES, TARGETS = 200, 500  # movies to ask about; movies whose predictions should improve
INTERVIEW = 10  # movies to be rated
MOST_QUESTIONS = 50  # for a user who knows few movies
HELP = "0.5 to 5 in halves; Enter: not seen; q: stop"


class Session:
    """A user, the movies and a model made by `new_model`. Nothing is saved; save `profile`.

    >>> session = Session(open_known_movies("ml-100k"), Personal)  # doctest: +SKIP
    >>> session.rate("Alien (1979)", 4.5)  # doctest: +SKIP
    >>> [movie.name for movie in session.recommend(3)]  # doctest: +SKIP
    """

    def __init__(
        self,
        known_movies: KnownMovies,
        new_model: Callable[[], Model],
        profile: Profile | None = None,
    ) -> None:
        self.known_movies, self.catalogue = known_movies, known_movies.catalogue
        self.matcher = Matcher(known_movies.catalogue)
        self._new_model = new_model
        self._matches: dict[OwnRating, Match] = {}  # each rating's own match
        self.take(profile or Profile())

    # --- the profile -----------------------------------------------------------------------------

    def take(self, profile: Profile) -> None:
        """Replace the profile."""
        before, self.profile = self._matches, profile
        self._matches = {one: before.get(one) or self.matcher.find(one) for one in profile.ratings}
        movies = settled(list(self._matches.items()))
        self._pairs = list(zip(movies, self._matches, strict=True))
        self._model: Model | None = None

    @property
    def rated(self) -> dict[int, float]:
        """Movie -> stars, of the movies in the catalogue, the latest last."""
        return {
            movie: one.stars
            for movie, one in self._pairs
            if movie is not None and one.stars is not None
        }

    @property
    def watched(self) -> set[int]:
        """Movies of the catalogue that the user has watched, and not rated."""
        return {one for one, rating in self._pairs if one is not None and rating.stars is None}

    @property
    def lacking(self) -> list[OwnRating]:
        """Ratings of movies that the catalogue lacks: they stay in the profile, unused."""
        return [rating for movie, rating in self._pairs if movie is None]

    @property
    def learned(self) -> int:
        """Number of ratings that the model learns: the latest ones of a long history."""
        return min(len(self.rated), LATEST)

    # --- changes ---------------------------------------------------------------------------------

    def add(
        self, ratings: Sequence[OwnRating], kind: str = "table", notes: Sequence[str] = ()
    ) -> list[str]:
        """Add the ratings of a file of that kind, latest last. Returns sentences about them, and
        the notes about the file; see `added_to`. Raises InputError if the file identifies movies by
        the numbers of another MovieLens set."""
        every = self._matches, ratings, kind, self.matcher, self.catalogue
        together, lines = added_to(*every)
        self.take(replace(self.profile, ratings=together))
        lines += notes
        if any(not one.title and one.movie_id is not None for one in ratings):
            lines.append(f"movieIds are read as those of {self.catalogue.dataset}")
        return lines

    def rate(self, title: str, stars: float) -> int:
        """Rate a movie now, by its title, with or without year; returns its row. Raises InputError
        if the title fits no movie (the nearest are listed) or several, or the stars are invalid."""
        if not on_the_grid(stars):
            raise InputError(f"{title}: {stars:g} stars. Expected 0.5, 1.0, 1.5 .. 5.0")
        movie = self._movie(title)
        self.rate_movie(movie, stars)
        return movie

    def rate_movie(self, movie: int, stars: float) -> str:
        """Rate a movie of the catalogue now, by its row; returns its name."""
        now = OwnRating(stars=float(stars), time=int(clock.time()))
        latest = self.catalogue.described(movie, now)  # the last, whatever the clock says
        others = [rating for other, rating in self._pairs if other != movie]
        self.take(replace(self.profile, ratings=(*others, latest)))
        return self.catalogue.name(movie)

    def forget(self, title: str) -> str:
        """Forget the rating of a movie, as if it had never been rated; returns the movie's name.
        Raises InputError if the user has rated no such movie, or several of that title."""
        bare, year = split_title(title)
        found: dict[object, list[OwnRating]] = {}  # by movie
        for movie, rating in self._pairs:
            names, years = all_names(rating.title, rating.original_title), {None, rating.year}
            if movie is not None:
                names |= self.matcher.names(movie)
                years.add(int(self.catalogue.year[movie]))
            if rating.name == title or (year in years and names_of(bare).keys() & names.keys()):
                found.setdefault(rating if movie is None else movie, []).append(rating)
        named = [ratings[0].name for ratings in found.values()]
        if len(named) > 1:
            raise InputError(f"{title}: you have rated several. Say which: {'; '.join(named)}")
        if not named:
            near = self.matcher.nearest(bare, len(self.catalogue), NEAR)
            rated = [self.catalogue.name(movie) for movie in near if movie in self.rated][:3]
            hint = f". The nearest that you have rated: {'; '.join(rated)}" if rated else ""
            raise InputError(f"{title}: you have not rated it{hint}")
        self._drop(*found.values())
        return named[0]

    def forget_movie(self, movie: int) -> str:
        """Forget the rating of a movie of the catalogue, by its row; returns its name. Raises
        InputError if the user has not rated it."""
        name = self.catalogue.name(movie)
        if movie not in {*self.rated, *self.watched}:
            raise InputError(f"{name}: you have not rated it")
        self._drop([rating for other, rating in self._pairs if other == movie])
        return name

    def mute(self, genre: str) -> str:
        """Recommend no movie of a genre from now on; returns its name. Ratings are unchanged.
        Raises InputError if no movie is of that genre."""
        name = known_name(genre, "--mute", self.catalogue.all_genres)
        self.profile = replace(self.profile, muted=tuple(sorted({*self.profile.muted, name})))
        return name

    def unmute(self, genre: str) -> str:
        """Undo `mute`. Raises InputError if it is not muted."""
        muted = self.profile.muted
        name = known_name(genre, "--unmute", (*muted, *self.catalogue.all_genres))
        if name not in muted:
            raise InputError(f"--unmute {genre}: is not muted. Muted: {', '.join(muted) or 'none'}")
        self.profile = replace(self.profile, muted=tuple(one for one in muted if one != name))
        return name

    # --- recommendations -------------------------------------------------------------------------

    def recommend(
        self, count: int = 10, filters: Filters | None = None, diversity: float = 0.0
    ) -> list[Recommendation]:
        """The unseen movies (neither rated nor watched) with the highest predictions.

        Args:
            filters: which movies may be recommended; muted genres never are.
            diversity: 0 .. 1, see `recbench.own_ratings.filters.diversified`.
        """
        movies, model = self._unseen(filters), self._fitted()
        chosen = diversified(
            expected_stars(model, movies),
            lambda places, others: model.correlation(movies[places], movies[others]),
            count,
            diversity,
        )
        return [self.predict(int(movie)) for movie in movies[chosen]]

    def predict(self, movie: int) -> Recommendation:
        """The prediction for a movie, with reasons."""
        return recommendation(self._fitted(), self.known_movies, self.rated, movie)

    def next_question(self, skipped: Collection[int] = ()) -> int | None:
        """The most informative well-known movie to rate next, except those `skipped`; None if none
        is left."""
        unseen = self._unseen(None)
        known_first = unseen[np.argsort(-self.catalogue.rated_by[unseen], kind="stable")]
        candidates = known_first[~np.isin(known_first, list(skipped))][:CANDIDATES]
        if not len(candidates):
            return None
        return self._fitted().ask_next(ME, candidates, known_first[:TARGETS])

    def _unseen(self, filters: Filters | None) -> np.ndarray:
        passing = (filters or Filters()).passing(self.catalogue, self.profile.muted)
        passing[[*self.rated, *self.watched]] = False
        return np.flatnonzero(passing)

    def _fitted(self) -> Model:
        """The model of the latest ratings, fitted when it is first used."""
        if self._model is None:
            latest = dict(list(self.rated.items())[-LATEST:])
            self._model = fitted_model(self._new_model, self.known_movies, latest, self.watched)
        return self._model

    def _movie(self, title: str) -> int:
        bare, year = split_title(title)
        match = self.matcher.find(OwnRating(stars=MAX_STARS, title=bare, year=year))
        if match.movie is not None:
            return match.movie
        names = "; ".join(map(self.catalogue.name, match.candidates))
        if names:
            raise InputError(f"{title}: there are several. Say which: {names}")
        near = "; ".join(map(self.catalogue.name, self.matcher.nearest(bare, least=NEAR)))
        hint = f". The nearest are {near}" if near else ""
        raise InputError(f"{title}: no movie of {self.catalogue.dataset} has this title{hint}")

    def _drop(self, gone: Collection[OwnRating]) -> None:
        left = tuple(one for one in self.profile.ratings if one not in gone)
        self.take(replace(self.profile, ratings=left))


def interview(
    session: Session,
    ask: Callable[[str], str],
    tell: Callable[[str], None],
    after_each: Callable[[], None] = lambda: None,
) -> int:
    """Ask a new user to rate the most informative movies, until ten are rated; returns the number
    rated. `ask` shows a question and returns the answer, or raises EOFError at the end of the
    input; `after_each` is called after each rating."""
    tell(f"How many stars do you give these movies? {HELP}")
    skipped: set[int] = set()
    rated = 0
    while rated < INTERVIEW and rated + len(skipped) < MOST_QUESTIONS:
        movie = session.next_question(skipped)
        if movie is None:
            break
        try:
            answer = ask(f"{rated + 1:2}. {session.catalogue.name(movie)}: ").strip()
        except EOFError:
            tell("")
            break
        if answer.casefold() in ("q", "quit"):
            break
        stars = stars_of(answer)
        if stars is not None:
            session.rate_movie(movie, stars)
            rated += 1
            after_each()
        elif answer:
            tell(f"'{answer}' are no stars. Expected {HELP}")  # and the same movie again
        else:
            skipped.add(movie)
    return rated
