"""Work on what comes while the next of it is made."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
END = object()


def ahead(items: Iterable[T], most: int) -> Iterator[T]:
    """The same items in the same order; a thread makes the next ones, `most` of them at most,
    while the caller works on those before. What is raised in making one is raised in its place.
    """
    made = iter(items)
    with ThreadPoolExecutor(1) as thread:
        pending = deque(thread.submit(next, made, END) for _ in range(most))
        try:
            while (item := pending.popleft().result()) is not END:
                pending.append(thread.submit(next, made, END))
                yield item  # type: ignore[misc]
        finally:
            thread.shutdown(cancel_futures=True)
