"""The sentence of the first screen: its number, and when it says "significant"."""

import pandas as pd
import pytest
from made_runs import make_grid

from recbench.report.html import words
from recbench.report.html.run_files import read_run


def changed(folder, **columns):
    """The run with other columns in each row of significance.csv."""
    file = folder / "significance.csv"
    pd.read_csv(file).assign(**columns).to_csv(file, index=False)
    return read_run(folder)


def test_the_question_is_that_of_the_holdout(run_folder, replay_folder):
    run = read_run(run_folder)
    assert words.question(run) == (
        "How well is a user's next rating predicted from the earlier ones?"
    )
    assert words.subject(run) == (
        "3 recommenders on made-up: 60 × 10; all × all (users × ratings of each), iterations: 2."
    )
    run.main["holdout"] = "my_file:Own"
    assert words.question(run) == "How well are held-out ratings predicted?"
    assert words.question(read_run(replay_folder)).startswith("How well is each rating")


def test_verdicts_are_those_of_the_files(run_folder):
    run = changed(run_folder, difference=-0.1, verdict="undecided")
    mean = run.done[run.done["model"] == "near"].groupby("num_users")["rmse"].mean().mean()
    assert f"near has the lowest error: RMSE {mean:.3f} stars" in words.answer(run)
    users = pd.read_csv(run_folder / "significance.csv")["num_users"]
    run = changed(run_folder, verdict=users.map({0: "level", 60: "undecided"}), difference=0.1)
    assert (
        "beside middle it is level in 1, undecided in 1 of 2 cells (differences of +0.100 to "
        "+0.100 stars)." in words.answer(run)
    )


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        ("better", "it is significantly better, by {} (p = 0.020 after Holm's correction)."),
        ("level", "it is level, at {} (less than .5 % apart, p = 1e−05)."),
        ("undecided", "it is undecided, at {}: neither significant (p = 0.020 after Holm's "),
    ],
)
def test_of_one_cell_the_difference_has_its_interval(run_folder, verdict, text):
    for name in ("comparison.csv", "significance.csv"):
        table = pd.read_csv(run_folder / name)
        table[table["num_users"] == 0].to_csv(run_folder / name, index=False)
    values = {"difference": -0.25, "low": -0.375, "high": -0.125, "verdict": verdict}
    run = changed(run_folder, **values, p_holm=0.02, p_equivalent=1e-5)
    size = f"−0.250 stars [−0.375, −0.125], −{25 / mean_of(run, 'middle'):.1f} %"
    assert text.format(size) in words.answer(run)


def mean_of(run, model):
    return run.done.loc[run.done["model"] == model, "rmse"].mean()


@pytest.mark.parametrize(
    ("offsets", "reference", "text"),
    [
        ({"alone": 0.1}, "nobody", "alone has an RMSE of"),
        ({"one": 0.1, "other": 0.5}, "nobody", "was not tested in this run"),
        ({"one": 0.1, "other": 0.5}, "one", "one has the lowest error"),
        ({"one": 0.1, "other": 0.5}, "one", "the next is other, "),
    ],
)
def test_what_the_best_is_beside(tmp_path, failed_folder, offsets, reference, text):
    folder = make_grid(tmp_path / "run", offsets=offsets, iterations=1, reference=reference)
    assert text in words.answer(read_run(folder))
    answer = words.answer(read_run(failed_folder))
    assert answer == "No recommender has a result: all 4 failed."


def test_of_a_replay(replay_folder):
    run = read_run(replay_folder)
    row = run.main.set_index("model").loc["second@x1.5"]
    text = words.answer(run)
    assert f"second@x1.5 has the lowest error: RMSE {row['rmse']:.3f} stars" in text
    assert f"by {row['percent']:+.1f} %".replace("-", "−") in text
