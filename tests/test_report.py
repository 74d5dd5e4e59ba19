"""Tables of documents out of the files of runs."""

import numpy as np
import pandas as pd
import pytest

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
    differences = [
        (100, *about, -0.2, -0.05, 0.001, 0.002, 0.7, 0.6, 0.79, 90),
        (0, *about, -0.3, 0.01, 0.2, 0.2, 0.6, 0.5, 0.69, 90),
    ]
    columns = ["num_users", "reviews_per_user", "score", "model", "reference_role", "reference"]
    columns += ["difference", "low", "high", "p", "p_holm", "better_share"]
    columns += ["better_low", "better_high", "users"]
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
def test_of_a_score_of_which_more_is_better_the_highest_is_bold(run, score):
    for name in ("comparison.csv", "significance.csv"):
        file = run / "run" / name
        file.write_text(file.read_text().replace("rmse", score))
    written = with_tables(f"<!-- scores run {score} -->\n<!-- end -->", run)
    assert "| `a` | 0.950 ±0.071 - | 0.950 ±0.071 |" in written
    assert "| `b *` | **1.050 ±0.071** | **1.050 ±0.071** |" in written
    differences = with_tables(f"<!-- differences run {score} -->\n<!-- end -->", run)
    assert f"| {score}: difference [95 %] |" in differences
    assert len(differences.splitlines()) == 6


def test_differences_carry_their_interval(run):
    written = with_tables("<!-- differences run rmse -->\n<!-- end -->", run)
    row = "| 100 × 25 | `a` | `b` | -0.100 [-0.200, -0.050] | 0.0020 | 70 % [60, 79] | 90 |"
    assert row in written


def test_claims_of_one_against_some(run):
    table = pd.read_csv(run / "run" / "significance.csv").drop(columns="reference_role")
    table.assign(percent=-12.5).to_csv(run / "run" / "claims.csv", index=False)
    written = with_tables("<!-- claims run rmse a b,c -->\n<!-- end -->", run)
    assert written.splitlines()[1:-1] == [
        "| `a` against | 100 × 25 | all × 25 |",
        "|---|---|---|",
        "| `b` | **-0.100** [-0.200, -0.050] -12.5 % | -0.100 [-0.300, +0.010] -12.5 % |",
        "| `c` |  |  |",
    ]


def test_columns_of_a_csv(run):
    pd.DataFrame({"a": [1, 20_000], "b": [0.12345, np.nan], "c": ["x", "y"]}).to_csv(
        run / "some.csv", index=False
    )
    written = with_tables("<!-- csv some.csv a,b -->\n<!-- end -->", run)
    assert written.splitlines()[1:-1] == ["| a | b |", "|---|---|", "| 1 | 0.123 |"]
    some = with_tables("<!-- csv some.csv a,c c=y -->\n<!-- end -->", run)
    assert some.splitlines()[1:-1] == ["| a | c |", "|---|---|", "| 20,000 | y |"]
    whole = with_tables("<!-- csv some.csv -->\n<!-- end -->", run)
    assert "| 20,000 |  | y |" in whole


def test_a_column_of_a_csv_by_two_others(run):
    rows = [("x", 1, "a", 0.5), ("x", 1, "b", 0.25), ("y", 2, "a", 0.125)]
    pd.DataFrame(rows, columns=["p", "q", "model", "v"]).to_csv(run / "some.csv", index=False)
    written = with_tables("<!-- crosstab some.csv p,q model v -->\n<!-- end -->", run)
    assert written.splitlines()[1:-1] == [
        "| p | q | a | b |",
        "|---|---|---|---|",
        "| x | 1 | 0.500 | 0.250 |",
        "| y | 2 | 0.125 |  |",
    ]


def test_a_missing_file_is_named(run):
    with pytest.raises(InputError, match=r"nowhere\.csv"):
        with_tables("<!-- csv nowhere.csv -->\n<!-- end -->", run)


@pytest.fixture
def claimed(run):
    """Beside the run: claims, and a folder of costs."""
    keys = ["num_users", "reviews_per_user", "score", "model", "reference"]
    columns = [*keys, "difference", "percent", "low", "high", "p", "two_way_low", "two_way_high"]
    rows = [
        (10, 25, "rmse", "a", "b", -0.10, -1.25, -0.2, -0.05, 0.010, -0.3, -0.01),
        (20, 25, "rmse", "a", "b", -0.10, -1.00, -0.2, -0.05, 0.011, -0.3, 0.01),
        (30, 25, "rmse", "a", "b", 0.02, 0.40, -0.1, 0.05, 0.300, -0.1, 0.1),
        (10, 25, "accuracy_mean", "a", "b", 0.10, np.nan, 0.05, 0.2, 0.001, np.nan, np.nan),
    ]
    pd.DataFrame(rows, columns=columns).to_csv(run / "run" / "claims.csv", index=False)
    costs = {
        "model": ["a", "b"],
        "learns_from": ["the user", "all users"],
        "one_more_rating": ["learned", "everything refitted"],
        "one_more_rating_seconds": [5.2e-6, 2.34],
        "bytes_per_user": [904.2, 123_456.0],
    }
    (run / "costs").mkdir()
    pd.DataFrame(costs).to_csv(run / "costs" / "models.csv", index=False)
    return run


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("count run rmse a b better", "2 of 3"),
        ("count run rmse a b worse", "1 of 3"),
        ("count run rmse a b significantly_better", "2 of 3"),  # .030 and .022 -> .030
        ("count run rmse a b significantly_worse", "0 of 3"),
        ("count run rmse a b two_way_better", "1 of 3"),
        ("count run accuracy_mean a b significantly_better", "1 of 1"),
        ("percent run a b", "−1.2 to +0.4 %"),
        ("value costs/models.csv bytes_per_user 0 model=b", "123,456"),
        ("value run/comparison.csv rmse 3 model=a iteration=1", "0.900"),
    ],
)
def test_figures_within_a_line(claimed, mark, text):
    written = with_tables(f"in <!-- {mark} -->old<!-- end --> cells", claimed)
    assert written == f"in <!-- {mark} -->{text}<!-- end --> cells"


def test_significant_is_what_stands_the_correction_for_all_that_the_document_claims(claimed):
    """Alone, a p of .010 and one of .011 stand Holm's correction; beside four others they do not,
    and what is claimed twice counts once."""
    mark = "<!-- count run rmse a b significantly_better -->{}<!-- end -->"
    assert with_tables(mark.format(""), claimed) == mark.format("2 of 3")
    others = [(f"c{k}", 0.5) for k in range(4)]
    rows = pd.read_csv(claimed / "run" / "claims.csv")
    more = [rows.iloc[[2]].assign(model=name, p=p) for name, p in others]
    pd.concat([rows, *more]).to_csv(claimed / "run" / "claims.csv", index=False)
    twice = mark.format("") * 2
    assert with_tables(twice, claimed) == mark.format("2 of 3") * 2
    beside = "".join(f"<!-- claims run rmse {name} b -->\n<!-- end -->\n" for name, _ in others)
    assert with_tables(mark.format("") + beside, claimed).startswith(mark.format("0 of 3"))
    table = with_tables(beside + "<!-- claims run rmse a b -->\n<!-- end -->\n", claimed)
    assert "**-0.100**" not in table
    (claimed / "other.md").write_text(beside)  # a page of the same family
    family = "<!-- family other.md --><!-- end -->"
    assert with_tables(mark.format("") + family, claimed) == mark.format("0 of 3") + family


def test_the_leaderboard_is_ordered_by_its_second_cell(claimed):
    written = with_tables(
        "<!-- leaderboard run costs 100x25 0x25 b,a -->\n<!-- end -->", claimed
    ).splitlines()
    assert written[3:5] == [
        "| `a` | the user | **0.950** | **0.950** | 904 B; 5.2 µs, learned |",
        "| `b *` | all users | 1.050 | 1.050 | 123 kB; 2.3 s, everything refitted |",
    ]


def test_costs_stand_beside_their_alternative(run):
    columns = ["part", "what", "value", "unit", "against", "against_value", "ratio"]
    rows = [("x", "fast", 0.5, "s", "slow", 2.0, 4.0), ("y", "other", 1, "s", None, None, None)]
    rows += [("x", "alone", 0.95, None, None, None, None)]
    pd.DataFrame(rows, columns=columns).to_csv(run / "speed.csv", index=False)
    written = with_tables("<!-- costs speed.csv x -->\n<!-- end -->", run)
    assert written.splitlines()[3:-1] == [
        "| fast | 0.5 s | slow: 2 | 4 × |",
        "| alone | 0.95 |  |  |",
    ]


def test_a_picture_is_drawn_and_shown(run):
    rows = pd.read_csv(run / "run" / "comparison.csv").assign(status="ok", dataset="d")
    rows.to_csv(run / "run" / "comparison.csv", index=False)
    mark = "<!-- plot run a,b picture.svg -->\n<!-- end -->"
    assert "](picture.svg)" in with_tables(mark, run)
    assert pictures(mark, run) == [run / "picture.png", run / "picture.svg"]
    assert "<svg" in (run / "picture.svg").read_text()


def test_an_unknown_mark_is_named(run):
    with pytest.raises(InputError, match="no such mark"):
        with_tables("<!-- scroes run rmse -->\n<!-- end -->", run)


def test_a_family_is_that_of_all_its_pages_whichever_is_written(claimed):
    for name, other in (("one", "two"), ("two", "three"), ("three", "one")):
        mark = f"<!-- family {other}.md --><!-- end -->"
        (claimed / f"{name}.md").write_text(f"{mark}\n<!-- claims run rmse a b -->\n<!-- end -->")
    accuracy = "<!-- count run accuracy_mean a b significantly_better --><!-- end -->"
    (claimed / "three.md").write_text((claimed / "three.md").read_text() + accuracy)
    tables = [with_tables((claimed / f"{name}.md").read_text(), claimed) for name in ("one", "two")]
    assert tables[0].splitlines()[1:] == tables[1].splitlines()[1:]
    assert "**-0.100** [-0.200, -0.050] -1.2 %" in tables[0]
    rows = pd.read_csv(claimed / "run" / "comparison.csv")
    rows.assign(dataset="x").to_csv(claimed / "run" / "comparison.csv", index=False)
    written = with_tables("<!-- verdicts run a:b -->\n<!-- end -->", claimed)
    assert "better in 2 of 3 (significantly 2, two-way 1), significantly worse in 0;" in written
