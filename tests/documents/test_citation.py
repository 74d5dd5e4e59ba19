"""CITATION.cff keeps the schema of its format, and says what README and pyproject say.

The schema is that of the Citation File Format 1.2.0 (citation-file-format.github.io, CC BY 4.0),
as cffconvert 2.0.0 carries it.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator, FormatChecker
from tests_paths import ROOT

SCHEMA = json.loads((Path(__file__).with_name("citation-file-format-1.2.0.json")).read_text())
TEXT = (ROOT / "CITATION.cff").read_text()


def errors(text):
    # dates stay text, as the schema wants them
    loaded = yaml.load(text, Loader=yaml.BaseLoader)
    checker = Draft7Validator(SCHEMA, format_checker=FormatChecker())
    return [error.message for error in checker.iter_errors(numbers(loaded))]


def numbers(value):
    """`BaseLoader` reads all as text; the schema has whole numbers in two places."""
    if isinstance(value, dict):
        return {
            key: int(one) if key in ("year", "volume") else numbers(one)
            for key, one in value.items()
        }
    return [numbers(one) for one in value] if isinstance(value, list) else value


def test_it_keeps_the_schema():
    assert errors(TEXT) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: Recommender Systems Benchmark\n", ""),
        ("cff-version: 1.2.0", "cff-version: 7"),
        ("type: software", "type: sofware"),
        ("doi: 10.1145/2827872", "doi: none"),
    ],
)
def test_the_schema_would_find_a_mistake(old, new):
    assert TEXT.count(old) == 1
    assert errors(TEXT.replace(old, new)) != []


def test_it_says_what_the_project_says():
    citation = yaml.safe_load(TEXT)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    readme = (ROOT / "README.md").read_text()
    assert citation["title"] == readme.splitlines()[0].removeprefix("# ")
    assert citation["version"] == project["version"]
    assert citation["authors"] == [{"name": "Recommender Systems Benchmark contributors"}]
    paper, data = citation["references"]
    origin = readme.split("**Origin**")[1]
    assert paper["identifiers"][0]["value"].removeprefix("arXiv:") in origin
    assert paper["repository-code"].removeprefix("https://") in origin
    assert data["title"].split(":")[0] in origin
    assert f"{data['volume']}({data['issue']}):{data['start']}, {data['year']}" in origin
