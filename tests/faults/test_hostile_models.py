"""Models that do what they should not: they fail by themselves, the others are as without them."""

from __future__ import annotations

import pandas as pd
import pytest
from child import printed_by, run_child
from in_process import own_model
from runs import SMALL, TIMES, some

pytestmark = pytest.mark.slow

FAILS = {
    "writes to its ratings": own_model(fit="train.stars[:] = 5"),
    "writes to the users": own_model(fit="train.user[:] = 0"),
    "writes to the bits": own_model(fit="movies.bits[:] = 0"),
    "writes to the votes": own_model(fit="movies.vote_average[:] = 0"),
    "writes to the titles": own_model(fit="movies.title[:] = None"),
    "writes to what it is asked": own_model(predict="user[:] = 0"),
    "sorts its ratings in place": own_model(fit="train.time.sort()"),
    "raises": own_model(fit="raise RuntimeError('no')"),
    "exits": own_model(fit="sys.exit()"),
    "exits with 0": own_model(predict="sys.exit(0)"),
    "hangs": own_model(fit="time.sleep(1000)"),
    "computes without end": own_model(predict="\n        while True: pass"),
    "catches all errors": own_model(
        fit="\n        while True:\n            try: time.sleep(1000)\n"
        "            except Exception: pass"
    ),
    "calls itself without end": own_model(fit="self.fit(train, movies)"),
    "predicts seven stars": own_model(predict="return np.full(len(user), 7.0)"),
    "predicts one too many": own_model(predict="return np.full(len(user) + 1, 3.0)"),
    "predicts a table": own_model(predict="return np.full((len(user), 2), 3.0)"),
    "predicts text": own_model(predict="return ['good'] * len(user)"),
    "predicts nothing": own_model(predict="return None"),
    "has no room": own_model(fit="np.empty(10**15)"),
    "asks a question": own_model(fit="input('how many? ')"),
}
HARMLESS = {
    "changes its own copy": own_model(fit="stars = train.stars.copy(); stars[:] = 5"),
    "goes elsewhere": own_model(fit="os.chdir('/')"),
    "prints much": own_model(fit="print('x' * 1_000_000)"),
    "seeds everything": own_model(fit="np.random.seed(0)"),
    "predicts no number": own_model(predict="return np.full(len(user), np.nan)"),
    "predicts integers": own_model(predict="return [3] * len(user)"),
}
NOT_LOADED = {
    "does not parse": ("class Model(:\n", "line 1: SyntaxError"),
    "imports what is not there": ("import no_such_thing\n", "line 1: ModuleNotFoundError"),
    "exits when imported": ("import sys\nsys.exit(3)\n", "line 2: SystemExit"),
    "raises when imported": ("x = 1\ny = 1 / 0\n", "line 2: ZeroDivisionError"),
    "has no such class": ("class Other:\n    pass\n", "has no class 'Model', only Other"),
    "has no methods": ("class Model:\n    pass\n", "lacks fit and predict"),
    "wants an argument": (
        own_model(head="    def __init__(self, rank):\n        pass\n"),
        "missing 1 required positional argument: 'rank'",
    ),
    "fails when made": (
        own_model(head="    def __init__(self):\n        raise OSError('no disk')\n"),
        "my_file.py, line 5: OSError: no disk",
    ),
    "learns from nobody": (own_model(head="    learns_from = 'nobody'\n"), 'Expected "user"'),
}


@pytest.fixture(scope="module")
def without(whole):
    return pd.read_csv(whole[0] / "comparison.csv").drop(columns=TIMES)


def rows_of(more, tmp_path, folder):
    words = [*SMALL, *more, "--model-timeout", 2, "--output-dir", folder]
    status, printed, _ = run_child(words, folder, tmp_path / "out")
    assert "Traceback" not in printed.replace("the tracebacks", "")
    assert (folder / "comparison.csv").exists(), printed[-2000:]
    return pd.read_csv(folder / "comparison.csv").drop(columns=TIMES), status, printed


@pytest.mark.parametrize("what", some([*FAILS, *HARMLESS], 8))
def test_the_others_are_as_without_it(without, tmp_path, what, count):
    file = tmp_path / "my_file.py"
    file.write_text({**FAILS, **HARMLESS}[what])
    rows, status, printed = rows_of([f"{file}:Model"], tmp_path, tmp_path / "run")
    own = rows["model"] == "Model"
    others = rows[~own].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, without, check_dtype=False)
    assert set(rows[own]["status"]) == {"failed" if what in FAILS else "ok"}
    assert status == (1 if what in FAILS else 0)
    if what in FAILS:
        assert "failed: Model (" in printed
    count("hostile models")


@pytest.mark.parametrize("what", list(NOT_LOADED))
def test_a_file_that_cannot_be_used_is_one_message(tmp_path, what, count):
    text, message = NOT_LOADED[what]
    (tmp_path / "my_file.py").write_text(text)
    words = [*SMALL, f"{tmp_path / 'my_file'}:Model", "--output-dir", tmp_path / "run"]
    printed = printed_by(words, tmp_path, expected=2)
    assert message in " ".join(printed.split()), printed
    assert "Traceback" not in printed
    assert not (tmp_path / "run").exists()
    count("hostile models")


@pytest.mark.parametrize("name", ["json.py", "ratings.py", "numpy.py", "recbench.py"])
def test_a_file_called_like_a_module_replaces_none(without, tmp_path, name, count):
    (tmp_path / name).write_text(own_model())
    words = [f"{tmp_path / name}:Model"]
    rows, status, printed = rows_of(words, tmp_path, tmp_path / "run")
    assert status == 0, printed
    others = rows[rows["model"] != "Model"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, without, check_dtype=False)
    count("hostile models")


def test_where_every_model_fails_it_says_so_and_why(tmp_path):
    file = tmp_path / "my_file.py"
    file.write_text(FAILS["raises"])
    words = ["--dataset", SMALL[1], "--num-users", 8, "--reviews-per-user", 10, "--workers", 1]
    words += ["--models", f"{file}:Model", "--output-dir", tmp_path / "run"]
    printed = printed_by(words, tmp_path, expected=1)
    assert "failed: Model (5 results): my_file.py, line 5: RuntimeError: no" in printed
    assert "Traceback" not in printed.replace("the tracebacks", "")
