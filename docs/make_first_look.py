"""Make docs/first-look.ipynb: its cells stand here, what they put out is of a run.

    python docs/make_first_look.py

Ids are numbers and no times are kept, so the same code gives the same file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "docs" / "first-look.ipynb"
MOST_BYTES = 300_000

CELLS = [
    (
        "markdown",
        """
# A first look

What a run leaves behind, how to read it, and how a recommender of your own gets into the next one.
The cells take a minute and need no network. Start it from anywhere inside the project, with the
packages of `requirements.txt`.
""",
    ),
    (
        "code",
        """
import os
import sys
import tempfile
from pathlib import Path

import pandas as pd

%matplotlib inline

here = Path.cwd()
ROOT = next(p for p in (here, *here.parents) if (p / "compare_all.py").exists())
sys.path.insert(0, str(ROOT))
os.environ |= {"ROOT": str(ROOT), "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"}
os.environ.pop("FORCE_COLOR", None)
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.chdir(tempfile.mkdtemp())  # what is written below goes there
pd.set_option("display.width", 100)
""",
    ),
    (
        "markdown",
        """
## A run of `results/main`

A run is a folder. `comparison.csv` has one row for each recommender, cell and iteration; a cell is
so many users with so many ratings each. This run is the default one, on MovieLens 100K: 250 users,
five iterations. RMSE in stars, the mean over iterations, the best first:
""",
    ),
    (
        "code",
        """
folder = ROOT / "results" / "main" / "default"
run = pd.read_csv(folder / "comparison.csv")
run.pivot_table(index="model", columns="reviews_per_user", values="rmse").sort_values(200).round(3)
""",
    ),
    ("markdown", "The same as a picture, of some of them:"),
    (
        "code",
        """
from recbench.report.plots import error_by_ratings

figure = error_by_ratings(run, ["user_mean", "bias", "svd", "ridge", "bayes_fm", "personal"])
figure.set_dpi(70)
figure
""",
    ),
    (
        "markdown",
        """
`significance.csv` says which differences are more than chance: each recommender against a reference
in each cell, by a paired bootstrap over users, `p_holm` corrected for all comparisons of the run.
How many cells of five are significantly better or worse than those of `bayes_fm`:
""",
    ),
    (
        "code",
        """
differences = pd.read_csv(folder / "significance.csv")
to_reference = differences.query("score == 'rmse' and reference == 'bayes_fm'")
certain = to_reference[to_reference["p_holm"] < 0.05]
better = certain["difference"] < 0
pd.DataFrame(
    {
        "better": certain[better].groupby("model").size(),
        "worse": certain[~better].groupby("model").size(),
    }
).reindex(sorted(to_reference["model"].unique())).fillna(0).astype(int)
""",
    ),
    (
        "markdown",
        """
## A recommender of your own

A file with a class that has `fit` and `predict`. This one takes the mean of all ratings and adds
what a film and a user differ from it, each shrunk by five ratings:
""",
    ),
    (
        "code",
        """
%%writefile my_file.py
import numpy as np


class MyModel:
    def fit(self, train, movies):
        self.mean = train.mean_stars()
        self.film = shrunk(train.movie, train.stars - self.mean, len(movies))
        rest = train.stars - self.mean - self.film[train.movie]
        self.user = shrunk(train.user, rest, int(train.user.max(initial=-1)) + 2)
        return self

    def predict(self, user, movie):
        user = np.minimum(user, len(self.user) - 1)  # the last: users it never saw
        stars = self.mean + self.film[movie] + self.user[user]
        return np.clip(stars, 0.5, 5.0).astype(np.float32)


def shrunk(index, residual, length):
    total = np.bincount(index, residual, minlength=length)
    return total / (np.bincount(index, minlength=length) + 5)
""",
    ),
    ("markdown", "Does it keep the contract? A check that fails would name the line of the file."),
    ("code", "%%bash\npython -m recbench check my_file:MyModel --quick"),
    (
        "markdown",
        """
Beside others, on the small made-up set of the tests. Take `--dataset ml-100k` for MovieLens 100K,
and leave the sizes out for the default grid.
""",
    ),
    (
        "code",
        """
%%bash
python $ROOT/compare_all.py --dataset $ROOT/tests/synthetic \\
    --num-users 20 --ratings-per-user 10 20 40 --iterations 3 --workers 1 \\
    --models my_file:MyModel user_mean ridge personal bias --reference bias \\
    --output-dir out > log.txt
ls out
""",
    ),
    (
        "code",
        """
mine = pd.read_csv("out/comparison.csv")
mine.pivot_table(index="model", columns="reviews_per_user", values="rmse").sort_values(40).round(3)
""",
    ),
    (
        "code",
        """
figure = error_by_ratings(mine)
figure.set_dpi(70)
figure
""",
    ),
    (
        "markdown",
        """
Twenty users say little; `significance.csv` of this run says what is more than chance. From here:
[your own model](your-own-model.md) has the whole contract, [how it is evaluated](evaluation.md) the
columns and scores, [results](results.md) what came out on larger sets.
""",
    ),
]


def notebook() -> nbformat.NotebookNode:
    """The cells, not run yet."""
    kinds = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    cells = [
        kinds[kind](text.strip("\n"), id=f"cell-{number}")
        for number, (kind, text) in enumerate(CELLS, start=1)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def executed() -> nbformat.NotebookNode:
    """The cells with what they put out, from a fresh start in docs/.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    made = notebook()
    resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(made, timeout=1200, resources=resources, record_timing=False).execute()
    made.metadata.pop("language_info", None)  # it has the version of Python
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    return made


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Text that came in pieces, as the process happened to write it, in one."""
    found: list[nbformat.NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and found and found[-1].get("name") == output.name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def main() -> None:
    text = nbformat.writes(executed()) + "\n"
    if len(text.encode()) > MOST_BYTES:
        sys.exit(f"error: {len(text.encode()):,} bytes. Expected {MOST_BYTES:,} at most")
    scratch = NOTEBOOK.with_suffix(".part")
    scratch.write_text(text, encoding="utf-8")
    os.replace(scratch, NOTEBOOK)


if __name__ == "__main__":
    main()
