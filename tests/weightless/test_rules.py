"""The plain rules against memories worked out by hand."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import reference

from weightless.kernels import weigh
from weightless.memory import l_table, scaled_l
from weightless.patterns import pack

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "weightless.md").read_text()


def bits(text: str) -> np.ndarray:
    return np.array([int(character) for character in text.replace(" ", "")], np.uint8)


def memory(*rows: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows such as "1100 1": a pattern and its answer."""
    table = np.array([bits(row) for row in rows])
    return table[:, :-1], table[:, -1]


@pytest.mark.parametrize(
    ("bit", "answers", "information"),
    [
        ("0011", "0011", 1.0),  # the bit is the answer
        ("0011", "1100", 1.0),  # or its opposite
        ("0101", "0011", 0.0),  # independent
        ("1111", "0011", 0.0),  # constant
        ("0011", "1111", 0.0),  # nothing to tell
        # three of four: 1 - H(1/4) over even answers
        ("0001 0111", "0000 1111", 1 + 0.25 * math.log2(0.25) + 0.75 * math.log2(0.75)),
    ],
)
def test_weights_by_hand(bit, answers, information):
    assert [scaled_l(count) for count in (0, 1, 2, 4, 8)] == [0, 0, 2 << 32, 8 << 32, 24 << 32]
    assert reference.weight(bits(bit), bits(answers)) == round(information * reference.WEIGHT_ONE)


def test_the_kernel_weighs_as_one_bit_at_a_time():
    rng = np.random.default_rng(1)
    for n in (0, 1, 7, 300):
        patterns, answers = (
            rng.integers(0, 2, (n, 5), np.uint8),
            rng.integers(0, 2, (n, 3), np.uint8),
        )
        planes = (np.ascontiguousarray(pack(one).T) for one in (patterns, answers))
        together = weigh(*planes, n, 5, 3, l_table(n))
        alone = [[reference.weight(bit, answer) for bit in patterns.T] for answer in answers.T]
        assert (together[:, :5] == alone).all()
        assert not together[:, 5:].any()


def test_discriminative_distance_prefers_the_bit_that_tells():
    # The first bit is the answer; the other three are noise, the same for both answers.
    patterns, answers = memory("0000 0", "0111 0", "1000 1", "1111 1")
    # 1001 differs from 1000 in one bit. By Hamming 0000 and 1111 are equally far (2).
    assert reference.fire(patterns, answers, bits("1001"), coin=0) == (1, "DD")
    # 0110 has only a noise bit wrong whichever way: its first bit decides against the three.
    patterns, answers = memory("0000 0", "0000 0", "1110 1", "1110 1", "1001 1", "0001 0")
    assert reference.fire(patterns, answers, bits("0110"), coin=1) == (0, "DD")


def test_hamming_decides_where_no_bit_tells():
    # An exclusive or: each bit alone says nothing, all weights are 0, all are equally near.
    patterns, answers = memory("00 0", "01 1", "10 1", "11 0")
    for asked, answer in (("00", 0), ("01", 1), ("10", 1), ("11", 0)):
        assert reference.fire(patterns, answers, bits(asked), coin=1 - answer) == (
            answer,
            "Hamming",
        )


def test_a_coin_decides_where_memory_is_empty_or_contradicts_itself():
    patterns, answers = memory("01 0", "01 1")
    empty = np.zeros((0, 3), np.uint8), np.zeros(0, np.uint8)
    assert reference.fire(*empty, bits("010"), coin=1) == (1, "Default")
    for coin in (0, 1):
        assert reference.fire(patterns, answers, bits("01"), coin) == (coin, "Default")
    assert reference.fire(patterns, answers, bits("01"), 1, Default=False) == (0, "undecided")


def test_each_rule_can_be_switched_off():
    patterns, answers = memory("1000 1", "1000 1", "0111 0", "0000 0")
    # The first bit tells 1 bit of the answer, the others 0.31 each: 3 x 0.31 < 1.
    asked, coin = bits("1111"), 1
    assert reference.fire(patterns, answers, asked, coin) == (1, "DD")
    assert reference.fire(patterns, answers, asked, coin, DD=False) == (0, "Hamming")
    assert reference.fire(patterns, answers, asked, coin, DD=False, Hamming=False) == (1, "Default")


def test_coins_are_even_and_depend_on_seed_neuron_and_pattern():
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 2, (400, 70), np.uint8)
    sides = np.array([[reference.toss(s, n, p) for p in patterns] for s in (0, 1) for n in (5, 6)])
    assert (abs(sides.mean(axis=1) - 0.5) < 0.1).all()
    agreement = np.mean(sides[:, None] == sides[None], axis=2)  # of different seeds, neurons
    assert (abs(agreement[~np.eye(4, dtype=bool)] - 0.5) < 0.1).all()


def test_the_code_of_the_documentation_runs():
    blocks = re.findall(r"```python\n(.*?)```", TEXT, flags=re.S)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert names["agent"].next_state(names["movies"][7], unsequenced=True).sum() == 8
    assert len(blocks) >= 3
