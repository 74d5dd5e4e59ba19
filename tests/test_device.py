"""Where PyTorch computes."""

from __future__ import annotations

import pytest
import torch

from recbench.errors import InputError
from recbench.threads import choose_device


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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")
def test_where_there_is_a_gpu_it_is_taken():
    assert choose_device("auto") == "cuda"
    assert choose_device("cpu") == "cpu"


def test_it_computes_on_one_thread():
    torch.set_num_threads(2)
    choose_device("cpu")
    assert torch.get_num_threads() == 1
