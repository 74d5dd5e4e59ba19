"""One user's session: what is known of the user, what is recommended, and what changes it."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from recbench.errors import InputError
from recbench.own_ratings.adding import Added, Movie, added_to, same_film
from recbench.own_ratings.diversity import diversified
from recbench.own_ratings.filters import Filters, known_genre
from recbench.own_ratings.kinds import number_of, split_title
from recbench.own_ratings.known_movies import KnownMovies
from recbench.own_ratings.matching import Matcher
from recbench.own_ratings.predicting import ME, Model, expected, fitted, recommendation
from recbench.own_ratings.profile import Profile
from recbench.own_ratings.rating import OwnRating, on_the_grid
from recbench.own_ratings.recommendation import Recommendation
from recbench.own_ratings.titles import names_of
from recbench.ratings import MAX_STARS

LATEST = 3_000  # ratings that are learned; n of them take n³ / 3 operations
CANDIDATES, TARGETS = 200, 500  # movies that may be asked about; whose ratings it should tell of


class Session:
    """A user, the movies and a model. `profile` is what there is to be kept; nothing is written.

    Args:
        known_movies: movies and item table.
        new_model: makes an unfitted model.
        profile: of the user.

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
        self._new_model = new_model
        self.matcher = Matcher(known_movies.catalogue)
        self._movie_of: dict[OwnRating, int | None] = {}  # of ratings that were looked for before
        self.take(profile or Profile())

    # --- what is known ---------------------------------------------------------------------------

    @property
    def rated(self) -> dict[int, float]:
        """Movie -> stars, of the movies in the catalogue, the latest last."""
        return {
            movie: rating.stars
            for movie, rating in zip(self._movies, self.profile.ratings, strict=True)
            if movie is not None
        }

    @property
    def lacking(self) -> list[OwnRating]:
        """Ratings whose movie the catalogue lacks: kept, and not learned from."""
        pairs = zip(self._movies, self.profile.ratings, strict=True)
        return [rating for movie, rating in pairs if movie is None]

    @property
    def learned(self) -> int:
        """How many ratings the model has learned: the latest ones of a long history."""
        return min(len(self.rated), LATEST)

    # --- what changes it -------------------------------------------------------------------------

    def take(self, profile: Profile) -> None:
        """Another profile takes the place of what is known."""
        self.profile = profile
        self._movies = self._found(profile.ratings)
        self._model: Model | None = None

    def add(self, ratings: Sequence[OwnRating]) -> Added:
        """Add ratings of a file, the latest last. Of a movie rated twice, in them or before, the
        later rating counts, by its time if both have one, else the one added last.

        Raises:
            InputError: they are of movies by number, and of another numbering.
        """
        known = dict(zip(self._keys(), self.profile.ratings, strict=True))
        together, added = added_to(known, ratings, self.matcher, self.catalogue)
        self._replace(together)
        return added

    def rate(self, title: str, stars: float) -> int:
        """Rate a movie now, by its title, with or without the year; the movie.

        Raises:
            InputError: nobody knows the title (the nearest are listed), several movies have it, or
                these are no stars.
        """
        if not on_the_grid(stars):
            raise InputError(f"{title}: {stars:g} stars. Expected 0.5, 1.0, 1.5 .. 5.0")
        movie = self._movie(title)
        self.rate_movie(movie, stars)
        return movie

    def rate_movie(self, movie: int, stars: float) -> None:
        """Rate a movie of the catalogue now, by its row."""
        now = OwnRating(stars=float(stars), time=int(clock.time()))
        rating = self.catalogue.described(movie, now)
        others = [
            one
            for place, one in zip(self._movies, self.profile.ratings, strict=True)
            if place != movie
        ]
        self._replace((*others, rating))  # the last, whatever the clock says

    def forget(self, title: str) -> str:
        """Forget the rating of a movie, as if it had never been given; the movie's name.

        Raises:
            InputError: the user has rated no such movie, or several of that title.
        """
        asked, year = split_title(title)
        names = names_of(asked)
        places = [
            place
            for place, rating in enumerate(self.profile.ratings)
            if self._has_name(place, rating, names, title)
            and (year is None or rating.year is None or abs(rating.year - year) <= 1)
        ]
        exact = [place for place in places if self.profile.ratings[place].year == year]
        places = exact or places
        named = [self.profile.ratings[place].name for place in places]
        movies = self._movies
        films = {place if movies[place] is None else (movies[place],) for place in places}
        if len(films) > 1:
            raise InputError(f"{title}: you have rated several. Say which: {'; '.join(named)}")
        if not places:
            near = self.matcher.nearest(asked, count=len(self.catalogue))
            rated = [self.catalogue.name(movie) for movie in near if movie in self.rated][:3]
            hint = f". The nearest that you have rated: {'; '.join(rated)}" if rated else ""
            raise InputError(f"{title}: you have not rated it{hint}")
        self._drop(places)
        return named[0]

    def forget_movie(self, movie: int) -> str:
        """Forget the rating of a movie of the catalogue, by its row; the movie's name.

        Raises:
            InputError: the user has not rated it.
        """
        if movie not in self._movies:
            raise InputError(f"{self.catalogue.name(movie)}: you have not rated it")
        self._drop([place for place, one in enumerate(self._movies) if one == movie])
        return self.catalogue.name(movie)

    def forget_genre(self, genre: str) -> list[str]:
        """Forget all ratings of movies of a genre; their names. What genre a movie is of that the
        catalogue lacks is not known.

        Raises:
            InputError: no movie is of that genre.
        """
        wanted = known_genre(genre, "--forget-genre", self.catalogue.all_genres)
        places = [
            place
            for place, movie in enumerate(self._movies)
            if movie is not None and wanted in self.catalogue.genres[movie]
        ]
        named = [self.profile.ratings[place].name for place in places]
        self._drop(places)
        return named

    def mute(self, genre: str) -> str:
        """Recommend no movie of a genre from now on; its name. The user's ratings are untouched.

        Raises:
            InputError: no movie is of that genre.
        """
        name = known_genre(genre, "--mute", self.catalogue.all_genres)
        self.profile = replace(self.profile, muted=tuple(sorted({*self.profile.muted, name})))
        return name

    def unmute(self, genre: str) -> str:
        """Undo `mute`.

        Raises:
            InputError: it is not muted.
        """
        if not self.profile.muted:
            raise InputError(f"--unmute {genre}: no genre is muted")
        name = known_genre(genre, "--unmute", (*self.profile.muted, *self.catalogue.all_genres))
        if name not in self.profile.muted:
            muted = ", ".join(self.profile.muted)
            raise InputError(f"--unmute {genre}: is not muted. Muted: {muted}")
        left = tuple(sorted(set(self.profile.muted) - {name}))
        self.profile = replace(self.profile, muted=left)
        return name

    # --- what is asked of it ---------------------------------------------------------------------

    def recommend(
        self, count: int = 10, filters: Filters | None = None, diversity: float = 0.0
    ) -> list[Recommendation]:
        """The unseen movies with the most stars expected; a movie that the user rated is seen.

        Args:
            filters: which movies may be recommended; muted genres may not.
            diversity: 0 .. 1, see `recbench.own_ratings.diversity.diversified`.
        """
        passing = (filters or Filters()).passing(self.catalogue, self.profile.muted)
        passing[list(self.rated)] = False
        movies = np.flatnonzero(passing)
        model = self._fitted()
        stars = expected(model, movies)

        def likeness(places: np.ndarray, others: np.ndarray) -> np.ndarray:
            return model.correlation(movies[places], movies[others])

        chosen = diversified(stars, likeness, count, diversity)
        return [self.predict(int(movie)) for movie in movies[chosen]]

    def predict(self, movie: int) -> Recommendation:
        """What is expected of a movie, and why."""
        return recommendation(self._fitted(), self.known_movies, self.rated, movie)

    def ask(self, skipped: Collection[int] = (), filters: Filters | None = None) -> int | None:
        """The well-known movie whose rating would teach most; None if none is left.

        Args:
            skipped: movies that the user has not seen.
        """
        passing = (filters or Filters()).passing(self.catalogue, self.profile.muted)
        passing[[*self.rated]] = False
        unseen = np.flatnonzero(passing)
        known_first = unseen[np.argsort(-self.catalogue.rated_by[unseen], kind="stable")]
        candidates = known_first[~np.isin(known_first, list(skipped))][:CANDIDATES]
        if not len(candidates):
            return None
        return self._fitted().ask_next(ME, candidates, known_first[:TARGETS])

    def _fitted(self) -> Model:
        """The model of the latest ratings, fitted when it is asked for."""
        if self._model is None:
            latest = dict(list(self.rated.items())[-LATEST:])
            self._model = fitted(self._new_model, self.known_movies, latest)
        return self._model

    # --- movies and ratings -----------------------------------------------------------------------

    def _movie(self, title: str) -> int:
        asked, year = split_title(title)
        match = self.matcher.find(OwnRating(stars=MAX_STARS, title=asked, year=year), strict=True)
        if match.movie is not None:
            return match.movie
        names = [self.catalogue.name(movie) for movie in match.candidates]
        if names:
            raise InputError(f"{title}: there are several. Say which: {'; '.join(names)}")
        near = [self.catalogue.name(movie) for movie in self.matcher.nearest(asked)]
        hint = f". The nearest are {'; '.join(near)}" if near else ""
        raise InputError(f"{title}: no movie of {self.catalogue.dataset} has this title{hint}")

    def _has_name(self, place: int, rating: OwnRating, names: dict[str, int], title: str) -> bool:
        movie = self._movies[place]
        titles = [rating.title, rating.original_title]
        if movie is not None:
            titles += [self.catalogue.movies.title[movie], *self.catalogue.other_titles[movie]]
        return rating.name == title or any(names_of(one).keys() & names for one in titles if one)

    def _keys(self) -> list[Movie]:
        pairs = zip(self._movies, self.profile.ratings, strict=True)
        return [same_film(rating) if movie is None else movie for movie, rating in pairs]

    def _drop(self, places: list[int]) -> None:
        kept = [one for place, one in enumerate(self.profile.ratings) if place not in set(places)]
        self._replace(tuple(kept))

    def _replace(self, ratings: tuple[OwnRating, ...]) -> None:
        self.take(replace(self.profile, ratings=ratings))

    def _found(self, ratings: Sequence[OwnRating]) -> list[int | None]:
        """Movies of ratings that are kept, which have the title of a movie or else found none."""
        find, known = self.matcher.find, self._movie_of
        self._movie_of = {
            one: known[one] if one in known else find(one, strict=True).movie for one in ratings
        }
        return [self._movie_of[one] for one in ratings]


def stars_of(text: str) -> float | None:
    """Stars as typed, "4.5" or "4,5"; None if these are none."""
    value = number_of(text)
    return value if value is not None and on_the_grid(value) else None
