"""A script's `main` in this process, where nothing is imported again, and in one of its own."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from unittest import mock

from tests_paths import ROOT

from recbench.command_line import run


def run_here(module: ModuleType, *words: object, cwd: Path | str = ".") -> tuple[int, str, str]:
    """Status, standard output and errors of the script with the flags `words`."""
    out, errors = io.StringIO(), io.StringIO()
    argv = [f"{module.__name__}.py", *map(str, words)]
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
        mock.patch.object(sys, "argv", argv),
        mock.patch.dict(os.environ, {"COLUMNS": "200"}),
    ):
        try:
            run(module.main, module.Parameters)
        except SystemExit as end:
            status = int(end.code or 0)
    gc.collect()  # the run's folder is not locked any longer
    return status, out.getvalue(), errors.getvalue()


def own_model(fit="pass", predict="pass", head="", name="Model"):
    """The text of a file with a recommender; `fit` and `predict` are begun with these lines, which
    are lines 5 and 8 without a `head` of the class."""
    return (
        f"import os, signal, sys, time\nimport numpy as np\nclass {name}:\n{head}"
        f"    def fit(self, train, movies):\n        {fit}\n        return self\n"
        f"    def predict(self, user, movie):\n        {predict}\n"
        "        return np.full(len(user), 3.0)\n"
    )


def script(*words: object, cwd: Path | str = ROOT, **environment: str):
    """What `python WORDS` returns and prints, from the folder `cwd`."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "200", "PYTHONPATH": ""} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
