"""Every command that the pages print is one that works; the rules say how each is tried."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys

import pytest
import tyro
from commands import PAGES, PROGRAMS, Command, all_commands, blocks_of, commands_in
from rules import OWN_RATINGS, RULES, STAND_FOR, Elsewhere, Run, changed, rule_of
from tests_paths import ROOT

from recbench.__main__ import TEMPLATE

COMMANDS = all_commands()
TO_RUN = [command for command in COMMANDS if isinstance(rule_of(command), Run)]
# Blocks without a command, by page: what is printed, and the tree of folders.
OTHER_BLOCKS = {
    "README.md": 1,
    "personal-model.md": 1,
    "weightless.md": 1,
    "your-own-model.md": 1,
}
# The test that runs each block of Python, by page: how many there are of it.
PYTHON_BLOCKS = {
    "README.md": {"test_readme.py": 1},
    "CONTRIBUTING.md": {"documents/test_contributing.py": 7},
    "your-own-model.md": {"contract/test_command.py": 1},
    "evaluation.md": {"test_readme.py": 1},
    "personal-model.md": {"test_readme.py": 1},
    "recommend.md": {"documents/test_commands.py": 1},
    "scale.md": {"documents/test_commands.py": 2},
    "weightless.md": {"weightless/test_docs.py": 3},
}


def text_of(command):
    return command.text if isinstance(command.text, str) else ""


# --- nothing is left out -----------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=text_of)
def test_a_rule_covers_it(command):
    assert rule_of(command) is not None, f"{command.page}: no rule in tests/documents/rules.py"


@pytest.mark.parametrize("text", ["python compare_all.py --seed 1", "python new.py", "make"])
def test_a_new_command_is_covered_by_none(text):
    assert rule_of(Command("docs/results.md", text)) is None


def test_every_rule_is_of_a_command():
    used = [rule_of(command) for command in COMMANDS]
    assert [rule.pattern for rule in RULES if rule not in used] == []


def test_every_block_is_of_commands_or_counted_here():
    others, python = {}, {}
    for page in PAGES:
        for block in blocks_of(page):
            if block.language == "python":
                python[page.name] = python.get(page.name, 0) + 1
            elif not commands_in(block):
                others[page.name] = others.get(page.name, 0) + 1
    assert others == OTHER_BLOCKS
    assert python == {page: sum(tests.values()) for page, tests in PYTHON_BLOCKS.items()}
    for tests in PYTHON_BLOCKS.values():
        for file in tests:
            assert (ROOT / "tests" / file).exists()


def test_other_test_files_run_what_is_left_to_them():
    for command in COMMANDS:
        rule = rule_of(command)
        if isinstance(rule, Elsewhere):
            places = [ROOT / folder / rule.file for folder in ("tests", "tests/documents", ".")]
            file = next(place for place in places if place.exists())
            named = re.fullmatch(rule.pattern, command.text).expand(rule.named)
            assert named in file.read_text(), f"{command.text}: {named} is not in {rule.file}"


def test_scripts_for_other_machines_are_python():
    """No more is tried: there is no Slurm and no Kubernetes here."""
    for block in blocks_of(ROOT / "docs" / "scale.md"):
        if block.language == "python":
            compile(block.text, "docs/scale.md", "exec")


# --- each is read ------------------------------------------------------------------------------


def stand_for():
    """What words of results/README.md stand for, as it says."""
    page = (ROOT / "results" / "README.md").read_text()
    return {
        word: re.search(rf"`?{word}`? stands for `([^`]*)`", page)[1].split() for word in STAND_FOR
    }


def module_and_words(command):
    """The module of a command of Python, and its words; None of another."""
    words = [w for word in command.words for w in stand_for().get(word, [word])]
    if words[0] != "python" or words[1:3] in (["-m", "venv"], ["-m", "pytest"], ["--version"]):
        return None
    if words[1] == "-m":
        module = importlib.import_module(words[2])
        if hasattr(module, "__path__"):  # a package
            module = importlib.import_module(f"{words[2]}.__main__")
        return module, words[3:]
    if "/" in words[1]:
        return None, words[2:]
    return importlib.import_module(words[1].removesuffix(".py")), words[2:]


@pytest.mark.parametrize("command", COMMANDS, ids=text_of)
def test_its_flags_and_values_are_read(command, capsys):
    given = module_and_words(command)
    if given is None:
        assert command.words[0] in PROGRAMS
        return
    module, words = given
    parameters = getattr(module, "Command", None) or getattr(module, "Parameters", None)
    if parameters is None:
        assert words == []
    elif words == ["--help"]:
        with pytest.raises(SystemExit) as done:
            tyro.cli(parameters, args=words)
        assert done.value.code in (0, None)
    elif words or command.in_block:
        try:
            tyro.cli(parameters, args=words)
        except SystemExit:
            pytest.fail(f"{command.page}: {command.text}\n{capsys.readouterr().err}")


# --- each is run -------------------------------------------------------------------------------


def environment(folder, cache):
    """With a cache and profile of the test's own, or the cache of the user who tests."""
    own = {"XDG_DATA_HOME": str(folder / "data"), "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    if not cache:
        own["RECBENCH_CACHE"] = str(folder / "cache")
    return os.environ | own


def run(words, folder, cache=False):
    """In `folder`, as from the project's: a script is found there."""
    words = [sys.executable, *words[1:]]
    if (ROOT / words[1]).is_file():
        words[1] = str(ROOT / words[1])
    return subprocess.run(
        words,
        cwd=folder,
        env=environment(folder, cache),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # in the order in which a terminal shows them
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture
def folder(tmp_path):
    """With a my_file.py that has what the pages call by it, and a file of ratings."""
    page = (ROOT / "docs" / "evaluation.md").read_text()
    holdout = re.search(r"```python\n(.*?class FirstFraction.*?)```", page, re.DOTALL)[1]
    (tmp_path / "my_file.py").write_text(TEMPLATE.read_text() + "\n\n" + holdout)
    shutil.copy(OWN_RATINGS, tmp_path / "ratings.csv")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [one for one in TO_RUN if not rule_of(one).as_printed], ids=text_of
)
def test_it_runs(command, folder):
    done = run(changed(command.words, rule_of(command)), folder)
    assert done.returncode == 0, f"{command.page}: {command.text}\n{done.stdout}"


@pytest.mark.slow
def test_the_session_of_recommend_prints_what_the_page_says(folder):
    """One after another, as the page has them: each goes on from the profile of the one before."""
    for page in (ROOT / "README.md", ROOT / "docs" / "recommend.md"):
        shutil.rmtree(folder / "data", ignore_errors=True)
        found = [command for block in blocks_of(page) for command in commands_in(block)]
        session = [one for one in found if getattr(rule_of(one), "as_printed", False)]
        assert session
        for command in session:
            done = run(command.words, folder, cache=True)
            assert "Traceback" not in done.stdout
            said = done.stdout.replace(str(folder / "data"), "~/.local/share")
            lines = [line.rstrip() for line in said.splitlines()]
            for line in command.printed.splitlines():
                assert line in lines, f"{page.name}: {command.text}\n{said}"
            if page.name != "README.md":  # which leaves lines out
                assert "\n".join(lines) == command.printed


@pytest.mark.slow
def test_the_python_of_recommend_runs(folder):
    code = re.search(
        r"```python\n(.*?)```", (ROOT / "docs" / "recommend.md").read_text(), re.DOTALL
    )[1]
    done = run(["python", "-c", code], folder, cache=True)
    assert done.returncode == 0, done.stdout
    assert re.fullmatch(r"(\d\.\d .+ \(\d{4}\), [\d.]+ to [\d.]+\n){5}", done.stdout), done.stdout


def test_the_version_of_torch_that_the_page_installs_is_the_pin():
    pins = (ROOT / "requirements.txt").read_text().split()
    for command in COMMANDS:
        if command.words[:2] == ["pip", "install"]:
            for word in command.words[2:]:
                assert "==" not in word or word in pins, command.text
                assert not word.endswith(".txt") or (ROOT / word).exists()


def test_targets_of_make_are_there():
    targets = {c.words[1] for c in COMMANDS if c.words[0] == "make"}
    assert targets
    for target in targets:
        done = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_picture_of_the_engine_is_what_its_script_draws(tmp_path):
    drawn = (ROOT / "docs" / "weightless.svg").read_bytes()
    copy = tmp_path / "project"
    for name in ("weightless", "docs"):
        shutil.copytree(ROOT / name, copy / name)
    (copy / "docs" / "weightless.svg").unlink()
    subprocess.run(
        [sys.executable, "docs/draw_weightless.py"],
        cwd=copy,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        check=True,
        capture_output=True,
    )
    assert (copy / "docs" / "weightless.svg").read_bytes() == drawn
