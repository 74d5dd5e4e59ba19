"""The firing rules, fast: packed patterns, many neurons and many queries at once.

Patterns and answers lie in *planes*: uint64 [words, patterns], word w of all patterns side by
side, so that a scan reads memory in order and an unsequenced one reads fewer planes. Every
figure is an integer, so the rules in plain Python (`tests/weightless/reference.py`) give the same
bit for bit, whatever the order of work.

Which answers the nearest give is found without listing them. With key = 2 * distance + answer,
let a be the least key and b the least of key ^ 1: all the nearest say 0 if a < b, all say 1 if
a > b, and they disagree if a = b.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from weightless.coin import mix, toss
from weightless.compiled import compiled
from weightless.lanes import (
    LANES,
    TABLE_ROWS,
    TOGETHER,
    add_row,
    nearest_key_4x8,
    nearest_keys_4x8,
    popcount,
    zero_rows,
)

# why a neuron fired as it did
BY_DD, BY_HAMMING, BY_DEFAULT, UNDECIDED = range(4)

ONE = np.uint64(1)
MAX_WORDS = 255  # 2 * 2**16 * 64 * 255 is still below FAR


@compiled
def weigh(patterns: Any, answers: Any, n: Any, bits: Any, neurons: Any, table: Any) -> Any:
    """The weights that `memory` describes, of the first n patterns: int32 [neurons, 64 * words].

    Args:
        patterns, answers: uint64 [words, >= n] and [answer words, >= n].
        bits, neurons: how many the patterns and the answers have; the rest of a word is 0.
        table: `memory.l_table(n)`.
    """
    ones, answer_ones = np.zeros(bits, np.int64), np.zeros(neurons, np.int64)
    both = np.zeros((neurons, bits), np.int64)
    of_pattern = np.empty(bits, np.int64)
    for pattern in range(n):
        for bit in range(bits):
            of_pattern[bit] = (patterns[bit // 64, pattern] >> np.uint64(bit % 64)) & ONE
            ones[bit] += of_pattern[bit]
        for neuron in range(neurons):
            if (answers[neuron // 64, pattern] >> np.uint64(neuron % 64)) & ONE:
                answer_ones[neuron] += 1
                for bit in range(bits):
                    both[neuron, bit] += of_pattern[bit]
    weights = np.zeros((neurons, 64 * len(patterns)), np.int32)
    half, unit = n << 15, n << 16
    for neuron in range(neurons if n > 0 else 0):
        answer = answer_ones[neuron]
        of_answer = table[answer] + table[n - answer] - table[n]
        for bit in range(bits):
            one, shared = ones[bit], both[neuron, bit]
            cells = table[shared] + table[one - shared] + table[answer - shared]
            cells += table[n - one - answer + shared]
            information = cells - table[one] - table[n - one] - of_answer
            weights[neuron, bit] = (information + half) // unit
    return weights


@compiled
def discriminative(
    patterns: Any, answers: Any, n: Any, weights: Any, queries: Any, fired: Any,
    why: Any,
) -> None:  # fmt: skip
    """Write answer and reason where all the nearest by discriminative distance agree.

    Args as those of `fire`.
    """
    nearest = zero_rows(2 * TOGETHER)
    for block in range(0, len(weights), LANES):
        halves, tables = _tables(weights, block, queries.shape[1])
        stored = np.empty((n, len(halves)), np.uint32)
        query_halves = np.empty((len(queries), len(halves)), np.uint32)
        for at in range(len(halves)):
            word, shift = halves[at] // 2, np.uint64(32 * (halves[at] % 2))
            for pattern in range(n):
                stored[pattern, at] = np.uint32(patterns[word, pattern] >> shift)
            for query in range(len(queries)):
                query_halves[query, at] = np.uint32(queries[query, word] >> shift)
        replies = np.empty(n, np.int32)  # a bit a neuron
        for pattern in range(n):
            replies[pattern] = np.int32(
                (answers[block // 64, pattern] >> np.uint64(block % 64)) & np.uint64(0xFFFF)
            )
        query = 0
        while query < len(queries):
            together = TOGETHER if query + TOGETHER <= len(queries) else 1
            if together == 1:
                nearest_key_4x8(tables, stored, replies, query_halves, query, nearest)
            else:
                nearest_keys_4x8(tables, stored, replies, query_halves, query, nearest)
            for at in range(together):
                for neuron in range(min(LANES, len(weights) - block)):
                    row = 2 * at * LANES + neuron
                    zero, one = nearest[row], nearest[row + LANES]
                    if zero != one:
                        fired[query + at, block + neuron] = one < zero
                        why[query + at, block + neuron] = BY_DD
            query += together


@compiled
def _tables(weights: Any, block: Any, words: Any) -> Any:
    """What differing bits weigh, for the 16 neurons from `block` on.

    Returns:
        int64 [halves], the halves of words in which some bit weighs something; and their tables,
        int32 flat (halves, TABLE_ROWS, lanes): twice the weight of every set of differing bits in
        a chunk of 8.
    """
    steps = zero_rows(64 * words)  # (bits, lanes), twice the weights
    for neuron in range(min(LANES, len(weights) - block)):
        for bit in range(64 * words):
            steps[bit * LANES + neuron] = 2 * weights[block + neuron, bit]
    weighs = np.array([steps[bit * LANES : (bit + 1) * LANES].any() for bit in range(64 * words)])
    halves = np.array(
        [half for half in range(2 * words) if weighs[32 * half : 32 * (half + 1)].any()], np.int64
    )
    tables = zero_rows(max(1, len(halves)) * TABLE_ROWS)
    for at in range(len(halves)):
        for bit in range(32):
            table, size = at * TABLE_ROWS + ((bit // 8) << 8), 1 << (bit % 8)
            for lower in range(size):
                step = 32 * halves[at] + bit
                add_row(tables, table + size + lower, table + lower, steps, step)
    return halves, tables


@compiled
def nearest_by_hamming(
    patterns: Any, answers: Any, n: Any, query: Any, ones: Any, zeros: Any
) -> None:
    """Which answers the nearest patterns by Hamming distance give.

    Args:
        query: uint64 [words].
        ones, zeros: uint64 [answer words], set to the neurons to which some nearest says 1, 0.
    """
    distances = np.zeros(n, np.uint64)
    for word in range(len(query)):
        plane, bits = patterns[word][:n], query[word]
        for pattern in range(len(distances)):
            distances[pattern] += popcount(plane[pattern] ^ bits)
    nearest = distances.min()
    ones[:] = 0
    zeros[:] = 0
    for pattern in range(n):
        if distances[pattern] == nearest:
            for word in range(len(answers)):
                ones[word] |= answers[word, pattern]
                zeros[word] |= ~answers[word, pattern]


@compiled
def fire(
    patterns: Any, answers: Any, n: Any, weights: Any, queries: Any, seed: Any,
    neurons: Any, DD: Any, Hamming: Any, Default: Any, fired: Any, why: Any,
) -> None:  # fmt: skip
    """Answer m queries from the first n patterns, by the three rules in turn.

    Args:
        patterns, answers: uint64 [>= words, >= n] and [answer words, >= n].
        weights: int32 [neurons, >= 64 * words], see `weigh`; read only for DD.
        queries: uint64 [m, words].
        seed: uint64, the agent's.
        neurons: int64 [neurons], their ids.
        fired, why: uint8 [m, neurons], filled.
    """
    fired[:] = 0
    why[:] = UNDECIDED
    if DD and n > 0:
        discriminative(patterns, answers, n, weights, queries, fired, why)
    ones, zeros = np.zeros(len(answers), np.uint64), np.zeros(len(answers), np.uint64)
    for query in range(len(queries)):
        scanned = False
        for neuron in range(len(neurons)):
            if why[query, neuron] != UNDECIDED:
                continue
            if Hamming and n > 0:
                if not scanned:
                    nearest_by_hamming(patterns, answers, n, queries[query], ones, zeros)
                    scanned = True
                word, bit = neuron // 64, np.uint64(neuron % 64)
                one, zero = (ones[word] >> bit) & ONE, (zeros[word] >> bit) & ONE
                if one != zero:
                    fired[query, neuron] = one
                    why[query, neuron] = BY_HAMMING
                    continue
            if Default:
                fired[query, neuron] = toss(seed, neurons[neuron], queries[query])
                why[query, neuron] = BY_DEFAULT


@compiled
def distinct(rows: Any) -> Any:
    """Rows that are the same, uint64 [n, words], by hashing.

    Returns:
        The first row of each kind in order of appearance, int64 [kinds]; the kind of every row,
        int64 [n].
    """
    n, words = rows.shape
    size = 16
    while size < 2 * n:
        size *= 2
    slots = np.full(size, -1, np.int64)
    firsts, which, kinds = np.empty(n, np.int64), np.empty(n, np.int64), 0
    for row in range(n):
        key = np.uint64(0)
        for word in range(words):
            key = mix(key ^ rows[row, word])
        slot = np.int64(key & np.uint64(size - 1))
        while slots[slot] >= 0 and (rows[firsts[slots[slot]]] != rows[row]).any():
            slot = (slot + 1) & (size - 1)
        if slots[slot] < 0:
            slots[slot] = kinds
            firsts[kinds] = row
            kinds += 1
        which[row] = slots[slot]
    return firsts[:kinds], which


@compiled
def fire_many(
    patterns: Any, answers: Any, n: Any, weights: Any, queries: Any, seed: Any,
    neurons: Any, DD: Any, Hamming: Any, Default: Any, fired: Any, why: Any,
) -> None:  # fmt: skip
    """`fire`, which equal patterns with equal answers, and equal queries, cost only once."""
    words = queries.shape[1]
    rows = np.empty((n, words + len(answers)), np.uint64)
    rows[:, :words] = patterns[:words, :n].T
    rows[:, words:] = answers[:, :n].T
    few = rows[distinct(rows)[0]].T
    few_patterns, few_answers = few[:words].copy(), few[words:].copy()
    firsts, which = distinct(queries)
    few_fired = np.empty((len(firsts), len(neurons)), np.uint8)
    few_why = np.empty((len(firsts), len(neurons)), np.uint8)
    fire(
        few_patterns, few_answers, few.shape[1], weights, queries[firsts], seed, neurons,
        DD, Hamming, Default, few_fired, few_why,
    )  # fmt: skip
    fired[:] = few_fired[which]
    why[:] = few_why[which]
