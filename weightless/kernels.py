"""The firing rules, fast: packed patterns, many neurons and many queries at once.

Patterns and answers are stored in *planes*: uint64 [words, patterns], word w of all patterns side
by side, so that a scan reads memory in order and an unsequenced one reads fewer planes. All numbers
are integers, so results equal those of the rules in plain Python (`tests/weightless/reference.py`)
bit for bit, in any order.

The answers of the nearest patterns are found without listing them. With key = 2 * distance +
answer, let a be the least key and b the least of key ^ 1: all the nearest answer 0 if a < b, all
answer 1 if a > b, and they disagree if a = b.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from weightless.coin import mix, toss
from weightless.compiled import compiled

# why a neuron fired as it did
BY_DD, BY_HAMMING, BY_DEFAULT, UNDECIDED = range(4)

ONE = np.uint64(1)
FAR = 2**31 - 2  # above every distance, and even
MAX_WORDS = 255  # 2 * 2**16 * 64 * 255 is still below FAR


@compiled
def weigh(patterns: Any, answers: Any, n: Any, bits: Any, neurons: Any, table: Any) -> Any:
    """The weights described in `memory`, over the first n patterns: int32 [neurons, 64 * words].

    Args:
        patterns, answers: uint64 [words, >= n] and [answer words, >= n].
        bits, neurons: numbers of bits and answers of a pattern; the rest of a word is 0.
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
def fire_by_nearest(
    patterns: Any, answers: Any, n: Any, weights: Any, queries: Any, rule: Any,
    fired: Any, why: Any,
) -> None:  # fmt: skip
    """Where still undecided, write the answer and its rule if all the nearest of the first n
    patterns agree.

    The innermost loops are over neurons, so the compiler vectorises them.

    Args:
        weights: int32 [neurons, >= 64 * words], of each bit in the distance; all 1 for the Hamming
            distance.
        rule: `BY_DD` or `BY_HAMMING`.
        fired, why: uint8 [m, neurons]. The other arguments are as in `fire`.
    """
    for block in range(0, len(weights), 64):  # neurons whose answers share a word
        halves, tables = _tables(weights[block : block + 64], queries.shape[1])
        stored, asked = _halves_of(patterns[:, :n].T, halves), _halves_of(queries, halves)
        neurons = tables.shape[1]
        replies = np.empty((n, neurons), np.int32)
        for pattern in range(n):
            word = answers[block // 64, pattern]
            for neuron in range(neurons):
                replies[pattern, neuron] = (word >> np.uint64(neuron)) & ONE
        key, zero, one = np.empty((3, neurons), np.int32)  # of a pattern; the least of either
        for query in range(len(queries)):
            if (why[query] != UNDECIDED).all():
                continue
            zero[:] = FAR
            one[:] = FAR
            for pattern in range(n):
                for neuron in range(neurons):
                    key[neuron] = replies[pattern, neuron]
                for at in range(len(halves)):
                    x, row = np.int64(stored[pattern, at] ^ asked[query, at]), 1024 * at
                    a, b = row + (x & 255), row + 256 + ((x >> 8) & 255)
                    c, d = row + 512 + ((x >> 16) & 255), row + 768 + (x >> 24)
                    for k in range(neurons):
                        key[k] += tables[a, k] + tables[b, k] + tables[c, k] + tables[d, k]
                for neuron in range(neurons):
                    zero[neuron] = min(zero[neuron], key[neuron])
                    one[neuron] = min(one[neuron], key[neuron] ^ 1)
            for neuron in range(min(neurons, len(weights) - block)):
                at = block + neuron
                if why[query, at] == UNDECIDED and zero[neuron] != one[neuron]:
                    fired[query, at], why[query, at] = one[neuron] < zero[neuron], rule


@compiled
def _tables(weights: Any, words: Any) -> Any:
    """Sums of the weights of differing bits.

    Returns:
        int64 [halves], the halves of words with a bit of positive weight; and for each byte of
        these in turn twice the weight of every set of differing bits: int32 [1024 * halves,
        neurons], padded to a multiple of 16 neurons, a vector.
    """
    used = [at for at in range(2 * words) if weights[:, 32 * at : 32 * at + 32].any()]
    halves = np.array(used, np.int64)
    tables = np.zeros((1024 * len(halves), (len(weights) + 15) // 16 * 16), np.int32)
    for at in range(len(halves)):
        for bit in range(32):
            first, size = 1024 * at + 256 * (bit // 8), 1 << (bit % 8)
            for row in range(first, first + size):
                for neuron in range(len(weights)):
                    weight = 2 * weights[neuron, 32 * halves[at] + bit]
                    tables[row + size, neuron] = tables[row, neuron] + weight
    return halves, tables


@compiled
def _halves_of(patterns: Any, halves: Any) -> Any:
    """Those halves of the words of patterns, uint64 [n, words]: uint32 [n, halves]."""
    found = np.empty((len(patterns), len(halves)), np.uint32)
    for row in range(len(patterns)):
        for at in range(len(halves)):
            found[row, at] = patterns[row, halves[at] // 2] >> np.uint64(32 * (halves[at] % 2))
    return found


@compiled
def distinct(rows: Any) -> Any:
    """Find equal rows, uint64 [n, words], by hashing.

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
def fire(
    patterns: Any, answers: Any, n: Any, weights: Any, queries: Any, seed: Any,
    neurons: Any, DD: Any, Hamming: Any, Default: Any,
) -> Any:  # fmt: skip
    """Answer m queries from the first n patterns, by the three rules in turn. Equal patterns with
    equal answers, and equal queries, are computed once.

    Args:
        patterns, answers: uint64 [>= words, >= n] and [answer words, >= n].
        weights: int32 [neurons, >= 64 * words], see `weigh`; read only for DD.
        queries: uint64 [m, words].
        seed: uint64, the agent's.
        neurons: int64 [neurons], their ids.

    Returns:
        The answers, and their reasons `BY_DD` .. `UNDECIDED`: uint8 [m, neurons] each.
    """
    words = queries.shape[1]
    rows = np.empty((n, words + len(answers)), np.uint64)
    rows[:, :words] = patterns[:words, :n].T
    rows[:, words:] = answers[:, :n].T
    few = rows[distinct(rows)[0]].T
    patterns, answers, n = few[:words].copy(), few[words:].copy(), few.shape[1]
    firsts, which = distinct(queries)
    queries = queries[firsts]
    fired = np.zeros((len(firsts), len(neurons)), np.uint8)
    why = np.full(fired.shape, UNDECIDED, np.uint8)
    if DD and n > 0:
        fire_by_nearest(patterns, answers, n, weights, queries, BY_DD, fired, why)
    if Hamming and n > 0:
        alike = np.ones((len(neurons), 64 * words), np.int32)
        fire_by_nearest(patterns, answers, n, alike, queries, BY_HAMMING, fired, why)
    for query in range(len(queries) if Default else 0):
        for neuron in range(len(neurons)):
            if why[query, neuron] == UNDECIDED:
                fired[query, neuron] = toss(seed, neurons[neuron], queries[query])
                why[query, neuron] = BY_DEFAULT
    return fired[which], why[which]
