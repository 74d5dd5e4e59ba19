"""Tables of documents out of the files of runs."""

import numpy as np
import pandas as pd
import pytest
from made_runs import make_grid

from recbench.errors import InputError
from recbench.report.markdown import pictures, with_tables


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    rows = [
        (model, users, 25, iteration, rmse + 0.1 * iteration, "never" if model == "b" else "x")
        for model, rmse in (("a", 0.8), ("b", 0.9))
        for users in (100, 0)
        for iteration in (1, 2)
    ]
    columns = ["model", "num_users", "reviews_per_user", "iteration", "rmse", "tuned"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "comparison.csv", index=False)
    about = (25, "rmse", "a", "best collaborative", "b", -0.1)
    differences = [  # as of runs before there were verdicts
        (100, *about, -0.2, -0.05, 0.001, 0.002),
        (0, *about, -0.3, 0.01, 0.2, 0.2),
    ]
    columns = ["num_users", "reviews_per_user", "score", "model", "reference_role", "reference"]
    columns += ["difference", "low", "high", "p", "p_holm"]
    pd.DataFrame(differences, columns=columns).to_csv(folder / "significance.csv", index=False)
    return tmp_path


def test_scores_are_written_between_the_marks(run):
    text = "before\n<!-- scores run rmse -->\nstale\n<!-- end -->\nafter"
    written = with_tables(text, run)
    assert written == (
        "before\n<!-- scores run rmse -->\n"
        "| recommender | 100 × 25 | all × 25 |\n|---|---|---|\n"
        "| `a` | **0.950 ±0.071** + | **0.950 ±0.071** |\n"
        "| `b *` | 1.050 ±0.071 | 1.050 ±0.071 |\n"
        "| reference | `b` | `b` |\n"
        "<!-- end -->\nafter"
    )
    assert with_tables(written, run) == written


@pytest.mark.parametrize("score", ["auc_like", "ranking_ndcg_at_10"])
def test_other_scores_have_no_marks_and_where_more_is_better_the_highest_is_bold(run, score):
    for name in ("comparison.csv", "significance.csv"):
        file = run / "run" / name
        file.write_text(file.read_text().replace("rmse", score))
    rows = pd.read_csv(run / "run" / "comparison.csv").assign(rmse=1.0)
    rows.to_csv(run / "run" / "comparison.csv", index=False)
    written = with_tables(f"<!-- scores run {score} -->\n<!-- end -->", run)
    assert written.splitlines()[3:-1] == [
        "| `a` | 0.950 ±0.071 | 0.950 ±0.071 |",
        "| `b *` | **1.050 ±0.071** | **1.050 ±0.071** |",
    ]


def test_columns_of_a_csv(run):
    pd.DataFrame({"a": [1, 20_000], "b": [0.12345, np.nan], "c": ["x", "y"]}).to_csv(
        run / "some.csv", index=False
    )
    written = with_tables("<!-- csv some.csv a,b -->\n<!-- end -->", run)
    assert written.splitlines()[1:-1] == ["| a | b |", "|---|---|", "| 1 | 0.123 |"]
    some = with_tables("<!-- csv some.csv a,c c=y -->\n<!-- end -->", run)
    assert some.splitlines()[1:-1] == ["| a | c |", "|---|---|", "| 20,000 | y |"]
    whole = with_tables("<!-- csv some.csv * -->\n<!-- end -->", run)
    assert "| 20,000 |  | y |" in whole


@pytest.mark.parametrize("mark", ["csv nowhere.csv", "scroes run rmse", "value some.csv a 1 b=2"])
def test_a_missing_file_a_wrong_mark_and_no_row_are_named(run, mark):
    pd.DataFrame({"a": [1], "b": [1]}).to_csv(run / "some.csv", index=False)
    with pytest.raises(InputError, match=r"nowhere\.csv|no such mark|no row with b=2"):
        with_tables(f"<!-- {mark} -->\n<!-- end -->", run)


@pytest.fixture
def claimed(run):
    """Beside the run: claims against its reference b and another one."""
    keys = ["num_users", "reviews_per_user", "score", "model", "reference"]
    columns = [*keys, "difference", "percent", "low", "high", "p", "two_way_low", "two_way_high"]
    rows = [
        (10, 25, "rmse", "a", "b", -0.10, -1.25, -0.2, -0.05, 0.010, -0.3, -0.01),
        (20, 25, "rmse", "a", "b", -0.001, -0.1, -0.002, 0.001, 0.011, -0.3, 0.01),
        (30, 25, "rmse", "a", "b", 0.02, 0.40, -0.1, 0.05, 0.300, -0.1, 0.1),
        (10, 25, "rmse", "a", "c", -0.10, -1.25, -0.2, -0.05, 0.001, -0.3, -0.01),
        (20, 25, "rmse", "a", "c", 0.10, 1.0, 0.05, 0.2, 0.001, -0.3, 0.3),
    ]
    claims = pd.DataFrame(rows, columns=columns)
    claims.to_csv(run / "run" / "claims.csv", index=False)
    family = claims[claims["reference"] == "b"].assign(reference_role="named beforehand")
    family = family.assign(p_holm=[0.03, 0.3, 0.3])
    family.to_csv(run / "run" / "significance.csv", index=False)
    done = pd.read_csv(run / "run" / "comparison.csv")
    more = [done.assign(num_users=users, rmse=0.8) for users in (10, 20, 30)]
    pd.concat([done, *more]).assign(dataset="x", n_test=123_456).to_csv(
        run / "run" / "comparison.csv", index=False
    )
    return run


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("percent run a b", "−1.2 to +0.4 %"),
        ("value run/comparison.csv n_test 0 model=b", "123,456"),
        ("value run/comparison.csv rmse 3 model=a num_users=100 iteration=1", "0.900"),
    ],
)
def test_figures_within_a_line(claimed, mark, text):
    written = with_tables(f"in <!-- {mark} -->old<!-- end --> cells", claimed)
    assert written == f"in <!-- {mark} -->{text}<!-- end --> cells"


def test_a_table_more_changes_no_other_figure(claimed):
    """Neither another comparison on the page nor one more in claims.csv."""
    page = "\n<!-- claims run rmse a b -->\n<!-- end -->\n<!-- scores run rmse -->\n<!-- end -->\n"
    alone = with_tables(page, claimed)
    assert alone.splitlines()[2:5] == [
        "| `a` against | 10 × 25 | 20 × 25 | 30 × 25 |",
        "|---|---|---|---|",
        "| `b` | **-0.100** [-0.200, -0.050] -1.2 % | -0.001 [-0.002, +0.001] -0.1 % | +0.020 "
        "[-0.100, +0.050] +0.4 % |",
    ]
    others = "".join(f"<!-- claims run rmse a c{k} -->\n<!-- end -->\n" for k in range(40))
    rows = pd.read_csv(claimed / "run" / "claims.csv")
    more = [rows.assign(reference=f"c{k}", p=0.5) for k in range(40)]
    pd.concat([rows, *more]).to_csv(claimed / "run" / "claims.csv", index=False)
    assert with_tables(others + page, claimed).endswith(alone)
    assert with_tables(page + others, claimed).startswith(alone)


def test_the_comparisons_of_a_hypothesis(tmp_path):
    rows = [
        ("H1", "x", "a", "b", -0.01, -1.0, -0.02, 0.001, False),
        ("H1", "y", "a", "b", -0.01, -2.0, -0.02, -0.005, True),
        ("H1", "z", "a", "b", *[np.nan] * 5),
        ("H2", "x", "a", "c", 0.044, np.nan, 0.034, 0.054, True),  # of a ranking
    ]
    columns = ["hypothesis", "run", "model", "reference"]
    columns += ["difference", "percent", "low", "high", "holds"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "some.csv", index=False)
    written = with_tables("<!-- hypothesis some.csv H1 -->\n<!-- end -->", tmp_path).splitlines()
    assert written[1:4:2] == [
        "| difference | x | y | z |",
        "| `a` against `b` | -1.0 % [-2.0, +0.1] | **-2.0 % [-4.0, -1.0]** |  |",
    ]
    one = with_tables("<!-- difference some.csv hypothesis=H2 --><!-- end -->", tmp_path)
    assert ">+0.044 [+0.034, +0.054]<" in one


@pytest.fixture
def whole(run):
    """The run with a cell of all ratings of all users; costs."""
    for name in ("comparison.csv", "significance.csv"):
        table = pd.read_csv(run / "run" / name).replace({"reviews_per_user": {25: 0}})
        table.assign(dataset="x", holdout="last").to_csv(run / "run" / name, index=False)
    costs = {
        "model": ["item table", "codes", "a", "b"],
        "learns_from": [None, None, "the user", "all users"],
        "ratings": [0, 0, 20, 20],
        "learns": [None, None, "one rating", "all users"],
        "learn_us": [None, None, 5.2, 2.34e6],
        "fit_seconds": [14.2, 0.3, 0, 2.3],
        "bytes_state": [None, None, 904.2, 1_234.0],
        "bytes_held": [None, None, 1_500.0, None],
        "bytes_shared": [250_000, 20_000, None, 123_456],
    }
    (run / "costs").mkdir()
    pd.DataFrame(costs).to_csv(run / "costs" / "cost.csv", index=False)
    return run


def test_errors_of_all_users_with_all_their_ratings(whole):
    written = with_tables("<!-- errors run b,a -->\n<!-- end -->", whole).splitlines()
    assert written[1:5] == [
        "| recommender | x, last |",
        "|---|---|",
        "| `b` | 1.050 |",
        "| `a` | 0.950, -9.5 % [-28.6, +1.0] |",
    ]
    file = whole / "run" / "significance.csv"
    pd.read_csv(file).assign(p_holm=0.01).to_csv(file, index=False)
    written = with_tables("<!-- errors run a -->\n<!-- end -->", whole)
    assert "| `a` | 0.950, **-9.5 %** [" in written


def test_the_leaderboard_has_two_protocols_and_what_several_share(whole):
    written = with_tables("<!-- leaderboard run run costs 20 b,a -->\n<!-- end -->", whole)
    assert written.splitlines()[3:6] == [
        "| `a` | **0.950** | **0.950** | 904 B, 1,500 B |  | 5.2 µs | update |",
        "| `b *` | 1.050 | 1.050 | 1,234 B | 123 kB | 2.3 s | refit of all |",
        "| *item table* |  |  |  | 250 kB | 14 s | fit |",
    ]


def test_a_picture_is_drawn_and_shown(tmp_path):
    make_grid(tmp_path / "run")
    mark = "<!-- figure run error_by_ratings near,far picture.svg -->\n<!-- end -->"
    assert "](picture.svg)" in with_tables(mark, tmp_path)
    assert pictures(mark, tmp_path) == [tmp_path / "picture.png", tmp_path / "picture.svg"]
    assert "<svg" in (tmp_path / "picture.svg").read_text()
