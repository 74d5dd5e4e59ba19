"""How long the page of recommend.py takes from a rating that is sent to new recommendations.

For users with so many ratings of the best-known movies, stars drawn at random: movies not yet rated
are rated one after another, each by a request to a server in this process. Counted is the time
until the page with the new recommendations has come back, by the clock and of the processor (which
other programs do not lengthen); what the browser needs to show it comes on top.

    python -m experiments.page_latency --dataset ml-100k
"""

from __future__ import annotations

import queue
import re
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np

from PerUser.personal import Personal
from recbench.command_line import run
from recbench.errors import InputError, check_range
from recbench.own_ratings.known_movies import KnownMovies, open_known_movies
from recbench.own_ratings.profile import ProfileFile
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.session import Session
from recbench.page.app import reserved, serve

WARM = 3  # requests that are not counted


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "ml-100k"
    """as in recommend.py"""
    ratings: tuple[int, ...] = (10, 100, 1000)
    """how many a user has given before"""
    requests: int = 40
    """how many ratings are sent for each"""
    seed: int = 0
    """of the stars"""


def main(parameters: Parameters) -> None:
    check_range("--ratings", *parameters.ratings, least=0)
    check_range("--requests", parameters.requests, least=1)
    known_movies = open_known_movies(parameters.dataset)
    catalogue = known_movies.catalogue
    movies = np.argsort(-catalogue.rated_by, kind="stable")  # the best-known first
    movies = movies[catalogue.same[movies] == movies]  # of those that are there twice, one
    needed = max(parameters.ratings) + parameters.requests + WARM
    if needed > len(movies):
        raise InputError(
            f"--ratings {max(parameters.ratings)}: with {parameters.requests} more, {needed:,} "
            f"movies are rated. {parameters.dataset} has {len(movies):,}"
        )
    print(f"{'ratings':>8}  {'p50':>7}  {'p95':>7}  {'p50 of processor':>16}  {'page':>8}")
    for before in parameters.ratings:
        seconds, page_bytes = measured(known_movies, movies, before, parameters)
        (p50, busy), (p95, _) = 1000 * np.percentile(seconds, (50, 95), axis=0)
        times = f"{p50:4.0f} ms  {p95:4.0f} ms  {busy:13.0f} ms"
        print(f"{before:8,}  {times}  {page_bytes / 1000:5.0f} kB")


def measured(
    known_movies: KnownMovies, movies: np.ndarray, before: int, parameters: Parameters
) -> tuple[np.ndarray, int]:
    """Seconds of each request by the clock and of the processor, float64 [requests, 2], and the
    bytes of the last page."""
    rng = np.random.default_rng(parameters.seed)
    movies = rng.permutation(movies[: before + parameters.requests + WARM]).tolist()
    stars = (rng.integers(1, 11, len(movies)) / 2).tolist()
    first = [OwnRating(one, time=place) for place, one in enumerate(stars[:before])]
    described = known_movies.catalogue.described
    with tempfile.TemporaryDirectory() as folder:
        file = ProfileFile(Path(folder) / "profile.json")
        session = Session(known_movies, Personal, file.read())
        session.add([described(*pair) for pair in zip(movies[:before], first, strict=True)])
        file.write(session.profile)
        url, seconds, page = started(session, file), [], ""
        token = re.search(r'name="token" value="([^"]+)"', answered(url))
        assert token is not None
        for movie, one in zip(movies[before:], stars[before:], strict=True):
            form = urlencode({"movie": movie, "stars": one, "token": token[1]}).encode()
            began = np.array((time.perf_counter(), time.process_time()))
            page = answered(f"{url}rate", form)
            seconds.append(np.array((time.perf_counter(), time.process_time())) - began)
        assert len(session.rated) == len(movies)
    return np.array(seconds[WARM:]), len(page.encode())


def started(session: Session, file: ProfileFile) -> str:
    """The address of a page, which is served until this program ends."""
    lines: queue.Queue[str] = queue.Queue()

    def serving() -> None:
        with reserved(0) as port:
            serve(session, file, port, lines.put)

    threading.Thread(target=serving, daemon=True).start()
    return lines.get().split()[-1]


def answered(url: str, form: bytes | None = None) -> str:
    """The page that comes back in the end."""
    address = urlsplit(url)
    request = urllib.request.Request(url, form, {"Origin": f"http://{address.netloc}"})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


if __name__ == "__main__":
    run(main, Parameters)
