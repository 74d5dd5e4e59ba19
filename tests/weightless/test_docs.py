"""What docs/weightless.md says is so."""

import re
from pathlib import Path

import numpy as np

from weightless import reference

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "weightless.md").read_text()


def test_its_code_runs():
    blocks = re.findall(r"```python\n(.*?)```", TEXT, flags=re.S)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert names["agent"].next_state(names["movies"][7], unsequenced=True).sum() == 8
    assert len(blocks) >= 3


def test_its_first_table_answers_as_it_says():
    rows = re.findall(r"^\| ([01]) \| ([01]) \| ([01]) \| ([01]) \|$", TEXT, flags=re.M)
    table = np.array(rows, np.uint8)
    patterns, answers = table[:, :3], table[:, 3]
    assert [reference.weight(bit, answers) for bit in patterns.T] == [65_536, 0, 0]
    horror_comedy = np.array([1, 1, 0], np.uint8)
    distances = [reference.hamming_distance(pattern, horror_comedy) for pattern in patterns]
    assert distances[:3] == [1, 1, 1]
    assert reference.agreed(distances, answers) is None
    assert reference.fire(patterns, answers, horror_comedy, coin=1) == (0, "DD")
