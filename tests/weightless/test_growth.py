"""Storing one more pattern costs the same however many are stored."""

import numpy as np

import weightless as ao
from weightless.patterns import GrowingPlanes


def test_columns_are_copied_a_logarithm_of_times():
    planes, copies = GrowingPlanes(3, np.uint8), 0
    array = planes.array
    for value in range(5_000):
        planes.append(np.full((3, 1), value % 256, np.uint8))
        copies += planes.array is not array
        array = planes.array
    assert copies < 20
    assert len(planes) == 5_000
    assert (planes.columns == np.arange(5_000) % 256).all()


def test_memory_grows_with_patterns_and_not_with_the_hint():
    arch = ao.Arch([10, 3, 3, 10], [10], [], "forward_forward_conn")
    small, large = ao.Agent(arch, _steps=10), ao.Agent(arch, _steps=10**9)
    assert small.nbytes == large.nbytes == 0
    rng = np.random.default_rng(0)
    for agent in (small, large):
        for _ in range(100):
            agent.next_state(rng.integers(0, 2, 26), rng.integers(0, 2, 10), unsequenced=True)
    # 5 groups, each with a word of inputs, of neighbours and of answers a pattern
    assert small.nbytes == large.nbytes <= 2 * 100 * 5 * 3 * 8
