"""Items made ahead: the same ones, errors in their place, and nothing left running."""

import threading
import time

import pytest

from recbench.data.prefetch import ahead


def counting(made, items, error=None):
    for item in items:
        made.append(item)
        yield item
    if error:
        raise error


@pytest.mark.parametrize("most", [1, 2, 50])
@pytest.mark.parametrize("n", [0, 1, 7, 200])
def test_the_same_items_in_the_same_order(n, most):
    assert list(ahead(counting([], range(n)), most)) == list(range(n))


def test_none_is_an_item_like_others():
    assert list(ahead([None, 0, None], 2)) == [None, 0, None]


def test_so_many_are_made_ahead_and_no_more():
    made = []
    items = ahead(counting(made, range(100)), 5)
    assert next(items) == 0
    wait_until(lambda: len(made) == 6)
    time.sleep(0.05)
    assert made == list(range(6))
    items.close()


def test_an_error_comes_after_the_items_before_it():
    items = ahead(counting([], range(3), ValueError("the fourth")), 50)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="the fourth"):
        next(items)


def test_who_stops_early_leaves_no_thread_and_no_open_generator():
    threads, closed = set(threading.enumerate()), []

    def source():
        try:
            yield from range(1_000_000)
        finally:
            closed.append(True)

    for item in ahead(ahead(source(), 3), 3):
        if item == 10:
            break
    wait_until(lambda: closed and set(threading.enumerate()) <= threads)


def wait_until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)
