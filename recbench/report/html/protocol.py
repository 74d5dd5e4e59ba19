"""The protocol of a run in words, and the facts of how it was made."""

from __future__ import annotations

import json
from typing import Any

from recbench.evaluation.holdouts import holdouts
from recbench.report.html.run_files import GRID, RunFiles

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
    """How the run was made, from run.json, as text."""
    metadata = run.metadata
    machine, packages = metadata.get("machine") or {}, metadata.get("packages") or {}
    changes = metadata.get("resumed_with_changes", [])
    cores = {"cores": f"{machine['cores']} cores"} if "cores" in machine else {}
    found = {
        "run": run.folder.resolve().name,
        "data": "; ".join(map(_data, metadata.get("datasets") or [])),
        "begun": metadata.get("started"),
        "ended": metadata.get("finished"),
        "seconds": f"{metadata['seconds']:,.0f}" if "seconds" in metadata else None,
        "commit": metadata.get("git_commit"),
        "machine": ", ".join(map(str, {**machine, **cores}.values())),
        "Python": metadata.get("python"),
        "packages": ", ".join(f"{name} {version}" for name, version in packages.items()),
        "parameters": json.dumps(metadata.get("parameters") or {}, ensure_ascii=False),
        "notes": "; ".join(metadata.get("notes", [])),
        "gone on with changes": "; ".join(", ".join(map(str, change)) for change in changes),
    }
    return {name: str(value) for name, value in found.items() if value}


def _data(dataset: dict) -> str:
    counts = (dataset.get("counts") or {}).items()
    name = f"{dataset.get('name')} (fingerprint {dataset.get('fingerprint')})"
    return ", ".join([name, *(f"{value:,} {what}" for what, value in counts if "kept" in what)])
