"""Discriminators do as in the literature; counters, patterns and plain Python are one."""

from collections import Counter

import numpy as np
import pytest
from drawn import tuples_and_patterns
from hypothesis import given, settings
from hypothesis import strategies as st

import weightless as ao
from weightless.counters import addresses_of
from weightless.wisard import answers_of_users


def taught(tuples, patterns, labels, classes, margin=1):
    memory = ao.Wisard(tuples, classes, margin)
    for pattern, label in zip(patterns, labels, strict=True):
        memory.learn(pattern, label)
    return memory


@pytest.mark.parametrize("seed", range(20))
def test_the_worked_example_of_wisardpkg(seed):
    """Its README (Lima Filho and others 2020, arXiv:2005.00887): each pattern is of its class,
    however tuples of three bits are drawn."""
    cold = [[1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0]]
    hot = [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1, 1, 1]]
    memory = taught(ao.draw_tuples(8, 3, 2, seed), np.array(cold + hot), [0, 0, 1, 1], classes=2)
    for pattern, label in zip(cold + hot, [0, 0, 1, 1], strict=True):
        answer = memory.predict(pattern)
        assert (answer.label, answer.bleaching) == (label, 0)
        assert answer.responses.tolist() == [2 - 2 * label, 2 * label]


def test_the_response_falls_with_the_overlap_as_published():
    """A pattern that agrees with the learned one in the part A of its bits fires Aⁿ of all tuples
    (Aleksander, Thomas & Bowden 1984): for A = 3/4 and n = 4 that is .32."""
    pattern = np.random.default_rng(0).integers(0, 2, 400, np.uint8)
    memory = taught(ao.draw_tuples(400, 4, 20_000), [pattern], [1], classes=2)
    changed = pattern ^ (np.arange(400) < 100).astype(np.uint8)
    assert memory.predict(changed).responses[1] / 20_000 == pytest.approx(0.75**4, abs=0.01)


def test_bleaching_resolves_what_saturation_hides():
    """Both classes have met every address; one of them four times as often."""
    patterns = np.array([[0, 1], [1, 0], [0, 1], [1, 0], [0, 1], [0, 1], [0, 1]], np.uint8)
    memory = taught(np.array([[0], [1]]), patterns, [0, 0, 1, 1, 1, 1, 1], classes=2)
    answer = memory.predict([0, 1])
    assert (answer.label, answer.bleaching, answer.responses.tolist()) == (1, 1, [0, 2])
    answer = memory.predict([1, 0])  # once in each: none ever leads, and 1 was learned most often
    assert (answer.label, np.ptp(answer.responses)) == (1, 0)


@st.composite
def examples(draw):
    """And labels, how many classes there are, and a margin."""
    tuples, patterns, rng = draw(tuples_and_patterns())
    classes = draw(st.integers(2, 4))
    labels = rng.integers(0, classes, len(patterns))
    return tuples, patterns, labels, classes, draw(st.integers(1, 3))


def plainly(tuples, patterns, labels, classes, margin, asked):
    """Class, responses and b, from counts of what each tuple's bits have been in each class."""
    met = [Counter() for _ in range(classes)]
    for pattern, label in zip(patterns, labels, strict=True):
        met[label].update((t, *pattern[places]) for t, places in enumerate(tuples))
    learned, b = np.bincount(labels, minlength=classes), 0
    label = int(learned.argmax())
    while True:
        responses = [
            sum(one[(t, *asked[places])] > b for t, places in enumerate(tuples)) for one in met
        ]
        first, second = sorted(responses, reverse=True)[:2]
        if first > second:
            label = responses.index(first)
        if first == 0 or first - second >= margin:
            return label, responses, b
        b += 1


@given(examples(), st.randoms())
@settings(max_examples=60, deadline=None)
def test_counters_patterns_and_plain_python_answer_alike(example, random):
    tuples, patterns, labels, classes, margin = example
    memory = taught(*example)
    np.testing.assert_array_equal(memory.learned, np.bincount(labels, minlength=classes))
    asked = np.concatenate([patterns, np.zeros((1, patterns.shape[1]), np.uint8)])
    many, responses = answers_of_users(
        addresses_of(asked, tuples), np.array([0, 0, len(patterns)]), np.arange(len(patterns)),
        np.stack([labels, labels], 1), classes, np.ones(len(asked), int), np.arange(len(asked)),
        margin,
    )  # fmt: skip
    for row, pattern in enumerate(asked):
        label, by_class, b = plainly(*example, pattern)
        answer = memory.predict(pattern)
        assert (answer.label, answer.responses.tolist(), answer.bleaching) == (label, by_class, b)
        assert many[row].tolist() == [label, label]
        assert responses[row].tolist() == [by_class, by_class]
    order = random.sample(range(len(patterns)), len(patterns))
    gone, kept = order[: len(order) // 2], order[len(order) // 2 :]
    for row in gone:
        memory.forget(patterns[row], labels[row])
    never = taught(tuples, patterns[kept], labels[kept], classes, margin)
    for mine, its in zip(memory.items(), never.items(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_bad_input_is_refused():
    rng = np.random.default_rng(1)
    tuples, patterns = ao.draw_tuples(26, 3, 8), rng.integers(0, 2, (40, 26), np.uint8)
    memory = taught(tuples, patterns, rng.integers(0, 3, 40), classes=3, margin=2)
    for classes, margin in ((1, 1), (2, 0), (2.5, 1)):
        with pytest.raises(ValueError, match="2 or more classes"):
            ao.Wisard(tuples, classes, margin)
    for label in (3, -1, 0.5):
        with pytest.raises(ValueError, match=r"label: 0 .. 2 expected"):
            memory.learn(patterns[0], label)
    with pytest.raises(ValueError, match="class 2 was not learned of this pattern"):
        taught(tuples, patterns[:1], [1], classes=3).forget(patterns[0], 2)
