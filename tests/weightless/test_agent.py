"""An agent against states worked out by hand, and its calls against what is documented."""

import numpy as np
import pytest

import weightless as ao


def movie_arch() -> ao.Arch:
    return ao.Arch([10, 3, 3, 10], [10], connector_function="forward_forward_conn")


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
    ("method", "arguments", "message"),
    [
        ("next_state", {"INPUT": [0] * 25}, "INPUT: 26 values"),
        ("next_state", {"INPUT": [2] * 26}, "INPUT: 26 values of 0 or 1"),
        ("next_state", {"INPUT": [0] * 26, "LABEL": [1] * 9}, "LABEL: 10 values"),
        ("next_state", {"INPUT": [0] * 26, "Cpos": True, "Cneg": True}, "one at a time"),
        ("next_state", {"INPUT": [0] * 26, "INSTINCTS": True}, "instinct neuron 65 has no rule"),
        ("next_state", {"INPUT": [0] * 26, "Backprop": True}, "no Backprop"),
        ("next_state_batch", {"INPUTS": [[0] * 26, [1]]}, "INPUTS: 2 x 26 values"),
        ("next_state_batch", {"INPUTS": [[0] * 26] * 2, "LABELS": [[1] * 10]}, "LABELS: 2 x 10"),
    ],
)
def test_bad_input_is_refused_in_words(method, arguments, message):
    agent = ao.Agent(ao.Arch([10, 3, 3, 10], [10], [1]))
    agent.next_state([0] * 26, Backprop=False)
    with pytest.raises((ValueError, TypeError), match=message):
        getattr(agent, method)(**arguments)
    for seed in (-1, 2**64, 1.5):
        with pytest.raises(ValueError, match="a seed is a whole number"):
            ao.Agent(movie_arch(), seed=seed)


def test_states_are_recorded(capsys):
    agent = ao.Agent(ao.Arch([2, 1], [1, 2]))
    assert agent.next_state_batch(np.zeros((0, 3))).shape == (0, 3)
    assert agent.state == 1  # at rest
    assert agent.story.tolist() == [[0] * 12]
    agent.next_state([1, 0, 1], [1, 1, 0], print_result=True)
    assert capsys.readouterr().out == "state 1: Z = [1, 1, 0]\n"
    assert agent.state == 2
    #                                  I        Q        Z        C
    assert agent.story[-1].tolist() == [1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0]
    assert agent.metastory[-1].tolist() == ["input"] * 3 + ["label"] * 7 + ["rest"] * 2
    assert agent.metastory.shape == agent.story.shape == (2, 12)


def test_z_learns_from_the_label_else_keeps_its_past_else_for_pain_the_opposite():
    agent = ao.Agent(ao.Arch([2], [2]))
    x, past = [1, 0], [1, 0]
    agent.next_state(x, past)
    assert agent.next_state(x, Cpos=True).tolist() == past
    assert agent.metastory[-1, agent.arch.Z__flat[0]] == "C+"
    assert agent.next_state(x, Cneg=True).tolist() == [0, 1]
    assert agent.metastory[-1, agent.arch.Z__flat[0]] == "C-"
    assert agent.next_state(x, [1, 1], Cneg=True).tolist() == [1, 1]  # a label outranks pain
    assert [len(memory) for memory in agent.memories] == [4, 4]


def test_an_agent_learns_a_sequence():
    # A ring counter: the input is always the same, the output follows from the one before it.
    ring = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    agent = ao.Agent(ao.Arch([1], [3]))
    for label in ring * 2:
        agent.next_state([1], label)
    assert [agent.next_state([1]).tolist() for _ in range(9)] == ring * 3
    alone = [agent.next_state([1], unsequenced=True).tolist() for _ in range(6)]
    assert alone == [alone[0]] * 6  # without the state before it cannot count


def test_a_reset_is_random_in_i_q_and_z_and_is_not_learned():
    agent = ao.Agent(ao.Arch([40], [40]), seed=1)
    agent.reset_state()
    agent.reset_state()
    first, second = agent.story[1:, :120]
    assert 40 < first.sum() < 80
    assert (first != second).any()
    assert not agent.story[:, 120:].any()
    assert set(agent.metastory[-1]) == {"reset"}
    assert len(agent.memories[0]) == 0


def test_an_instinct_teaches_only_when_its_rule_says_so():
    """It learns what it did if there is food and it was open."""
    arch, food = ao.Arch([1, 1, 1], [1], [1]), (1, 1, 0)
    (opened,) = arch.Z__flat
    arch.set_instinct(arch.C[1][0], lambda senses, agent: senses[0] and agent.story[-1, opened])
    agent = ao.Agent(arch)
    agent.next_state(food, [0])
    agent.next_state(food, INSTINCTS=True)
    assert agent.metastory[-1, arch.C[1][0]] == "rest"
    agent.next_state(food, [1])
    assert agent.next_state(food, INSTINCTS=True).tolist() == [1]
    assert agent.metastory[-1, opened] == "instinct"
