"""What a change did, kept until the page that says so is asked for."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from recbench.own_ratings.changes import Changes

MOST = 50  # that nobody has asked for


@dataclass(frozen=True)
class Said:
    """Attributes:
    lines: what was done.
    changes: of the list of recommendations; None where none were looked at.
    """

    lines: list[str]
    changes: Changes | None = None

    @property
    def all_lines(self) -> list[str]:
        """Both in words."""
        return [*self.lines, *(self.changes.lines() if self.changes else ())]

    @property
    def marks(self) -> dict[str, str]:
        """What is different of a film in the list: "new", "was 4."."""
        if self.changes is None:
            return {}
        moved = (*self.changes.up, *self.changes.down)
        new = dict.fromkeys(self.changes.new, "new")
        return new | {name: f"was {was}." for name, was, now in moved if was != now}


@dataclass
class Kept:
    """Said once each, by a number that the address of the page carries after a change."""

    _waiting: dict[str, Said] = field(default_factory=dict)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, said: Said) -> str:
        """The number under which it is kept; the oldest are forgotten."""
        number = secrets.token_hex(8)
        with self._one_at_a_time:
            self._waiting[number] = said
            while len(self._waiting) > MOST:
                del self._waiting[next(iter(self._waiting))]
        return number

    def take(self, number: str) -> Said:
        """What is kept under a number, once; nothing said if there is none."""
        with self._one_at_a_time:
            return self._waiting.pop(number, Said([]))
