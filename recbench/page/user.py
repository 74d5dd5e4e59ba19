"""The one user of the page: a session and its file, for several tabs and beside other programs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from recbench.own_ratings.profile import Profile, ProfileFile
from recbench.own_ratings.session import Session

LARGEST_FILE = 10_000_000  # bytes; the export of one user has a few hundred thousand
MOST_ANSWERS = 100  # in memory


class User:
    """The profile is what stands in the file, which was read for the session already: it is read
    again whenever another program has written it, and every change is written at once."""

    def __init__(self, session: Session, file: ProfileFile) -> None:
        self.file, self.catalogue = file, session.catalogue
        self.skipped: set[int] = set()  # movies that the user has not seen; not saved
        self.messages: dict[str, list[str]] = {}  # by a number in the address, each shown once
        self._session = session
        self._one_at_a_time = threading.RLock()
        # what follows from the profile, until it changes; inside `reading`
        self.recommended = lru_cache(MOST_ANSWERS)(session.recommend)
        self.question = lru_cache(MOST_ANSWERS)(session.next_question)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """The session as the file is now; other requests wait. Raises as `ProfileFile.read`."""
        with self._one_at_a_time:
            if self.file.changed():
                self._take(self.file.read() or Profile())
            yield self._session

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """The same, to be changed: afterwards the change is in the file, or undone if it cannot be
        written. Other programs wait, too. Raises InputError if it cannot be read or written."""
        with self._one_at_a_time, self.file.locked(), self.reading() as session:
            before = session.profile
            try:
                yield session
                if session.profile != before:
                    self.file.write(session.profile)
                self._take(session.profile)
            except BaseException:
                self._take(before)
                raise

    def delete(self) -> bool:
        """Delete the file, whatever is in it, and start anew; whether there was a file."""
        with self._one_at_a_time, self.file.locked():
            there_was = self.file.delete()
            self._take(Profile())
            self.skipped.clear()
            return there_was

    def _take(self, profile: Profile) -> None:
        self._session.take(profile)
        self.recommended.cache_clear()
        self.question.cache_clear()
