"""Many agents at once are each the agent they would be alone; memory grows by what is stored."""

import numpy as np
import pytest

import weightless as ao


def movie_arch() -> ao.Arch:
    return ao.Arch([10, 3, 3, 10], [10], [], "forward_forward_conn")


def examples(n: int, n_agents: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    agents = rng.integers(0, n_agents, n) * rng.integers(0, 2, n)  # unequal memories
    inputs = rng.integers(0, 2, (n, 26), np.uint8) & rng.integers(0, 2, (n, 26), np.uint8)
    return agents, inputs, rng.integers(0, 2, (n, 10), np.uint8)


def held(population: ao.Population) -> list:
    """The packed examples of each agent."""
    return [one.columns.tolist() for one in population._examples]


def test_learning_in_any_portions_and_order_of_queries_is_the_same():
    agents, inputs, labels = examples(500, 5)
    whole, by_one, by_some = (ao.Population(movie_arch(), 5) for _ in range(3))
    whole.learn(agents, inputs, labels)
    for row in range(500):
        by_one.learn(agents[row : row + 1], inputs[row : row + 1], labels[row : row + 1])
    for start in range(0, 500, 37):
        part = slice(start, start + 37)
        by_some.learn(agents[part], inputs[part], labels[part])
    order = np.random.default_rng(1).permutation(500)
    answers = whole.recall(agents, inputs)
    for population in (whole, by_one, by_some):
        assert held(population) == held(whole)
        found = population.recall(agents[order], inputs[order])
        assert (found == answers[order]).all()


def test_memory_grows_with_what_is_stored():
    population = ao.Population(movie_arch(), 10)
    empty, rng = population.nbytes, np.random.default_rng(0)
    for row in range(1_000):
        agent = np.array([row % 10])
        population.learn(agent, rng.integers(0, 2, (1, 26)), rng.integers(0, 2, (1, 10)))
    assert population.nbytes - empty <= 2 * 1_000 * 16
    held = [examples.array.nbytes for examples in population._examples]
    assert population.nbytes - empty == sum(held) > 1_000 * 16  # room to grow is held too
    bulk = ao.Population(movie_arch(), 10)
    bulk.learn(np.arange(1_000) % 10, rng.integers(0, 2, (1_000, 26)), np.zeros((1_000, 10)))
    assert bulk.nbytes - empty == 1_000 * 16


def test_queries_change_nothing_and_there_may_be_none():
    nobody = ao.Population(movie_arch(), 0)
    nobody.learn(np.zeros(0, int), np.zeros((0, 26)), np.zeros((0, 10)))
    assert nobody.recall(np.zeros(0, int), np.zeros((0, 26))).shape == (0, 10)
    agents, inputs, labels = examples(100, 3)
    population = ao.Population(movie_arch(), 3)
    population.learn(agents, inputs, labels)
    before, given = held(population), inputs.copy()
    first = population.recall(agents, inputs)
    assert (population.recall(agents, inputs) == first).all()
    assert held(population) == before
    assert (inputs == given).all()


@pytest.mark.parametrize(
    ("agent_index", "inputs", "labels", "message"),
    [
        ([3], np.zeros((1, 26)), np.zeros((1, 10)), "0 .. 2 were expected, got 3 .. 3"),
        ([-1], np.zeros((1, 26)), np.zeros((1, 10)), "0 .. 2 were expected"),
        ([0.5], np.zeros((1, 26)), np.zeros((1, 10)), "whole numbers"),
        ([0], np.zeros((2, 26)), np.zeros((1, 10)), "inputs: 1 x 26"),
        ([0], np.zeros((1, 26)), np.full((1, 10), 7), "labels: 1 x 10 values of 0 or 1"),
    ],
)
def test_bad_input_is_refused_and_nothing_learned(agent_index, inputs, labels, message):
    population = ao.Population(movie_arch(), 3)
    with pytest.raises(ValueError, match=message):
        population.learn(np.array(agent_index), inputs, labels)
    assert not any(map(len, population._examples))


def test_an_example_is_forgotten_and_the_others_stay():
    agents, inputs, labels = examples(100, 3)
    population, never = (ao.Population(movie_arch(), 3) for _ in range(2))
    population.learn(agents, inputs, labels)
    gone = np.flatnonzero(agents == 2)[3]
    population.forget(2, 3)
    others = np.arange(100) != gone
    never.learn(agents[others], inputs[others], labels[others])
    assert held(population) == held(never)
    left = population._examples[2]
    assert not left.array[:, len(left) :].any()  # nor is it in the room behind
    with pytest.raises(ValueError, match="so none at 500"):
        population.forget(0, 500)
