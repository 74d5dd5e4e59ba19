"""What a task is at: reported by the process that does it, for progress to be shown elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """A recommender that learns and predicts a cell, or a part of its users.

    Attributes:
        num_users, reviews_per_user, iteration: of the cell.
        model: the recommender's name in the tables.
        part: which part of the users, of so many `parts`.
    """

    num_users: int
    reviews_per_user: int
    iteration: int
    model: str
    part: int = 0
    parts: int = 1


# of the process that works, and what it is at; None: nothing any more
Observer = Callable[[int, Piece | None], None]

_observers: list[Observer] = []


def report(piece: Piece | None) -> None:
    """Call all observers of this process."""
    for observer in _observers:
        observer(os.getpid(), piece)


def add_observer(observer: Observer) -> None:
    """From now on it is called with all that is reported in this process."""
    _observers.append(observer)


@contextmanager
def observed_by(observer: Observer | None) -> Iterator[None]:
    """The observer, if there is one, is called with what is reported in this process meanwhile."""
    if observer is None:
        yield
        return
    add_observer(observer)
    try:
        yield
    finally:
        _observers.remove(observer)
