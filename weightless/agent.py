"""An agent: a neural state machine of weightless neurons that learns by storing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from weightless.arch import DOMINANT, LABEL, PAIN, PLEASURE, groups_of
from weightless.coin import checked_seed, toss
from weightless.memory import Memory
from weightless.patterns import GrowingPlanes

# Why a neuron is as it is in a state; the first four are those of `kernels`.
RULES = ["DD", "Hamming", "Default", "undecided"]
WHY = np.array([*RULES, "rest", "reset", "input", "label", "C+", "C-", "instinct"])
REST, RESET, BY_INPUT, BY_LABEL, BY_PLEASURE, BY_PAIN, BY_INSTINCT = range(4, 11)

Bits = Sequence[int] | np.ndarray


class Agent:
    """An agent with a given architecture and the interface of AO Labs' agents.

    In each state the agent reads an input and its neurons fire, Q from I and Z from Q, each from
    its own memory. A neuron gives the answer of the stored patterns nearest by *discriminative
    distance* (DD) if these agree, else of those nearest by Hamming distance if these agree, else a
    random bit. The discriminative distance is the Hamming distance with each bit weighted by its
    mutual information with the answer, see `memory`. AO Labs do not publish theirs; this weighting
    is ours.

    With a label, pleasure, pain or a firing instinct it *learns* instead, by iconic training
    (Aleksander & Morton 1993): a Q neuron takes the value of its I neuron; a Z neuron takes the
    value of the label, or without a label its own last value, or with pain the opposite; and each
    stores the pattern it reads with the value it took.

    Args:
        arch: an `Arch`, or an `ao_arch.Arch`.
        notes: free text.
        _steps: ignored; the memory grows as patterns are stored.
        seed: of the random bits, 0 .. 2**64 - 1.

    Attributes:
        state: number of states so far, including the initial one at rest.
        story: uint8 [state, n_total], every state.
        metastory: str [state, n_total], origin of each value: one of `WHY`.

    Raises:
        ValueError: `arch` is not an architecture, or the seed is out of range.
    """

    def __init__(self, arch: Any, notes: str = "", _steps: int = 0, *, seed: int = 0) -> None:
        self.arch = arch
        self.notes = notes
        self.seed = checked_seed(seed)
        self.memories = [Memory(group) for group in groups_of(arch)]
        self._i, self._q, self._z, self._c = (
            np.array(getattr(arch, f"{layer}__flat"), np.int64) for layer in "IQZC"
        )
        self._story = GrowingPlanes(arch.n_total, np.uint8)
        self._metastory = GrowingPlanes(arch.n_total, np.uint8)
        rest = np.zeros(arch.n_total, np.uint8)
        self._append(rest, rest + np.uint8(REST))

    @property
    def state(self) -> int:
        return len(self._story)

    @property
    def story(self) -> np.ndarray:
        return self._story.columns.T

    @property
    def metastory(self) -> np.ndarray:
        return WHY[self._metastory.columns.T]

    def next_state(
        self,
        INPUT: Bits,
        LABEL: Bits = (),
        INSTINCTS: bool = False,
        Cpos: bool = False,
        Cneg: bool = False,
        print_result: bool = False,
        DD: bool = True,
        Hamming: bool = True,
        Default: bool = True,
        unsequenced: bool = False,
        **unknown: Any,
    ) -> np.ndarray:
        """Advance by one state; learn if a control neuron fires.

        Args:
            INPUT: n_i values of 0 or 1.
            LABEL: n_z values of 0 or 1, or empty.
            INSTINCTS: whether instinct neurons may fire.
            Cpos, Cneg: pleasure, pain. A label has priority over both; both at once are an error.
            print_result: print the output.
            DD, Hamming, Default: the firing rules to use. A neuron that they leave undecided does
                not fire (0).
            unsequenced: do not read the previous state. The output is then a function of the input
                only. Patterns are stored with all neighbours 0.
            unknown: arguments of other engines; an error unless they are false.

        Returns:
            The output Z, uint8 [n_z].

        Raises:
            ValueError: wrong length or values of an input or label; Cpos and Cneg together; an
                instinct neuron without a rule.
            TypeError: an argument that this engine does not have.
        """
        _refuse(unknown)
        inputs = bits_of("INPUT", INPUT, (len(self._i),))
        label = bits_of("LABEL", LABEL, (len(self._z),)) if len(LABEL) else None
        causes = self._causes(inputs, label is not None, INSTINCTS, Cpos, Cneg)
        output = self._advance(inputs, label, causes, (DD, Hamming, Default), unsequenced)
        if print_result:
            print(f"state {self.state - 1}: Z = {output.tolist()}")
        return output

    def next_state_batch(
        self,
        INPUTS: Sequence[Bits] | np.ndarray,
        LABELS: Sequence[Bits] | np.ndarray = (),
        **switches: Any,
    ) -> np.ndarray:
        """`next_state` for each input in turn.

        Args:
            INPUTS: [n, n_i] values of 0 or 1.
            LABELS: [n, n_z] values of 0 or 1 to learn in turn. Empty: nothing is learned.
            switches: as in `next_state`.

        Returns:
            The outputs, uint8 [n, n_z].

        Raises:
            ValueError, TypeError: as `next_state`.
        """
        if not len(INPUTS):
            return np.zeros((0, len(self._z)), np.uint8)
        inputs = bits_of("INPUTS", INPUTS, (len(INPUTS), len(self._i)))
        labels: Any = [()] * len(inputs)
        if len(LABELS):
            labels = bits_of("LABELS", LABELS, (len(inputs), len(self._z)))
        rows = zip(inputs, labels, strict=True)
        return np.stack([self.next_state(one, label, **switches) for one, label in rows])

    def reset_state(self) -> None:
        """Insert a state in which every neuron of I, Q and Z fires at random; nothing is learned
        from it.

        Use it between unrelated examples. The random bits depend on the agent's seed, the neuron
        and the number of states so far.
        """
        state = np.zeros(self.arch.n_total, np.uint8)
        random = np.concatenate([self._i, self._q, self._z])
        now = np.array([self.state], np.uint64)
        state[random] = [toss(self.seed, neuron, now) for neuron in random]
        self._append(state, np.full(state.shape, RESET, np.uint8))

    def _advance(
        self,
        inputs: np.ndarray,
        label: np.ndarray | None,
        causes: list[int],
        rules: tuple[bool, bool, bool],
        unsequenced: bool,
    ) -> np.ndarray:
        """The output of the next state, uint8 [n_z]."""
        previous = self.story[-1].copy()
        state = np.zeros(self.arch.n_total, np.uint8)
        why = np.full(state.shape, REST, np.uint8)
        state[self._i], why[self._i] = inputs, BY_INPUT
        state[self._c], why[self._c] = [cause != REST for cause in causes], causes
        for memory in self.memories:
            group = memory.group
            read = state[None, group.inputs]
            neighbours = previous[None, group.neighbours] * np.uint8(not unsequenced)
            mine = [causes[place] for place in group.controls if causes[place] != REST]
            if not mine:
                read_beside = None if unsequenced else neighbours
                fired = memory.fire(read, read_beside, self.seed, *rules)
                (state[group.neurons],), (why[group.neurons],) = fired
                continue
            if group.layer == "Q":
                values = state[group.dominant]
            elif label is not None and BY_LABEL in mine:
                values = label[group.places]
            else:  # the past value; of pain its opposite
                values = previous[group.dominant] ^ np.uint8(BY_PAIN in mine)
            memory.store(read, neighbours, values[None])
            state[group.neurons], why[group.neurons] = values, mine[0]
        self._append(state, why)
        return state[self._z]

    def _causes(
        self, inputs: np.ndarray, labelled: bool, INSTINCTS: bool, Cpos: bool, Cneg: bool
    ) -> list[int]:
        """Reason why each control neuron fires, in the order of C; REST if it does not."""
        if Cpos and Cneg:
            raise ValueError("Cpos and Cneg are pleasure and pain: one at a time")
        causes = [REST] * len(self._c)
        causes[LABEL] = BY_LABEL if labelled else REST
        causes[PLEASURE] = BY_PLEASURE if Cpos else REST
        causes[PAIN] = BY_PAIN if Cneg else REST
        for place in range(3, len(self._c)) if INSTINCTS else ():
            rule = self.arch.datamatrix[DOMINANT, self._c[place]]
            if not callable(rule):
                raise ValueError(
                    f"instinct neuron {self._c[place]} has no rule; give it one with "
                    "arch.set_instinct(neuron, rule)"
                )
            answer = rule(inputs.copy(), self)  # whether, or (whether, a remark)
            fires = answer[0] if isinstance(answer, list | tuple) else answer
            causes[place] = BY_INSTINCT if fires else REST
        return causes

    def _append(self, state: np.ndarray, why: np.ndarray) -> None:
        self._story.append(state[:, None])
        self._metastory.append(why[:, None])


def bits_of(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """`values` as uint8 of this shape, each 0 or 1."""
    expected = f"{name}: {' x '.join(map(str, shape))} values of 0 or 1 were expected, got"
    try:
        array = np.asarray(values)
    except ValueError:  # rows of unequal length
        array = np.empty(0, dtype=object)
    if array.shape != shape:
        raise ValueError(f"{expected} shape {array.shape}")
    bits = array.astype(np.uint8)
    if not ((bits == array) & (bits <= 1)).all():
        raise ValueError(f"{expected} others among them")
    return bits


def _refuse(unknown: dict[str, Any]) -> None:
    used = [name for name, value in unknown.items() if value]
    if used:
        raise TypeError(
            f"this engine has no {', '.join(used)}: it learns by storing and fires by DD, "
            "Hamming and Default alone"
        )
