"""What is kept of one user: ratings and muted genres, in one file for that user's eyes alone."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock

from recbench.errors import InputError
from recbench.own_ratings.rating import OwnRating, on_the_grid

FORMAT, VERSION = "recbench profile", 1
FILE = "profile.json"
WAITED = 10  # seconds for another process, which needs some milliseconds
# What each field of a rating may be
TYPES: dict[str, tuple[type, ...]] = {
    "stars": (int, float),
    "title": (str,),
    "year": (int, type(None)),
    "time": (int, type(None)),
    "movie_id": (int, type(None)),
    "imdb_id": (str,),
    "original_title": (str,),
}


def profile_path() -> Path:
    """Where the user's profile lies unless it is said otherwise."""
    folder = platformdirs.user_data_dir("recommender-systems-benchmark", appauthor=False)
    return Path(folder) / FILE


@dataclass(frozen=True)
class Profile:
    """All that is remembered of a user. What is recommended follows from it and the item table.

    Nothing in it says what was there before: after a rating is forgotten, the file is byte for
    byte the one of somebody who never gave it.

    Attributes:
        ratings: the latest last; each movie once.
        muted: genres never to be recommended, sorted.
    """

    ratings: tuple[OwnRating, ...] = ()
    muted: tuple[str, ...] = ()

    def encoded(self) -> bytes:
        """The content of the file."""
        return _with_checksum(
            {
                "format": FORMAT,
                "version": VERSION,
                "muted": sorted(self.muted),
                "ratings": [asdict(rating) for rating in self.ratings],
            }
        )

    @classmethod
    def decoded(cls, content: bytes, path: str | Path) -> Profile:
        """What `encoded` made.

        Raises:
            InputError: it is damaged, no profile, or of a later version; `path` is named.
        """
        try:
            data = json.loads(content)
            form, version = data["format"], data["version"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(
                f"{path}: is damaged, or no profile. It is left as it is; give another with "
                "--profile FILE, or remove it with --delete-profile"
            ) from None
        if form != FORMAT:
            raise InputError(f"{path}: is '{form}'. Expected a profile. It is left as it is")
        if version != VERSION:
            raise InputError(
                f"{path}: is of version {version}. This program reads version {VERSION}: take a "
                "newer one. The file is left as it is"
            )
        try:
            checksum = data.pop("sha256")
            whole = _with_checksum(data) == _with_checksum(data, checksum)
            ratings = tuple(_rating(row) for row in data["ratings"])
            muted = tuple(str(genre) for genre in data["muted"])
            if not whole:
                raise ValueError("its checksum is of another content")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: is damaged ({error}). It is left as it is; give another with --profile "
                "FILE, or remove it with --delete-profile"
            ) from None
        return cls(ratings, muted)


@dataclass
class ProfileFile:
    """The file of a profile, and what was in it when it was read: nothing is overwritten that
    another program wrote since."""

    path: Path
    content: bytes | None = None
    _lock: FileLock | None = field(default=None, init=False, repr=False, compare=False)

    def read(self) -> Profile | None:
        """The profile; None if there is no file.

        Raises:
            InputError: it cannot be read, or see `Profile.decoded`.
        """
        content = self._now()
        profile = None if content is None else Profile.decoded(content, self.path)
        self.content = content  # not what is damaged: it must not be overwritten
        return profile

    def changed(self) -> bool:
        """Whether another program wrote or deleted it since it was read or written here.

        Raises:
            InputError: it cannot be read.
        """
        return self._now() != self.content

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other process writes it meanwhile: between reading it, changing and writing. The file
        by which others know lies beside it, and is gone afterwards.

        Raises:
            InputError: its folder cannot be written, or another process does not end.
        """
        with self._errors_told():
            if self.path == profile_path():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.parent.chmod(0o700)
            if not self._target.parent.is_dir():
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            outermost = self._lock is None
            if outermost:
                lock = FileLock(self._target.with_name(f".{self._target.name}.lock"), mode=0o600)
                lock.acquire(timeout=WAITED)
                self._lock = lock
        try:
            yield
        finally:
            if outermost:
                self._lock = None
                with suppress(OSError):  # who waits for it sees that it is gone, and makes another
                    os.unlink(lock.lock_file)
                lock.release()

    def write(self, profile: Profile) -> None:
        """Write it in one step, readable by the user alone from the first byte on.

        Raises:
            InputError: it cannot be written, or was changed by another program since it was read.
        """
        with self.locked():
            if self.changed():
                raise InputError(
                    f"{self.path}: was changed by another program meanwhile. Nothing was saved. "
                    "Run it again"
                )
            target, content = self._target, profile.encoded()
            with self._errors_told():
                descriptor, unfinished = tempfile.mkstemp(  # made with mode 0600
                    dir=target.parent, prefix=f".{target.name}."
                )
                try:
                    with os.fdopen(descriptor, "wb") as file:
                        file.write(content)
                        file.flush()
                        os.fsync(file.fileno())
                    os.replace(unfinished, target)
                except BaseException:
                    os.unlink(unfinished)
                    raise
            self.content = content

    def delete(self) -> bool:
        """Remove the file, whatever is in it; whether there was one.

        Raises:
            InputError: it cannot be removed.
        """
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be deleted ({error.strerror or error})"
            ) from None
        self.content = None
        return True

    @property
    def _target(self) -> Path:
        return Path(os.path.realpath(self.path))  # a link is followed

    @contextmanager
    def _errors_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be written ({error.strerror or error}). What was there is "
                "left as it is. Give another place with --profile FILE"
            ) from None

    def _now(self) -> bytes | None:
        if self.path.is_dir():
            raise InputError(
                f"{self.path}: is a folder. Expected a file, such as {self.path / FILE}"
            )
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror or error})") from None


def with_ratings(known: Iterable[OwnRating], new: Iterable[OwnRating]) -> tuple[OwnRating, ...]:
    """Both, in the order of their time; those without a time first, in their order."""
    return tuple(sorted((*known, *new), key=lambda rating: rating.time or 0))


def _with_checksum(data: dict[str, Any], checksum: str | None = None) -> bytes:
    """As JSON with the SHA-256 of the rest at its end."""
    if checksum is None:
        rest = json.dumps(data, ensure_ascii=False, sort_keys=True)
        checksum = hashlib.sha256(rest.encode("utf-8", errors="surrogatepass")).hexdigest()
    return json.dumps({**data, "sha256": checksum}, ensure_ascii=True, indent=1).encode() + b"\n"


def _rating(row: dict[str, Any]) -> OwnRating:
    """Raises ValueError for one that nobody can have given."""
    names = [field.name for field in fields(OwnRating)]
    if sorted(row) != sorted(names):
        raise ValueError(f"a rating has the fields {', '.join(map(str, row))}")
    for name, types in TYPES.items():
        if not isinstance(row[name], types) or isinstance(row[name], bool):
            raise ValueError(f"the {name} of a rating is {row[name]!r}")
    if not on_the_grid(row["stars"]):
        raise ValueError(f"a rating of {row['stars']} stars")
    return OwnRating(**row)
