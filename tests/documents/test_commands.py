"""Commands and code of the pages are ones that work: all are read, cheap ones are run."""

from __future__ import annotations

import importlib
import re

import pytest
import tyro
from project_pages import (
    PAGES,
    README,
    RESULTS,
    blocks,
    commands,
    named_block,
    present,
    printed,
    run,
    where,
)
from tests_paths import ROOT, SYNTHETIC

OWN_MODEL, EVALUATION = (ROOT / "docs" / f"{name}.md" for name in ("your-own-model", "evaluation"))
PERSONAL, RECOMMEND = (ROOT / "docs" / f"{name}.md" for name in ("personal-model", "recommend"))
TEMPLATE = ROOT / "recbench" / "checks" / "template.py"
STAND_FOR = ("EXTENDED", "HYPOTHESES")  # words of results/README.md that stand for others
NOT_OURS = {"venv", "pytest", "ruff", "mypy"}
PIP = {"--index-url", "--version"}


def module_of(words: list[str]) -> tuple[object, list[str]] | None:
    """The module of a command of Python, and its words; None of another."""
    if words[0] != "python" or words[1] == "--version" or (words[2:3] and words[2] in NOT_OURS):
        return None
    if words[1] != "-m":
        return importlib.import_module(words[1].removesuffix(".py").replace("/", ".")), words[2:]
    module = importlib.import_module(words[2])
    if hasattr(module, "__path__"):
        module = importlib.import_module(f"{words[2]}.__main__")
    return module, words[3:]


def parameters_of(module: object) -> object:
    return getattr(module, "Command", None) or getattr(module, "Parameters", None)


def our_commands(page):
    """Module and words of each, but for those that no flags are given to read."""
    text = RESULTS.read_text()
    stands = {w: re.search(rf"`?{w}`? stands for `([^`]*)`", text)[1].split() for w in STAND_FOR}
    for words in commands(page):
        found = module_of([word for one in words for word in stands.get(one, [one])])
        if found and parameters_of(found[0]):
            yield found


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_flags_and_values_of_commands_are_read(page, capsys):
    for module, words in our_commands(page):
        if words and words != ["--help"]:
            try:
                tyro.cli(parameters_of(module), args=words)
            except SystemExit:
                pytest.fail(f"{module.__name__} {' '.join(words)}\n{capsys.readouterr().err}")


def test_every_flag_that_is_named_exists():
    modules = {module for page in PAGES for module, _ in our_commands(page)}
    helps = (tyro.extras.get_parser(parameters_of(module)).format_help() for module in modules)
    flags = PIP | {flag for text in helps for flag in re.findall(r"--[a-z0-9-]+", text)}
    for words in (("new", "x"), ("check", "x:X")):
        parser = tyro.extras.get_parser(type(tyro.cli(_recbench(), args=words)))
        flags |= set(re.findall(r"--[a-z0-9-]+", parser.format_help()))
    for page in PAGES:
        used = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", present(page)))
        assert used <= flags, (page.name, used - flags)


def _recbench():
    return parameters_of(importlib.import_module("recbench.__main__"))


def test_targets_of_make_are_there():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for page in PAGES:
        assert {words[1] for words in commands(page) if words[0] == "make"} <= set(targets), page


def test_installed_packages_are_the_pins_and_ci_calls_the_test_command():
    pins = (ROOT / "requirements.txt").read_text().split()
    for words in commands(README):
        if words[:2] == ["pip", "install"]:
            assert all("==" not in word or word in pins for word in words), words
            assert all((ROOT / w).exists() for w in words if w.endswith(".txt"))
    assert "<!-- test -->" in (ROOT / ".ci" / "run").read_text()
    assert named_block("test", README).strip().endswith("-m pytest")
    assert named_block("compare", README).strip().endswith("compare_all.py --quick")


# --- run ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_models_and_holdout_of_the_pages_run(tmp_path):
    own, training = blocks(OWN_MODEL, "python")
    (holdout,) = blocks(EVALUATION, "python")
    (tmp_path / "my_file.py").write_text(f"{own}\n\n{training}\n\n{holdout}")
    template = TEMPLATE.read_text().replace("class MyModel", "class Template")
    (tmp_path / "another.py").write_text(template)
    words = ["--dataset", SYNTHETIC, "--num-users", 10, "--ratings-per-user", 20]
    words += ["--iterations", 1, "--workers", 1, "--output-dir", "out"]
    words += ["--models", "my_file:MyModel", "my_file:OverItems", "another:Template", "user_mean"]
    run(["compare_all.py", *words, "--holdout", "my_file:FirstFraction"], tmp_path)
    assert (tmp_path / "out" / "comparison.csv").read_text().count(",ok,") == 4


@pytest.mark.slow
def test_the_session_of_recommend_prints_the_movies_and_reasons_of_the_page(tmp_path):
    session = printed(RECOMMEND, "python recommend.py")
    assert len(session) == 2
    for words, lines in session:  # each goes on from the profile of the one before
        output = [line.rstrip() for line in run(words[1:], tmp_path).splitlines()]
        assert lines
        assert [line for line in lines if line not in output] == []


@pytest.mark.slow
def test_python_of_the_personal_model_and_of_recommend_prints_what_it_should(tmp_path):
    after = PERSONAL.read_text().split("<!-- user -->")[1].split("<!-- end -->")[1]
    shown = re.search(r"```\n(.*?)```", after, re.DOTALL)[1].splitlines()
    code = named_block("user", PERSONAL) + blocks(RECOMMEND, "python")[0]
    lines = run(["-c", code], tmp_path).splitlines()
    assert [line.rstrip() for line in lines[: len(shown)]] == shown
    recommended = lines[len(shown) :]
    assert len(recommended) == 5
    assert all(re.fullmatch(r"\d\.\d .+ \(\d{4}\), [\d.]+ to [\d.]+", one) for one in recommended)
