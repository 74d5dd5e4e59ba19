"""What a run's folder holds at any moment can be read, and gone on with."""

from __future__ import annotations

from recbench.runs.run_folder import RunFolder

ABOUT = {"parameters": {}, "datasets": []}
ROW = {"num_users": 5, "reviews_per_user": 10, "iteration": 1, "model": "a", "status": "ok"}


def test_a_run_stopped_before_its_first_row_goes_on(tmp_path):
    """A cell in parts has results before it has rows."""
    run = RunFolder.create(tmp_path / "run", dict(ABOUT))
    run.add()
    run._lock.release()
    again = RunFolder.resume(tmp_path / "run")
    assert again.rows == []
    again.add(ROW)
    again._lock.release()
    assert RunFolder.resume(tmp_path / "run").rows == [ROW]


def test_the_table_is_written_when_there_is_something_to_add(tmp_path):
    run = RunFolder.create(tmp_path / "run", dict(ABOUT))
    run.add(ROW)
    before = (tmp_path / "run" / "comparison.csv").stat().st_ino
    run.add()
    assert (tmp_path / "run" / "comparison.csv").stat().st_ino == before
    run.add(ROW | {"model": "b"})
    assert (tmp_path / "run" / "comparison.csv").stat().st_ino != before
