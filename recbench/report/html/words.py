"""The words of a page: question and result of the first screen, the protocol, the facts of a run.

Verdicts are those of the run's own family, see `recbench.evaluation.significance.verdicts`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pandas as pd

from recbench.evaluation.holdouts import holdouts
from recbench.evaluation.protocols import Protocol
from recbench.files import CELL
from recbench.report.figure import minus
from recbench.report.html.run_files import GRID, RunFiles
from recbench.report.terminal import cell_name, cells_of, users_scored

# --- the first screen ---------------------------------------------------------------------------


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
    cells = "; ".join(map(cell_name, cells_of(run.main)))
    iterations = run.main["iteration"].nunique()
    scored = [f"{cell_name(cell)}: {of}" for cell, of in users_scored(run.main).items()]
    fewer = f" Users scored, with a rating held out: {'; '.join(scored)}." if scored else ""
    return f"{who}: {cells} (users × ratings of each), iterations: {iterations}.{fewer}"


def answer(run: RunFiles) -> str:
    """One sentence with the number."""
    done, grid = run.done, run.kind == GRID
    if done.empty:
        return f"No recommender has a result: all {len(run.main)} failed."
    if done["rmse"].isna().all():
        return "No recommender of this run predicts stars: movies are ranked, see below."
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
    return f"{found}; {words} {counts(rows) if len(rows) > 1 else _verdict(rows.iloc[0], size)}."


def _verdict(row: pd.Series, form: str) -> str:
    """A clause about one recommender beside the reference, in one cell."""
    size, p, level = minus(form.format(**row)), *map(_p, row[["p_holm", "p_equivalent"]])
    after = f"(p = {p} after Holm's correction)"
    return {
        "better": f"significantly better, by {size} {after}",
        "worse": f"significantly worse, by {size} {after}",
        "level": f"level, at {size} (less than .5 % apart, p = {level})",
        "undecided": f"undecided, at {size}: neither significant {after} nor level (p = {level})",
    }[row["verdict"]]


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else minus(f"{p:.0e}")


def counts(rows: pd.DataFrame) -> str:
    """How many differences have which verdict, and how large they are."""
    names = {"better": "significantly better", "level": "level", "undecided": "undecided"}
    names |= {"worse": "significantly worse"}
    n = rows["verdict"].value_counts()
    found = ", ".join(f"{name} in {n[key]}" for key, name in names.items() if key in n)
    span = minus(f"{rows['difference'].min():+.3f} to {rows['difference'].max():+.3f}")
    return f"{found} of {len(rows)} cells (differences of {span} stars)"


# --- how it was measured ------------------------------------------------------------------------


def protocol(run: RunFiles) -> dict[str, str]:
    """The choices of a grid by their names, which docs/evaluation.md explains."""
    names = [field.name for field in fields(Protocol)][1:]
    row = run.main.iloc[0].to_dict() if run.kind == GRID else {}
    chosen = {name: row[name] for name in ("protocol", *names) if name in row}
    chosen |= {k: v for k, v in (run.metadata.get("protocol") or {}).items() if k in names}
    return {name.replace("_", " "): _as_text(value) for name, value in chosen.items()}


def facts(run: RunFiles) -> dict[str, str]:
    """How the run was made: what run.json has beside the protocol, as text."""
    found = {"run": run.folder.resolve().name}
    for name, value in run.metadata.items():
        if name not in ("status", "protocol", "references") and value not in (None, [], {}):
            found[name.replace("_", " ")] = _as_text(value)
    return found


def _as_text(value: Any) -> str:
    if isinstance(value, dict):
        there = {name: one for name, one in value.items() if one not in (None, [], "")}
        return ", ".join(f"{name} {_as_text(one)}" for name, one in there.items())
    if isinstance(value, list):
        return "; ".join(map(_as_text, value))
    return f"{value:,.0f}" if isinstance(value, float) and value >= 10 else str(value)
