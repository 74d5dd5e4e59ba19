"""The one user of the page: a session and its file, for several tabs and beside other programs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from recbench.own_ratings.profile import Profile, ProfileFile
from recbench.own_ratings.recommendation import Recommendation
from recbench.own_ratings.search import Search
from recbench.own_ratings.session import Session
from recbench.page.view import View

T = TypeVar("T")
MOST = 100  # answers kept


class User:
    """What is known of the user is what stands in the file: it is read again whenever another
    program has written it, and nothing is changed that is not written at once.

    Args:
        session: of the profile in `file`.
        file: read already.

    Attributes:
        catalogue, search: the films, and how one is found.
        skipped: films that the user has not seen, until the page ends; they are not kept.
    """

    def __init__(self, session: Session, file: ProfileFile) -> None:
        self.file = file
        self.catalogue = session.catalogue
        self.search = Search(session.catalogue, session.matcher)
        self.skipped: set[int] = set()
        self._session = session
        self._one_at_a_time = threading.RLock()
        self._known: dict[object, Any] = {}  # what follows from ..
        self._known_of = session.profile

    @contextmanager
    def looked_at(self) -> Iterator[Session]:
        """The session as the file is now; other requests wait meanwhile.

        Raises:
            InputError: the file cannot be read; see `ProfileFile.read`.
        """
        with self._one_at_a_time:
            self._follow()
            yield self._session

    @contextmanager
    def changed(self) -> Iterator[Session]:
        """The same, to be changed: what was changed is in the file afterwards, or undone if it
        cannot be. Other programs wait meanwhile, too.

        Raises:
            InputError: the file cannot be read or written.
        """
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
        """Delete the file, whatever is in it, and know nothing; whether there was a file.

        Raises:
            InputError: it cannot be deleted.
        """
        with self._one_at_a_time, self.file.locked():
            there_was = self.file.delete()
            self._session.take(Profile())
            self.skipped.clear()
            return there_was

    def recommended(self, view: View) -> list[Recommendation]:
        """The films of a view, inside `looked_at` or `changed`."""
        asked = (view.number, view.filters, view.diversity)
        return self._once(asked, lambda: self._session.recommend(*asked))

    def question(self) -> int | None:
        """The film whose rating would teach most, inside `looked_at`; None if none is left."""
        skipped = frozenset(self.skipped)
        return self._once(skipped, lambda: self._session.ask(skipped))

    def _once(self, asked: object, answer: Callable[[], T]) -> T:
        """What was asked before, as long as nothing has changed."""
        if self._known_of is not self._session.profile or len(self._known) >= MOST:
            self._known, self._known_of = {}, self._session.profile
        if asked not in self._known:
            self._known[asked] = answer()
        return self._known[asked]

    def _follow(self) -> None:
        if self.file.changed():
            self._session.take(self.file.read() or Profile())
