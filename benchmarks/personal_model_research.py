"""What was tried for `wnn_vote` and `hybrid`, and what it gave -> results/<folder>/*.csv

On people of the development set alone, and on a part held out of their *training* ratings: no test
rating and no reserved person takes part. Every variant is fitted and scored on the same rows as
the model that it is a variant of; the difference is averaged within a person over the seeds, and
its interval is a paired bootstrap over people.

    python benchmarks/personal_model_research.py --dataset FOLDER --output-dir results/my-research
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

from benchmarks import personal_model_variants as tried
from Collaborative.bayesian_fm import BayesianFM
from command_line import run
from evaluation.cells import Cell, make_cell, parse_cells, validation_cell
from evaluation.measure import measure
from evaluation.protocols import PROTOCOLS, Protocol
from evaluation.run_folder import RunFolder, write_csv
from evaluation.significance import losses_per_user, significance
from PerUser.hybrid import Hybrid
from PerUser.median_read_out import median_of
from PerUser.ridge import PerUserRidge
from PerUser.wnn_vote import CHANNEL_WEIGHT, WnnVote
from preparation.joining import load_dataset
from ratings import Movies, Ratings
from recommender import Recommender


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    cells: tuple[str, ...] = ("250x10", "250x25", "250x50", "100x200", "0x0")
    """users × ratings of each; 0: all"""
    iterations: int = 4
    """samples of people in each cell"""
    seed: int = 20
    """of the first; iteration k uses seed + k - 1"""
    output_dir: str = "results/personal-model-research"
    """where the tables go"""


EXTENDED = PROTOCOLS["strict"].changed(user_set="development", encoding="extended")


@dataclass(frozen=True)
class Variant:
    """Something tried.

    Attributes:
        part: of the model that it is about.
        name: what is different.
        make: the recommender.
        reference: the name of what it is compared with.
        protocol: what it is run on.
    """

    part: str
    name: str
    make: Callable[[], Recommender]
    reference: str = "wnn_vote"
    protocol: Protocol = EXTENDED


class Fitted(BayesianFM):
    """`BayesianFM` that is fitted once to the same ratings with the same settings."""

    kept: dict[tuple, BayesianFM] = {}  # noqa: RUF012  # shared by all on purpose

    def fit(self, train: Ratings, movies: Movies, told: np.ndarray | None = None) -> Fitted:
        columns = (train.user, train.movie, train.stars, movies.bits, movies.crowd_stars)
        of_all = [column.tobytes() for column in columns]
        key = (self.seed, self.samples, *of_all, b"" if told is None else told.tobytes())
        if key not in self.kept:
            model = BayesianFM(self.seed, samples=self.samples)
            self.kept[key] = model.fit(train, movies, told)
        vars(self).update(vars(self.kept[key]))
        return self


def settings(part: str, name: str, **changed: float) -> Variant:
    return Variant(part, name, partial(WnnVote, **changed))


def of_hybrid(name: str, make: Callable[..., Recommender], **changed: object) -> Variant:
    return Variant("hybrid", name, partial(make, base=Fitted, **changed), "hybrid")


NEVER = tried.NEVER
MODEL, READ_OUT = "the models", "read-out"
VARIANTS = (
    Variant(MODEL, "wnn_vote", WnnVote, "bayes_fm"),
    Variant(MODEL, "hybrid", partial(Hybrid, base=Fitted), "bayes_fm"),
    Variant(MODEL, "bayes_fm", Fitted, "bayes_fm"),
    Variant(MODEL, "bayes_fm with c as a number", tried.WithOpinion, "bayes_fm"),
    Variant(MODEL, "ridge", PerUserRidge, "bayes_fm"),
    Variant(MODEL, "ridge over the mean", partial(PerUserRidge, over="mean"), "bayes_fm"),
    Variant("encoding", "published", WnnVote, protocol=EXTENDED.changed(encoding="published")),
    *(
        Variant("encoding", f"without {channel}", partial(tried.without_channel, channel))
        for channel in CHANNEL_WEIGHT
        if CHANNEL_WEIGHT[channel]
    ),
    Variant("crowd", "half the vote average", tried.HalfTheAverage),
    Variant("crowd", "votes alone", tried.VotesAlone),
    Variant("crowd", "votes and bits", tried.VotesAndBits),
    Variant("crowd", "and the sample's ratings", tried.RatingsOfTheSample),
    Variant("crowd", "not known (--no-crowd)", WnnVote, protocol=EXTENDED.changed(crowd=False)),
    settings("steps", "no kindness", prior_mean=NEVER),
    settings("steps", "kindness, prior of 2 ratings", prior_mean=2.0),
    settings("steps", "kindness, prior of 8 ratings", prior_mean=8.0),
    settings("steps", "no bent", prior_bent=NEVER),
    settings("steps", "no vote", prior_vote=NEVER),
    settings("taste", "no taste", prior_taste=NEVER),
    settings("taste", "no taste, and λ = .6 as before it", prior_taste=NEVER, prior_vote=0.6),
    settings("taste", "τ halved", prior_taste=30.0),
    settings("taste", "τ doubled", prior_taste=120.0),
    Variant("taste", "fades, τ = 30", partial(tried.TasteFades, prior_taste=30.0)),
    settings("vote", "λ halved", prior_vote=1.0),
    settings("vote", "λ doubled", prior_vote=4.0),
    settings("distance", "half as sharp", sharpness=0.5),
    settings("distance", "twice as sharp", sharpness=2.0),
    Variant("distance", "all bits alike", tried.AllBitsAlike),
    Variant("distance", "bits by what they tell of the person", tried.Informative),
    Variant("vote", "power read-out", tried.PowerReadOut),
    Variant("vote", "10 nearest", tried.Nearest),
    Variant("vote", "128 tuples of 5 bits", tried.Tuples),
    Variant("vote", "kernel ridge (upper reference)", tried.KernelRidge),
    Variant("vote", "λ and sharpness by each person's prequential loss", tried.OwnSettings),
    Variant("vote", "and a third of ridge", tried.ThirdOfRidge),
    settings("forgetting", "none", fade_power=0.0),
    Variant("forgetting", "exponential, half-life 40 ratings", tried.ExponentialFade),
    settings("forgetting", "steeper (q = 1.4)", fade_power=1.4),
    of_hybrid("equal shares", tried.FixedShares, shares=(1 / 3, 1 / 3, 1 / 3)),
    of_hybrid("model, and memory of its errors", tried.FixedShares, shares=(0.0, 1.0, 0.0)),
    of_hybrid("model told by the memory", tried.FixedShares, shares=(0.0, 0.0, 1.0)),
    of_hybrid("wnn_vote and the former", tried.FixedShares, shares=(0.5, 0.5, 0.0)),
    of_hybrid("wnn_vote and the latter", tried.FixedShares, shares=(0.5, 0.0, 0.5)),
    of_hybrid("both without wnn_vote", tried.FixedShares, shares=(0.0, 0.5, 0.5)),
    of_hybrid("a model of what the memory leaves, alone", tried.OverTheMemory, shares=(0, 0, 1)),
    of_hybrid("the same in a third", tried.OverTheMemory, shares=(1 / 3, 1 / 3, 1 / 3)),
    of_hybrid("priors of wnn_vote in the memory of m's errors", Hybrid, doubt=1.0),
    of_hybrid("three times as strong there", Hybrid, doubt=3.0),
    of_hybrid("no memory of m's errors", Hybrid, doubt=NEVER),
    of_hybrid("cross-fitted, 5 × 60 samples", tried.CrossFitted, parts=5, samples=60),
    Variant(READ_OUT, "bayes_fm, median", median_of(Fitted), "bayes_fm"),
    Variant(READ_OUT, "wnn_vote, median", median_of(WnnVote), "bayes_fm, median"),
    Variant(
        READ_OUT,
        "hybrid, median",
        partial(median_of(Hybrid), base=Fitted),
        "bayes_fm, median",
    ),
)


def main(parameters: Parameters) -> None:
    sizes = parse_cells(parameters.cells, least_reviews=3)
    dataset = load_dataset(parameters.dataset)
    folder = RunFolder.create(
        Path(parameters.output_dir),
        {
            "parameters": vars(parameters),
            "protocol": EXTENDED.columns(),
            "dataset": {
                "name": dataset.source.name,
                "fingerprint": dataset.source.fingerprint(),
            },
        },
    )
    started = time.perf_counter()
    scores, losses = [], []
    grid = [(cell, k) for cell in sizes for k in range(parameters.iterations)]
    for (num_users, reviews), k in grid:
        seed = parameters.seed + k
        where = {"num_users": num_users, "reviews_per_user": reviews, "iteration": k + 1}
        cells: dict[str, Cell] = {}
        for variant in VARIANTS:
            protocol = variant.protocol
            key = str(protocol.columns())
            if key not in cells:
                whole = make_cell(dataset, protocol, num_users, reviews, seed)
                cells[key] = validation_cell(whole, protocol, seed)
            done = measure(variant.make(), cells[key], protocol.labels)
            about = {**where, "model": variant.name}
            scores.append({**about, **done.row})
            losses.append(losses_per_user(done.predictions).assign(**about))
        Fitted.kept.clear()
        print(f"{num_users or 'all'} × {reviews or 'all'}, sample {k + 1}: done", flush=True)
    research = table_of(pd.DataFrame(scores), pd.concat(losses, ignore_index=True))
    write_csv(research, folder.path / "research.csv")
    of_means = summary(research, "rmse", [v for v in VARIANTS if v.part != READ_OUT])
    write_csv(of_means, folder.path / "summary_rmse.csv")
    read_outs = summary(research, "mae", [v for v in VARIANTS if v.part in (MODEL, READ_OUT)])
    write_csv(read_outs, folder.path / "summary_mae.csv")
    folder.close(started)
    print(f"research.csv, summary_rmse.csv and summary_mae.csv are in {folder.path}")


def table_of(scores: pd.DataFrame, losses: pd.DataFrame) -> pd.DataFrame:
    """One row per cell and variant: rmse and mae, mean and standard deviation over samples, and the
    difference from the reference with its interval."""
    cell = ["num_users", "reviews_per_user"]
    references = pd.DataFrame({"rival": sorted({variant.reference for variant in VARIANTS})})
    rivals = scores[cell].drop_duplicates().merge(references, how="cross").assign(rival_is="")
    differences = significance(losses, rivals).set_index([*cell, "model", "rival", "score"])
    rows = []
    for (num_users, reviews), of_cell in scores.groupby(cell, sort=False):
        for variant in VARIANTS:
            row = {"num_users": num_users, "reviews_per_user": reviews, "part": variant.part}
            row |= {"variant": variant.name, "reference": variant.reference}
            mine = of_cell[of_cell["model"] == variant.name]
            for score in ("rmse", "mae"):
                row |= {score: mine[score].mean(), f"{score}_deviation": mine[score].std()}
                key = (num_users, reviews, variant.name, variant.reference, score)
                found = differences.loc[key] if key in differences.index else None
                for name in ("difference", "low", "high"):
                    row[f"{score}_{name}"] = 0.0 if found is None else found[name]
            rows.append(row)
    return pd.DataFrame(rows)


def summary(research: pd.DataFrame, score: str, variants: list[Variant]) -> pd.DataFrame:
    """One row per variant: by how much it is off its reference in each cell, in thousandths of a
    star; a star where the 95 % interval excludes zero."""
    rows = []
    for variant in variants:
        mine = research[(research["variant"] == variant.name) & (research["part"] == variant.part)]
        row = {"part": variant.part, "variant": variant.name, "against": variant.reference}
        for one in mine.to_dict("records"):
            sure = one[f"{score}_low"] > 0 or one[f"{score}_high"] < 0
            cell = f"{one['num_users'] or 'all'} × {one['reviews_per_user'] or 'all'}"
            value = f"{1000 * one[f'{score}_difference']:+.1f}{'*' if sure else ''}"
            row[cell] = f"{one[score]:.4f}" if variant.name == variant.reference else value
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    run(main, Parameters)
