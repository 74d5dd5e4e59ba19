"""`report.html` of a run: everything in its files, on one page, and its figures in `plots/`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recbench.files import write_csv
from recbench.report.html import grid_sections, headline, replay_sections
from recbench.report.html.page import Page, Section, write_page
from recbench.report.html.protocol import facts, protocol_in_words
from recbench.report.html.run_files import GRID, RunFiles, read_run
from recbench.report.html.user_sections import PREDICTIONS, of_users
from recbench.report.plots import write_figures
from recbench.report.results import RESULTS, results_table
from recbench.report.style import run_looks, shown_at_first
from recbench.report.terminal import SCORES, cells_of, scores_of
from recbench.runs.predictions import Predictions

REPORT = "report.html"


def write_report(folder: Path) -> Path:
    """Write `report.html` of the run in `folder`, and its figures to `plots/`, from its files
    alone; the page. If there is no results.csv, as of runs before it was written, write it too.

    Raises:
        InputError: it is not the folder of a run that has ended, or a file in it is damaged.
    """
    run = read_run(folder)
    if run.kind == GRID and len(run.done) and not (folder / RESULTS).exists():
        write_csv(results_table(run.main, Predictions(folder).losses()), folder / RESULTS)
    page = page_of(run)
    figures = [figure for section in page.sections for figure in section.figures]
    write_figures(figures, page.looks, folder / "plots")
    return write_page(page, folder / REPORT)


def page_of(run: RunFiles) -> Page:
    """The page, not yet written."""
    grid = run.kind == GRID
    references = list(run.differences["reference"]) if grid else run.models[:1]
    scores = scores_of(run.done) if grid else SCORES
    name = run.folder.resolve().name
    return Page(
        title=f"{name}: {run.dataset}",
        kicker=f"Recommender Systems Benchmark · run {name}",
        heading=headline.question(run),
        subject=headline.subject(run),
        answer=headline.answer(run),
        sections=[section for section in _sections(run) if section is not None],
        looks=run_looks(run.main),
        shown=shown_at_first(run.models, run.done, references),
        cells=cells_of(run.main) if grid else [],
        scores=scores if grid else {name: scores[name] for name in ("rmse", "mae")},
        roles=run.roles,
        protocol=protocol_in_words(run),
        facts={"The run": facts(run)},
        command=f"python -m recbench.report {run.folder}",
    )


def _sections(run: RunFiles) -> list[Section | None]:
    title = "Every result"
    if run.kind == GRID:
        about = "comparison.csv: a row for each recommender, cell and iteration, with every score."
        whole = Section("comparison", title, [about], run.main)
    else:
        about = "continual_summary.csv: one row for each recommender."
        whole = Section("summary", title, [about], run.main.drop(columns="recommender"))
    if run.done.empty:
        return [left_out(run), whole]
    if run.kind == GRID:
        return [
            grid_sections.error_by_ratings(run),
            grid_sections.differences(run),
            grid_sections.cost(run),
            *of_users(run),
            grid_sections.ranking(run),
            grid_sections.calibration(run),
            left_out(run),
            _claims(run),
            whole,
        ]
    return [
        replay_sections.learning_curves(run),
        replay_sections.differences(run),
        replay_sections.waiting(run),
        replay_sections.cost(run),
        replay_sections.latency(run),
        left_out(run),
        whole,
    ]


def _claims(run: RunFiles) -> Section | None:
    claims = run.tables["claims.csv"]
    if claims.empty:
        return None
    text = "claims.csv: some recommenders against others than the reference, p corrected for them."
    return Section("claims", "Claims", [text], claims)


def left_out(run: RunFiles) -> Section:
    """What a run does not show: failures as a table, what was not measured in sentences."""
    failed = run.main[run.main["status"] != "ok"]
    text = [f"No failures: each of {len(run.main)} results is there."]
    table = None
    if len(failed):
        text = [f"{len(failed)} of {len(run.main)} results failed."]
        error = failed["error"] if "error" in failed else pd.Series("", index=failed.index)
        by_reason = failed.assign(error=error.fillna("")).groupby(["model", "error"], sort=False)
        table = by_reason.size().rename("results").reset_index()
    if run.kind == GRID:
        text += _not_measured(run)
    elif run.tables["waiting.csv"].empty:
        text.append("Staleness is left out: no recommender was fitted more than once.")
    return Section("left-out", "Failures, and what was left out", text, table)


def _not_measured(run: RunFiles) -> list[str]:
    done, text = run.done, []
    if not (run.folder / PREDICTIONS).is_file():
        text.append(
            "How errors spread over users, and for which users a recommender is better, is left "
            f"out: there is no {PREDICTIONS} beside this file. It holds ratings, so it is not "
            "published."
        )
    if "ranking_ndcg_at_10" not in done or done["ranking_ndcg_at_10"].isna().all():
        text.append("Ranking of all movies was not measured: the run was made without --ranking.")
    for column, words in (
        ("crps", "Without a predictive distribution, so without calibration"),
        ("bytes_per_user", "Without a count of the bytes per user"),
    ):
        has = set(done.loc[done[column].notna(), "model"]) if column in done else set()
        names = [name for name in done["model"].unique() if name not in has]
        text += [f"{words}: {', '.join(names)}."] if names else []
    if run.tables["significance.csv"].empty:
        text.append("There is no significance.csv with differences from a reference.")
    return text
