"""One HTML file out of sections: template, data and library in it, nothing from outside.

Whatever comes from a file is text: jinja escapes it in the page, `embedded` in the data, and the
script writes it as text. Should a name get through all the same, the page's policy runs no script
but those whose hash it names, and lets nothing be loaded.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from recbench.report.html.looks import page_looks
from recbench.report.html.scores import Score
from recbench.report.html.section import Section, columns_of
from recbench.report.policy import content_policy
from recbench.report.terminal import cell_name

TEMPLATE = files("recbench.report.html") / "template"


@dataclass(frozen=True)
class Page:
    """What stands in a report.

    Attributes:
        title, kicker, heading, asked, answer: the words of the first screen.
        sections: in their order; the first has the picture of the first screen.
        looks: of each recommender, see `recbench.report.style.run_looks`.
        shown: those of them that pictures show at first.
        cells, scores, roles: what can be chosen; the last cell, the first score and the first role
            (of a reference) are at first.
        protocol: sentences.
        facts: heading -> name -> text.
        command: makes the page again.
    """

    title: str
    kicker: str
    heading: str
    asked: str
    answer: str
    sections: list[Section]
    looks: dict[str, dict]
    command: str
    shown: list[str] = field(default_factory=list)
    cells: list[tuple[int, int]] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    protocol: list[str] = field(default_factory=list)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)


def write_page(page: Page, file: Path) -> Path:
    """Write the page so that `file` is whole at every moment."""
    scratch = file.with_suffix(".part")
    scratch.write_text(render(page), encoding="utf-8")
    os.replace(scratch, file)
    return file


def render(page: Page) -> str:
    """The page as HTML."""
    script = _script()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["lower_first"] = lambda text: text[:1].lower() + text[1:]
    template = environment.from_string(_text("page.html.jinja"))
    return template.render(
        page=page,
        style=Markup(_text("style.css")),
        script=Markup(script),
        library=_library(),
        data=Markup(embedded(_data(page))),
        policy=content_policy(script, get_plotlyjs()),
    )


def embedded(data: Any) -> str:
    """JSON that can stand in a script element: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _data(page: Page) -> dict[str, Any]:
    sections = {
        section.name: {
            "columns": columns_of(section.table),
            "follows": section.follows,
            "shown": section.shown,
        }
        for section in page.sections
        if section.table is not None
    }
    return {
        "models": page_looks(page.looks),
        "shown": page.shown or list(page.looks),
        "cells": [{"key": f"{cell[0]}x{cell[1]}", "name": cell_name(cell)} for cell in page.cells],
        "scores": [
            {"name": score.name, "title": score.title, "more": score.more_is_better}
            for score in page.scores
        ],
        "roles": page.roles,
        "sections": sections,
    }


def _text(name: str) -> str:
    return (TEMPLATE / name).read_text(encoding="utf-8")


def _script() -> str:
    """All of template/script, in the order of the names."""
    parts = sorted((TEMPLATE / "script").iterdir(), key=lambda part: part.name)
    return "".join(part.read_text(encoding="utf-8") for part in parts if part.name.endswith(".js"))


@cache
def _library() -> str:
    """plotly.js, packed: 2 MB in place of 5."""
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 6, mtime=0)).decode()
