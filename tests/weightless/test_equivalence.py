"""The kernels say bit for bit what the plain rules say, on random memories of all shapes."""

import numpy as np
import pytest
import reference
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import weightless as ao
from weightless.agent import WHY
from weightless.arch import Group
from weightless.memory import Memory

QUIET = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
}


def group_of(n_bits: int, n_neurons: int) -> Group:
    empty = np.zeros(0, np.int64)
    ids = np.arange(100, 100 + n_neurons)
    return Group("Z", ids, np.arange(n_bits), empty, (), ids, np.arange(n_neurons))


def random_memory(n_patterns: int, n_bits: int, n_neurons: int, n_asked: int, seed: int):
    """Patterns, answers and questions, of one of many kinds."""
    rng = np.random.default_rng(seed)
    density = rng.choice([0.03, 0.2, 0.5, 0.9])
    kinds = rng.choice([2, 5, n_patterns + 1])  # few kinds: many duplicates
    patterns = (rng.random((n_patterns, n_bits)) < density).astype(np.uint8)
    if n_patterns:
        patterns = patterns[rng.integers(0, min(kinds, n_patterns), n_patterns)]
    patterns[:, rng.random(n_bits) < rng.choice([0, 0.5])] = rng.integers(0, 2)  # constant bits
    answers = (rng.random((n_patterns, n_neurons)) < rng.choice([0, 0.1, 0.5, 1])).astype(np.uint8)
    if n_bits and rng.random() < 0.5:  # answers that some bit gives, all but a few
        noise = rng.random(answers.shape) < rng.choice([0, 0.1])
        answers = patterns[:, rng.integers(0, n_bits, n_neurons)] ^ noise.astype(np.uint8)
    if n_bits > 1 and rng.random() < 0.2:  # two bits that say something only together
        patterns[:] = rng.integers(0, 2)
        patterns[:, :2] = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])[np.arange(n_patterns) % 4]
        answers[:] = (patterns[:, 0] ^ patterns[:, 1])[:, None]
    asked = (rng.random((n_asked, n_bits)) < density).astype(np.uint8)
    near = rng.random(n_asked) < 0.6  # a stored pattern with a bit or two turned
    if n_patterns and n_bits:
        asked[near] = patterns[rng.integers(0, n_patterns, near.sum())]
        for _ in range(rng.integers(0, 3)):
            asked[np.arange(n_asked), rng.integers(0, n_bits, n_asked)] ^= 1
    return patterns, answers, asked, rng


EVERY_RULE = {"DD": True, "Hamming": True, "Default": True}


def check_against_reference(n_patterns, n_bits, n_neurons, n_asked, seed, rules, neurons=2):
    patterns, answers, asked, rng = random_memory(n_patterns, n_bits, n_neurons, n_asked, seed)
    group = group_of(n_bits, n_neurons)
    memory = Memory(group)
    cut = rng.integers(0, n_patterns + 1)  # learned in two parts, asked between
    none = np.zeros((n_patterns, 0), np.uint8)
    memory.store(patterns[:cut], none[:cut], answers[:cut])
    memory.fire(asked[:1], None, np.uint64(seed))
    memory.store(patterns[cut:], none[cut:], answers[cut:])
    fired, why = memory.fire(asked, None, np.uint64(seed), **rules)
    reasons = set()
    for question in rng.choice(n_asked, min(n_asked, 2), replace=False):
        for neuron in rng.choice(n_neurons, min(n_neurons, neurons), replace=False):
            coin = reference.toss(seed, int(group.neurons[neuron]), asked[question])
            expected = reference.fire(patterns, answers[:, neuron], asked[question], coin, **rules)
            got = int(fired[question, neuron]), str(WHY[why[question, neuron]])
            assert got == expected
            reasons.add(got[1])
    return reasons


rule_switches = st.fixed_dictionaries(
    {
        "DD": st.sampled_from([True, True, True, False]),
        "Hamming": st.booleans(),
        "Default": st.booleans(),
    }
)
seeds = st.integers(0, 2**32)


@settings(max_examples=150, **QUIET)
@given(
    n_patterns=st.one_of(st.integers(0, 40), st.integers(200, 900)),
    n_bits=st.one_of(st.integers(1, 12), st.integers(1, 70)),
    n_neurons=st.one_of(st.integers(1, 3), st.integers(1, 35)),
    n_asked=st.sampled_from([1, 2, 9]),
    seed=seeds,
    rules=rule_switches,
)
def test_memories_long_and_short(n_patterns, n_bits, n_neurons, n_asked, seed, rules):
    check_against_reference(n_patterns, n_bits, n_neurons, n_asked, seed, rules, neurons=1)


@pytest.mark.parametrize("n_patterns", [0, 1, 2, 200, 1_000])
@pytest.mark.parametrize("n_bits", [1, 31, 32, 33, 64, 65, 257, 1_024])
@pytest.mark.parametrize("n_asked", [1, 200])
def test_the_corners(n_patterns, n_bits, n_asked):
    for n_neurons in (1, 70):
        check_against_reference(n_patterns, n_bits, n_neurons, n_asked, n_bits, EVERY_RULE, 1)


def test_a_neuron_that_reads_nothing_goes_by_its_answers():
    for seed in range(40):
        check_against_reference(seed % 4, 0, 3, 9, seed, EVERY_RULE, neurons=3)


def test_the_random_memories_reach_every_rule():
    counts = dict.fromkeys(("DD", "Hamming", "Default"), 0)
    for seed in range(150):
        for reason in check_against_reference(32, 9, 3, 9, seed, EVERY_RULE):
            counts[reason] += 1
    assert min(counts.values()) >= 5, counts


CONNECTORS = ("full_conn", "forward_full_conn", "forward_forward_conn", "rand_conn")


@settings(max_examples=100, **QUIET)
@given(
    arch_i=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    arch_z=st.lists(st.integers(1, 5), min_size=1, max_size=2),
    connector=st.sampled_from(CONNECTORS),
    lives=st.integers(1, 40),
    seed=seeds,
    rules=rule_switches,
    unsequenced=st.sampled_from([True, False, None]),
)
def test_whole_agents_q_and_z(arch_i, arch_z, connector, lives, seed, rules, unsequenced):
    rng = np.random.default_rng(seed)
    arch = ao.Arch(arch_i, arch_z, (), connector, (3, 2, 4, 1), seed=seed)
    plain, fast = reference.ReferenceAgent(arch, seed), ao.Agent(arch, seed=seed)
    for _ in range(lives):
        x = rng.integers(0, 2, sum(arch_i), np.uint8)
        label = rng.integers(0, 2, sum(arch_z), np.uint8) if rng.random() < 0.6 else None
        alone = bool(rng.integers(0, 2)) if unsequenced is None else unsequenced
        expected = plain.next_state(x, label, unsequenced=alone, **rules)
        got = fast.next_state(x, () if label is None else label, unsequenced=alone, **rules)
        assert (got == expected).all()
        for layer in (arch.Q__flat, arch.Z__flat):
            assert (fast.story[-1, layer] == plain.state[layer]).all()
            assert fast.metastory[-1, layer].tolist() == [plain.why[neuron] for neuron in layer]


@settings(max_examples=30, **QUIET)
@given(
    arch_i=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    connector=st.sampled_from(CONNECTORS),
    n=st.integers(0, 80),
    seed=seeds,
    rules=rule_switches,
)
def test_populations(arch_i, connector, n, seed, rules):
    rng = np.random.default_rng(seed)
    arch = ao.Arch(arch_i, [2, 3], (), connector, (3, 2, 4, 1), seed=seed)
    population = ao.Population(arch, 4, seed=seed)
    who, asked_who = rng.integers(0, 3, n), rng.integers(0, 4, 24)  # the last never learns
    inputs, labels = rng.integers(0, 2, (n, sum(arch_i))), rng.integers(0, 2, (n, 5))
    asked = rng.integers(0, 2, (24, sum(arch_i)), np.uint8)
    population.learn(who, inputs, labels)
    recalled = population.recall(asked_who, asked, **rules)
    for index in range(4):
        plain = reference.ReferenceAgent(arch, int(population.seeds[index]))
        for x, label in zip(inputs[who == index], labels[who == index], strict=True):
            plain.next_state(x, label, unsequenced=True)
        for x, answer in zip(asked[asked_who == index], recalled[asked_who == index], strict=True):
            assert (plain.next_state(x, unsequenced=True, **rules) == answer).all()
