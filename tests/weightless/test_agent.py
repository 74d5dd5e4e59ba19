"""An agent against states worked out by hand, and its calls against what is documented."""

import numpy as np
import pytest

import weightless as ao

MOVIES = {"arch_i": [10, 3, 3, 10], "arch_z": [10], "arch_c": []}


def movie_arch() -> ao.Arch:
    return ao.Arch(**MOVIES, connector_function="forward_forward_conn")


def random_bits(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(0, 2, shape, np.uint8)


def test_an_agent_gives_back_what_it_was_taught():
    rng = np.random.default_rng(0)
    inputs, labels = random_bits(rng, 40, 26), random_bits(rng, 40, 10)
    inputs = np.unique(inputs, axis=0)[:30]
    agent = ao.Agent(movie_arch(), _steps=15_000)
    taught = agent.next_state_batch(inputs, labels[:30], unsequenced=True)
    assert (taught == labels[:30]).all()
    recalled = agent.next_state_batch(inputs, unsequenced=True)
    assert recalled.shape == (30, 10)
    assert (recalled == labels[:30]).all()


def test_one_at_a_time_and_all_at_once_are_the_same():
    rng = np.random.default_rng(1)
    inputs, labels, asked = (
        random_bits(rng, 25, 26),
        random_bits(rng, 25, 10),
        random_bits(rng, 9, 26),
    )
    one, batch = ao.Agent(movie_arch(), seed=3), ao.Agent(movie_arch(), seed=3)
    batch.next_state_batch(inputs, labels, unsequenced=True)
    for x, y in zip(inputs, labels, strict=True):
        one.next_state(x, y, unsequenced=True)
    together = batch.next_state_batch(asked, unsequenced=True)
    assert (np.stack([one.next_state(x, unsequenced=True) for x in asked]) == together).all()
    assert (one.story == batch.story).all()
    assert (one.metastory == batch.metastory).all()


def test_an_empty_memory_tosses_the_same_coin_each_time():
    agent = ao.Agent(movie_arch(), seed=5)
    x = np.ones(26, np.uint8)
    first = agent.next_state(x, unsequenced=True)
    agent.reset_state()
    assert (agent.next_state(x, unsequenced=True) == first).all()
    assert set(agent.metastory[-1, agent.arch.Z__flat]) == {"Default"}
    assert not agent.next_state(x, unsequenced=True, Default=False).any()
    assert set(agent.metastory[-1, agent.arch.Z__flat]) == {"undecided"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"INPUT": [0] * 25}, "INPUT: 26 values"),
        ({"INPUT": [2] * 26}, "INPUT: 26 values of 0 or 1"),
        ({"INPUT": [0] * 26, "LABEL": [1] * 9}, "LABEL: 10 values"),
        ({"INPUT": [0] * 26, "Cpos": True, "Cneg": True}, "one at a time"),
    ],
)
def test_bad_input_is_refused_in_words(arguments, message):
    with pytest.raises(ValueError, match=message):
        ao.Agent(movie_arch()).next_state(**arguments)


def test_arguments_of_other_engines_are_refused_unless_false():
    agent = ao.Agent(movie_arch())
    agent.next_state([0] * 26, Backprop=False)
    with pytest.raises(TypeError, match="no Backprop"):
        agent.next_state([0] * 26, Backprop=True)
