"""The profile of one user: ratings and muted genres, in one file that only this user can read."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock

from recbench.errors import InputError
from recbench.own_ratings.reading import OwnRating

FORMAT, VERSION = "recbench profile", 2  # version 2 added movies watched, and TMDB ids
FILE = "profile.json"
LONGEST_WAIT = 10  # seconds; another process needs the file for milliseconds
UNUSABLE = (
    "It is left as it is; give another with --profile FILE, or remove it with --delete-profile"
)


def profile_path() -> Path:
    """The default path of the user's profile."""
    folder = platformdirs.user_data_dir("recommender-systems-benchmark", appauthor=False)
    return Path(folder) / FILE


@dataclass(frozen=True)
class Profile:
    """All that is stored about a user. After a rating is forgotten, the file is byte for byte as if
    the movie had never been rated."""

    ratings: tuple[OwnRating, ...] = ()  # latest last, each movie once; also movies only watched
    muted: tuple[str, ...] = ()  # genres that are never recommended, sorted

    @property
    def summary(self) -> str:
        """ "1 rating", "253 ratings, 12 movies watched and not rated"."""
        watched = sum(one.stars is None for one in self.ratings)
        rated = len(self.ratings) - watched
        also = f", {watched:,} movie{'s'[: watched != 1]} watched and not rated" if watched else ""
        return f"{rated:,} rating{'s'[: rated != 1]}{also}"

    def encoded(self) -> bytes:
        """The content of the file: JSON with the SHA-256 of the rest at its end."""
        ratings = [asdict(rating) for rating in self.ratings]
        data: dict[str, Any] = {"format": FORMAT, "version": VERSION, "muted": sorted(self.muted)}
        data["ratings"] = ratings
        whole = data | {"sha256": _checksum(data)}
        return json.dumps(whole, ensure_ascii=True, indent=1).encode() + b"\n"

    @classmethod
    def decoded(cls, content: bytes, path: str | Path) -> Profile:
        """Inverse of `encoded`. Raises InputError, with `path`, if the content is damaged, no
        profile, or from a later version."""
        try:
            data = json.loads(content)
            form, version = data["format"], data["version"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(f"{path}: is damaged, or no profile. {UNUSABLE}") from None
        if form != FORMAT:
            raise InputError(f"{path}: is '{form}'. Expected a profile. It is left as it is")
        if version not in (1, VERSION):
            raise InputError(
                f"{path}: has version {version}. This program reads versions up to {VERSION}: "
                "use a newer program. The file is left as it is"
            )
        try:
            checksum = data.pop("sha256")
            ratings = tuple(OwnRating(**row) for row in data["ratings"])
            muted = tuple(str(genre) for genre in data["muted"])
            if checksum != _checksum(data):
                raise ValueError("the checksum does not match")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: is damaged ({error}). {UNUSABLE}") from None
        return cls(ratings, muted)


@dataclass
class ProfileFile:
    """The file of a profile, and its content when it was read, so that later changes by another
    program are not overwritten."""

    path: Path
    content: bytes | None = None

    def __post_init__(self) -> None:
        self._target = Path(os.path.realpath(self.path))  # a link is followed
        self._lock = FileLock(self._target.with_name(f".{self._target.name}.lock"), mode=0o600)

    def read(self) -> Profile | None:
        """The profile; None: no file. Raises InputError if it cannot be read or decoded."""
        content = self._now()
        profile = None if content is None else Profile.decoded(content, self.path)
        self.content = content  # only if undamaged: other content must not be overwritten
        return profile

    def changed(self) -> bool:
        """Whether another program wrote or deleted it since it was read or written here."""
        return self._now() != self.content

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing the file meanwhile. The lock file beside it is removed
        afterwards. Raises InputError if the folder cannot be written, or another process holds the
        lock too long."""
        with self._errors("written"):
            if self.path == profile_path():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.parent.chmod(0o700)
            if not self._target.parent.is_dir():
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            self._lock.acquire(timeout=LONGEST_WAIT)
        try:
            yield
        finally:
            if self._lock.lock_counter == 1:  # the outermost; waiting processes notice the removal
                with suppress(OSError):
                    os.unlink(self._lock.lock_file)
            self._lock.release()

    def write(self, profile: Profile) -> None:
        """Write it in one step; from the first byte on only the user can read it. Raises InputError
        if it cannot be written, or another program has changed it since it was read."""
        with self.locked():
            if self.changed():
                raise InputError(
                    f"{self.path}: was changed by another program meanwhile. Nothing was saved. "
                    "Run it again"
                )
            target, content = self._target, profile.encoded()
            with self._errors("written"):
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
        """Remove the file, whatever its content; returns whether it existed."""
        there_was = os.path.lexists(self.path)
        with self._errors("deleted"):
            self.path.unlink(missing_ok=True)
        self.content = None
        return there_was

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be {done} ({error.strerror or error}). The file is left "
                "as it is. Give another path with --profile FILE"
            ) from None

    def _now(self) -> bytes | None:
        if self.path.is_dir():
            example = self.path / FILE
            raise InputError(f"{self.path}: is a folder. Expected a file, such as {example}")
        with self._errors("read"), suppress(FileNotFoundError):
            return self.path.read_bytes()
        return None


def _checksum(data: dict[str, Any]) -> str:
    rest = json.dumps(data, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(rest.encode("utf-8", errors="surrogatepass")).hexdigest()
