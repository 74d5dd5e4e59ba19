"""The one user of the page: a session and its file, for several tabs and beside other programs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from recbench.own_ratings.filters import Filters
from recbench.own_ratings.profile import Profile, ProfileFile
from recbench.own_ratings.recommendation import Changes, Recommendation
from recbench.own_ratings.session import Session

T = TypeVar("T")
LARGEST_FILE = 10_000_000  # bytes; the export of one user has a few hundred thousand
MOST_ANSWERS = 100  # in memory


@dataclass(frozen=True)
class Message:
    """What a change did."""

    done: tuple[str, ...] = ()  # in sentences
    changes: Changes | None = None  # of the list of recommendations

    @property
    def lines(self) -> list[str]:
        return [*self.done, *(self.changes.lines() if self.changes else ())]

    @property
    def marks(self) -> dict[str, str]:
        """What is different about a movie in the list: "new", "was 4."."""
        if self.changes is None:
            return {}
        moved = {name: f"was {was}." for name, was, _ in (*self.changes.up, *self.changes.down)}
        return dict.fromkeys(self.changes.new, "new") | moved


class User:
    """The profile is what stands in the file, which was read for the session already: it is read
    again whenever another program has written it, and every change is written at once."""

    def __init__(self, session: Session, file: ProfileFile) -> None:
        self.file, self.catalogue = file, session.catalogue
        self.skipped: set[int] = set()  # movies that the user has not seen; not saved
        self._session = session
        self._one_at_a_time = threading.RLock()
        self._answers: dict[object, Any] = {}  # that follow from ..
        self._answers_of = session.profile
        self.messages: dict[str, Message] = {}  # by a number in the address, each shown once

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """The session as the file is now; other requests wait. Raises as `ProfileFile.read`."""
        with self._one_at_a_time:
            self._follow()
            yield self._session

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """The same, to be changed: afterwards the change is in the file, or undone if it cannot be
        written. Other programs wait, too. Raises InputError if it cannot be read or written."""
        with self._one_at_a_time, self.file.locked():
            self._follow()
            before = self._session.profile
            try:
                yield self._session
                if self._session.profile != before:
                    self.file.write(self._session.profile)
            except BaseException:
                self._session.take(before)
                raise

    def delete(self) -> bool:
        """Delete the file, whatever is in it, and start anew; whether there was a file."""
        with self._one_at_a_time, self.file.locked():
            there_was = self.file.delete()
            self._session.take(Profile())
            self.skipped.clear()
            return there_was

    def recommended(self, number: int, filters: Filters, diversity: float) -> list[Recommendation]:
        """See `Session.recommend`; inside `reading` or `changing`."""
        query = (number, filters, diversity)
        return self._once(query, lambda: self._session.recommend(*query))

    def question(self) -> int | None:
        """See `Session.next_question`; inside `reading`."""
        skipped = frozenset(self.skipped)
        return self._once(skipped, lambda: self._session.next_question(skipped))

    def _once(self, query: object, answer: Callable[[], T]) -> T:
        """The same answer as before, as long as nothing has changed."""
        if self._answers_of is not self._session.profile or len(self._answers) >= MOST_ANSWERS:
            self._answers, self._answers_of = {}, self._session.profile
        if query not in self._answers:
            self._answers[query] = answer()
        return self._answers[query]

    def _follow(self) -> None:
        if self.file.changed():
            self._session.take(self.file.read() or Profile())
