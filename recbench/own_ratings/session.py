"""One user's session: what is known of the user, what is recommended, and what changes it."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np

from recbench.errors import InputError
from recbench.film_table.tables import FilmTables
from recbench.own_ratings.diversity import diversified
from recbench.own_ratings.filters import Filters, known_genre
from recbench.own_ratings.kinds import number_of, split_title
from recbench.own_ratings.known_films import KnownFilms
from recbench.own_ratings.matching import Match, Matcher
from recbench.own_ratings.profile import Profile, with_ratings
from recbench.own_ratings.rating import OwnRating, on_the_grid
from recbench.own_ratings.recommendation import Reason, Recommendation, interval
from recbench.own_ratings.titles import names_of
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recbench.recommender import Explanation

ME = 0  # the user index of the one user there is
INSIDE = 0.8  # of the probability, in the interval
LATEST = 3_000  # ratings that are learned; n of them take n³ / 3 operations
AT_ONCE = 1_000  # films predicted at a time, each of which needs a number for each rating
REASONS, LEAST = 3, 0.005  # how many, and stars that one adds or takes off at least
OWN_NUMBERS = "ml-100k"
LIKELY = 0.6  # ratio of difflib from which a title is worth naming as a near one
NEAREST_OF = 20  # ratings without a film: the search of the nearest takes some milliseconds
CANDIDATES, TARGETS = 200, 500  # films that may be asked about; whose ratings it should tell of


class Model(Protocol):
    """What is asked of a recommender; `PerUser.personal.Personal` has it."""

    def fit(
        self, train: Ratings, movies: Movies, film_tables: FilmTables | None = None
    ) -> Self: ...
    def predict_normal(
        self, user: np.ndarray, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]: ...
    def predict_distribution(
        self, user: np.ndarray, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]: ...
    def predict_one(self, user: int, movie: int) -> float: ...
    def explain_one(self, user: int, movie: int, if_forgotten: bool = True) -> Explanation: ...
    def correlation(self, movie: np.ndarray, other: np.ndarray) -> np.ndarray: ...
    def agreement(self, movie: int, others: np.ndarray) -> np.ndarray: ...
    def ask_next(self, user: int, candidates: np.ndarray, targets: np.ndarray) -> int: ...


@dataclass
class Added:
    """What became of ratings that were added.

    Attributes:
        matched: how many found their film: by "id", "title", "nearly".
        nearly: of the last, the name given and the film it was taken for.
        twice: names of films given more than once; the latest counts.
        replaced: films that had another rating before.
        unmatched: what found no film, the first 20 with the nearest films. It is kept for a film
            table that has it.
    """

    matched: dict[str, int] = field(default_factory=dict)
    nearly: list[tuple[str, str]] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    replaced: int = 0
    unmatched: list[tuple[OwnRating, list[str]]] = field(default_factory=list)


class Session:
    """A user, the films and a model. `profile` is what there is to be kept; nothing is written.

    Args:
        known_films: films and film table.
        new_model: makes an unfitted model.
        profile: of the user.

    >>> session = Session(open_known_films("ml-100k"), Personal)  # doctest: +SKIP
    >>> session.rate("Alien (1979)", 4.5)  # doctest: +SKIP
    >>> [film.name for film in session.recommend(3)]  # doctest: +SKIP
    """

    def __init__(
        self,
        known_films: KnownFilms,
        new_model: Callable[[], Model],
        profile: Profile | None = None,
    ) -> None:
        self.known_films, self.catalogue = known_films, known_films.catalogue
        self.profile = profile or Profile()
        self._new_model = new_model
        self._matcher = Matcher(known_films.catalogue)
        self._movies = self._found(self.profile.ratings)
        self._model: Model | None = None

    # --- what is known ---------------------------------------------------------------------------

    @property
    def rated(self) -> dict[int, float]:
        """Film -> stars, of the films in the catalogue, the latest last."""
        return {
            movie: rating.stars
            for movie, rating in zip(self._movies, self.profile.ratings, strict=True)
            if movie is not None
        }

    @property
    def lacking(self) -> list[OwnRating]:
        """Ratings whose film the catalogue lacks: kept, and not learned from."""
        pairs = zip(self._movies, self.profile.ratings, strict=True)
        return [rating for movie, rating in pairs if movie is None]

    @property
    def learned(self) -> int:
        """How many ratings the model has learned: the latest ones of a long history."""
        return min(len(self.rated), LATEST)

    # --- what changes it -------------------------------------------------------------------------

    def add(self, ratings: Sequence[OwnRating]) -> Added:
        """Add ratings of a file, the latest last. Of a film rated twice, in them or before, the
        later rating counts, by its time if both have one, else the one added last.

        Raises:
            InputError: they are of films by number, and of another numbering.
        """
        self._check_numbering(ratings)
        added = Added()
        old: dict[object, OwnRating] = dict(zip(self._keys(), self.profile.ratings, strict=True))
        new: dict[object, OwnRating] = {}
        for rating in ratings:
            match = self._matcher.find(rating)
            if match.movie is None:
                if _same(rating) not in new:
                    few = len(added.unmatched) < NEAREST_OF
                    added.unmatched.append((rating, self._near(rating, match) if few else []))
            else:
                added.matched[match.how] = added.matched.get(match.how, 0) + 1
                if match.how == "nearly":
                    added.nearly.append((rating.name, self.catalogue.name(match.movie)))
            place: object = _same(rating) if match.movie is None else match.movie
            if place in new:
                added.twice.append(rating.name if match.movie is None else
                                   self.catalogue.name(match.movie))  # fmt: skip
            new[place] = rating if match.movie is None else self._of(match.movie, rating)
        for key, rating in list(new.items()):
            before = old.get(key)
            if before is None:
                continue
            if before.time is not None and rating.time is not None and before.time > rating.time:
                del new[key]  # given later than the file was made
            else:
                del old[key]
                added.replaced += before.stars != rating.stars
        self._replace(with_ratings(old.values(), new.values()))
        return added

    def rate(self, title: str, stars: float) -> int:
        """Rate a film now, by its title, with or without the year; the film.

        Raises:
            InputError: nobody knows the title (the nearest are listed), several films have it, or
                these are no stars.
        """
        if not on_the_grid(stars):
            raise InputError(f"{title}: {stars:g} stars. Expected 0.5, 1.0, 1.5 .. 5.0")
        movie = self._film(title)
        self.rate_movie(movie, stars)
        return movie

    def rate_movie(self, movie: int, stars: float) -> None:
        """Rate a film of the catalogue now, by its row."""
        rating = self._of(movie, OwnRating(stars=float(stars), time=int(clock.time())))
        others = [
            one
            for place, one in zip(self._movies, self.profile.ratings, strict=True)
            if place != movie
        ]
        self._replace((*others, rating))  # the last, whatever the clock says

    def forget(self, title: str) -> str:
        """Forget the rating of a film, as if it had never been given; the film's name.

        Raises:
            InputError: the user has rated no such film, or several of that title.
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
            near = self._matcher.nearest(asked, count=len(self.catalogue))
            rated = [self.catalogue.name(movie) for movie in near if movie in self.rated][:3]
            hint = f". The nearest that you have rated: {'; '.join(rated)}" if rated else ""
            raise InputError(f"{title}: you have not rated it{hint}")
        self._drop(places)
        return named[0]

    def forget_genre(self, genre: str) -> list[str]:
        """Forget all ratings of films of a genre; their names. What genre a film is of that the
        catalogue lacks is not known.

        Raises:
            InputError: no film is of that genre.
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
        """Recommend no film of a genre from now on; its name. The user's ratings are untouched.

        Raises:
            InputError: no film is of that genre.
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
        """The unseen films with the most stars expected; a film that the user rated is seen.

        Args:
            filters: which films may be recommended; muted genres may not.
            diversity: 0 .. 1, see `recbench.own_ratings.diversity.diversified`.
        """
        passing = (filters or Filters()).passing(self.catalogue, self.profile.muted)
        passing[list(self.rated)] = False
        movies = np.flatnonzero(passing)
        stars = self._expected(movies)
        model = self._fitted()

        def likeness(places: np.ndarray, others: np.ndarray) -> np.ndarray:
            return model.correlation(movies[places], movies[others])

        chosen = diversified(stars, likeness, count, diversity)
        return [self.predict(int(movie)) for movie in movies[chosen]]

    def predict(self, movie: int) -> Recommendation:
        """What is expected of a film, and why."""
        mean = self._expected(np.array([movie]))
        grid, probability = self._fitted().predict_distribution(np.array([ME]), np.array([movie]))
        low, high = interval(grid, probability[0], INSIDE)
        year = int(self.catalogue.year[movie])
        return Recommendation(
            movie=movie,
            title=self.catalogue.shown[movie],
            year=year or None,
            movie_id=int(self.catalogue.movies.movie_id[movie]),
            imdb_id=self.catalogue.imdb_id[movie],
            genres=self.catalogue.genres[movie],
            language=self.catalogue.language[movie],
            rated_by=int(self.catalogue.rated_by[movie]),
            stars=float(mean[0].clip(MIN_STARS, MAX_STARS)),
            low=low,
            high=high,
            reasons=self._reasons(movie),
        )

    def ask(self, skipped: Collection[int] = (), filters: Filters | None = None) -> int | None:
        """The well-known film whose rating would teach most; None if none is left.

        Args:
            skipped: films that the user has not seen.
        """
        passing = (filters or Filters()).passing(self.catalogue, self.profile.muted)
        passing[[*self.rated]] = False
        unseen = np.flatnonzero(passing)
        known_first = unseen[np.argsort(-self.catalogue.rated_by[unseen], kind="stable")]
        candidates = known_first[~np.isin(known_first, list(skipped))][:CANDIDATES]
        if not len(candidates):
            return None
        return self._fitted().ask_next(ME, candidates, known_first[:TARGETS])

    def _expected(self, movies: np.ndarray) -> np.ndarray:
        """Mean of ratings, not clipped, float64 [n]."""
        model, mean = self._fitted(), np.empty(len(movies))
        for start in range(0, len(movies), AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            user = np.full(len(movies[rows]), ME)
            mean[rows], _ = model.predict_normal(user, movies[rows])
        return mean

    def _reasons(self, movie: int) -> tuple[Reason, ...]:
        """The ratings that speak most for a film, in words that say so; else those that do without,
        else those that speak most against it."""
        model = self._fitted()
        parts = model.explain_one(ME, movie, if_forgotten=False).contributions
        own = [(part, part.movie, part.stars) for part in parts if part.movie is not None]
        own = [one for one in own if abs(one[2]) >= LEAST]
        pro = [one for one in own if one[2] > 0]
        # a film that was liked speaks for one that others like with it, a film that was not for one
        # that they do not like with it; some speak by the time when they were rated alone
        rated, mean = self.rated, self.known_films.table.mean
        films = np.array([film for _, film, _ in pro], dtype=int)
        liked = np.array([rated[film] for film in films]) > mean[films]
        telling = (model.agreement(movie, films) >= 1 / 2) == liked
        chosen = [one for one, tells in zip(pro, telling, strict=True) if tells] or pro or own
        return tuple(
            Reason(self.catalogue.name(film), part.reason, stars)
            for part, film, stars in chosen[:REASONS]
        )

    def _fitted(self) -> Model:
        """The model of the latest ratings, fitted when it is asked for."""
        if self._model is None:
            rated = list(self.rated.items())[-LATEST:]
            movie, stars = np.array([one for one, _ in rated]), [stars for _, stars in rated]
            order = np.arange(len(rated))
            ratings = Ratings(np.full(len(rated), ME), movie, np.array(stars), order)
            tables = FilmTables.same_for_all(self.known_films.table)
            self._model = self._new_model().fit(ratings, self.catalogue.movies, tables)
            self._model.predict_one(ME, 0)  # what follows from the ratings is kept from now on
        return self._model

    # --- films and ratings -----------------------------------------------------------------------

    def _film(self, title: str) -> int:
        asked, year = split_title(title)
        match = self._matcher.find(OwnRating(stars=MAX_STARS, title=asked, year=year), strict=True)
        if match.movie is not None:
            return match.movie
        names = [self.catalogue.name(movie) for movie in match.candidates]
        if names:
            raise InputError(f"{title}: there are several. Say which: {'; '.join(names)}")
        near = [self.catalogue.name(movie) for movie in self._matcher.nearest(asked)]
        hint = f". The nearest are {'; '.join(near)}" if near else ""
        raise InputError(f"{title}: no film of {self.catalogue.dataset} has this title{hint}")

    def _of(self, movie: int, rating: OwnRating) -> OwnRating:
        """A rating with what the catalogue says of its film, so that another catalogue finds it."""
        year, other = int(self.catalogue.year[movie]), self.catalogue.other_titles[movie]
        return OwnRating(
            stars=rating.stars,
            title=self.catalogue.shown[movie],
            year=year or rating.year,
            time=rating.time,
            movie_id=int(self.catalogue.movies.movie_id[movie]),
            imdb_id=self.catalogue.imdb_id[movie] or rating.imdb_id,
            original_title=rating.original_title or (other[0] if other else ""),
        )

    def _check_numbering(self, ratings: Sequence[OwnRating]) -> None:
        """Films by number alone must be numbered as here: MovieLens 100K does it in its own way, so
        that a number is of another film in later sets."""
        known = set(self.catalogue.movies.movie_id.tolist())
        lacking = [one.movie_id for one in ratings if not one.title and one.movie_id not in known]
        if lacking and self.catalogue.dataset == OWN_NUMBERS:
            raise InputError(
                f"movieId {lacking[0]} is not in {OWN_NUMBERS}, which numbers films in its own "
                "way. The file is of another MovieLens set: name that, or a later one, with "
                "--dataset"
            )

    def _near(self, rating: OwnRating, match: Match) -> list[str]:
        movies = match.candidates or self._matcher.nearest(rating.title, count=2, least=LIKELY)
        return [self.catalogue.name(movie) for movie in movies]

    def _has_name(self, place: int, rating: OwnRating, names: dict[str, int], title: str) -> bool:
        movie = self._movies[place]
        titles = [rating.title, rating.original_title]
        if movie is not None:
            titles += [self.catalogue.movies.title[movie], *self.catalogue.other_titles[movie]]
        return rating.name == title or any(names_of(one).keys() & names for one in titles if one)

    def _keys(self) -> list[object]:
        pairs = zip(self._movies, self.profile.ratings, strict=True)
        return [_same(rating) if movie is None else movie for movie, rating in pairs]

    def _drop(self, places: list[int]) -> None:
        kept = [one for place, one in enumerate(self.profile.ratings) if place not in set(places)]
        self._replace(tuple(kept))

    def _replace(self, ratings: tuple[OwnRating, ...]) -> None:
        self.profile = replace(self.profile, ratings=ratings)
        self._movies = self._found(ratings)
        self._model = None

    def _found(self, ratings: Sequence[OwnRating]) -> list[int | None]:
        """Films of ratings that are kept, which have the title of a film or else found none."""
        return [self._matcher.find(rating, strict=True).movie for rating in ratings]


def stars_of(text: str) -> float | None:
    """Stars as typed, "4.5" or "4,5"; None if these are none."""
    value = number_of(text)
    return value if value is not None and on_the_grid(value) else None


def _same(rating: OwnRating) -> tuple[object, ...]:
    """What tells apart films that the catalogue lacks."""
    if rating.imdb_id or not rating.title:
        return rating.imdb_id, rating.movie_id
    return tuple(names_of(rating.title))[:1], rating.year
