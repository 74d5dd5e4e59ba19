"""The page that says what changed from one run to another."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recbench.errors import InputError
from recbench.keys import CELL
from recbench.report.html import changes
from recbench.report.html.page import Page, write_page
from recbench.report.html.protocol import facts
from recbench.report.html.run_files import GRID, RunFiles, read_run
from recbench.report.html.scores import SCORES
from recbench.report.html.section import Section
from recbench.report.html.shown import shown_at_first
from recbench.report.style import run_looks
from recbench.report.terminal import ALPHA, cells_of


def write_changes(before: Path, after: Path) -> Path:
    """Write what changed from the run in `before` to that in `after` into the latter; the file.

    Raises:
        InputError: a folder is not that of a run that has ended, a file is damaged, or the two have
            nothing in common.
    """
    if before.resolve() == after.resolve():
        raise InputError(f"{after}: is given twice. Give the folders of two runs")
    runs = read_run(before), read_run(after)
    if runs[0].kind != runs[1].kind:
        raise InputError(
            f"{before} has {runs[0].kind}, {after} has {runs[1].kind}: runs of two scripts cannot "
            "be compared. Give two of one"
        )
    return write_page(
        _page(*runs), runs[1].folder / f"changes-from-{runs[0].folder.resolve().name}.html"
    )


def _page(before: RunFiles, after: RunFiles) -> Page:
    grid = after.kind == GRID
    scores = changes.changed_scores if grid else changes.changed_replays
    table = scores(before, after)
    if table.empty:
        raise InputError(
            f"{before.folder} and {after.folder} have no recommender in the same cell in common, "
            "so there is nothing to compare"
        )
    names = [run.folder.resolve().name for run in (before, after)]
    compared = set(table["model"])
    both = pd.concat([before.main, after.main])
    looks = {name: look for name, look in run_looks(both).items() if name in compared}
    sections = [_scores(table, grid), *([] if grid else [_curves(before, after)])]
    sections += [_costs(before, after), _settings(before, after), _in_one(before, after)]
    return Page(
        title=f"from {names[0]} to {names[1]}",
        kicker="Recommender Systems Benchmark · two runs",
        heading=f"What changed from {names[0]} to {names[1]}?",
        asked=_asked(before, after, table),
        answer=answer(table),
        sections=sections,
        looks=looks,
        shown=shown_at_first(list(looks), pd.concat([before.done, after.done]), []),
        cells=cells_of(table) if grid else [],
        scores=[one for one in SCORES if one.name in set(table["score"])],
        facts={
            f"The run before: {names[0]}": facts(before),
            f"The run after: {names[1]}": facts(after),
        },
        command=f"python -m recbench.report {before.folder} {after.folder}",
    )


def _asked(before: RunFiles, after: RunFiles, table: pd.DataFrame) -> str:
    where = "recommenders in the cells" if "num_users" in table else "recommenders"
    models = table["model"].nunique()
    text = f"{models} {where} that both runs have, on {after.dataset}."
    if before.dataset != after.dataset:
        text += f" The run before was on {before.dataset}: differences are of the data, too."
    return text


def answer(table: pd.DataFrame) -> str:
    """One sentence: how many RMSEs are significantly better, worse, and not."""
    rows = table[table["score"] == "rmse"]
    span = f"{rows['difference'].min():+.3f} to {rows['difference'].max():+.3f}".replace("-", "−")
    tested = rows[rows["p_holm"].notna()]
    if (rows["difference"] == 0).all():
        return f"Nothing changed: each of {len(rows)} RMSEs is the same."
    if tested.empty:
        return (
            f"{len(rows)} RMSEs changed by {span} stars; whether that is significant cannot be "
            "told from these files."
        )
    better = int(((tested["p_holm"] < ALPHA) & (tested["difference"] < 0)).sum())
    worse = int(((tested["p_holm"] < ALPHA) & (tested["difference"] > 0)).sum())
    rest = len(rows) - better - worse
    return (
        f"Of {len(rows)} RMSEs {better} are significantly better and {worse} significantly worse "
        f"than before; {rest} are not significantly different (changes of {span} stars)."
    )


def _scores(table: pd.DataFrame, grid: bool) -> Section:
    text = [
        "A point is the difference, after minus before; its line is the 95 % interval. Filled: "
        "significant (p < .05 after Holm's correction for all of the score); open: not "
        "significant, or not tested."
    ]
    if grid:
        by = table["compared_by"].value_counts()
        told = {
            changes.PAIRED: "over the users that both runs have tested, paired, and of them alone",
            changes.ITERATIONS: "over iterations as independent samples (Welch), which is too wide "
            "where both runs drew the same users",
            changes.WITHOUT: "without an interval, for there is one iteration",
        }
        parts = [f"{by[name]} {words}" for name, words in told.items() if name in by]
        text.append(f"Compared: {'; '.join(parts)}.")
    else:
        text.append("The files tell no interval of the whole replay; the curves below have some.")
    return Section(
        "changes",
        "What changed",
        text,
        table,
        {"forest": "The change of each recommender's score with its interval"},
        ("cell", "score") if grid else ("score",),
    )


def _curves(before: RunFiles, after: RunFiles) -> Section:
    table = changes.changed_curves(before, after)
    text = (
        "Change of the RMSE by ratings that the user has given before. The intervals are made from "
        "those of both runs as if their users were others, so they are too wide where they are not."
    )
    return Section(
        "curves",
        "Changes by ratings of the user",
        [text],
        table if len(table) else None,
        {"curve_changes": "Change of RMSE by ratings given before"} if len(table) else {},
    )


def _costs(before: RunFiles, after: RunFiles) -> Section:
    text = (
        "Seconds and bytes per user, and their ratio, after to before. Seconds have no interval, "
        "and say nothing where the machines differ or were busy."
    )
    return Section("costs", "What it costs", [text], changes.changed_costs(before, after))


def _settings(before: RunFiles, after: RunFiles) -> Section:
    table = changes.changed_settings(before, after)
    title = "What was set differently"
    if table.empty:
        return Section("settings", title, ["Both runs were made with the same settings."])
    return Section("settings", title, ["What run.json says differently."], table)


def _in_one(before: RunFiles, after: RunFiles) -> Section:
    """What only one of the runs has."""
    key = [name for name in (*CELL, "model") if name in before.main]
    sides = [run.done[key].drop_duplicates() for run in (before, after)]
    merged = sides[0].merge(sides[1], on=key, how="outer", indicator="only_in")
    table = merged[merged["only_in"] != "both"]
    only_in = table["only_in"].astype(str).map({"left_only": "before", "right_only": "after"})
    table = table.assign(only_in=only_in)
    title = "What only one of them has"
    if table.empty:
        return Section("in-one", title, ["Both have results of the same recommenders and cells."])
    return Section("in-one", title, ["Results of recommenders in cells."], table)
