"""`report.html` of a run: everything in its files, on one page, and its figures in `plots/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from recbench.report.html import grid_sections, replay_sections, words
from recbench.report.html.page import Page, Section, write_page
from recbench.report.html.run_files import GRID, PREDICTIONS, RunFiles, read_run
from recbench.report.plots import draw
from recbench.report.style import looks_of, run_looks, save, shown_at_first
from recbench.report.terminal import SCORES, cells_of, scores_of

REPORT = "report.html"


def write_report(folder: Path) -> Path:
    """Write `report.html` of the run in `folder`, and its figures to `plots/`, from its files
    alone; the page.

    Raises:
        InputError: it is not the folder of a run that has ended, or a file in it is damaged.
    """
    run = read_run(folder)
    page = page_of(run)
    for name, figure in page.figures.items():
        (folder / "plots").mkdir(exist_ok=True)
        save(draw(figure, page.looks), folder / "plots" / name)
    return write_page(page, folder / REPORT)


def drawn_figure(folder: Path, name: str, models: list[str] | None = None) -> Figure:
    """The figure of that name on the page of the run in `folder`; of `models` alone, if given."""
    page = page_of(read_run(folder))
    return draw(page.figures[name], page.looks if models is None else looks_of(models))


def page_of(run: RunFiles) -> Page:
    """The page, not yet written."""
    grid = run.kind == GRID
    references = list(run.differences["reference"]) if grid else run.models[:1]
    scores = scores_of(run.done) if grid else SCORES
    return Page(
        title=f"{run.folder.resolve().name}: {run.dataset}",
        heading=words.question(run),
        subject=words.subject(run),
        answer=words.answer(run),
        sections=[section for section in _sections(run) if section is not None],
        looks=run_looks(run.main),
        shown=shown_at_first(run.models, run.done, references),
        cells=cells_of(run.main) if grid else [],
        scores=scores if grid else {name: scores[name] for name in ("rmse", "mae")},
        roles=run.roles,
        facts={"How it was measured": words.protocol(run), "The run": words.facts(run)},
        command=f"python -m recbench.report {run.folder}",
    )


def _sections(run: RunFiles) -> list[Section | None]:
    title = "Every result"
    made: list[Callable[[RunFiles], Section | None]]
    if run.kind == GRID:
        about = "comparison.csv: a row for each recommender, cell and iteration, with every score."
        last = [left_out(run), Section("comparison", title, [about], run.main)]
        if (claims := run.tables["claims.csv"]).size:
            text = "claims.csv: some recommenders against others than the reference."
            last.insert(1, Section("claims", "Claims", [text], claims))
        made = [grid_sections.error_by_ratings, grid_sections.differences, grid_sections.cost]
        made += [grid_sections.error_spread, grid_sections.ranking, grid_sections.calibration]
    else:
        about = "continual_summary.csv: one row for each recommender."
        whole = run.main.drop(columns="recommender")
        last = [left_out(run), Section("summary", title, [about], whole)]
        made = [replay_sections.learning_curves, replay_sections.differences]
        made += [replay_sections.waiting, replay_sections.cost]
    return [*(() if run.done.empty else (make(run) for make in made)), *last]


def left_out(run: RunFiles) -> Section:
    """What a run does not show: failures as a table, what was not measured in sentences."""
    failed, done, grid = run.main[run.main["status"] != "ok"], run.done, run.kind == GRID
    by_reason = failed.reindex(columns=["model", "error"]).fillna("").value_counts(sort=False)
    measured = set(done.dropna(axis="columns", how="all"))
    sentences = {
        f"No failures: each of {len(run.main)} results is there.": failed.empty,
        f"{len(failed)} of {len(run.main)} results failed.": len(failed),
        f"How errors spread over users is left out: there is no {PREDICTIONS} beside this "
        "file. It holds ratings, so it is not published.": (
            grid and not (run.folder / PREDICTIONS).is_file()
        ),
        "Ranking of all movies was not measured: the run was made without --ranking.": (
            grid and "ranking_ndcg_at_10" not in measured
        ),
    }
    text = [sentence for sentence, holds in sentences.items() if holds]
    table = by_reason.rename("results").reset_index()
    return Section("left-out", "Failures, and what was left out", text, table)
