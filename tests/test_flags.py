"""The flags of each script: read at once, grouped, with the parameters at the top as defaults."""

import contextlib
import re

import pytest
from in_process import run_here, script
from tests_paths import ROOT

from Collaborative import torch_colab
from compare_all import Parameters as Grid
from continual import Parameters as Replay
from PerUser import perUser, perUser_pytorch
from recbench.contract import learns_from_words
from recbench.errors import InputError
from recbench.registry import BY_NAME, FAMILIES, load_recommender
from recbench.runs.resume import kept_parameters
from tune import Parameters as Tuning

HEAVY = {"torch", "numba", "pandas", "polars", "scipy", "sklearn", "matplotlib", "plotly", "myfm"}
HEAVY |= {"surprise", "river", "optuna"}
# Edited lines of each script, and what --help shows then
EDITED = {
    "compare_all.py": (
        {"NUM_USERS": "7", "REVIEWS_PER_USER": "(11, 12)", "MODELS": '"ridge"'},
        ["number of users to draw; 0: all (default: 7)", "(default: 11 12)", "(default: ridge)"],
    ),
    "continual.py": ({"NUM_USERS": "7"}, ["number of users to replay; 0: all (default: 7)"]),
    "recommend.py": ({"NUMBER": "3"}, ["number of movies to recommend (default: 3)"]),
    "tune.py": ({"TRIALS": "9"}, ["the first is its defaults (default: 9)"]),
    "data_prep.py": ({"REVIEWS_PER_USER": "4"}, ["per user; 0: all (default: 4)"]),
    "PerUser/perUser.py": ({"PROTOCOL": '"published"'}, ["background users (default: published)"]),
    "PerUser/perUser_pytorch.py": ({"EPOCHS": "200"}, ["of the user (default: 200)"]),
    "Collaborative/torch_colab.py": ({"HIDDEN": "(9, 8, 7)"}, ["layers (default: 9 8 7)"]),
}


def imported_by(done):
    """Of a script with -X importtime."""
    lines = done.stderr.splitlines()
    return {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in lines}


def plain(text):
    return " ".join(text.replace("│", " ").split())


def edited(text, line):
    """The script with this line in place of that of the same parameter."""
    name = line.split()[0]
    return re.sub(rf"^{name} = (\[  #.*?^\]|.*?$)", line, text, flags=re.M | re.S)


@pytest.mark.parametrize("name", EDITED)
def test_help_comes_at_once_and_has_groups_without_none(name, tmp_path):
    """Of a script with other parameters at the top, which are the defaults then. It imports nothing
    that takes long."""
    lines, expected = EDITED[name]
    text = (ROOT / name).read_text()
    for constant, value in lines.items():
        assert text.index(f"\n{constant} = ") < text.index("\nfrom recbench")
        text = edited(text, f"{constant} = {value}")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    done = script(
        "-X", "importtime", name, "--help", cwd=tmp_path, PYTHONPATH=str(ROOT), COLUMNS="300"
    )
    assert done.returncode == 0, done.stderr
    for words in expected:
        assert words in plain(done.stdout)
    for nothing in ("None", "default: )", "default: '')"):
        assert nothing not in done.stdout
    if "/" not in name:
        assert len(re.findall(r"─ \w+ options ─", done.stdout)) >= 2
    if name == "compare_all.py":  # what the protocol chooses
        for value in "links", "halved", "last", "half_stars", "logits", "2000", "fresh", "extended":
            assert f"(default: {value} (strict))" in plain(done.stdout)
    assert "tyro" in imported_by(done)
    assert not imported_by(done) & HEAVY


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare_all.py", "--models", "aoo"], "no recommender is named 'aoo'"),
        (["compare_all.py", "--ratings-per-user", "1"], "--ratings-per-user is 1"),
        (["continual.py", "--models", "aoo@never"], "no recommender is named 'aoo'"),
        (["tune.py", "--models", "aoo"], "no recommender is named 'aoo'"),
        (["recommend.py", "--number", "-1"], "--number is -1"),
    ],
)
def test_a_wrong_value_is_refused_at_once(words, message):
    done = script("-X", "importtime", *words)
    assert done.returncode == 2
    assert message in plain(done.stderr)
    assert "Traceback" not in done.stderr
    assert not imported_by(done) & HEAVY


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('PROTOCOL = "strickt"', "PROTOCOL is 'strickt' in {}. Expected 'strict' or 'published'"),
        ('NUM_USERS = "ten"', "NUM_USERS is ('ten',) in {}. Expected a whole number, or several"),
        ("SPLIT = None", "SPLIT is None in {}. Expected a number"),
        ('HOLDOUT = "lust"', "--holdout: none is named 'lust'"),
        ('MODELS = "aoo"', "no recommender is named 'aoo'"),
    ],
)
def test_a_slip_in_a_parameter_at_the_top_is_one_message(line, message, tmp_path):
    text = edited((ROOT / "compare_all.py").read_text(), line)
    (tmp_path / "mine.py").write_text(text)
    done = script("mine.py", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message.format('mine.py')}")


def test_parameters_of_runs_that_are_kept_are_still_read():
    found = 0
    for folder in (ROOT / "results").glob("*/*"):
        for kind in (Grid, Replay, Tuning):
            with contextlib.suppress(InputError):  # it is a run of another script
                kept = kept_parameters(str(folder), kind)
                found += isinstance(kept.seed, int)
    assert found >= 20


def test_the_list_of_models():
    done = script("compare_all.py", "--list-models")
    assert done.returncode == 0, done.stderr
    _, *lines, median, regressor, _, own = done.stdout.splitlines()
    assert median.startswith("NAME_median")
    assert regressor.startswith("sklearn:Regressor")
    assert own.startswith("file:Class")
    shown = [re.split(r"  +", line) for line in lines]
    assert sorted(name for name, *_ in shown) == sorted(BY_NAME)
    for name, family, learns_from, what in shown:
        cls = load_recommender(name)
        assert cls.__module__.startswith(f"{family}.")
        assert learns_from == learns_from_words(cls)
        assert what


def test_every_class_of_a_family_that_has_a_name_is_in_the_table():
    found = {}
    for family in FAMILIES:
        for file in sorted((ROOT / family).glob("*.py")):
            classes = re.split(r"^(?=class )", file.read_text(), flags=re.MULTILINE)[1:]
            for text in classes:
                name = re.search(r"^    name(?:: ClassVar\[str\])? = \"(\w+)\"", text, re.MULTILINE)
                if name:
                    cls = re.match(r"class (\w+)", text)[1]
                    found[name[1]] = f"{family}.{file.stem}:{cls}"
    assert found == BY_NAME


@pytest.mark.parametrize(
    ("module", "flag", "value"),
    [
        (perUser_pytorch, "--hidden", "0"),
        (perUser_pytorch, "--epochs", "0"),
        (perUser_pytorch, "--learning-rate", "nan"),
        (torch_colab, "--embedding", "0"),
        (torch_colab, "--batch", "0"),
        (torch_colab, "--num-users", "-5"),
        (perUser, "--num-users", "-5"),
    ],
)
def test_a_size_that_there_is_not_is_one_message(module, flag, value):
    status, _, errors = run_here(module, flag, value)
    assert status == 2
    assert errors.startswith(f"error: {flag} is {value}")
    assert "Traceback" not in errors
