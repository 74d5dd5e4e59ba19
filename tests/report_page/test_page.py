"""The file: what is in it, that nothing in it runs or loads but its own script, how large it is."""

import base64
import gzip
import hashlib
import html
import json
import re
import shutil

import pandas as pd
import pytest
from in_process import script
from made_runs import EVIL, EVIL_NAME

from recbench.errors import InputError
from recbench.report.__main__ import Parameters, main
from recbench.report.html.page import embedded, render
from recbench.report.html.run_files import read_run
from recbench.report.html.run_report import page_of, write_report
from recbench.report.style import shown_at_first


def rendered(folder):
    return render(page_of(read_run(folder)))


def data_of(page):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1]
    )


def without_library(page):
    return re.sub(r'(<script type="text/plain" id="library">).*?(</script>)', r"\1\2", page)


def test_text_of_files_is_escaped_everywhere(evil_folder):
    page = without_library(rendered(evil_folder))
    assert "<script>window" not in page
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>") == 3
    assert html.escape(EVIL).replace("&#x27;", "&#39;") in page
    data = data_of(page)
    assert EVIL_NAME in [look["name"] for look in data["models"]]
    assert EVIL in [row["error"] for row in data["tables"]["left-out"]["rows"]]


@pytest.mark.parametrize("text", ["</script>", "<!--", "]]>", "\u2028\u2029", "&lt;", '"\\', "é"])
def test_json_in_a_script_element_ends_nothing_and_says_the_same(text):
    made = embedded({"a": [text, None, 0.1]})
    assert not set("<>&\u2028\u2029") & set(made)
    assert json.loads(made) == {"a": [text, None, 0.1]}


def test_the_library_is_whole_and_the_policy_names_the_scripts_alone(grid_folder):
    page = rendered(grid_folder)
    assert page == rendered(grid_folder)
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


def test_figures_and_tables_are_what_the_files_say(grid_folder):
    page = page_of(read_run(grid_folder))
    data = data_of(render(page))
    looks = {look["name"]: look for look in data["models"]}
    assert list(looks) == ["near", "middle", "far", "broken"]
    assert looks["far"]["light"] == page.looks["far"]["color"]
    assert len({look["light"] for look in looks.values()}) == 4
    failed = [row for row in data["tables"]["comparison"]["rows"] if row["rmse"] is None]
    assert [row["model"] for row in failed] == ["broken"] * 4
    rows = pd.read_csv(grid_folder / "comparison.csv").query("status == 'ok' and num_users == 0")
    mean = rows.groupby("model")["rmse"].mean()
    drawn = pd.DataFrame(data["tables"]["error-by-ratings"]["rows"])
    drawn = drawn.query("score == 'rmse' and num_users == 0").set_index("model")["mean"]
    assert drawn.to_dict() == pytest.approx(mean.to_dict())
    assert data["figures"]["error_by_ratings"]["rows"] is None  # it draws this table
    key = ["num_users", "score", "reference_role", "model"]
    differences = pd.read_csv(grid_folder / "significance.csv").set_index(key)
    forest = pd.DataFrame(data["tables"]["differences"]["rows"]).set_index(key)
    pd.testing.assert_series_equal(
        forest["difference"].sort_index(), differences["difference"].sort_index()
    )
    assert (forest["_open"] == ~(forest["p_holm"] < 0.05)).all()
    assert (forest["p_holm"].notna() == (forest.index.get_level_values("score") == "rmse")).all()


def test_of_many_recommenders_the_best_are_shown_and_the_reference():
    names = [f"m{k}" for k in range(20)]
    done = pd.DataFrame({"model": names, "rmse": [1 + (7 * k % 20) / 20 for k in range(20)]})
    shown = shown_at_first(names, done, ["m17"])
    best = set(done.sort_values("rmse")["model"].head(10))
    assert shown == [name for name in names if name in best | {"m17"}]
    assert shown_at_first(names[:14], done, []) == names[:14]


def test_sections_that_a_run_cannot_fill_are_left_out_and_named(grid_folder, run_folder):
    page = rendered(grid_folder)
    assert 'id="users"' in page
    assert "no memory" in page
    (run_folder / "predictions.parquet").unlink()
    page = rendered(run_folder)
    assert 'id="users"' not in page
    assert "there is no predictions.parquet" in page
    assert "Ranking of all movies was not measured" in page


def test_a_report_is_the_page_and_the_figures(run_folder, failed_folder):
    folder = run_folder
    assert "all 4 failed" in write_report(failed_folder).read_text()
    write_report(folder)
    for name in ("error_by_ratings", "differences", "error_by_cost"):
        assert (folder / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / "plots" / "users.svg").read_text()
    assert not list(folder.glob("*.part"))


@pytest.mark.slow
def test_from_the_command_line(two, tmp_path, replay_folder, capsys):
    runs = tuple(map(str, two))
    done = script("-m", "recbench.report", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {tmp_path / 'nowhere'}: is no folder. ")
    replay = shutil.copytree(replay_folder, tmp_path / "replay")
    assert main(Parameters(runs=(str(replay),))) == 0
    assert capsys.readouterr().out == f"{replay / 'report.html'}\n"
    assert (replay / "plots" / "learning_curves.svg").exists()
    assert main(Parameters(runs=runs)) == 0
    assert (two[1] / "changes-from-a.html").exists()
    with pytest.raises(InputError, match="Expected one, or two"):
        main(Parameters(runs=(*runs, *runs)))
    with pytest.raises(InputError, match="name no folder with it"):
        main(Parameters(runs=runs[:1], check=True))
