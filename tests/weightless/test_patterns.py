"""Growing planes do as a list does, and nothing is left of a pattern taken out."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from weightless.patterns import GrowingPlanes

EVERY_WORD = 2**64 - 1


def random_words(rng: np.random.Generator, n: int, words: int) -> np.ndarray:
    return rng.integers(0, EVERY_WORD, (n, words), dtype=np.uint64, endpoint=True)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.data())
def test_storing_and_removing_as_with_a_list(seed, words, data):
    """And nowhere in the room is a word of a pattern that was taken out."""
    rng = np.random.default_rng(seed)
    patterns, plain, removed = GrowingPlanes(words, np.uint64), [], set()
    if data.draw(st.booleans()):  # else there is room to spare sooner
        patterns.append((first := random_words(rng, 3, words)).T)
        plain += [tuple(map(int, row)) for row in first]
    for _ in range(data.draw(st.integers(0, 25))):
        if plain and data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(plain) - 1))
            patterns.remove(at)
            removed.update(plain.pop(at))
        else:
            more = random_words(rng, data.draw(st.integers(0, 3)), words)
            patterns.append(more.T)
            plain += [tuple(map(int, row)) for row in more]
        assert len(patterns) == len(plain)
        assert [tuple(map(int, column)) for column in patterns.columns.T] == plain
        assert not patterns.array[:, len(patterns) :].any()
        assert removed.isdisjoint(patterns.array.ravel().tolist())
