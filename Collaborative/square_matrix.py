"""How large a table of all pairs of users, or of movies, may be."""

from __future__ import annotations

from recbench.errors import InputError

# The same on every machine, so that a run that ends on one does on another; several run at a time.
LARGEST = 2 * 2**30  # bytes: 16,384 users or movies


def check_square(name: str, count: int, what: str, instead: str) -> None:
    """
    Args:
        name: of the recommender.
        count: of `what`, "users" or "movies".
        instead: what to do if there are too many.

    Raises:
        InputError: a number for each pair of so many is more than is to be held in memory.
    """
    size = 8 * count**2
    if size > LARGEST:
        raise InputError(
            f"{name}: a table of {count:,} × {count:,} {what} takes {size:,} bytes, "
            f"{LARGEST:,} at the most. Take {instead}"
        )
