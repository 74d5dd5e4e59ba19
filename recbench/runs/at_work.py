"""What a task is at: told by the process that does it, heard by the one that shows it."""

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
Listener = Callable[[int, Piece | None], None]

_listeners: list[Listener] = []


def tell(piece: Piece | None) -> None:
    """Tell all listeners in this process."""
    for listener in _listeners:
        listener(os.getpid(), piece)


def listen(listener: Listener) -> None:
    """Let the listener hear what is told in this process, for good."""
    _listeners.append(listener)


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Let the listener, if there is one, hear what is told in this process meanwhile."""
    if listener is None:
        yield
        return
    listen(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
