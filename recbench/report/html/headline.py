"""The first screen in words: the question, and the result in one sentence with the number.

"Significant" means after Holm's correction for all comparisons of the run by RMSE; a difference
that is not significant is called so.
"""

from __future__ import annotations

import pandas as pd

from recbench.evaluation.holdouts import holdouts
from recbench.files import CELL
from recbench.report.figure import minus
from recbench.report.html.run_files import GRID, RunFiles
from recbench.report.terminal import ALPHA, cell_name, cells_of


def question(run: RunFiles) -> str:
    """The question that the holdout of the run answers."""
    if run.kind != GRID:
        return "How well is each rating predicted before it is learned?"
    known = {name: holdout.question for name, holdout in holdouts().items()}
    holdout = str(run.main["holdout"].iloc[0]) if "holdout" in run.main else ""
    text = known.get(holdout, "how well are held-out ratings predicted?")
    return text[0].upper() + text[1:]


def subject(run: RunFiles) -> str:
    """How many recommenders, on which data, in which cells."""
    several = "recommenders" if len(run.models) != 1 else "recommender"
    who = f"{len(run.models)} {several} on {run.dataset}"
    if run.kind != GRID:
        events, users = run.main["n_events"].max(), run.main["n_users"].max()
        return f"{who}: {events:,.0f} ratings by {users:,.0f} users, in the order of their time."
    by_users: dict[int, list[str]] = {}
    for users, ratings in cells_of(run.main):
        by_users.setdefault(users, []).append(str(ratings or "all"))
    cells = "; ".join(
        f"{users or 'all'} users × {', '.join(ratings)} ratings of each"
        for users, ratings in by_users.items()
    )
    iterations = run.main["iteration"].nunique()
    return f"{who}: {cells}, {'once' if iterations == 1 else f'{iterations} times each'}."


def answer(run: RunFiles) -> str:
    """One sentence with the number."""
    done, grid = run.done, run.kind == GRID
    if done.empty:
        return f"No recommender has a result: all {len(run.main)} failed."
    if grid:
        by_cell = done.pivot_table(index="model", columns=CELL, values="rmse", aggfunc="mean")
        in_all = by_cell.dropna() if by_cell.notna().all(axis=1).any() else by_cell
        mean, cells = in_all.mean(axis=1), list(by_cell.columns)
        several = f", the mean over {len(cells)} cells"
        where = several if len(cells) > 1 else f", {cell_name(cells[0])}"
        compared = run.differences[run.differences["score"] == "rmse"]
    else:
        mean, where = done.set_index("model")["rmse"], ""
        first = done.loc[done["percent"].isna(), "model"].iloc[:1].tolist()
        compared = done[done["percent"].notna()].assign(reference=first[0] if first else "")
        compared = compared.assign(difference=compared["percent"])
    mean = mean.sort_values(kind="stable")
    best, rmse = str(mean.index[0]), mean.iloc[0]
    if len(mean) == 1:
        return f"{best} has an RMSE of {rmse:.3f} stars{where}; there is no other to compare."
    found = f"{best} has the lowest error: RMSE {rmse:.3f} stars{where}"
    references, tested = compared["reference"].unique(), set(compared["model"])
    if not tested or best not in {*references, *tested}:
        return f"{found}; whether it differs from others was not tested in this run."
    subject = best if best in tested else next(str(name) for name in mean.index if name in tested)
    beside = references[0] if len(references) == 1 else "the reference of each cell"
    words = f"beside {beside} it is" if subject == best else f"the next is {subject},"
    rows = compared[compared["model"] == subject]
    size = "{difference:+.3f} stars [{low:+.3f}, {high:+.3f}]"
    if not grid:
        size = "{difference:+.1f} % [{low:+.1f}, {high:+.1f}]"
    elif (of_reference := mean.get(references[0])) is not None and len(rows) == 1:
        size += f", {100 * rows['difference'].iloc[0] / of_reference:+.1f} %"
    return f"{found}; {words} {_counts(rows) if len(rows) > 1 else _verdict(rows.iloc[0], size)}."


def _verdict(row: pd.Series, form: str) -> str:
    """A clause about one recommender beside the reference, in one cell."""
    size, p = minus(form.format(**row)), row["p_holm"]
    of_p = f"{p:.3f}" if p >= 0.001 else minus(f"{p:.0e}")
    after = f"(p = {of_p} after Holm's correction)"
    if p >= ALPHA:
        return f"at {size}, which is not significant {after}"
    return f"significantly {'better' if row['difference'] < 0 else 'worse'}, by {size} {after}"


def _counts(rows: pd.DataFrame) -> str:
    """The same in several cells."""
    significant = rows.loc[rows["p_holm"] < ALPHA, "difference"]
    better, worse = (significant < 0).sum(), (significant > 0).sum()
    span = f"{rows['difference'].min():+.3f} to {rows['difference'].max():+.3f} stars"
    span = f"differences of {minus(span)}"
    if not better and not worse:
        return f"not significantly better or worse in any of {len(rows)} cells ({span})"
    span += "; not significant in the others" if better + worse < len(rows) else ""
    counts = f"significantly better in {better} and significantly worse in {worse}"
    return f"{counts} of {len(rows)} cells ({span})"
