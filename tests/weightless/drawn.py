"""Patterns and tuples for the tests of memories of n-tuples."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import weightless as ao


@st.composite
def tuples_and_patterns(draw):
    """Tuples of up to 20 bits, patterns that often recur, and a generator of random numbers."""
    bits, n = draw(st.integers(1, 40)), draw(st.integers(1, 20))
    tuples = ao.draw_tuples(bits, min(n, bits), draw(st.integers(1, 9)), draw(st.integers(0, 99)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    patterns = rng.integers(0, 2, (5, bits), np.uint8)[rng.integers(0, 5, draw(st.integers(0, 30)))]
    patterns ^= (rng.random(patterns.shape) < 0.1).astype(np.uint8)
    return tuples, patterns, rng
