"""`report.html` of a run: everything its files say, on one page."""

from __future__ import annotations

from pathlib import Path

from recbench.report.continual_plots import write_continual_plots
from recbench.report.html import grid_sections, headline, replay_sections
from recbench.report.html.left_out import left_out
from recbench.report.html.page import Page, write_page
from recbench.report.html.protocol import facts, protocol_in_words
from recbench.report.html.run_files import GRID, RunFiles, read_run
from recbench.report.html.scores import SCORES, scores_of
from recbench.report.html.section import Section
from recbench.report.html.shown import shown_at_first
from recbench.report.html.user_sections import of_users
from recbench.report.plots import write_plots
from recbench.report.results import RESULTS, results_table
from recbench.report.section_plots import write_section_plots
from recbench.report.style import run_looks
from recbench.report.terminal import USERS_MEDIAN, cells_of
from recbench.runs.predictions import Predictions
from recbench.runs.run_folder import write_csv

REPORT = "report.html"


def write_report(folder: Path) -> Path:
    """Write `report.html` of the run in `folder`, and the pictures of its sections to `plots/`,
    from its files alone; the page.

    Raises:
        InputError: it is not the folder of a run that has ended, or a file in it is damaged.
    """
    run = read_run(folder)
    page = page_of(run)
    write_section_plots(page.sections, page.looks, page.shown, folder / "plots")
    return write_page(page, folder / REPORT)


def write_all(folder: Path) -> Path:
    """The same with all pictures of the run, as the run itself writes them, and with results.csv if
    there is none, as of runs before it was written."""
    run = read_run(folder)
    if run.kind == GRID:
        if len(run.done) and not (folder / RESULTS).exists():
            write_csv(results_table(run.main, Predictions(folder).losses()), folder / RESULTS)
        write_plots(run.main, run.tables["significance.csv"], folder / "plots")
    elif len(run.done):
        summary, curve, waiting = (
            table.assign(model=table["recommender"]) for table in run.tables.values()
        )
        write_continual_plots(summary, curve, waiting, folder / "plots")
    return write_report(folder)


def page_of(run: RunFiles) -> Page:
    """The page, not yet written."""
    grid = run.kind == GRID
    roles = list(run.tables["significance.csv"]["reference_role"].unique()) if grid else []
    references = list(run.differences["reference"]) if grid else run.models[:1]
    name = run.folder.resolve().name
    return Page(
        title=f"{name}: {run.dataset}",
        kicker=f"Recommender Systems Benchmark · run {name}",
        heading=headline.question(run),
        asked=headline.asked(run),
        answer=headline.answer(run),
        sections=_of_grid(run) if grid else _of_replay(run),
        looks=run_looks(run.main),
        shown=shown_at_first(run.models, run.done, references),
        cells=cells_of(run.main) if grid else [],
        scores=scores_of(run.done) if grid else list(SCORES[:2]),
        roles=sorted(roles, key=lambda role: role == USERS_MEDIAN),
        protocol=protocol_in_words(run),
        facts={"The run": facts(run)},
        command=f"python -m recbench.report {run.folder}",
    )


def _of_grid(run: RunFiles) -> list[Section]:
    whole = Section(
        "comparison",
        "Every result",
        ["comparison.csv: one row for each recommender, cell and iteration, with every score."],
        run.main,
    )
    if run.done.empty:
        return [left_out(run), whole]
    sections = [
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
    return [section for section in sections if section is not None]


def _claims(run: RunFiles) -> Section | None:
    claims = run.tables["claims.csv"]
    if claims.empty:
        return None
    text = "claims.csv: some recommenders against others than the reference, p corrected for them."
    return Section("claims", "Claims", [text], claims)


def _of_replay(run: RunFiles) -> list[Section]:
    whole = Section(
        "summary",
        "Every result",
        ["continual_summary.csv: one row for each recommender."],
        run.main.drop(columns="recommender"),
    )
    if run.done.empty:
        return [left_out(run), whole]
    sections = [
        replay_sections.learning_curves(run),
        replay_sections.differences(run),
        replay_sections.waiting(run),
        replay_sections.cost(run),
        replay_sections.latency(run),
        left_out(run),
        whole,
    ]
    return [section for section in sections if section is not None]
