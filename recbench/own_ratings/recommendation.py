"""A recommended movie: its predicted stars with interval and reasons; and lists of such movies: the
changes between two, and a list as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, Self

import numpy as np

from recbench.contract import Explanation, Training
from recbench.models.item_table.table import ItemTables
from recbench.models.memories import WATCHED
from recbench.own_ratings.filters import NONE
from recbench.own_ratings.known_movies import KnownMovies
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings

ME = 0  # the index of the only user
INSIDE = 0.8  # probability of the interval
AT_ONCE = 1_000  # movies predicted at a time; each needs one number per rating
MOVED = 3  # most movies named as moved up, and as moved down
REASONS, LEAST = 3, 0.005  # number of reasons, and smallest share in stars
NO_REASON = "the mean of other users: no rating of yours speaks for or against it"
INTERVAL = "80 % interval of the predictive distribution"

Pair = tuple[np.ndarray, np.ndarray]


class Model(Protocol):
    """What a recommender must have here; `PerUser.personal.Personal` does."""

    def fit(self, training: Training) -> Self: ...
    def watch(self, user: int, movies: np.ndarray) -> None: ...
    def predict_normal(self, user: np.ndarray, movie: np.ndarray) -> Pair: ...
    def predict_distribution(self, user: np.ndarray, movie: np.ndarray) -> Pair: ...
    def predict_one(self, user: int, movie: int) -> float: ...
    def explain_one(self, user: int, movie: int, if_forgotten: bool = True) -> Explanation: ...
    def correlation(self, movie: np.ndarray, other: np.ndarray) -> np.ndarray: ...
    def ask_next(self, user: int, candidates: np.ndarray, targets: np.ndarray) -> int: ...


@dataclass(frozen=True)
class Reason:
    """One of the user's ratings as a reason for a recommendation."""

    movie: str  # "Alien (1979)"
    words: str  # "you gave it 5; similarity .62 by the model"
    stars: float  # its share of the prediction; may be negative


@dataclass(frozen=True)
class Recommendation:
    """A movie and its prediction."""

    movie: int  # row of the catalogue
    title: str
    year: int | None
    movie_id: int
    imdb_id: str
    genres: tuple[str, ...]
    language: str
    rated_by: int  # how many users of the dataset rated it
    stars: float  # predicted, 0.5 .. 5
    low: float  # the rating is from low to high with a probability of 80 % or more
    high: float
    reasons: tuple[Reason, ...]  # the largest first; none if the user has rated nothing

    @property
    def name(self) -> str:
        return self.title if self.year is None else f"{self.title} ({self.year})"

    @property
    def facts(self) -> str:
        """ "Drama, Horror · en · rated by 1,234"."""
        parts = (", ".join(self.genres), self.language, f"rated by {self.rated_by:,}")
        return " · ".join(filter(None, parts))


# --- from a model --------------------------------------------------------------------------------


def fitted_model(
    new_model: Callable[[], Model],
    known_movies: KnownMovies,
    rated: Mapping[int, float],
    watched: Collection[int],
) -> Model:
    """A model fitted to `rated` (movie -> stars, latest last) and to unrated movies `watched`."""
    user, time = np.full(len(rated), ME), np.arange(len(rated))
    ratings = Ratings(user, np.array(list(rated)), np.array(list(rated.values())), time)
    tables = ItemTables.same_for_all(known_movies.table)
    movies = known_movies.catalogue.movies
    model = new_model().fit(Training(ratings, movies, fits={"item_tables": lambda: tables}))
    if watched:
        model.watch(ME, np.array(sorted(watched)))
    model.predict_one(ME, 0)  # now, not with the first movie: it computes the user's state
    return model


def expected_stars(model: Model, movies: np.ndarray) -> np.ndarray:
    """Predicted means, not clipped, float64 [n]."""
    parts = np.split(movies, range(AT_ONCE, len(movies), AT_ONCE))
    return np.concatenate([model.predict_normal(np.full(len(one), ME), one)[0] for one in parts])


def recommendation(
    model: Model, known_movies: KnownMovies, rated: Mapping[int, float], movie: int
) -> Recommendation:
    """The prediction for a movie, with reasons; the model has learned `rated`."""
    catalogue = known_movies.catalogue
    mean = expected_stars(model, np.array([movie]))
    grid, probability = model.predict_distribution(np.array([ME]), np.array([movie]))
    low, high = interval(grid, probability[0], INSIDE)
    return Recommendation(
        movie=movie,
        title=catalogue.shown[movie],
        year=int(catalogue.year[movie]) or None,
        movie_id=int(catalogue.movies.movie_id[movie]),
        imdb_id=catalogue.imdb_id[movie],
        genres=catalogue.genres[movie],
        language=catalogue.language[movie],
        rated_by=int(catalogue.rated_by[movie]),
        stars=float(mean[0].clip(MIN_STARS, MAX_STARS)),
        low=low,
        high=high,
        reasons=_reasons(model, known_movies, rated, movie),
    )


def interval(grid: np.ndarray, probability: np.ndarray, inside: float) -> tuple[float, float]:
    """The interval of `grid` with a probability of at least `inside`; of the rest, at most half is
    below it and at most half above."""
    below = np.cumsum(probability)
    tail, rounding = (1 - inside) / 2, 1e-9
    low = np.searchsorted(below, tail + rounding, side="right")
    high = np.searchsorted(below, 1 - tail - rounding)
    low, high = np.minimum([low, high], len(grid) - 1)
    return float(grid[low]), float(grid[high])


def _reasons(
    model: Model, known_movies: KnownMovies, rated: Mapping[int, float], movie: int
) -> tuple[Reason, ...]:
    """The ratings with the largest positive shares whose stars and similarity explain the sign; if
    there are none, any positive shares; else the strongest negative ones."""
    parts = model.explain_one(ME, movie, if_forgotten=False).contributions
    own = [
        (part.movie, part.stars)
        for part in parts
        if part.movie is not None and part.reason != WATCHED and abs(part.stars) >= LEAST
    ]
    if not own:
        return ()
    others = np.array([other for other, _ in own])
    similarity = dict(zip(others, model.correlation(np.array([movie]), others)[0], strict=True))
    pro = [one for one in own if one[1] > 0]
    # a liked movie supports similar ones, a disliked movie dissimilar ones; some ratings add stars
    # only because of their time
    mean = known_movies.table.mean
    fitting = [one for one in pro if (similarity[one[0]] >= 0) == (rated[one[0]] > mean[one[0]])]
    return tuple(
        Reason(
            known_movies.catalogue.name(other),
            f"you gave it {rated[other]:g}; similarity {_decimals(similarity[other])} by the model",
            stars,
        )
        for other, stars in (fitting or pro or own)[:REASONS]
    )


def _decimals(value: float) -> str:
    """ ".62", "-.05" or "1.00"."""
    return f"{round(value, 2) + 0.0:.2f}".replace("0.", ".", 1)


# --- between two lists ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Changes:
    """What differs between two lists of recommendations: names of movies; places count from 1."""

    new: tuple[str, ...]  # in the order of their list
    gone: tuple[str, ...]
    moved: tuple[tuple[str, int, int], ...]  # (name, place before, place after), furthest first

    @classmethod
    def between(cls, before: Sequence[Recommendation], after: Sequence[Recommendation]) -> Changes:
        was, now = ({one.name: n for n, one in enumerate(x, start=1)} for x in (before, after))
        moved = [(one, was[one], now[one]) for one in now if was.get(one, now[one]) != now[one]]
        return cls(
            new=tuple(name for name in now if name not in was),
            gone=tuple(name for name in was if name not in now),
            moved=tuple(sorted(moved, key=lambda move: -abs(move[1] - move[2]))),
        )

    def lines(self) -> list[str]:
        """In words, a line for each kind of change."""
        kinds: dict[str, list[str]] = {"up": [], "down": []}
        for name, was, now in self.moved:
            kinds["up" if now < was else "down"].append(f"{name} ({was} → {now})")
        for names in kinds.values():
            names[MOVED:] = [f"{len(names) - MOVED} more"] if len(names) > MOVED else []
        kinds |= {"new": [*self.new], "gone": [*self.gone]}
        lines = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names]
        return lines or ["the list stays as it was"]


# --- a list as a file ----------------------------------------------------------------------------


def as_text(listed: Sequence[Recommendation], if_none: str = NONE) -> str:
    """Each movie in three lines or more: predicted stars, facts, reasons."""
    if not listed:
        return f"{if_none}\n"
    width = min(max(len(one.name) for one in listed), 60)
    lines = [f"     {'':{width}}  stars   80 %"]
    for place, one in enumerate(listed, start=1):
        lines.append(
            f"{place:3}. {one.name:{width}}   {one.stars:.1f}   {one.low:g} to {one.high:g}"
        )
        lines.append(f"     {one.facts}")
        reasons = [f"{why.stars:+.2f} {why.movie}: {why.words}" for why in one.reasons]
        lines += [f"     {reason}" for reason in reasons or [NO_REASON]]
    return "\n".join(lines) + "\n"


def as_json(listed: Sequence[Recommendation], about: Mapping[str, object]) -> str:
    """A JSON object with the movies in order, and the entries of `about`."""
    rows = []
    for place, one in enumerate(listed, start=1):
        row = {"place": place, **asdict(one), "stars": round(one.stars, 3)}
        del row["movie"]
        rows.append(row)
    whole = {**about, "interval": INTERVAL, "recommendations": rows}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
