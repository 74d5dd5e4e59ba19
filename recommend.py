"""Your own ratings -> movies you have not seen, with predicted stars and reasons.

Your ratings stay on this machine, in one file that only you can read. The model compares them with
an item table, learned once from the ratings of other users in a dataset; after that it needs
neither dataset nor network.

    python recommend.py                               asks about ten movies, or uses your profile
    python recommend.py --ratings letterboxd.zip      an export of Letterboxd, IMDb, Trakt, ...
    python recommend.py --rate "Alien (1979)=4.5" --rate "Heat (1995)=3"
    python recommend.py --genre Comedy --year-from 1990 --well-known 100 --diversity 0.3
    python recommend.py --forget "Alien (1979)"       as if you had never rated it
    python recommend.py --me                          your profile and its path
    python recommend.py --serve                       a page in your browser to rate movies

docs/recommend.md has more.
"""

from __future__ import annotations

# What most people change; each is the default of the flag of that name.
DATASET = "auto"  # the item table is learned from it: Kaggle's, else ml-100k; or a folder
NUMBER = 10  # movies that are recommended
YEAR_FROM = 0  # only movies of this year or later; 0: any
YEAR_TO = 0  # only movies of this year or earlier; 0: any
WELL_KNOWN = 20  # only movies rated by at least n users of the dataset; 0: any
DIVERSITY = 0.0  # 0: movies by predicted stars; up to 1: as different as possible
FORMAT = "text"  # or "json"
PORT = 8765  # of the page of --serve

import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import UseAppendAction, arg

from recbench.command_line import read_flags, run, unset
from recbench.errors import InputError, check_range

Several = Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="TEXT")]
CHANGING = ("ratings", "rate", "forget", "mute", "unmute")
SERVING = ("serve", "port", "profile", "dataset", "item_table")

# --- flags -------------------------------------------------------------------------------------


@dataclass
class RatingFlags:
    """Your ratings of movies."""

    ratings: Annotated[str, unset("none")] = ""
    """your ratings, added to your profile: an export of Letterboxd (ZIP or folder), IMDb, Trakt,
    Kinopoisk or MovieLens, or a table with ratings and IMDb ids, or titles and years"""
    scale: Literal[0, 5, 10, 100] = 0
    """highest possible rating of your own table; 0: guessed from its ratings"""
    user: Annotated[str, unset("the only one")] = ""
    """your userId, if the file has several"""
    rate: Several = ()
    """a movie and your stars, "Alien (1979)=4.5", in halves"""
    forget: Several = ()
    """a movie such as "Alien (1979)", whose rating is forgotten as if never given"""
    mute: Several = ()
    """a genre to exclude until --unmute"""
    unmute: Several = ()
    """a muted genre to include again"""
    ask: bool = False
    """name the most informative movie to rate next"""


@dataclass
class MovieFlags:
    """Which movies are recommended, and in what form."""

    number: int = NUMBER
    """number of movies to recommend"""
    genre: Several = ()
    """only movies of this genre; if repeated, of any of them"""
    not_genre: Several = ()
    """no movies of this genre in this list"""
    language: Several = ()
    """only movies in this language, such as en, fr, ja; if repeated, in any of them"""
    year_from: int = YEAR_FROM
    """only movies of this year or later; 0: any"""
    year_to: int = YEAR_TO
    """only movies of this year or earlier; 0: any"""
    well_known: int = WELL_KNOWN
    """only movies rated by at least n users of the dataset; 0: any"""
    diversity: float = DIVERSITY
    """0: movies by predicted stars; up to 1: as different as possible"""
    format: Literal["text", "json"] = FORMAT  # type: ignore[assignment]
    """text for people, or json on standard output for programs"""
    serve: bool = False
    """serve a page for your browser, on this machine only"""
    port: int = PORT
    """port of the page; 0: any free one"""


@dataclass
class ProfileFlags:
    """Your profile and the movies, and where they are stored."""

    me: bool = False
    """show your profile and its path, and exit"""
    delete_profile: bool = False
    """delete your profile, and exit"""
    profile: Annotated[str, unset("one in your folder for application data, see --me")] = ""
    """path of the profile"""
    dataset: str = DATASET
    """dataset that the item table is learned from, as in compare_all.py; needed once"""
    item_table: Annotated[str, unset("made from the dataset")] = ""
    """file of movies and item table, made by python -m recbench item-table; with it no dataset is
    needed"""


@dataclass
class Parameters(RatingFlags, MovieFlags, ProfileFlags):
    """All of them."""


def check(parameters: Parameters) -> None:
    """Raises InputError for errors that need neither movies nor profile to be found."""
    check_range("--number", parameters.number, least=0, most=100_000)
    check_range("--year-from", parameters.year_from, least=0, most=9999)
    check_range("--year-to", parameters.year_to, least=0, most=9999)
    check_range("--well-known", parameters.well_known, least=0)
    check_range("--port", parameters.port, least=0, most=65_535)
    if not 0 <= parameters.diversity <= 1:
        raise InputError(f"--diversity is {parameters.diversity}. Expected 0 to 1")
    if 0 < parameters.year_to < parameters.year_from:
        raise InputError(
            f"--year-from {parameters.year_from} --year-to {parameters.year_to}: no year fits. "
            "Expected the earlier year first"
        )
    for name in ("user", "scale"):
        if getattr(parameters, name) and not parameters.ratings:
            raise InputError(f"--{name} describes a file of ratings. Name the file with --ratings")
    chosen = {field.name for field in fields(Parameters)
              if getattr(parameters, field.name) != field.default}  # fmt: skip
    for name in sorted(chosen.difference(SERVING) if parameters.serve else chosen & {"port"}):
        why = "has no effect with --serve. Leave it out" if parameters.serve else "needs --serve"
        raise InputError(f"--{name.replace('_', '-')}: {why}")


if __name__ == "__main__":
    PARAMETERS = read_flags(Parameters, check)  # --help ends here: the imports take a second

from PerUser.personal import Personal
from recbench.own_ratings.filters import Filters, known_name
from recbench.own_ratings.known_movies import open_known_movies
from recbench.own_ratings.profile import ProfileFile, profile_path
from recbench.own_ratings.reading import RatingsFile, read_ratings
from recbench.own_ratings.recommendation import Changes, Recommendation, as_json, as_text
from recbench.own_ratings.session import Session, interview
from recbench.own_ratings.values import stars_of


def main(parameters: Parameters) -> None:
    check(parameters)
    file = ProfileFile(Path(parameters.profile or profile_path()).expanduser())
    if parameters.delete_profile:
        tell(f"deleted {file.path}" if file.delete() else f"there is no profile {file.path}")
        return
    profile = file.read()
    if parameters.serve:
        from recbench.page.app import reserved, serve  # only the page needs flask

        with reserved(parameters.port) as bound:
            known_movies = open_known_movies(parameters.dataset, parameters.item_table, tell)
            session = Session(known_movies, Personal, profile)
            serve(session, file, bound, tell)
        return
    changing = any(getattr(parameters, name) for name in CHANGING)
    if profile is None and not changing and (parameters.me or not sys.stdin.isatty()):
        raise InputError(
            f"there is no profile {file.path}. Add a file of your ratings (--ratings FILE), rate a "
            'movie (--rate "Alien (1979)=4.5"), or answer questions in a terminal'
        )
    rated = [title_and_stars(text) for text in parameters.rate]  # its errors before the slow part
    added = (
        read_ratings(parameters.ratings, parameters.user, parameters.scale)
        if parameters.ratings
        else None
    )
    if changing or profile is None:
        with file.locked():  # fails early if it cannot be written
            pass

    known_movies = open_known_movies(parameters.dataset, parameters.item_table, tell)
    session = Session(known_movies, Personal, profile)
    filters = filters_of(parameters, session)
    query = (parameters.number, filters, parameters.diversity)
    changes, listed, messages = None, None, list[str]()
    if changing:
        before = session.recommend(*query)
        messages = change(session, parameters, added, rated)
        tell(*messages)
        listed = session.recommend(*query)
        file.write(session.profile)
        changes = Changes.between(before, listed)
    elif profile is None:
        interview(session, ask_in_terminal, tell, lambda: file.write(session.profile))
    about = about_profile(session, file, list_lacking=parameters.me)
    tell(*about)
    if not parameters.me:
        listed = session.recommend(*query) if listed is None else listed
        show(session, parameters, filters, listed, changes, [*messages, *about])


def title_and_stars(text: str) -> tuple[str, float]:
    """Title and stars of "Alien (1979)=4.5"."""
    title, _, stars_text = text.rpartition("=")
    stars = stars_of(stars_text)
    if not title.strip() or stars is None:
        raise InputError(
            f'--rate "{text}": expected title and stars, such as "Alien (1979)=4.5"; stars: 0.5, '
            "1.0, 1.5 .. 5.0"
        )
    return title.strip(), stars


def filters_of(parameters: Parameters, session: Session) -> Filters:
    """The filters of the flags, with genres and languages spelled as in the catalogue."""
    genres, languages = session.catalogue.all_genres, session.catalogue.all_languages
    filters = Filters(
        genres=tuple(known_name(one, "--genre", genres) for one in parameters.genre),
        not_genres=tuple(known_name(one, "--not-genre", genres) for one in parameters.not_genre),
        languages=tuple(known_name(one, "--language", languages) for one in parameters.language),
        year_from=parameters.year_from,
        year_to=parameters.year_to,
        rated_by=parameters.well_known,
    )
    muted = {known_name(one, "--mute", genres) for one in parameters.mute}
    muted |= {*session.profile.muted}
    for genre in muted & set(filters.genres) - set(parameters.unmute):
        raise InputError(f"--genre {genre}: is muted. Unmute it first: --unmute {genre}")
    return filters


def change(session: Session, parameters: Parameters, added: RatingsFile | None,
           rated: list[tuple[str, float]]) -> list[str]:  # fmt: skip
    """Apply all changes to the profile; returns a sentence about each."""
    done = [] if added is None else session.add(*added)
    for title, stars in rated:
        done.append(f"rated: {session.catalogue.name(session.rate(title, stars))}, {stars:g} stars")
    done += [f"forgotten: {session.forget(title)}" for title in parameters.forget]
    done += [f"muted: {session.mute(genre)}" for genre in parameters.mute]
    done += [f"no longer muted: {session.unmute(genre)}" for genre in parameters.unmute]
    return done


def about_profile(session: Session, file: ProfileFile, list_lacking: bool) -> list[str]:
    """The profile, in a few lines."""
    profile, catalogue, lacking = session.profile, session.catalogue, session.lacking
    lines = [f"your profile: {profile.summary}, in {file.path}; movies: "
             f"{len(catalogue):,} of {catalogue.dataset}"]  # fmt: skip
    if session.watched:
        lines.append(f"movies watched and not rated, so not recommended: {len(session.watched):,}")
    if lacking:
        lines.append(f"ratings not used, since their movies are not among these: {len(lacking):,}")
    if session.learned < len(session.rated):
        lines.append(f"the latest {session.learned:,} of {len(session.rated):,} ratings are used")
    if profile.muted:
        lines.append(f"genres muted: {', '.join(profile.muted)}")
    if list_lacking:
        lines += [f"  {rating.name}, {rating.given}" for rating in lacking]
        lines += catalogue.about_later(lacking)
    return lines


def show(session: Session, parameters: Parameters, filters: Filters, listed: list[Recommendation],
         changes: Changes | None, messages: list[str]) -> None:  # fmt: skip
    """Print changes and recommendations, the latter on standard output."""
    if changes and parameters.number:
        tell(f"changed in the list of {parameters.number}:", *(f"  {x}" for x in changes.lines()))
    ask = None
    if parameters.ask:
        movie = session.next_question()
        ask = None if movie is None else session.catalogue.name(movie)
        tell(f'best to rate next: --rate "{ask}=STARS"' if ask else "no movie is left to rate")
    if_none = filters.if_none(session.catalogue)
    if parameters.format == "text":
        text = as_text(listed, if_none) if parameters.number else ""
    else:
        text = as_json(listed, {
            "dataset": session.catalogue.dataset,
            "ratings": session.learned,  # used by the model
            "watched": len(session.watched),  # and not rated: used by the model, never recommended
            "muted": session.profile.muted,
            "changes": changes and asdict(changes),  # null if nothing was changed
            "ask": ask,  # most informative movie to rate next; null without --ask
            "messages": messages if listed else [*messages, if_none],
        })  # fmt: skip
    print(text, end="")


def ask_in_terminal(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    return input()


def tell(*sentences: str) -> None:
    """Messages go to standard error: standard output is for recommendations."""
    print(*sentences, sep="\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main, PARAMETERS)
