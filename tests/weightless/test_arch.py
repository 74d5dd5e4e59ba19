"""Sets, ids and connections, on asymmetric sizes worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

import weightless as ao
from weightless.arch import CONTROLS, DOMINANT, INPUTS, NEIGHBOURS, groups_of

# I 0 1 | 2      Q 3 4 | 5      Z 6 | 7 8      C 9 10 11 | 12
SIZES = ([2, 1], [1, 2], [1])


def reads(arch: ao.Arch, neuron: int) -> tuple[list[int], list[int]]:
    return arch.datamatrix[INPUTS, neuron], arch.datamatrix[NEIGHBOURS, neuron]


def test_ids_are_counted_through_i_q_z_c():
    arch = ao.Arch(*SIZES)
    assert (arch.I, arch.Q) == ([[0, 1], [2]], [[3, 4], [5]])
    assert (arch.Z, arch.C) == ([[6], [7, 8]], [[9, 10, 11], [12]])
    assert (arch.I__flat, arch.Q__flat) == ([0, 1, 2], [3, 4, 5])
    assert (arch.Z__flat, arch.C__flat) == ([6, 7, 8], [9, 10, 11, 12])
    assert arch.n_total == 13
    assert arch.datamatrix.shape == (5, 13)
    assert arch.datamatrix[0].tolist() == list("IIIQQQZZZCCCC")
    assert [arch.datamatrix[DOMINANT, q] for q in arch.Q__flat] == arch.I__flat
    assert [arch.datamatrix[DOMINANT, z] for z in arch.Z__flat] == arch.Z__flat
    assert arch.datamatrix[CONTROLS, 3] == arch.C__flat


@pytest.mark.parametrize(
    ("connector", "q", "z"),
    [
        ("full_conn", ([0, 1, 2], [3, 4, 5]), ([3, 4, 5], [6, 7, 8])),
        ("forward_full_conn", ([0, 1, 2], [3, 4]), ([3, 4, 5], [7, 8])),
        ("forward_forward_conn", ([0, 1], [3, 4]), ([3, 4, 5], [7, 8])),
    ],
)
def test_connectors(connector, q, z):
    arch = ao.Arch(*SIZES, connector_function=connector)
    assert reads(arch, 4) == q
    assert reads(arch, 8) == z


def test_random_connections_are_drawn_by_seed():
    def drawn(seed: int) -> list[tuple[list[int], list[int]]]:
        arch = ao.Arch([9, 8], [7], (), "rand_conn", (5, 3, 6, 99), seed=seed)
        for neuron in arch.Q__flat + arch.Z__flat:
            is_q = arch.is_q(neuron)
            inputs, neighbours = reads(arch, neuron)
            assert (len(inputs), len(neighbours)) == ((5, 3) if is_q else (6, 7))
            assert set(inputs) <= set(arch.I__flat if is_q else arch.Q__flat)
            assert set(neighbours) <= set(arch.Q__flat if is_q else arch.Z__flat)
        return [reads(arch, neuron) for neuron in arch.Q__flat + arch.Z__flat]

    assert drawn(1) == drawn(1) != drawn(2)


def test_neurons_that_read_the_same_are_one_group():
    arch = ao.Arch(*SIZES, connector_function=lambda arch, neuron: ([0] if neuron < 6 else [5], []))
    assert reads(arch, 3) == ([0], [])
    assert reads(arch, 7) == ([5], [])
    assert [group.neurons.tolist() for group in groups_of(arch)] == [[3, 4, 5], [6, 7, 8]]
    groups = groups_of(ao.Arch([10, 3, 3, 10], [10], connector_function="forward_forward_conn"))
    assert [len(group.neurons) for group in groups] == [10, 3, 3, 10, 10]
    assert groups[3].inputs.tolist() == list(range(16, 26))
    assert groups[4].inputs.tolist() == list(range(26, 52))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [1]), "arch_i .* at least one"),
        (([2, 0], [1]), "arch_i .* above 0"),
        (([2], [1.5]), "arch_z .* whole number"),
        ((3, [1]), "arch_i .* list"),
        (([2], [1], [], "nearest"), "no connector is named 'nearest'; there are full_conn"),
        (([2], [1], [], "rand_conn", (1, 2)), "connector_parameters"),
        (([2], [1], [], lambda arch, neuron: ([99], [])), "gives neuron 2 inputs"),
    ],
)
def test_bad_architectures_are_refused_in_words(arguments, message):
    with pytest.raises(ValueError, match=message):
        ao.Arch(*arguments)


def foreign_arch() -> SimpleNamespace:
    """What `ao_arch.Arch` carries: the sets, and a datamatrix with connections as arrays; the
    instinct has a rule, and does not reach Q."""
    ours = ao.Arch([2, 1], [2], [1])
    arch = SimpleNamespace(n_total=ours.n_total, datamatrix=ours.datamatrix)
    for name in ("I", "Q", "Z", "C"):
        setattr(arch, f"{name}__flat", np.array(getattr(ours, f"{name}__flat")))
    for q in arch.Q__flat:
        arch.datamatrix[INPUTS, q] = np.array([0, 1, 2])
        arch.datamatrix[CONTROLS, q] = np.array([8, 9, 10])
    arch.datamatrix[DOMINANT, 11] = lambda senses, agent: [1, "always"]
    return arch


def test_an_architecture_of_ao_arch_works_in_place_of_ours():
    theirs, ours = ao.Agent(foreign_arch()), ao.Agent(ao.Arch([2, 1], [2], [1]))
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, label = rng.integers(0, 2, 3), rng.integers(0, 2, 2)
        theirs.next_state(x, label)
        ours.next_state(x, label)
        x = rng.integers(0, 2, 3)
        assert (theirs.next_state(x) == ours.next_state(x)).all()
    assert (theirs.story == ours.story).all()
    theirs.next_state([1, 0, 1], INSTINCTS=True)
    assert theirs.metastory[-1].tolist()[6:] == ["instinct", "instinct", *["rest"] * 3, "instinct"]
    # its instinct does not reach Q, whose control connections leave it out
    assert not {"instinct"} & set(theirs.metastory[-1, :6])


def test_what_is_no_architecture_and_no_instinct_neuron_is_refused():
    with pytest.raises(ValueError, match="no instinct neuron"):
        ao.Arch(*SIZES).set_instinct(9, lambda senses, agent: True)
    with pytest.raises(ValueError, match=r"an architecture .* was expected, got dict"):
        ao.Agent({"arch_i": [3]})
