"""The words of a page: question and result of the first screen, the protocol, the facts of a run.

"Significant" means after Holm's correction for all comparisons of the run by RMSE; a difference
that is not significant is called so.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from recbench.evaluation.holdouts import holdouts
from recbench.files import CELL
from recbench.report.figure import minus
from recbench.report.html.run_files import GRID, RunFiles
from recbench.report.terminal import ALPHA, cell_name, cells_of, users_scored

# what each value of a choice means; docs/evaluation.md has the reasons
WORDS = {
    "holdout=last": "Each user's last ratings in time are held out; equal times stand in seeded "
    "random order.",
    "holdout=next": "Held out are the very next ratings after a cut through all that a user has "
    "rated; training ratings are drawn from those before it.",
    "holdout=random": "A random part of each user's ratings is held out.",
    "holdout=global-time": "Whatever was rated after one date, by anybody, is held out.",
    "holdout=published": "A random part is held out, of other rows for collaborative recommenders, "
    "as published.",
    "join=links": "Ratings find their movies through links from MovieLens ids to TMDB ids.",
    "join=direct": "MovieLens ids are read as TMDB ids, as published, so most movies are others.",
    "vote_scale=halved": "A vote average of 0 to 10 is halved before it is encoded.",
    "vote_scale=as_published": "A vote average of 0 to 10 is read as 0 to 5, as published.",
    "labels=half_stars": "Accuracies keep half stars.",
    "labels=truncated": "Accuracies cut half stars off, as published.",
    "loss=logits": "Networks as published have their loss on logits.",
    "loss=double_sigmoid": "Networks as published apply the sigmoid twice, as published.",
    "samples=fresh": "Each iteration draws a new sample and new initial states.",
    "samples=same": "Each iteration has the same sample, as published.",
    "user_set=all": "Anybody may be drawn.",
    "user_set=development": "Only development users are drawn.",
    "user_set=test": "Only held-out test users are drawn.",
    "user_set=claim-1": "Only users that were set aside for the first claim are drawn.",
    "user_set=claim-2": "Only users that were set aside for the second claim are drawn.",
    "votes=True": "External votes of movies are known to recommenders that ask for them.",
    "votes=False": "External votes of movies are hidden from everybody.",
    "item_baseline=True": "The item baseline knows how movies were rated in training.",
    "item_baseline=False": "The item baseline does not know how movies were rated.",
}
CHOICES = list(dict.fromkeys(one.split("=")[0] for one in WORDS))


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


# --- how it was measured ------------------------------------------------------------------------


def protocol_in_words(run: RunFiles) -> list[str]:
    """One sentence for each choice of the run; a choice without words here is named."""
    if run.kind != GRID:
        return _of_replay(run.metadata.get("parameters") or {})
    chosen = {**run.main.iloc[0].to_dict(), **(run.metadata.get("protocol") or {})}
    found = [f"Protocol {chosen['protocol']}."] if chosen.get("protocol") else []
    for choice in CHOICES:
        if choice in chosen:
            found.append(_in_words(choice, str(chosen[choice])))
    holdout = holdouts().get(str(chosen.get("holdout")))
    if holdout and not holdout.same_test_rows:
        found.append("Recommenders are tested on different rows, so nothing is paired.")
    if "split" in chosen:
        found.append(f"{100 * float(chosen['split']):.0f} % of the ratings are for training.")
    background = str(chosen.get("background_users", ""))
    if background in ("0", "0.0"):
        found.append("Recommenders learn from the users of the sample alone.")
    elif background:
        users = f"Up to {background} users outside the sample"
        users = "All other users" if background == "all" else users
        found.append(f"{users} may be learned from as well, and are never tested.")
    if float(chosen.get("top_percentile") or 0):
        found.append(f"Only movies from the {chosen['top_percentile']}-quantile of votes on.")
    if "encoding" in chosen:
        found.append(f"The bits of a movie are the {chosen['encoding']} encoding.")
    return found


def _in_words(choice: str, value: str) -> str:
    return WORDS.get(f"{choice}={value}", f"{choice.replace('_', ' ').capitalize()}: {value}.")


def _of_replay(parameters: dict[str, Any]) -> list[str]:
    delay, users = parameters.get("delay", 0), parameters.get("num_users")
    user_set = str(parameters.get("user_set", "all"))
    found = [
        "All ratings are replayed in the order of their time; each is predicted before it is "
        "learned. A recommender that cannot learn a rating is refitted as its name has it: never "
        "(@never), after n ratings (@1000), after some time (@1d), or with n times as many ratings "
        "(@x1.5).",
        f"A rating is learned {f'{delay} seconds after its time' if delay else 'at once'}.",
        f"{users} users are replayed." if users else "",
        "" if user_set == "all" else _in_words("user_set", user_set),
        "The votes of a movie are those counted so far.",
    ]
    if "encoding" in parameters:
        found.append(f"The bits of a movie are the {parameters['encoding']} encoding.")
    return list(filter(None, found))


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
