"""Reading the folder of a run: what is wrong with it is said in one line."""

import json

import pytest
from made_runs import make_grid

from recbench.errors import InputError
from recbench.report.html.run_files import GRID, REPLAY, read_run


def test_a_grid_and_a_replay(grid_folder, replay_folder):
    grid, replay = read_run(grid_folder), read_run(replay_folder)
    assert (grid.kind, replay.kind) == (GRID, REPLAY)
    assert grid.models == ["near", "middle", "far", "broken"]
    assert set(grid.done["model"]) == {"near", "middle", "far"}
    assert replay.models == ["first@never", "second@x1.5", "third@1d"]
    assert grid.tables["claims.csv"].empty
    assert len(grid.differences) == len(grid.tables["significance.csv"])


def test_names_that_pandas_would_read_as_nothing_stay_names(tmp_path):
    run = read_run(make_grid(tmp_path / "run", offsets={"NA": 0.1, "null": 0.5}, reference="NA"))
    assert run.models == ["NA", "null"]
    assert set(run.differences["reference"]) == {"NA"}


def edited(change):
    """comparison.csv with its text changed."""
    return lambda run: (run / GRID).write_text(change((run / GRID).read_text()))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda run: run.rename(run.parent / "elsewhere"), "is no folder"),
        (lambda run: (run / "run.json").unlink(), "has no run.json"),
        (lambda run: (run / "run.json").write_text("{"), "run.json: is damaged"),
        (lambda run: (run / "run.json").write_text("[]"), "run.json: is damaged"),
        (lambda run: (run / GRID).unlink(), "has neither comparison.csv nor"),
        (lambda run: (run / GRID).write_bytes(b"\xff\xfe\x00"), "comparison.csv: is damaged"),
        (lambda run: (run / GRID).write_text(""), "comparison.csv: has no row"),
        (lambda run: (run / GRID).write_text("a,b\n1,2\n"), "has no column num_users, rev"),
        (lambda run: (run / "significance.csv").write_text('"x\n'), "significance.csv: is damaged"),
        (edited(lambda text: text.replace("0.8,60", "0.8,many", 1)), "line 2: num_users is 'many'"),
        (edited(lambda text: text + text.split("\n", 1)[1]), "several rows of one num_users"),
        *((edited(lambda text, n=n: text[:-n]), r"\.csv: is damaged") for n in (5, 50, 120)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_message(run_folder, harm, message):
    harm(run_folder)
    with pytest.raises(InputError, match=message) as raised:
        read_run(run_folder)
    assert "\n" not in str(raised.value)
    assert str(run_folder) in str(raised.value)


def test_a_run_that_was_stopped_says_how_to_go_on(run_folder):
    metadata = json.loads((run_folder / "run.json").read_text())
    (run_folder / "run.json").write_text(json.dumps(metadata | {"status": "running"}))
    with pytest.raises(InputError, match=r"was stopped.*python compare_all\.py --resume"):
        read_run(run_folder)
    (run_folder / "segments.csv").write_text("name\n")
    with pytest.raises(InputError, match=r"python continual\.py --resume"):
        read_run(run_folder)


def test_a_folder_of_runs_names_them(run_folder):
    with pytest.raises(InputError, match="There are runs in it: run"):
        read_run(run_folder.parent)
