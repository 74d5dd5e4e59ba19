"""Where PyTorch computes, and that its digits repeat."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from in_process import run_here
from tests_paths import SYNTHETIC

import compare_all
from recbench.errors import InputError
from recbench.threads import choose_device

NETWORKS = ("torch", "torch_online", "mlp_tuned", "colab", "autorec")


@pytest.mark.parametrize("asked", ["auto", "cpu"])
def test_without_a_gpu_it_is_the_cpu(asked, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device(asked) == "cpu"


def test_a_gpu_that_is_not_there_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"finds none\. Take 'cpu'"):
        choose_device("cuda")
    with pytest.raises(ValueError, match="'tpu'"):
        choose_device("tpu")


def test_it_computes_on_one_thread():
    torch.set_num_threads(2)
    choose_device("cpu")
    assert torch.get_num_threads() == 1


@pytest.mark.slow
def test_the_digits_are_the_same_with_one_and_two_workers(tmp_path):
    """The large cell is divided among workers, the small one is not; whoever is in a batch with a
    user differs."""
    words = ["--dataset", SYNTHETIC, "--cells", "40x10", "0x0", "--iterations", 1]
    words += ["--users-per-task", 17, "--models", *NETWORKS, "user_mean"]
    tables = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        status, _, errors = run_here(
            compare_all, *words, "--workers", workers, "--output-dir", folder
        )
        assert status == 0, errors
        tables.append(pd.read_csv(folder / "comparison.csv"))
    assert (tables[0]["status"] == "ok").all()
    times = [column for column in tables[0] if column.endswith("_seconds")]
    one, two = (table.drop(columns=times) for table in tables)
    pd.testing.assert_frame_equal(one, two, check_exact=True)
