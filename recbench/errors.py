"""The exception for mistakes that the user can correct, and common checks."""

from __future__ import annotations

import errno
import re

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no room on the disk, in the quota, in the file


class InputError(ValueError):
    """Invalid input. The message names the file, row or flag, what was expected and what to do.

    Scripts print only the message and exit with status 2.
    """


LARGEST = 2**31 - 1  # of seeds and counts


def check_range(flag: str, *values: int, least: int, most: int = LARGEST) -> None:
    """Raises InputError unless there are values, distinct and from `least` to `most`."""
    for value in values:
        if not least <= value <= most:
            raise InputError(f"{flag} is {value}. Expected {least} or more, {most:,} at most")
    if not values:
        raise InputError(f"{flag} needs a value")
    if len(set(values)) < len(values):
        raise InputError(f"{flag} is {' '.join(map(str, values))}. Expected each once")


def disk_is_full(error: BaseException) -> bool:
    """Whether the disk is full; polars has the error number only in its message."""
    number = getattr(error, "errno", None) or re.search(r"\(os error (\d+)\)", str(error))
    return (int(number[1]) if isinstance(number, re.Match) else number) in FULL


class TooFewUsers(InputError):
    """Fewer users (`there_are`) have enough ratings than were requested."""

    def __init__(self, message: str, there_are: int) -> None:
        super().__init__(message)
        self.there_are = there_are
