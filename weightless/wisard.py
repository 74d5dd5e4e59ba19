"""WiSARD: one discriminator for each class, with bleaching.

A discriminator responds with the number of tuples whose address occurred while its class was
learned; the largest response wins (Aleksander, Thomas & Bowden 1984). After many examples nearly
all addresses have occurred in every discriminator, so they are counted, and a tuple responds if its
count is above b. Bleaching starts at b = 0 and raises b until the largest response leads the second
by `margin` tuples (Grieco, Lima, De Gregorio & França 2010, where the margin is 1). If that never
happens, the last leader wins; if there was none, the class learned most often (of several, the
first). All numbers are integers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from weightless.compiled import compiled
from weightless.counters import Counters


class Answer(NamedTuple):
    """A class, and the responses of all classes at the end of bleaching."""

    label: int
    responses: np.ndarray  # int64 [classes], 0 .. tuples
    bleaching: int  # b, 0 or more


class Wisard(Counters):
    """Discriminators that share their tuples: counts of each class at each address.

    Args:
        tuples: int [tuples, n], places in a pattern, such as those of `draw_tuples`.
        classes: number of classes, at least 2; labels are 0 .. classes − 1.
        margin: tuples by which a class must lead, 1 or more.

    Attributes:
        learned: examples of each class, int64 [classes].

    Raises:
        ValueError: a value out of its range.
    """

    SETTINGS: ClassVar[tuple[str, ...]] = ("classes", "margin")

    def __init__(self, tuples: np.ndarray, classes: int, margin: int = 1) -> None:
        if int(classes) != classes or classes < 2 or int(margin) != margin or margin < 1:
            raise ValueError(
                f"2 or more classes and a margin of 1 or more, not {classes}, {margin}"
            )
        super().__init__(tuples, int(classes))
        self.classes, self.margin = int(classes), int(margin)
        self.learned = np.zeros(self.classes, np.int64)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        memory = super().load(path)
        keys, values = memory.items()
        memory.learned[:] = values[keys <= 1 << memory.tuples.shape[1]].sum(axis=0)  # of one tuple
        return memory

    def learn(self, bits: np.ndarray, label: int) -> None:
        """One example: bits [bits], 0 or 1, and its class.

        Raises:
            ValueError: bits or label are invalid.
        """
        self.add(self.addresses(bits)[0], self._one(label))
        self.learned[label] += 1

    def forget(self, bits: np.ndarray, label: int) -> None:
        """Remove what was learned; the memory then equals one that never learned it.

        Raises:
            ValueError: it was not learned, as far as counters can tell; nothing is changed.
        """
        one, addresses = self._one(label), self.addresses(bits)[0]
        if not self.read(addresses)[:, label].all():
            raise ValueError(f"class {label} was not learned of this pattern")
        self.add(addresses, -one)
        self.learned[label] -= 1

    def predict(self, bits: np.ndarray) -> Answer:
        """The class of one pattern [bits]."""
        counts = np.ascontiguousarray(self.read(self.addresses(bits)[0]).T)
        responses, most = np.zeros(self.classes, np.int64), int(self.learned.argmax())
        label, b = bleach(counts, self.margin, most, responses)
        return Answer(int(label), responses, int(b))

    def _one(self, label: int) -> np.ndarray:
        if int(label) != label or not 0 <= label < self.classes:
            raise ValueError(f"label: 0 .. {self.classes - 1} expected, got {label}")
        return np.eye(self.classes, dtype=np.int32)[int(label)]


@compiled
def bleach(counts: Any, margin: Any, most: Any, responses: Any) -> Any:
    """The class that wins, and b.

    Args:
        counts: int [classes, tuples], count of each tuple's address in each class.
        margin: lead that ends bleaching; 0: b stays 0.
        most: the class to return if none ever leads.
        responses: int64 [classes], output: the responses at the end of bleaching.
    """
    label, b = np.int64(most), 0
    while True:
        first, second, leader = -1, -1, 0
        for one in range(len(counts)):
            response = 0
            for row in range(counts.shape[1]):
                response += counts[one, row] > b
            responses[one] = response
            if response > first:
                first, second, leader = response, first, one
            elif response > second:
                second = response
        if first > second:
            label = np.int64(leader)
        if first == 0 or first - second >= margin:
            return label, b
        b += 1


@compiled
def answers_of_users(
    addresses: Any, first: Any, movie: Any, labels: Any, classes: Any, user: Any, query: Any,
    margin: Any,
) -> Any:  # fmt: skip
    """Predicted classes for many users and outputs, from the users' stored patterns.

    They equal those of a `Wisard` per user and output, without its counters.

    Args:
        addresses: uint [movies, tuples], see `counters.addresses_of`.
        first: int [users + 1]; the ratings of user u are those from first[u] to first[u + 1].
        movie: int [ratings], rows of `addresses`.
        labels: int [ratings, questions], the class of a rating for each question.
        classes: how many each question has.
        user, query: int [n], user and movie of each prediction.
        margin: see `bleach`.

    Returns:
        Classes uint8 [n, questions], and the responses at the end of bleaching, int64 [n,
        questions, classes].
    """
    tuples, questions = addresses.shape[1], labels.shape[1]
    answers = np.empty((len(query), questions), np.uint8)
    responses = np.zeros((len(query), questions, classes), np.int64)
    counts, learned = np.empty((questions, classes, tuples), np.int32), np.empty(classes, np.int64)
    for row in range(len(query)):
        counts[:] = 0
        target, mine = addresses[query[row]], range(first[user[row]], first[user[row] + 1])
        for rating in mine:
            stored = addresses[movie[rating]]
            for question in range(questions):
                of_class = counts[question, labels[rating, question]]
                for place in range(tuples):
                    of_class[place] += target[place] == stored[place]
        for question in range(questions):
            learned[:] = 0
            for rating in mine:
                learned[labels[rating, question]] += 1
            answers[row, question], _ = bleach(
                counts[question], margin, learned.argmax(), responses[row, question]
            )
    return answers, responses
