"""What README and docs tell a newcomer is so."""

import os
import re
import subprocess
import sys
from itertools import groupby

import pandas as pd
import pytest
from tests_paths import ROOT, SYNTHETIC

from recbench.contract import (
    ContinualRecommender,
    ForgettingRecommender,
    OnlineRecommender,
    learns_from_words,
)
from recbench.registry import RECOMMENDERS, load_recommender
from recbench.report.markdown import with_tables
from recbench.report.terminal import SHORT, picture_of_run

RESULTS = (ROOT / "results" / "README.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OWN_MODEL = (ROOT / "docs" / "your-own-model.md").read_text()
GROUPS = ("main", "continual", "published", "ablation", "tuning", "speed", "reliability")


PERSONAL = (ROOT / "docs" / "personal-model.md").read_text()


def block(name, page=README):
    return re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```\n<!-- end -->", page, re.DOTALL)[1]


def python(*words, cwd=ROOT):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_read_in_two_minutes():
    assert len(README) <= 12_000


def test_ci_calls_the_test_command_and_both_install_the_pins():
    ci = (ROOT / ".ci" / "run").read_text()
    assert "<!-- test -->" in ci
    assert block("test").strip().endswith("-m pytest")
    assert block("compare").strip().endswith("compare_all.py")
    assert "-r requirements.txt" in block("test")
    assert "-r requirements.txt" in block("compare")
    pins = (ROOT / "requirements.txt").read_text().splitlines()
    assert all("==" in pin for pin in pins if pin and not pin.startswith("#"))


@pytest.mark.slow
def test_the_recommender_of_ones_own_runs(tmp_path):
    code = block("own", OWN_MODEL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    (tmp_path / "my_file.py").write_text(code)
    words = ["--dataset", SYNTHETIC, "--num-users", 10, "--reviews-per-user", 20, "--iterations", 1]
    words += ["--models", "my_file:MyModel", "user_mean", "--output-dir", "out"]
    done = python(ROOT / "compare_all.py", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_make_has_every_target_that_a_page_names():
    makefile = (ROOT / "Makefile").read_text()
    pages = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "results" / "README.md"]
    named = {name for page in pages for name in re.findall(r"`make (\w+)`", page.read_text())}
    assert {"check", "report", "faults"} <= named
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    assert named <= targets
    assert set(re.search(r"\.PHONY: (.*)", makefile)[1].split()) == targets


def test_the_readme_has_the_recommender_of_the_docs():
    assert block("own") == block("own", OWN_MODEL)


@pytest.mark.slow
def test_the_holdout_of_the_docs_runs(tmp_path):
    page = (ROOT / "docs" / "evaluation.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    (tmp_path / "my_file.py").write_text(code)
    words = ["--dataset", SYNTHETIC, "--num-users", 10, "--reviews-per-user", 20, "--iterations", 1]
    words += ["--models", "user_mean", "--output-dir", "out", "--holdout", "my_file:FirstFraction"]
    done = python(ROOT / "compare_all.py", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_one_users_view_prints_what_it_says():
    code = block("user", PERSONAL)
    after = PERSONAL.split(code)[1]
    shown = re.search(r"```\n(.*?)```", after.split("<!-- end -->")[1], re.DOTALL)[1]
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown.splitlines()


def test_the_terminal_of_the_readme_is_that_of_the_published_run():
    run, file, command = re.search(r"<!-- terminal (\S+) (\S+) (.*?) -->", README).groups()
    assert command == block("compare").split("&&")[-1].strip()
    picture = (ROOT / file).read_text()
    assert picture == picture_of_run(ROOT / run, command)
    texts = re.findall(r' y="([\d.]+)"[^>]*>([^<]*)</text>', picture)
    lines = [
        [text.replace("&#160;", " ").strip() for _, text in line]
        for _, line in groupby(texts, key=lambda text: text[0])
    ]
    shown = {
        model.removesuffix(" *"): [figure.rstrip("+-") for figure in figures if figure]
        for model, *figures in lines
        if len(figures) > 4
    }
    del shown["recommender"]
    mean = pd.read_csv(ROOT / run / "comparison.csv")
    mean = mean.groupby(["model", "reviews_per_user"])["rmse"].mean()
    assert shown.keys() == set(mean.index.get_level_values("model"))
    for model, (whose, *figures) in shown.items():
        assert whose == SHORT[learns_from_words(load_recommender(model))]
        assert figures == [f"{value:.3f}" for value in mean[model]], model


def test_every_recommender_stands_with_what_it_can_do():
    page = (ROOT / "docs" / "recommenders.md").read_text()
    rows = [row.split(" | ") for row in re.findall(r"^\| (`.*) \|$", page, re.MULTILINE)]
    assert sorted(row[0] for row in rows) == sorted(f"`{name}`" for name in RECOMMENDERS)
    for name, _, source, *can in rows:
        cls = load_recommender(name.strip("`"))
        assert source == learns_from_words(cls), name
        kinds = (OnlineRecommender, ForgettingRecommender, ContinualRecommender)
        assert [text.strip() == "yes" for text in can] == [issubclass(cls, k) for k in kinds], name


def test_every_dependency_is_named():
    dependencies = README.split("**Dependencies**")[1]
    for pin in (ROOT / "requirements.txt").read_text().splitlines():
        if "==" in pin:
            assert pin.split("==")[0] in dependencies, pin


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_and_counts_are_what_the_files_say(page):
    text = page.read_text()
    assert with_tables(text, ROOT) == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_significant_is_said_only_where_it_is_counted(page):
    """Of a comparison only by a mark that counts those whose p, corrected for all of the page, is
    below .05; else a sentence may define the word, or say that something is not."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    text = re.sub(r"(?m)^\|.*\|$", lambda row: row[0] + "\n", text)  # each row a sentence
    for sentence in re.split(r"(?<=[.;?!])\s+(?![^<]*-->)|\n\n|\n(?=[-|#])", text):
        if re.search("significant", sentence, re.IGNORECASE):
            counted = re.search(r"<!-- count [^>]* significantly_(better|worse) -->", sentence)
            defined = re.search(r"Holm|not significant|says \"significant\"|-`: signif", sentence)
            assert counted or defined, sentence


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]*)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_and_folders_named_exist(page):
    folders = "recbench|PerUser|Collaborative|Baselines|weightless|tests|docs"
    for path in re.findall(rf"`((?:{folders})/[A-Za-z_/.-]*\w)`", page.read_text()):
        assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), path
    for module in re.findall(r"python -m (experiments\.\w+)", page.read_text()):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@pytest.mark.slow
def test_every_flag_of_readme_and_docs_exists():
    flags = {"--index-url", "--no-deps"}
    for script in (
        "compare_all.py",
        "continual.py",
        "recommend.py",
        "tune.py",
        "data_prep.py",
        "experiments.speed",
    ):
        module = script.removesuffix(".py").replace("/", ".")
        flags |= set(re.findall(r"--[a-z0-9-]+", python("-m", module, "--help").stdout))
    for experiment in (
        "adaptation",
        "claims",
        "no_population",
        "literature",
        "learned_bits",
        "personal_variants",
    ):
        help_text = python("-m", f"experiments.{experiment}", "--help").stdout
        flags |= set(re.findall(r"--[a-z0-9-]+", help_text))
    flags |= {"--port", "--no-dashboard", "--scheduler-file", "--nworkers", "--nthreads"}  # Dask's
    for command in ("check", "new"):
        help_text = python("-m", "recbench", command, "--help").stdout
        flags |= set(re.findall(r"--[a-z0-9-]+", help_text))
    for page in (*PAGES, ROOT / "results" / "README.md", ROOT / "CONTRIBUTING.md"):
        used = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", page.read_text()))
        assert used <= flags, (page.name, used - flags)


def test_every_folder_of_results_that_is_listed_is_there_and_none_is_not():
    listed = re.findall(r"^\| `([a-z0-9-]+/[a-z0-9-]+)` \|", RESULTS, re.MULTILINE)
    there = [path for group in GROUPS for path in (ROOT / "results" / group).iterdir()]
    assert sorted(listed) == sorted(f"{path.parent.name}/{path.name}" for path in there)
    for name in listed:
        assert list((ROOT / "results" / name).glob("*.csv")), name
        assert (ROOT / "results" / name / "run.json").exists(), name
    tracked = subprocess.run(
        ["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    assert ".parquet" not in tracked, "predictions hold ratings"


def test_results_name_no_path_of_the_machine_they_were_made_on():
    for file in (ROOT / "results").rglob("run.json"):
        assert not re.search(r'"/(work|root|home|tmp)/', file.read_text()), file
