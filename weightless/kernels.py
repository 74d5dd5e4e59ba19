"""The firing rules, fast: packed patterns, many neurons and many questions at once.

Patterns and answers lie in *planes*: uint64 [words, patterns], word w of all patterns side by
side, so that a scan reads memory in order and an unsequenced one reads fewer planes. Every
figure is an integer, so `reference` says the same bit for bit, whatever the order of work.

Which answers the nearest give is found without listing them. With key = 2 * distance + answer,
let a be the least key and b the least of key ^ 1: all the nearest say 0 if a < b, all say 1 if
a > b, and they disagree if a = b.
"""

# ruff: noqa: PLR0917 - kernels take their arrays one by one

from __future__ import annotations

from typing import Any

import numpy as np

from weightless.coin import mix, toss
from weightless.compiled import compiled
from weightless.lanes import FAR, LANES, add_row, add_rows, keep_nearest, popcount, zero_rows

# why a neuron fired as it did
BY_DD, BY_HAMMING, BY_DEFAULT, UNDECIDED = range(4)

ONE = np.uint64(1)
BLOCK = 128  # patterns of which the nearest is found at once
ASKED_AT_ONCE = 128  # questions whose sums stay in the first cache
MAX_WORDS = 255  # 2 * 2**16 * 64 * 255 is still below FAR
TABLE_ROWS = 4 * 256  # a table for each byte of half a word


@compiled
def count(
    patterns: Any, answers: Any, first: Any, last: Any, ones: Any, answer_ones: Any, both: Any
) -> None:
    """Add patterns first .. last to the counts behind the mutual information.

    Args:
        patterns, answers: uint64 [words, >= last] and [answer words, >= last].
        ones: int64 [bits], answer_ones: int64 [neurons], both: int64 [neurons, bits].
    """
    bit_columns = np.empty(len(ones), np.uint64)
    answer_columns = np.empty(64 * len(answers), np.uint64)
    for start in range(first, last, 64):
        stop = min(start + 64, last)
        _columns(patterns, start, stop, bit_columns)
        _columns(answers, start, stop, answer_columns)
        for bit in range(len(ones)):
            ones[bit] += np.int64(popcount(bit_columns[bit]))
        for neuron in range(len(answer_ones)):
            column = answer_columns[neuron]
            answer_ones[neuron] += np.int64(popcount(column))
            for bit in range(len(ones)):
                both[neuron, bit] += np.int64(popcount(column & bit_columns[bit]))


@compiled
def _columns(planes: Any, start: Any, stop: Any, columns: Any) -> None:
    """Up to 64 patterns, turned: bit p of columns[b] is bit b of pattern start + p."""
    columns[:] = 0
    for word in range(len(planes)):
        for pattern in range(start, stop):
            rest = planes[word, pattern]
            here = ONE << np.uint64(pattern - start)
            while rest:
                lowest = np.int64(popcount((rest & (~rest + ONE)) - ONE))
                columns[64 * word + lowest] |= here
                rest &= rest - ONE


@compiled
def weigh(n: Any, ones: Any, answer_ones: Any, both: Any, table: Any, weights: Any) -> None:
    """The weights of `mutual_information.weights`, into int32 [neurons, bits]; n is not 0."""
    half, unit = n << 15, n << 16
    for neuron in range(len(answer_ones)):
        answer = answer_ones[neuron]
        of_answer = table[answer] + table[n - answer] - table[n]
        for bit in range(len(ones)):
            one, shared = ones[bit], both[neuron, bit]
            cells = table[shared] + table[one - shared] + table[answer - shared]
            cells += table[n - one - answer + shared]
            information = cells - table[one] - table[n - one] - of_answer
            weights[neuron, bit] = (information + half) // unit


@compiled
def discriminative(
    patterns: Any,
    answers: Any,
    first: Any,
    last: Any,
    weights: Any,
    asked: Any,
    fired: Any,
    why: Any,
) -> None:
    """Write answer and reason where all the nearest by discriminative distance agree.

    Args as those of `fire`.
    """
    n_asked, words = asked.shape
    sums, nearest = zero_rows(ASKED_AT_ONCE), zero_rows(2 * ASKED_AT_ONCE)
    for block in range(0, len(weights), LANES):
        halves, narrow, tables = _octet_tables(weights, block, words)
        for start in range(0, n_asked, ASKED_AT_ONCE):
            some = asked[start : start + ASKED_AT_ONCE]
            nearest[:] = FAR
            _nearest_keys(
                patterns, answers, first, last, block, halves, narrow, tables, some, sums, nearest
            )
            for question in range(len(some)):
                row = 2 * question * LANES
                for neuron in range(min(LANES, len(weights) - block)):
                    zero, one = nearest[row + neuron], nearest[row + LANES + neuron]
                    if zero != one:
                        fired[start + question, block + neuron] = one < zero
                        why[start + question, block + neuron] = BY_DD


@compiled
def _octet_tables(weights: Any, block: Any, words: Any) -> Any:
    """What differing bits weigh, an octet at a time, for the 16 neurons from `block` on.

    Returns:
        The halves of words in which some bit weighs something, int64 [halves]; whether in the
        last of them only the lower two octets do; and for each half four tables of 256 rows, a
        row for every set of differing bits in an octet: int32 flat (halves, 4, 256, lanes),
        twice the sum of the weights.
    """
    steps = zero_rows(64 * words)  # (bits, lanes), twice the weights
    for neuron in range(min(LANES, len(weights) - block)):
        for bit in range(64 * words):
            steps[bit * LANES + neuron] = 2 * weights[block + neuron, bit]
    size = 32 * LANES
    halves = np.array(
        [half for half in range(2 * words) if steps[half * size : (half + 1) * size].any()],
        np.int64,
    )
    narrow = len(halves) > 0 and not steps[(32 * halves[-1] + 16) * LANES :].any()
    tables = zero_rows(max(1, len(halves) * TABLE_ROWS))
    for at in range(len(halves)):
        for octet in range(4):
            base = at * TABLE_ROWS + octet * 256
            for bit in range(8):
                highest, step = base + (1 << bit), 32 * halves[at] + 8 * octet + bit
                for lower in range(1 << bit):
                    add_row(tables, highest + lower, base + lower, steps, step)
    return halves, narrow, tables


@compiled
def _nearest_keys(
    patterns: Any, answers: Any, first: Any, last: Any, block: Any,
    halves: Any, narrow: Any, tables: Any, asked: Any, sums: Any, nearest: Any,
) -> None:  # fmt: skip
    """Lower `nearest`, int32 flat (questions, 2, lanes), to the least keys of all patterns.

    A distance is four rows of the tables added for every half word. `sums` is 0 before and
    after.
    """
    asked_halves = np.empty((len(halves), len(asked)), np.uint32)
    for at in range(len(halves)):
        word, shift = halves[at] // 2, np.uint64(32 * (halves[at] % 2))
        for question in range(len(asked)):
            asked_halves[at, question] = np.uint32(asked[question, word] >> shift)
    answer_word, answer_shift = block // 64, np.uint64(block % 64)
    for pattern in range(first, last):
        bits = np.int32((answers[answer_word, pattern] >> answer_shift) & np.uint64(0xFFFF))
        for at in range(len(halves)):
            word, shift = halves[at] // 2, np.uint64(32 * (halves[at] % 2))
            stored = np.uint32(patterns[word, pattern] >> shift)
            base = at * TABLE_ROWS
            for question in range(len(asked)):
                differing = np.int64(stored ^ asked_halves[at, question])
                a = base + (differing & 255)
                b = base + 256 + ((differing >> 8) & 255)
                c = base + 512 + ((differing >> 16) & 255)
                d = base + 768 + (differing >> 24)
                if at < len(halves) - 1:
                    add_rows(sums, question, tables, (a, b, c, d))
                elif narrow:
                    keep_nearest(nearest, question, sums, tables, (a, b), bits)
                else:
                    keep_nearest(nearest, question, sums, tables, (a, b, c, d), bits)
        if len(halves) == 0:  # nothing tells: all are equally near
            for question in range(len(asked)):
                keep_nearest(nearest, question, sums, tables, (0, 0), bits)
        if len(halves) > 1:
            sums[: len(asked) * LANES] = 0


@compiled
def nearest_by_hamming(
    patterns: Any, answers: Any, first: Any, last: Any, question: Any, ones: Any, zeros: Any
) -> int:
    """The Hamming distance of the nearest patterns, and which answers they give.

    Args:
        question: uint64 [words].
        ones, zeros: uint64 [answer words], set to the neurons to which some nearest says 1, 0.
    """
    blocks = (last - first + BLOCK - 1) // BLOCK
    least = np.empty(blocks, np.int64)
    for block in range(blocks):
        start = first + block * BLOCK
        least[block] = _least_distance(patterns, start, min(start + BLOCK, last), question)
    nearest = least.min()
    ones[:] = 0
    zeros[:] = 0
    for block in range(blocks):
        if least[block] == nearest:  # few: only these are looked at again
            start = first + block * BLOCK
            for pattern in range(start, min(start + BLOCK, last)):
                if _distance(patterns, pattern, question) == nearest:
                    for word in range(len(answers)):
                        ones[word] |= answers[word, pattern]
                        zeros[word] |= ~answers[word, pattern]
    return nearest


@compiled
def _least_distance(patterns: Any, start: Any, stop: Any, question: Any) -> Any:
    # A plane first and then its slice, counted from 0: only so does the compiler see that the
    # words lie side by side and that no index is negative, and makes vectors of them.
    least = np.uint64(64 * len(question) + 1)
    if len(question) == 1:  # one plane: nothing to add up
        plane, word = patterns[0][start:stop], question[0]
        for pattern in range(len(plane)):
            least = min(least, popcount(plane[pattern] ^ word))
        return np.int64(least)
    distances = np.zeros(stop - start, np.uint64)
    for at in range(len(question)):
        plane, word = patterns[at][start:stop], question[at]
        for pattern in range(len(distances)):
            distances[pattern] += popcount(plane[pattern] ^ word)
    for distance in distances:
        least = min(least, distance)
    return np.int64(least)


@compiled
def _distance(patterns: Any, pattern: Any, question: Any) -> Any:
    total = np.int64(0)
    for word in range(len(question)):
        total += np.int64(popcount(patterns[word, pattern] ^ question[word]))
    return total


@compiled
def fire(
    patterns: Any,
    answers: Any,
    first: Any,
    last: Any,
    weights: Any,
    asked: Any,
    seed: Any,
    neurons: Any,
    DD: Any,
    Hamming: Any,
    Default: Any,
    fired: Any,
    why: Any,
) -> None:
    """Answer n questions from patterns first .. last, by the three rules in turn.

    Args:
        patterns, answers: uint64 [>= words, >= last] and [answer words, >= last].
        weights: int32 [neurons, >= 64 * words], see `weigh`; read only for DD.
        asked: uint64 [n, words].
        seed: uint64, the agent's.
        neurons: int64 [neurons], their ids.
        fired, why: uint8 [n, neurons], filled.
    """
    fired[:] = 0
    why[:] = UNDECIDED
    if DD and last > first:
        discriminative(patterns, answers, first, last, weights, asked, fired, why)
    ones, zeros = np.zeros(len(answers), np.uint64), np.zeros(len(answers), np.uint64)
    for question in range(len(asked)):
        scanned = False
        for neuron in range(len(neurons)):
            if why[question, neuron] != UNDECIDED:
                continue
            if Hamming and last > first:
                if not scanned:
                    nearest_by_hamming(patterns, answers, first, last, asked[question], ones, zeros)
                    scanned = True
                word, bit = neuron // 64, np.uint64(neuron % 64)
                one, zero = (ones[word] >> bit) & ONE, (zeros[word] >> bit) & ONE
                if one != zero:
                    fired[question, neuron] = one
                    why[question, neuron] = BY_HAMMING
                    continue
            if Default:
                fired[question, neuron] = toss(seed, neurons[neuron], asked[question])
                why[question, neuron] = BY_DEFAULT


@compiled
def distinct(rows: Any, firsts: Any, which: Any) -> int:
    """Find rows that are the same.

    Args:
        rows: uint64 [n, words].
        firsts: int64 [n], filled with the first row of each kind, in order of appearance.
        which: int64 [n], filled with the kind of every row.

    Returns:
        How many kinds there are.
    """
    n, words = rows.shape
    size = 16
    while size < 2 * n:
        size *= 2
    slots = np.full(size, -1, np.int64)
    kinds = 0
    for row in range(n):
        key = np.uint64(0)
        for word in range(words):
            key = mix(key ^ rows[row, word])
        slot = np.int64(key & np.uint64(size - 1))
        while slots[slot] >= 0 and not _same(rows, firsts[slots[slot]], row):
            slot = (slot + 1) & (size - 1)
        if slots[slot] < 0:
            slots[slot] = kinds
            firsts[kinds] = row
            kinds += 1
        which[row] = slots[slot]
    return kinds


@compiled
def _same(rows: Any, one: Any, other: Any) -> bool:
    equal = True
    for word in range(rows.shape[1]):
        equal &= rows[one, word] == rows[other, word]
    return equal


@compiled
def fire_many(
    patterns: Any,
    answers: Any,
    first: Any,
    last: Any,
    weights: Any,
    asked: Any,
    seed: Any,
    neurons: Any,
    DD: Any,
    Hamming: Any,
    Default: Any,
    fired: Any,
    why: Any,
) -> None:
    """`fire`, which equal patterns with equal answers, and equal questions, cost only once."""
    n, words, answer_words = last - first, asked.shape[1], len(answers)
    rows = np.empty((n, words + answer_words), np.uint64)
    for row in range(n):
        for word in range(words):
            rows[row, word] = patterns[word, first + row]
        for word in range(answer_words):
            rows[row, words + word] = answers[word, first + row]
    firsts, which = np.empty(n, np.int64), np.empty(n, np.int64)
    kinds = distinct(rows, firsts, which)
    few_patterns = np.empty((words, kinds), np.uint64)
    few_answers = np.empty((answer_words, kinds), np.uint64)
    for kind in range(kinds):
        for word in range(words):
            few_patterns[word, kind] = rows[firsts[kind], word]
        for word in range(answer_words):
            few_answers[word, kind] = rows[firsts[kind], words + word]

    n_asked = len(asked)
    firsts, which = np.empty(n_asked, np.int64), np.empty(n_asked, np.int64)
    questions = distinct(asked, firsts, which)
    few_asked = np.empty((questions, words), np.uint64)
    for question in range(questions):
        for word in range(words):
            few_asked[question, word] = asked[firsts[question], word]
    few_fired = np.empty((questions, len(neurons)), np.uint8)
    few_why = np.empty((questions, len(neurons)), np.uint8)
    fire(
        few_patterns, few_answers, 0, kinds, weights, few_asked, seed, neurons,
        DD, Hamming, Default, few_fired, few_why,
    )  # fmt: skip
    for question in range(n_asked):
        for neuron in range(len(neurons)):
            fired[question, neuron] = few_fired[which[question], neuron]
            why[question, neuron] = few_why[which[question], neuron]
