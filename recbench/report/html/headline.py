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
from recbench.report.terminal import ALPHA, cell_name, cells_of, users_scored


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
    scored = [f"{cell_name(cell)}: {of}" for cell, of in users_scored(run.main).items()]
    fewer = f" Users scored, with a rating held out: {'; '.join(scored)}." if scored else ""
    return f"{who}: {cells}, {'once' if iterations == 1 else f'{iterations} times each'}.{fewer}"


def answer(run: RunFiles) -> str:
    """One sentence with the number."""
    if run.done.empty:
        return f"No recommender has a result: all {len(run.main)} failed."
    return _of_grid(run) if run.kind == GRID else _of_replay(run)


def _of_grid(run: RunFiles) -> str:
    by_cell = run.done.pivot_table(index="model", columns=CELL, values="rmse", aggfunc="mean")
    in_all = by_cell.dropna() if by_cell.notna().all(axis=1).any() else by_cell
    mean = in_all.mean(axis=1).sort_values(kind="stable")
    best, rmse = str(mean.index[0]), mean.iloc[0]
    cells = by_cell.shape[1]
    where = cell_name(tuple(by_cell.columns[0])) if cells == 1 else f"the mean over {cells} cells"
    first = f"{best} has the lowest error: RMSE {rmse:.3f} stars, {where}"
    if len(mean) == 1:
        return f"{best} has an RMSE of {rmse:.3f} stars, {where}; there is no other to compare."
    compared = run.differences[run.differences["score"] == "rmse"]
    references, tested = compared["reference"].unique(), set(compared["model"])
    if not tested or best not in {*references, *tested}:
        return f"{first}; whether it differs from others was not tested in this run."
    if best not in tested:  # it is the reference
        other = next((str(name) for name in mean.index[1:] if name in tested), "")
        rows = compared[compared["model"] == other]
        return f"{first}; the next is {other}, {_differences(rows, rmse)}."
    one = len(references) == 1
    beside = references[0] if one else "the reference of each cell"
    of_reference = mean.get(references[0]) if one else None
    rows = compared[compared["model"] == best]
    return f"{first}; beside {beside} it is {_differences(rows, of_reference)}."


def _differences(rows: pd.DataFrame, reference: float | None) -> str:
    """One recommender beside the reference: a clause about the rows, one a cell."""
    if len(rows) == 1:
        row = rows.iloc[0]
        size = f"{row['difference']:+.3f} stars [{row['low']:+.3f}, {row['high']:+.3f}]"
        if reference:
            size += f", {100 * row['difference'] / reference:+.1f} %"
        return _verdict(size, row["difference"], row["p_holm"])
    significant = rows.loc[rows["p_holm"] < ALPHA, "difference"]
    better, worse = (significant < 0).sum(), (significant > 0).sum()
    span = f"{rows['difference'].min():+.3f} to {rows['difference'].max():+.3f} stars"
    span = f"differences of {minus(span)}"
    if not better and not worse:
        return f"not significantly better or worse in any of {len(rows)} cells ({span})"
    if better + worse < len(rows):
        span += "; not significant in the others"
    counts = f"significantly better in {better} and significantly worse in {worse}"
    return f"{counts} of {len(rows)} cells ({span})"


def _of_replay(run: RunFiles) -> str:
    done = run.done.sort_values("rmse", kind="stable")
    best, compared = done.iloc[0], done[done["p_holm"].notna()]
    references = run.done.loc[run.done["percent"].isna(), "model"].tolist()
    first = f"{best['model']} has the lowest error: RMSE {best['rmse']:.3f} stars"
    if compared.empty or not references:
        return f"{first}; there is no other to compare it with."
    is_reference = best["model"] == references[0]
    row = compared.iloc[0] if is_reference else best
    clause = f"the next, {row['model']}, is" if is_reference else f"beside {references[0]} it is"
    size = f"{row['percent']:+.1f} % [{row['low']:+.1f}, {row['high']:+.1f}]"
    return f"{first}; {clause} {_verdict(size, row['percent'], row['p_holm'])}."


def _verdict(size: str, difference: float, p: float) -> str:
    size, of_p = minus(size), f"{p:.3f}" if p >= 0.001 else minus(f"{p:.0e}")
    after = f"(p = {of_p} after Holm's correction)"
    if p >= ALPHA:
        return f"at {size}, which is not significant {after}"
    return f"significantly {'better' if difference < 0 else 'worse'}, by {size} {after}"
