"""The file: what is in it, that nothing in it runs or loads but its own script, how large it is."""

import base64
import gzip
import hashlib
import html
import json
import re
import subprocess
import sys

import pandas as pd
import pytest
from made_runs import make_grid, make_replay
from tests_paths import ROOT

from recbench.errors import InputError
from recbench.report.__main__ import Parameters, main
from recbench.report.html.page import embedded, render
from recbench.report.html.run_files import read_run
from recbench.report.html.run_report import page_of, write_all, write_report
from recbench.report.html.shown import shown_at_first

EVIL_NAME = "<img src=x onerror=window.hacked=1>"
EVIL = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"
RUNS = sorted(file.parent for file in (ROOT / "results" / "main").glob("*/run.json"))
RUNS += [ROOT / "results" / "continual" / name for name in ("ml-100k", "extract")]


def data_of(page):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1]
    )


def without_library(page):
    return re.sub(r'(<script type="text/plain" id="library">).*?(</script>)', r"\1\2", page)


def test_text_of_files_is_escaped_everywhere(tmp_path):
    offsets = {EVIL_NAME: 0.1, "middle": 0.4, "a<b>&amp;": 0.9}
    folder = make_grid(tmp_path / "run", offsets=offsets, dataset=EVIL, failed={"x": EVIL})
    metadata = json.loads((folder / "run.json").read_text())
    metadata["git_commit"], metadata["parameters"][EVIL] = EVIL, [EVIL]
    (folder / "run.json").write_text(json.dumps(metadata))
    page = without_library(render(page_of(read_run(folder))))
    assert "<script>window" not in page
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>") == 3
    assert html.escape(EVIL).replace("&#x27;", "&#39;") in page
    data = data_of(page)
    assert EVIL_NAME in [look["name"] for look in data["models"]]
    assert EVIL in data["sections"]["left-out"]["columns"]["error"]


@pytest.mark.parametrize("text", ["</script>", "<!--", "]]>", "\u2028\u2029", "&lt;", '"\\', "é"])
def test_json_in_a_script_element_ends_nothing_and_says_the_same(text):
    made = embedded({"a": [text, None, 0.1]})
    assert not set("<>&\u2028\u2029") & set(made)
    assert json.loads(made) == {"a": [text, None, 0.1]}


def test_numbers_that_json_does_not_know_are_null(grid_folder):
    data = data_of(render(page_of(read_run(grid_folder))))
    assert data["sections"]["comparison"]["columns"]["rmse"].count(None) == 4  # of those failed


def test_the_library_is_whole_and_the_policy_names_the_scripts_alone(grid_folder):
    page = render(page_of(read_run(grid_folder)))
    packed = re.search(r'id="library">(.*?)</script>', page)[1]
    library = gzip.decompress(base64.b64decode(packed)).decode()
    assert "plotly.js" in library[:200]
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    policy = html.unescape(re.search(r'Content-Security-Policy" content="(.*?)"', page)[1])
    assert "default-src 'none'" in policy
    for text in (script, library):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", without_library(page))


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_every_published_run_has_a_page(folder):
    run = read_run(folder)
    page = render(page_of(run))
    assert len(without_library(page).encode()) < 2_000_000
    assert len(page.encode()) < 4_000_000
    sections = data_of(page)["sections"]
    assert len(sections) >= 4
    drawn = re.findall(r'data-chart="(\w+)" data-section="([\w-]+)"', page)
    assert len(drawn) >= 4
    script = page.rsplit("<script>", 1)[1]
    for chart, section in drawn:
        assert f"CHARTS.{chart} = " in script
        assert section in sections


def test_the_same_run_is_the_same_page(grid_folder):
    assert render(page_of(read_run(grid_folder))) == render(page_of(read_run(grid_folder)))


def test_a_picture_and_the_page_have_one_look_for_each(grid_folder):
    page = page_of(read_run(grid_folder))
    looks = {look["name"]: look for look in data_of(render(page))["models"]}
    assert list(looks) == ["near", "middle", "far", "broken"]
    assert looks["far"]["light"] == page.looks["far"]["color"]
    assert len({look["light"] for look in looks.values()}) == 4
    assert len({look["dark"] for look in looks.values()}) == 4


def test_of_many_recommenders_the_best_are_shown_and_the_reference():
    names = [f"m{k}" for k in range(20)]
    done = pd.DataFrame({"model": names, "rmse": [1 + (7 * k % 20) / 20 for k in range(20)]})
    shown = shown_at_first(names, done, ["m17"])
    best = set(done.sort_values("rmse")["model"].head(10))
    assert shown == [name for name in names if name in best | {"m17"}]
    assert shown_at_first(names[:14], done, []) == names[:14]


def test_sections_that_a_run_cannot_fill_are_said_to_be_left_out(tmp_path):
    folder = make_grid(tmp_path / "run", failed={"broken": "no memory"})
    page = write_report(folder).read_text()
    assert 'id="users"' in page
    assert 'id="for-whom"' in page
    assert "no memory" in page
    (folder / "predictions.parquet").unlink()
    page = write_report(folder).read_text()
    assert 'id="users"' not in page
    assert "there is no predictions.parquet" in page
    assert "Ranking of all movies was not measured" in page


def test_pictures_of_the_sections_are_drawn(tmp_path):
    folder = make_grid(tmp_path / "run")
    write_report(folder)
    for name in ("users", "for_whom", "calibration"):
        assert (folder / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (folder / "plots" / f"{name}.svg").read_text()
    assert not list(folder.glob("*.part"))


def test_a_run_of_which_all_failed_has_a_page(tmp_path):
    folder = make_grid(tmp_path / "run", offsets={}, failed={"broken": "why"}, reference="nobody")
    page = write_report(folder).read_text()
    assert "all 4 failed" in page
    assert "why" in page


def test_results_to_read_are_made_for_a_run_that_has_none(tmp_path):
    folder = make_grid(tmp_path / "run")
    write_all(folder)
    table = pd.read_csv(folder / "results.csv")
    rows = pd.read_csv(folder / "comparison.csv").groupby(["num_users", "model"])["rmse"].mean()
    of_users = table.assign(num_users=table["users"].replace("all", 0).astype(int))
    found = of_users.groupby(["num_users", "model"])["rmse"].mean()
    assert found.to_dict() == pytest.approx(rows.to_dict(), abs=1e-4)
    assert table["rmse_low"].notna().all()
    (folder / "predictions.parquet").unlink()
    write_all(folder)
    assert pd.read_csv(folder / "results.csv").equals(table)  # an interval is not lost
    (folder / "results.csv").unlink()
    write_all(folder)
    assert pd.read_csv(folder / "results.csv")["rmse_low"].isna().all()


@pytest.mark.slow
def test_from_the_command_line(tmp_path):
    first, replay = make_grid(tmp_path / "first"), make_replay(tmp_path / "replay")
    second = make_grid(tmp_path / "second", offsets={"near": 0.3, "middle": 0.4})
    for words, status, shown in (
        ([first], 0, f"{first / 'report.html'}\n"),
        ([first / "plots"], 2, f"error: {first / 'plots'}: has no run.json. "),
    ):
        command = [sys.executable, "-m", "recbench.report", *map(str, words)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert (done.stdout + done.stderr).startswith(shown)
        assert len((done.stdout + done.stderr).splitlines()) == 1
    assert (first / "plots" / "differences.svg").exists()
    assert main(Parameters(runs=(str(replay),))) == 0
    assert (replay / "plots" / "latency.svg").exists()
    assert main(Parameters(runs=(str(first), str(second)))) == 0
    assert (second / "changes-from-first.html").exists()
    with pytest.raises(InputError, match="Expected one, or two"):
        main(Parameters(runs=(str(first),) * 3))
    with pytest.raises(InputError, match="give no folder with it"):
        main(Parameters(runs=(str(first),), check=True))
