"""One HTML file out of sections: template, data and library in it, nothing from outside.

Whatever comes from a file is text: jinja escapes it in the page, `embedded` in the data, and the
script writes it as text. Should a name get through all the same, the page's policy runs no script
but those whose hash it names, and lets nothing be loaded.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from recbench.files import CELL, complete_file
from recbench.report.figure import Figure
from recbench.report.style import page_looks
from recbench.report.terminal import MORE_IS_BETTER, cell_name

TEMPLATE = files("recbench.report.html") / "template"
SCRIPTS = ("tables.js", "figures.js", "page.js")
FEW_ROWS = 40


@dataclass(frozen=True)
class Section:
    """One subject of a report.

    Attributes:
        name: of the section in the page, and of the file that its table is downloaded as.
        title: its heading.
        text: paragraphs: what is seen, and what it is not.
        table: what the figure shows; None or empty: there is nothing to show but the text. Columns
            whose names begin with _ are for figures alone.
        figure: of the section, if it has one.
        follows: which switches choose the rows that are shown: "cell", "score", "role".
        summary: heading and rows of a small table before it. A column `x_mark` has what stands
            after the values of `x`, `x_best` whether they are bold.
    """

    name: str
    title: str
    text: list[str]
    table: pd.DataFrame | None = None
    figure: Figure | None = None
    follows: tuple[str, ...] = ()
    summary: tuple[str, pd.DataFrame] | None = None

    @property
    def tables(self) -> list[tuple[str, str, pd.DataFrame, bool]]:
        """Name, heading, table, and whether it is seen at once: a summary, or a short table without
        a figure. Those without rows are left out."""
        tables = [(f"{self.name}-summary", *self.summary, True)] if self.summary else []
        if self.table is not None:
            few = self.figure is None and len(self.table) < FEW_ROWS
            tables.append((self.name, self.title[:1].lower() + self.title[1:], self.table, few))
        return [one for one in tables if len(one[2])]


@dataclass(frozen=True)
class Page:
    """What stands in a page.

    Attributes:
        title, heading, subject, answer: the words of the first screen.
        sections: in their order; the first has the figure of the first screen.
        command: makes the page again.
        looks: of each recommender, see `recbench.report.style.run_looks`.
        shown: those of them that figures show at first.
        cells, scores, roles: what can be chosen; the last cell, the first score (name -> title) and
            the first role (of a reference) are at first.
        facts: heading -> name -> text; one without a name is left out.
    """

    title: str
    heading: str
    subject: str
    answer: str
    sections: list[Section]
    command: str
    looks: dict[str, dict] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    cells: list[tuple[int, int]] = field(default_factory=list)
    scores: dict[str, str] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, Figure]:
        """By their names, those that have something to show."""
        return {one.figure.name: one.figure for one in self.sections if one.figure and one.tables}


def write_page(page: Page, file: Path) -> Path:
    """Write the page so that `file` is whole at every moment."""
    with complete_file(file) as scratch:
        scratch.write_text(render(page), encoding="utf-8")
    return file


def render(page: Page) -> str:
    """The page as HTML."""
    script = "".join(map(_text, SCRIPTS))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_text("page.html.jinja"))
    return template.render(
        page=page,
        style=Markup(_text("style.css")),
        script=Markup(script),
        library=_library(),
        data=Markup(embedded(_data(page))),
        policy=content_policy(script, get_plotlyjs()),
    )


def content_policy(*scripts: str) -> str:
    """The content security policy of a page that runs these scripts alone and loads nothing."""
    allowed = " ".join(f"'sha256-{_hash(one)}'" for one in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


@cache
def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def embedded(data: Any) -> str:
    """JSON that can stand in a script element: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _data(page: Page) -> dict[str, Any]:
    shared = {id(section.table) for section in page.sections}  # by a section and its figure
    return {
        "models": page_looks(page.looks),
        "shown": page.shown or list(page.looks),
        "cells": [cell_name(cell) for cell in page.cells],
        "scores": page.scores,
        "moreIsBetter": sorted(MORE_IS_BETTER),
        "roles": page.roles,
        "tables": {
            name: {"rows": rows_of(table), "follows": section.follows}
            for section in page.sections
            for name, _, table, _ in section.tables
        },
        "figures": {
            name: one.described()
            | {"rows": None if id(one.table) in shared else rows_of(one.table)}
            for name, one in page.figures.items()
        },
    }


def rows_of(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows of a table as JSON has them, with the name of their `cell`, if there is one: what is
    no finite number is None."""
    if set(CELL) <= set(table):
        names = [cell_name(cell) for cell in table[CELL].itertuples(index=False, name=None)]
        table = pd.concat([pd.Series(names, table.index, name="cell"), table], axis=1)
    finite = table.replace([np.inf, -np.inf], np.nan).astype(object)
    return finite.where(table.notna() & finite.notna(), None).to_dict("records")


@cache
def _text(name: str) -> str:
    return (TEMPLATE / name).read_text(encoding="utf-8")


@cache
def _library() -> str:
    """plotly.js, packed: 2 MB in place of 5."""
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 6, mtime=0)).decode()
